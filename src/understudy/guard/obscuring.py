"""Blurs what must not be seen, beyond recognition."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import BoolArray, UInt8Array
from understudy.canvas import Canvas
from understudy.compiled import compiled_for_views
from understudy.frames import PixelBox
from understudy.guard.cover import Cover

#: Cells that are left of a blurred region's shorter side.
_CELLS: Final = 5
#: Of people: cells along the longer side, and the margin around them in cells of the segmentation.
_ALONG, _AROUND = 16, 7


def obscure_covered(canvas: Canvas, cover: Cover) -> None:
    """Blur all that a cover says, but for what an earlier swap is held over."""
    if cover.whole:
        obscure_all(canvas)
    if cover.people is not None:
        obscure_people(canvas, cover.people)
    for box in cover.blurred:
        obscure(canvas, box)


def obscure(canvas: Canvas, whole: PixelBox) -> None:
    """Blur a region beyond recognition: an ellipse that fills the box, which may reach beyond the frame."""
    box = whole.clipped(canvas.width, canvas.height)
    if box.empty:
        return
    region = canvas.change(box)
    height, width = region.shape[:2]
    cell = max(min(width, height) / _CELLS, 1.0)
    _fill_oval(
        region, _coarse(region, cell), whole.x0 - box.x0, whole.y0 - box.y0, whole.x1 - whole.x0, whole.y1 - whole.y0
    )


@compiled_for_views("region")
def _fill_oval(region: UInt8Array, blurred: UInt8Array, left: int, top: int, across: int, down: int) -> None:
    """Write ``blurred`` over ``region``, uint8 (h, w, 3) both, in an ellipse of that place and size in it.

    Its outermost twelfth fades.
    """
    height, width, _ = region.shape
    one, two, half, zero, steep = np.float32(1), np.float32(2), np.float32(0.5), np.float32(0), np.float32(6)
    for y in range(height):
        v = (np.float32(y - top) + half) / np.float32(down) * two - one
        for x in range(width):
            u = (np.float32(x - left) + half) / np.float32(across) * two - one
            share = min(max((one - u * u - v * v) * steep, zero), one)
            for n in range(3):
                before = np.float32(region[y, x, n])
                region[y, x, n] = np.uint8(before + (np.float32(blurred[y, x, n]) - before) * share + half)


def obscure_people(canvas: Canvas, cells: BoolArray) -> None:
    """Blur people beyond recognition.

    Args:
        canvas: Of the frame.
        cells: bool (h, w): where they are, in cells that share out the frame; a margin is added.
    """
    around = cv2.dilate(cells.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_AROUND, _AROUND)))
    count, _, stats, _ = cv2.connectedComponentsWithStats(around)
    across, down = canvas.width / cells.shape[1], canvas.height / cells.shape[0]
    for left, top, width, height in stats[1:count, :4].tolist():
        box = PixelBox(
            int(left * across),
            int(top * down),
            int(np.ceil((left + width) * across)),
            int(np.ceil((top + height) * down)),
        ).clipped(canvas.width, canvas.height)
        region = canvas.change(box)
        size = (box.x1 - box.x0, box.y1 - box.y0)
        # A slice of a face is narrow, and a face still: its height counts, too.
        cell = max(min(size) / _CELLS, max(size) / _ALONG, 1.0)
        part = around[top : top + height, left : left + width].astype(np.float32)
        soft = cv2.resize(cv2.GaussianBlur(part, (0, 0), 0.8), size, interpolation=cv2.INTER_LINEAR)
        share = np.minimum(2 * soft, 1)
        cv2.blendLinear(region, _coarse(region, cell), 1 - share, share, dst=region)


def obscure_all(canvas: Canvas) -> None:
    """Blur the whole frame."""
    picture = canvas.change(PixelBox(0, 0, canvas.width, canvas.height))
    picture[:] = _coarse(picture, max(min(canvas.width, canvas.height) / 12, 1.0))


def _coarse(picture: UInt8Array, cell: float) -> UInt8Array:
    """The picture with nothing in it that is smaller than ``cell`` pixels: uint8 of its shape."""
    height, width = picture.shape[:2]
    cells = (max(round(width / cell), 1), max(round(height / cell), 1))
    coarse = cv2.resize(picture, cells, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
