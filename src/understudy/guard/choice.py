"""Whether a face would be swapped though others are: by the choice of faces, where they lie and their size."""

from __future__ import annotations

from understudy.arrays import FloatArray
from understudy.face import FaceChoice
from understudy.guard.unexplained import Part

#: A face so many times as large (in area) as the one that is swapped is the one to be swapped; and somebody of whom no
#: face is seen may have such a face if they take up so much more than that face's height, up or across, and are not as
#: thin as an arm: so broad at least, over that face's breadth.
_LARGER, _LARGER_PART, _BROADER_PART = 1.5, 1.2, 0.8


def face_may_be_chosen(box: FloatArray, choice: FaceChoice, present: FloatArray) -> bool:
    """Whether a face in ``box`` would be swapped though those in ``present`` are.

    Args:
        box: float32 (4,), xyxy.
        choice: Which faces are chosen.
        present: float32 (N, 4): the faces that are swapped.
    """
    if choice == "all" or not len(present):
        return True
    middles = present[:, [0, 2]].mean(1)
    if choice == "left":
        return bool(box[[0, 2]].mean() < middles.min())
    if choice == "right":
        return bool(box[[0, 2]].mean() > middles.max())
    if choice in ("top", "bottom"):
        heights = present[:, [1, 3]].mean(1)
        height = float(box[[1, 3]].mean())
        return bool(height < heights.min()) if choice == "top" else bool(height > heights.max())
    areas = (present[:, 2] - present[:, 0]) * (present[:, 3] - present[:, 1])
    area = float((box[2] - box[0]) * (box[3] - box[1]))
    return area < areas.min() if choice == "smallest" else area > _LARGER * float(areas.max())


def part_may_be_chosen(part: Part, choice: FaceChoice, present: FloatArray) -> bool:
    """Whether a part of people may hold a face that would be swapped though those in ``present`` (in cells) are."""
    if choice == "all" or not len(present):
        return True
    middles = present[:, [0, 2]].mean(1)
    if choice == "left":
        return bool(part.box[0] < middles.min())
    if choice == "right":
        return bool(part.box[2] > middles.max())
    if choice in ("top", "bottom"):
        heights = present[:, [1, 3]].mean(1)
        return bool(part.box[1] < heights.min()) if choice == "top" else bool(part.box[3] > heights.max())
    if choice == "smallest":  # any part of somebody may hold a face that is smaller
        return True
    extent = max(float(part.box[2] - part.box[0]), float(part.box[3] - part.box[1]))
    width, height = ((present[:, end] - present[:, end - 2]).max() for end in (2, 3))
    return extent >= _LARGER_PART * float(height) and part.breadth >= _BROADER_PART * float(width)
