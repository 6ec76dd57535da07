"""From the mask that a swapper gives to an opacity, as its authors make it."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.models.entries import OwnMask


def opacity(mask: FloatArray, how: OwnMask) -> UInt8Array:
    """Where a swapped crop is shown.

    Args:
        mask: float32 (S, S), 0-1, as the model gave it.
        how: What its authors do with it.

    Returns:
        uint8 (S, S): 255 shows the crop. Within half a level of the authors' own arithmetic, which is not rounded.
    """
    above = np.asarray(mask > how.above, np.uint8) * np.uint8(255)
    closed = cv2.morphologyEx(above, cv2.MORPH_CLOSE, _square(how.closed))
    shrunk = cv2.erode(closed, _square(how.shrunk)).astype(np.float32)
    soft = cv2.blur(shrunk, (how.blurred, how.blurred)) * _border(mask.shape[0], how.border, how.border_blurred)
    return np.asarray(np.rint(soft), np.uint8)


def _square(side: int) -> UInt8Array:
    return np.ones((side, side), np.uint8)


@lru_cache(maxsize=8)
def _border(side: int, width: int, blurred: int) -> FloatArray:
    """0 at a crop's edge, 1 inside: float32 (side, side)."""
    inside = np.zeros((side, side), np.float32)
    inside[width : side - width, width : side - width] = 1
    return np.asarray(cv2.blur(inside, (blurred, blurred)), np.float32)
