"""What was written into a frame, as rectangles of whole chroma samples that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from understudy.arrays import UInt8Array
from understudy.frames import Change, PixelBox

#: Rectangles are widened to multiples of this, so that they fall on whole chroma samples.
ALIGN: Final = 4


def aligned(box: PixelBox, width: int, height: int) -> PixelBox:
    """The box widened to whole chroma samples and clipped to a picture of ``width`` x ``height`` pixels."""
    return PixelBox(
        box.x0 // ALIGN * ALIGN,
        box.y0 // ALIGN * ALIGN,
        -(-box.x1 // ALIGN) * ALIGN,
        -(-box.y1 // ALIGN) * ALIGN,
    ).clipped(width, height)


def apart(picture: UInt8Array, changes: Sequence[Change]) -> list[Change]:
    """The changes as rectangles that do not overlap: those that did are one, so that their roundings do not add up.

    Args:
        picture: uint8 BGR (H, W, 3), after all changes.
        changes: In the order in which they were made; each with what was there before.

    Raises:
        ValueError: one of them does not fit the picture.
    """
    height, width, _ = picture.shape
    made = [_checked(change, width, height) for change in changes]
    result = []
    for box in _merged([aligned(box, width, height) for box, _ in made]):
        before = picture[box.y0 : box.y1, box.x0 : box.x1].copy()
        for inner, pixels in reversed(made):
            if _overlap(box, inner):
                before[inner.y0 - box.y0 : inner.y1 - box.y0, inner.x0 - box.x0 : inner.x1 - box.x0] = pixels
        result.append(Change(box, before))
    return result


def _checked(change: Change, width: int, height: int) -> tuple[PixelBox, UInt8Array]:
    box, before = PixelBox(*map(int, change.box)), change.before
    if box.empty:
        return PixelBox(0, 0, 0, 0), np.empty((0, 0, 3), np.uint8)
    shape = (box.y1 - box.y0, box.x1 - box.x0, 3)
    if before is None or np.shape(before) != shape or box.clipped(width, height) != box:
        raise ValueError(f"a change of {shape} at {tuple(box)} does not fit a picture of {width}x{height}")
    return box, before


def _overlap(one: PixelBox, other: PixelBox) -> bool:
    return one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1


def _merged(boxes: list[PixelBox]) -> list[PixelBox]:
    """The boxes that are not empty, those that overlap replaced by the box around them."""
    separate: list[PixelBox] = []
    for box in boxes:
        if box.empty:
            continue
        while overlapping := [other for other in separate if _overlap(box, other)]:
            separate = [other for other in separate if other not in overlapping]
            x0, y0, x1, y1 = zip(box, *overlapping, strict=True)
            box = PixelBox(min(x0), min(y0), max(x1), max(y1))  # noqa: PLW2901 - grows until it touches none
        separate.append(box)
    return separate
