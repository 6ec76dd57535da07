"""Blurs what must not be seen, beyond recognition."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.frames import Frame, PixelBox

#: Cells that are left of a blurred region's shorter side.
_CELLS: Final = 5


def obscure(frame: Frame, whole: PixelBox) -> None:
    """Blur a region beyond recognition, in place: an ellipse that fills the box, which may reach beyond the frame."""
    box = whole.clipped(frame.width, frame.height)
    if box.empty:
        return
    region = frame.change(box)
    height, width = region.shape[:2]
    cell = max(min(width, height) / _CELLS, 1.0)
    cells = (max(round(width / cell), 1), max(round(height / cell), 1))
    coarse = cv2.resize(region, cells, interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    y, x = np.ogrid[box.y0 : box.y1, box.x0 : box.x1]
    across, down = whole.x1 - whole.x0, whole.y1 - whole.y0
    distance = ((x - whole.x0 + 0.5) / across * 2 - 1) ** 2 + ((y - whole.y0 + 0.5) / down * 2 - 1) ** 2
    share = np.clip((1.0 - distance) * 6, 0, 1).astype(np.float32)[:, :, None]
    region[:] = (region + (np.asarray(blurred, np.float32) - region) * share + 0.5).astype(np.uint8)


def obscure_all(frame: Frame) -> None:
    """Blur the whole frame, in place."""
    picture = frame.change(PixelBox(0, 0, frame.width, frame.height))
    cell = max(min(frame.width, frame.height) / 12, 1.0)
    cells = (max(round(frame.width / cell), 1), max(round(frame.height / cell), 1))
    coarse = cv2.resize(picture, cells, interpolation=cv2.INTER_AREA)
    picture[:] = cv2.resize(coarse, (frame.width, frame.height), interpolation=cv2.INTER_LINEAR)
