"""The detectors of the field: SCRFD and RetinaFace, YuNet, YOLO-face, each as its authors decode it.

All find boxes and five keypoints in a square that a picture is fitted into, its rest black. There whole numbers are
pixels' centres; what is given back counts from pixels' corners, as everywhere in this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.errors import ModelFileError
from understudy.face import Faces
from understudy.geometry.boxes import nms
from understudy.models.conventions import blob
from understudy.models.sessions import Session

STRIDES: Final = (8, 16, 32)
#: SCRFD's anchors a cell.
_ANCHORS: Final = 2


@dataclass(frozen=True)
class NeuralDetectorOptions:
    """What is taken for a face.

    Attributes:
        min_score: 0-1.
        overlap: Two boxes that share more of their union are one face.
    """

    min_score: float = 0.5
    overlap: float = 0.4


class Candidates(NamedTuple):
    """What a model gives, in pixels of the square: N rows.

    Attributes:
        boxes: float32 (N, 4), xyxy.
        scores: float32 (N,), 0-1.
        keypoints: float32 (N, 5, 2).
    """

    boxes: FloatArray
    scores: FloatArray
    keypoints: FloatArray


class NeuralDetector:
    """A ``Detector`` out of the catalogue.

    Args:
        session: An open detector of the family ``scrfd``, ``yunet`` or ``yoloface``.
        options: What is taken for a face.
    """

    def __init__(self, session: Session, options: NeuralDetectorOptions | None = None) -> None:
        self.options = options or NeuralDetectorOptions()
        self._session, self._input = session, session.entry.input
        self._decode = {"scrfd": _scrfd, "yunet": _yunet, "yoloface": _yoloface}[str(session.entry.family)]

    def detect(self, picture: UInt8Array, *, thorough: bool = False) -> Faces:  # noqa: ARG002
        """See ``Detector.detect``: one look sees large and small faces alike.

        Raises:
            ModelFileError: the model's outputs are not those of its family.
        """
        side = self._input.size
        square, scale = fitted(picture, side)
        values = self._session.run({self._session.inputs[0]: blob(square, self._input)})
        outputs = dict(zip(self._session.outputs, values, strict=True))
        try:
            found = self._decode(outputs, side)
        except (ValueError, IndexError) as fault:
            raise ModelFileError(
                f"{self._session.entry.name} gives outputs that are not a {self._session.entry.family} detector's",
                "The file is another model than the one that the catalogue describes.",
            ) from fault
        finite = np.isfinite(found.boxes).all(axis=1) & np.isfinite(found.keypoints).all(axis=(1, 2))
        sure = finite & (found.scores >= self.options.min_score)
        boxes, scores = found.boxes[sure], found.scores[sure]
        kept = nms(boxes, scores, self.options.overlap)
        return Faces(
            boxes_xyxy=boxes[kept] / scale + np.float32(0.5),
            scores=scores[kept],
            keypoints5=found.keypoints[sure][kept] / scale + np.float32(0.5),
        )

    def glance(self, picture: UInt8Array, turn: int) -> Faces:  # noqa: ARG002
        """See ``Detector.glance``: there is nothing that ``detect`` would not find."""
        return Faces.empty()


def fitted(picture: UInt8Array, side: int) -> tuple[UInt8Array, float]:
    """A picture in the upper left of a black square, as InsightFace fits it.

    Returns:
        uint8 (side, side, 3), and how many of its pixels one of the picture's is.
    """
    height, width = picture.shape[:2]
    if height > width:
        size = (max(int(side / (height / width)), 1), side)
    else:
        size = (side, max(int(side * (height / width)), 1))
    square = np.zeros((side, side, 3), np.uint8)
    square[: size[1], : size[0]] = cv2.resize(picture, size)
    return square, size[1] / height


def _cells(side: int, stride: int, anchors: int) -> FloatArray:
    """Where the cells of a grid are, row by row: float32 (n, 2), in pixels."""
    count = side // stride
    rows, columns = np.mgrid[:count, :count]
    points = np.stack([columns, rows], axis=-1).reshape(-1, 2) * stride
    return np.repeat(points, anchors, axis=0).astype(np.float32)


def _scrfd(outputs: dict[str, FloatArray], side: int) -> Candidates:
    """Nine outputs: scores, boxes (distances to left, top, right, bottom) and keypoints, a stride each."""
    values = [one.reshape(-1, one.shape[-1]) for one in outputs.values()]
    if len(values) != 3 * len(STRIDES):
        raise ModelFileError(f"a detector of this kind gives 9 outputs, not {len(values)}", "It is another model.")
    parts = []
    for number, stride in enumerate(STRIDES):
        points = _cells(side, stride, _ANCHORS)
        scores, near, keys = (values[number + len(STRIDES) * kind] for kind in range(3))
        boxes = np.concatenate([points - near[:, :2] * stride, points + near[:, 2:] * stride], axis=1)
        parts.append(Candidates(boxes, scores[:, 0], points[:, None] + keys.reshape(-1, 5, 2) * stride))
    return _joined(parts)


def _yunet(outputs: dict[str, FloatArray], side: int) -> Candidates:
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
        points = _cells(side, stride, 1)
        score = np.clip(kind, 0, 1)[:, 0] * np.clip(thing, 0, 1)[:, 0]
        middle, half = points + box[:, :2] * stride, np.exp(box[:, 2:]) * stride / 2
        boxes = np.concatenate([middle - half, middle + half], axis=1)
        parts.append(Candidates(boxes, score, points[:, None] + keys.reshape(-1, 5, 2) * stride))
    return _joined(parts)


def _yoloface(outputs: dict[str, FloatArray], side: int) -> Candidates:  # noqa: ARG001
    """One output of 20 rows: centre and size of the box, score, five keypoints with how visible each is."""
    (rows,) = list(outputs.values())[:1]
    rows = rows.reshape(-1, rows.shape[-1])
    if rows.shape[0] != 20:
        raise ModelFileError(f"a detector of this kind gives 20 rows, not {rows.shape[0]}", "It is another model.")
    middle, half = rows[:2].T, rows[2:4].T / 2
    boxes = np.concatenate([middle - half, middle + half], axis=1)
    return Candidates(boxes, rows[4], rows[5:].T.reshape(-1, 5, 3)[:, :, :2])


def _joined(parts: list[Candidates]) -> Candidates:
    return Candidates(*(np.concatenate(values) for values in zip(*parts, strict=True)))
