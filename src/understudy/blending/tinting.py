"""Shows where patches would be seen, in the place of the patches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.canvas import Canvas
from understudy.patches import Patch, PatchMask, product

#: BGR: the tint of what is swapped, which no skin has, and of the line along its edge; and how strong the tint is.
_TINT: Final = np.array([230, 40, 220], np.float32)
_LINE: Final = (80, 255, 255)
_STRONG: Final = 0.5


def tint(canvas: Canvas, patches: Sequence[Patch], masks: Sequence[PatchMask]) -> None:
    """Tint what would be swapped, the more the further it is shown, and draw a line where half of it is.

    Args:
        canvas: Of the frame.
        patches: What would be written.
        masks: Where each is seen.
    """
    for patch, mask in zip(patches, masks, strict=True):
        region = canvas.change(patch.box)
        shown = product([patch.alpha, mask.shown])
        assert shown is not None
        strong = shown.astype(np.float32)[:, :, None] * np.float32(_STRONG * patch.share / 255)
        region[:] = np.rint(region + (_TINT - region) * strong)
        region[_edge(shown) > 0] = _LINE


def _edge(shown: UInt8Array) -> UInt8Array:
    """The pixels along the inside of what is more than half shown: uint8, 255 or 0."""
    inside = np.asarray(cv2.threshold(shown, 127, 255, cv2.THRESH_BINARY)[1], np.uint8)
    return inside - np.asarray(cv2.erode(inside, np.ones((3, 3), np.uint8), borderValue=0), np.uint8)
