"""The detectors of the field: SCRFD and RetinaFace, YuNet, YOLO-face, CenterFace, each as its authors decode it.

All find boxes and five keypoints. CenterFace takes a picture of any size, stretched a little; the others take a square
that a picture is fitted into, its rest black. There whole numbers are pixels' centres; what is given back counts from
pixels' corners, as everywhere in this package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.errors import ModelFileError
from understudy.face import Faces
from understudy.geometry.boxes import nms
from understudy.models.conventions import blob
from understudy.models.session import Session

STRIDES: Final = (8, 16, 32)
#: SCRFD's anchors a cell.
_ANCHORS: Final = 2
#: CenterFace's pictures have sides that are multiples of the first, and its cells sides of the second, in pixels.
_WHOLE, _CELL = 32, 4
#: The logarithm of a size in cells that is larger than any picture: no more is raised to a power.
_LARGEST: Final = 20


@dataclass(frozen=True)
class NeuralDetectorOptions:
    """What is taken for a face.

    Attributes:
        min_score: 0-1.
        overlap: Two boxes that share more of their union are one face; None for what the model's authors say.
    """

    min_score: float = 0.5
    overlap: float | None = None


class Candidates(NamedTuple):
    """What a model gives, in pixels of the picture that it was given: N rows.

    Attributes:
        boxes: float32 (N, 4), xyxy.
        scores: float32 (N,), 0-1.
        keypoints: float32 (N, 5, 2).
    """

    boxes: FloatArray
    scores: FloatArray
    keypoints: FloatArray


class Fitted(NamedTuple):
    """A picture as a model takes it.

    Attributes:
        picture: uint8 BGR (h, w, 3).
        scale: float32 (2,): how many of its pixels one of the original's is, across and down.
        shift: What is added to a place in the original, so that it counts from pixels' corners.
    """

    picture: UInt8Array
    scale: FloatArray
    shift: float


class NeuralDetector:
    """A ``Detector`` out of the catalogue.

    Args:
        session: An open detector of the family ``scrfd``, ``yunet``, ``yoloface`` or ``centerface``.
        options: What is taken for a face.
    """

    def __init__(self, session: Session, options: NeuralDetectorOptions | None = None) -> None:
        self.options = options or NeuralDetectorOptions()
        self._session, self._input = session, session.entry.input
        self._family = _FAMILIES[str(session.entry.family)]

    def detect(self, picture: UInt8Array, *, thorough: bool = False) -> Faces:  # noqa: ARG002
        """See ``Detector.detect``: one look sees large and small faces alike.

        Raises:
            ModelFileError: the model's outputs are not those of its family.
        """
        shown = self._family.fit(picture, self._input.size)
        values = self._session.run({self._session.inputs[0]: blob(shown.picture, self._input)})
        outputs = dict(zip(self._session.outputs, values, strict=True))
        try:
            found = self._family.decode(outputs, shown.picture.shape[:2])
        except (ValueError, IndexError) as fault:
            raise ModelFileError(
                f"{self._session.entry.name} gives outputs that are not a {self._session.entry.family} detector's",
                "The file is another model than the one that the catalogue describes.",
            ) from fault
        finite = np.isfinite(found.boxes).all(axis=1) & np.isfinite(found.keypoints).all(axis=(1, 2))
        sure = finite & (found.scores >= self.options.min_score)
        boxes, scores = found.boxes[sure], found.scores[sure]
        overlap = self._family.overlap if self.options.overlap is None else self.options.overlap
        kept = nms(boxes, scores, overlap)
        return Faces(
            boxes_xyxy=(boxes[kept].reshape(-1, 2, 2) / shown.scale).reshape(-1, 4) + np.float32(shown.shift),
            scores=scores[kept],
            keypoints5=found.keypoints[sure][kept] / shown.scale + np.float32(shown.shift),
        )

    def parts(self, picture: UInt8Array) -> int:  # noqa: ARG002
        """See ``Detector.parts``."""
        return 1

    def part(self, picture: UInt8Array, number: int) -> Faces:  # noqa: ARG002
        """See ``Detector.part``: there is nothing that ``detect`` would not find."""
        return Faces.empty()

    def glance(self, picture: UInt8Array, turn: int) -> Faces:  # noqa: ARG002
        """See ``Detector.glance``: there is nothing that ``detect`` would not find."""
        return Faces.empty()

    def rest(self) -> None:
        """See ``Detector.rest``: one model finds faces of all sizes."""


def fitted(picture: UInt8Array, side: int) -> Fitted:
    """A picture in the upper left of a black square of ``side`` pixels, as InsightFace fits it."""
    height, width = picture.shape[:2]
    if height > width:
        size = (max(int(side / (height / width)), 1), side)
    else:
        size = (side, max(int(side * (height / width)), 1))
    square = np.zeros((side, side, 3), np.uint8)
    square[: size[1], : size[0]] = cv2.resize(picture, size)
    return Fitted(square, np.full(2, size[1] / height, np.float32), 0.5)


def stretched(picture: UInt8Array, side: int) -> Fitted:
    """A picture stretched as CenterFace takes it; with ``side`` pixels along the longer side if it has more.

    Its authors stretch each side by itself to the next multiple of 32, and put the middle of the first cell at half a
    cell: places count from pixels' corners already.
    """
    height, width = picture.shape[:2]
    share = min(side / max(height, width), 1.0)
    down, across = (max(-(-round(one * share) // _WHOLE), 1) * _WHOLE for one in (height, width))
    shown = np.asarray(cv2.resize(picture, (across, down)), np.uint8)
    return Fitted(shown, np.array([across / width, down / height], np.float32), 0.0)


def _cells(side: int, stride: int, anchors: int) -> FloatArray:
    """Where the cells of a grid are, row by row: float32 (n, 2), in pixels."""
    count = side // stride
    rows, columns = np.mgrid[:count, :count]
    points = np.stack([columns, rows], axis=-1).reshape(-1, 2) * stride
    return np.repeat(points, anchors, axis=0).astype(np.float32)


def _scrfd(outputs: dict[str, FloatArray], sides: tuple[int, ...]) -> Candidates:
    """Nine outputs: scores, boxes (distances to left, top, right, bottom) and keypoints, a stride each."""
    values = [one.reshape(-1, one.shape[-1]) for one in outputs.values()]
    if len(values) != 3 * len(STRIDES):
        raise ModelFileError(f"a detector of this kind gives 9 outputs, not {len(values)}", "It is another model.")
    parts = []
    for number, stride in enumerate(STRIDES):
        points = _cells(sides[0], stride, _ANCHORS)
        scores, near, keys = (values[number + len(STRIDES) * kind] for kind in range(3))
        boxes = np.concatenate([points - near[:, :2] * stride, points + near[:, 2:] * stride], axis=1)
        parts.append(Candidates(boxes, scores[:, 0], points[:, None] + keys.reshape(-1, 5, 2) * stride))
    return _joined(parts)


def _yunet(outputs: dict[str, FloatArray], sides: tuple[int, ...]) -> Candidates:
    """Twelve outputs, named: class, object, box and keypoints, a stride each. A score is class times object."""
    parts = []
    for stride in STRIDES:
        try:
            kind, thing, box, keys = (
                outputs[f"{name}_{stride}"].reshape(-1, width)
                for name, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
            )
        except KeyError as fault:
            raise ModelFileError(f"a detector of this kind gives {fault}", "It is another model.") from fault
        points = _cells(sides[0], stride, 1)
        score = np.clip(kind, 0, 1)[:, 0] * np.clip(thing, 0, 1)[:, 0]
        middle, half = points + box[:, :2] * stride, np.exp(box[:, 2:]) * stride / 2
        boxes = np.concatenate([middle - half, middle + half], axis=1)
        parts.append(Candidates(boxes, score, points[:, None] + keys.reshape(-1, 5, 2) * stride))
    return _joined(parts)


def _yoloface(outputs: dict[str, FloatArray], sides: tuple[int, ...]) -> Candidates:  # noqa: ARG001
    """One output of 20 rows: centre and size of the box, score, five keypoints with how visible each is."""
    (rows,) = list(outputs.values())[:1]
    rows = rows.reshape(-1, rows.shape[-1])
    if rows.shape[0] != 20:
        raise ModelFileError(f"a detector of this kind gives 20 rows, not {rows.shape[0]}", "It is another model.")
    middle, half = rows[:2].T, rows[2:4].T / 2
    boxes = np.concatenate([middle - half, middle + half], axis=1)
    return Candidates(boxes, rows[4], rows[5:].T.reshape(-1, 5, 3)[:, :, :2])


def _centerface(outputs: dict[str, FloatArray], sides: tuple[int, ...]) -> Candidates:
    """Four maps, named: how sure, height and width (logarithms), the middle in its cell, points as shares of the box.

    All are down before across. Its authors push a box that reaches over the left or upper edge into the picture, points
    and all; here both stay where the maps have them.
    """
    try:
        maps = [outputs[name] for name in ("537", "538", "539", "540")]
    except KeyError as fault:
        raise ModelFileError(f"a detector of this kind gives {fault}", "It is another model.") from fault
    grid = tuple(side // _CELL for side in sides)
    shapes = [(1, rows, *grid) for rows in (1, 2, 2, 10)]
    if [one.shape for one in maps] != shapes:
        raise ModelFileError(f"a detector of this kind gives maps of {shapes}, not these", "It is another model.")
    scores, sizes, offsets, shares = (one[0].reshape(one.shape[1], -1).T for one in maps)
    cells = np.indices(grid, np.float32).reshape(2, -1).T
    middle = (cells + offsets + np.float32(0.5)) * _CELL
    size = np.exp(np.minimum(sizes, _LARGEST)) * _CELL
    low, high = middle - size / 2, middle + size / 2
    points = low[:, None] + shares.reshape(-1, 5, 2) * size[:, None]
    boxes = np.concatenate([low[:, ::-1], high[:, ::-1]], axis=1)
    return Candidates(*(one.astype(np.float32) for one in (boxes, scores[:, 0], points[:, :, ::-1])))


def _joined(parts: list[Candidates]) -> Candidates:
    return Candidates(*(np.concatenate(values) for values in zip(*parts, strict=True)))


class _Family(NamedTuple):
    """What detectors of one family have in common.

    Attributes:
        fit: A picture, and the side in pixels that the catalogue says, as the model takes it.
        decode: Outputs by name, and height and width of what the model was given, as candidates.
        overlap: Two boxes that share more of their union are one face, as the authors say.
    """

    fit: Callable[[UInt8Array, int], Fitted]
    decode: Callable[[dict[str, FloatArray], tuple[int, ...]], Candidates]
    overlap: float


_FAMILIES: Final = {
    "scrfd": _Family(fitted, _scrfd, 0.4),
    "yunet": _Family(fitted, _yunet, 0.4),
    "yoloface": _Family(fitted, _yoloface, 0.4),
    "centerface": _Family(stretched, _centerface, 0.3),
}
