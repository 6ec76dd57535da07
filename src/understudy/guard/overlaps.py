"""How boxes of faces lie to each other: of the same face, within another, around others."""

from __future__ import annotations

from typing import Final

import numpy as np

from understudy.arrays import FloatArray
from understudy.geometry.boxes import shared_xyxy

#: Boxes whose middles are less than this share of their size apart are of one face.
_APART: Final = 0.35
#: A detection that holds a face is of that face if it is so many times as large in area at most.
_AROUND: Final = 5.0


def same_face(box: FloatArray, others: FloatArray) -> bool:
    """Whether one of the boxes is of the same face: about there and about as large. Faces behind each other overlap."""
    if not len(others):
        return False
    size, sizes = (np.sqrt((b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])) for b in (box, others))
    apart = np.hypot(*(np.asarray(box[i] + box[i + 2] - others[:, i] - others[:, i + 2]) / 2 for i in (0, 1)))
    near = apart < _APART * np.maximum(size, sizes)
    return bool((near & (np.maximum(size, sizes) < 2 * np.minimum(size, sizes))).any())


def in_one_of(box: FloatArray, others: FloatArray) -> bool:
    """Whether the middle of a box lies in another one."""
    middle = (box[:2] + box[2:]) / 2
    return bool(((others[:, :2] < middle) & (middle < others[:, 2:])).all(axis=1).any())


def inside_larger(box: FloatArray, others: FloatArray) -> bool:
    """Whether the box lies within a much larger one: what a detector takes for a face in a face."""
    if not len(others):
        return False
    area, areas = ((b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1]) for b in (box, others))
    return bool(((shared_xyxy(box, others) > 0.9) & (areas > 4 * area)).any())


def around_smaller(box: FloatArray, others: FloatArray) -> bool:
    """Whether the box holds others, or one that is not much smaller: what a detector saw with what is around it."""
    if not len(others):
        return False
    area, areas = ((b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1]) for b in (box, others))
    held = (shared_xyxy(box, others) > 0.9) & (areas <= area)
    return bool((held & (area < _AROUND * areas)).any() or held.sum() > 1)
