"""Landmarks of the field's models: 106 points, 68 in space, 68 on the picture; each as its authors crop and decode.

There whole numbers are pixels' centres; what is given back counts from pixels' corners, as everywhere in this package.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.errors import ModelFileError
from understudy.geometry.transforms import apply, crop, invert, scale_of
from understudy.landmarks.pose import pose_of_points
from understudy.landmarks.reading import Reading
from understudy.models.conventions import blob
from understudy.models.session import Session

#: Of a box's longer side: how large a square InsightFace's models see.
_AROUND: Final = 1.5
#: 2dfan4 sees a square in which the box's longer side is this long, and answers in a heat map of that side.
_FAN_SIDE, _FAN_MAP = 195.0, 64.0
#: Points of 1k3d68 that count: the last ones.
_IN_SPACE: Final = 68
#: Numbers beyond which they are points in space: 1k3d68 gives 3,309, 2d106det 212.
_MANY: Final = 1000
#: Years beyond which nobody is guessed.
_OLDEST: Final = 120


class PointFinder:
    """Finds one model's points on a face.

    Args:
        session: An open landmarker of the catalogue, or ``genderage``, which is fed alike.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._input = session, session.entry.input
        self._fan = session.entry.family == "fan"

    def find(self, picture: UInt8Array, box_xyxy: FloatArray) -> FloatArray:
        """The points of one face.

        Args:
            picture: uint8 BGR (H, W, 3).
            box_xyxy: float32 (4,): a detector's.

        Returns:
            float32 (N, 2), in pixels of ``picture``; (68, 3) where the model knows depth: z in the same scale.

        Raises:
            ModelFileError: the model gives something else.
        """
        transform = self._square(box_xyxy)
        values = self._run(picture, transform)
        back = invert(transform)
        if self._fan and (values.shape[-1] not in (2, 3) or values.size != _IN_SPACE * values.shape[-1]):
            raise self._unfitting(values)
        if self._fan:
            points = values.reshape(-1, values.shape[-1])[:, :2] / _FAN_MAP * self._input.size
            return apply(back, points + np.float32(0.5))
        depth = values.size > _MANY
        if values.size < 3 * _IN_SPACE or values.size % (3 if depth else 2):
            raise self._unfitting(values)
        points = values.reshape(-1, 3 if depth else 2)[-_IN_SPACE if depth else 0 :]
        points = np.column_stack([points[:, :2] + 1, points[:, 2:]]) * np.float32(self._input.size // 2)
        flat = apply(back, points[:, :2] + np.float32(0.5))
        return np.column_stack([flat, points[:, 2] * np.float32(scale_of(back))]) if depth else flat

    def read(self, picture: UInt8Array, box_xyxy: FloatArray) -> FloatArray:
        """What the model says of one face, flat: for models whose answer is no points."""
        return self._run(picture, self._square(box_xyxy)).reshape(-1)

    def _unfitting(self, values: FloatArray) -> ModelFileError:
        return ModelFileError(
            f"{self._session.entry.name} gives numbers in the shape {values.shape}, which are not its points",
            "The file is another model than the one that the catalogue describes.",
        )

    def _run(self, picture: UInt8Array, transform: FloatArray) -> FloatArray:
        side = self._input.size
        values = self._session.run({self._session.inputs[0]: blob(crop(picture, transform, (side, side)), self._input)})
        if not np.isfinite(values[0]).all():
            raise ModelFileError(f"{self._session.entry.name} gives results that are not numbers", "Fetch it again.")
        return values[0]

    def _square(self, box_xyxy: FloatArray) -> FloatArray:
        """From the picture to the crop, float32 (2, 3): upright, the box in its middle."""
        low, high = box_xyxy[:2], box_xyxy[2:]
        longer, side = max(float((high - low).max()), 1e-3), self._input.size
        scale = _FAN_SIDE / longer if self._fan else side / (longer * _AROUND)
        # Their box's middle, a pixel's centre, lies at the crop's half side.
        shift = side / 2 + 0.5 - scale * (low + high) / 2
        return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)


class Attributes:
    """Guesses how old somebody looks, and which of two genders: statistics of photos, no facts about people.

    Args:
        session: ``genderage``, open.
    """

    def __init__(self, session: Session) -> None:
        self._finder = PointFinder(session)

    def guess(self, picture: UInt8Array, box_xyxy: FloatArray) -> tuple[str, int]:
        """``female`` or ``male``, and years."""
        female, male, age = self._finder.read(picture, box_xyxy)[:3].tolist()
        return "male" if male > female else "female", round(min(max(age * 100, 0), _OLDEST))


class Reader:
    """Asks one model.

    Args:
        session: An open landmarker, or one that guesses.
    """

    def __init__(self, session: Session) -> None:
        self._name = session.entry.name
        self._guesser = Attributes(session) if session.entry.kind == "attributes" else None
        self._finder = PointFinder(session)

    def __call__(self, picture: UInt8Array, box_xyxy: FloatArray) -> Reading:
        """What it says of a face, uint8 BGR (H, W, 3), in a box, float32 (4,).

        Raises:
            ModelError: it fails, or gives something else than its entry says.
        """
        if self._guesser is not None:
            return Reading(self._name, looks=self._guesser.guess(picture, box_xyxy))
        points = self._finder.find(picture, box_xyxy)
        rounded = tuple(tuple(round(float(value), 2) for value in point) for point in points)
        return Reading(self._name, rounded, _rounded_pose(points) if len(points) == 68 else None)


def _rounded_pose(points: FloatArray) -> tuple[float, float, float] | None:
    try:
        yaw, pitch, roll = pose_of_points(points)
    except ValueError:
        return None  # a model that finds no face may put all points at one place
    return round(yaw, 1), round(pitch, 1), round(roll, 1)
