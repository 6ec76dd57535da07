"""A caption: words that stand in every frame of a file, on a plate, where short videos have them."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.errors import UsageError
from understudy.frames import PixelBox
from understudy.provenance.lettering import font_for
from understudy.provenance.stamping import Stamp, stamp_of

#: Height of the letters over the picture's shorter side, and the least where there is much to say.
_HEIGHT: Final = 0.055
_LEAST: Final = 0.035
#: Room for the words, as a share of the picture's width: at its sides players put their buttons.
_WIDTH: Final = 0.84
#: Where the plate's lower edge is, as a share of the picture's height: below it the label stands, and players' titles.
#: And its upper edge, where it would hide a mouth there.
_LOWER: Final = 0.82
_UPPER: Final = 0.1
#: How much of it may be before a face.
_BEFORE_FACE: Final = 0.15


def check_room(text: str, width: int, height: int) -> None:
    """Whether a caption fits into a picture of that size: to be asked before the work.

    Raises:
        UsageError: it does not.
    """
    _stamped(text, width, height)


class Captioning:
    """Writes one caption into the frames of a clip: where it is put in the first that shows a face, it stays.

    Args:
        text: What it says; not nothing.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._above: bool | None = None

    def write(self, picture: UInt8Array, alpha: UInt8Array | None, boxes: FloatArray) -> PixelBox:
        """Write it into a picture, in place: where it stands.

        Args:
            picture: uint8 BGR (H, W, 3).
            alpha: Its opacity, uint8 (H, W), in which the caption is not transparent; None where it has none.
            boxes: Of the faces in it: float32 (N, 4), left, top, right, bottom in its pixels.

        Raises:
            UsageError: there is no room for it.
        """
        height, width = picture.shape[:2]
        stamp = _stamped(self._text, width, height)
        if self._above is None and len(boxes):
            below, above = (_hidden(_place(stamp, width, height, above=one), boxes) for one in (False, True))
            self._above = below > _BEFORE_FACE and above < below
        box = _place(stamp, width, height, above=bool(self._above))
        part = picture[box.y0 : box.y1, box.x0 : box.x1]
        opacity = stamp.opacity[:, :, None]
        part[:] = (part + (stamp.color - part.astype(np.float32)) * opacity + 0.5).astype(np.uint8)
        if alpha is not None:
            region = alpha[box.y0 : box.y1, box.x0 : box.x1]
            np.maximum(region, stamp.cover, out=region)
        return box


def _place(stamp: Stamp, width: int, height: int, *, above: bool) -> PixelBox:
    left = (width - stamp.width) // 2
    top = round(height * _UPPER) if above else max(round(height * _LOWER) - stamp.height, 0)
    return PixelBox(left, top, left + stamp.width, top + stamp.height)


def _hidden(box: PixelBox, boxes: FloatArray) -> float:
    """Which share of a box is before faces, their boxes added up."""
    across = np.minimum(boxes[:, 2], box.x1) - np.maximum(boxes[:, 0], box.x0)
    down = np.minimum(boxes[:, 3], box.y1) - np.maximum(boxes[:, 1], box.y0)
    area = (box.x1 - box.x0) * (box.y1 - box.y0)
    return float((np.maximum(across, 0) * np.maximum(down, 0)).sum()) / area


@lru_cache(maxsize=4)
def _stamped(text: str, width: int, height: int) -> Stamp:
    stamp = stamp_of(text, font_for(text), round(width * _WIDTH), height, _HEIGHT, _LEAST)
    if stamp is None:
        raise UsageError(
            f"there is no room for a caption of {len(text)} characters in {width}x{height}",
            "Say it in fewer words, or write a larger picture with --frame.",
        )
    return stamp
