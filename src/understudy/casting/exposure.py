"""Photos taken in poor light: a face that is too dark or too pale to be learned from is brought to usual levels.

How light or dark a photo is says nothing of how the face will look, which takes the target's light; but what is too
dark is not told from shadow, and would be taken for a hole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.quantiles import median_of_rows, percentile, percentiles
from understudy.resources.perception import Perception
from understudy.swapping import Portrait
from understudy.tones import LUMA

#: Median luminance (0-255) below which a face is too dark, and what it is brought to. In usual photos it is 100 to 190.
DARK, USUAL = 45.0, 120.0
#: The darkest over the brightest of a face (2nd and 98th percentile) beyond which it is too pale, and what it is
#: brought to. Lips, brows and nostrils are that dark: in usual photos it is 0.02 to 0.6.
PALE, CONTRAST = 0.66, 0.4
#: Share of a face's pixels with two colours at their brightest from which it is over-exposed.
GLARING: Final = 0.35
#: No colour is brought further than this.
_MOST: Final = 250.0
#: Below this median a photo of 256 levels has too few for a face.
_BLACK: Final = 10.0


def in_usual_light(portrait: Portrait, name: str, perception: Perception) -> tuple[Portrait, list[str]]:
    """The portrait in light that a face can be learned from, and what the user should know of that.

    Args:
        portrait: The photo, with its face; it is given back as it is where nothing is wrong.
        name: Of the photo, for messages.
        perception: Finds the face again, where it is easier to see.
    """
    assert portrait.face.mesh is not None
    values = _pixels_of(portrait.picture, portrait.face.mesh[0])
    if not len(values):
        return portrait, []
    low, middle, high = percentiles(values @ LUMA, (2, 50, 98))
    if (median_of_rows(values.T) >= 254).mean() > GLARING:
        note = f"the face in {name} is over-exposed and shows little detail; a photo with less light looks better"
        return portrait, [note]
    pale = low > PALE * high
    if middle >= DARK and not pale:
        return portrait, []
    black = max((low - CONTRAST * high) / (1 - CONTRAST), 0.0) if pale else 0.0
    brightest = percentile(values.max(axis=1), 98) - black
    gain = max(min(USUAL / max(middle - black, 1.0), _MOST / max(brightest, 1.0)), 1.0)
    lit = _levelled(portrait.picture, black, gain)
    if middle < _BLACK:
        note = (
            f"the face in {name} is nearly black: made brighter, it shows little detail; a lighter photo looks better"
        )
    else:
        note = f"the face in {name} is {'pale' if pale else 'dark'}: it was brought to usual light"
    return _found_again(portrait, lit, perception), [note]


def brightened(picture: UInt8Array) -> UInt8Array | None:
    """A photo so dark that no face may be found in it, made brighter; None if it is not dark.

    Args:
        picture: uint8 BGR (H, W, 3).
    """
    brightest = percentile(picture[::4, ::4].max(axis=2), 99)
    if not 0 < brightest < 2 * DARK:
        return None
    return _levelled(picture, 0.0, _MOST / brightest)


def _found_again(portrait: Portrait, lit: UInt8Array, perception: Perception) -> Portrait:
    faces, before = perception.still(lit), portrait.face.boxes_xyxy[0]
    if len(faces):
        middles = (faces.boxes_xyxy[:, :2] + faces.boxes_xyxy[:, 2:]) / 2
        nearest = int(np.argmin(np.linalg.norm(middles - (before[:2] + before[2:]) / 2, axis=1)))
        inside = (middles[nearest] > before[:2]).all() and (middles[nearest] < before[2:]).all()
        if inside:
            return replace(portrait, picture=lit, face=faces[nearest])
    return replace(portrait, picture=lit)


def _pixels_of(picture: UInt8Array, mesh: FloatArray) -> FloatArray:
    """The colours inside a face's outline: float32 (N, 3)."""
    height, width = picture.shape[:2]
    box = pixel_box(bounds_xyxy(mesh[None])[0], width, height, margin=1)
    if box.empty:
        return np.zeros((0, 3), np.float32)
    inside = np.zeros((box.y1 - box.y0, box.x1 - box.x0), np.uint8)
    outline = cv2.convexHull(np.round(mesh[:, :2] - [box.x0, box.y0]).astype(np.int32))
    cv2.fillConvexPoly(inside, outline, 1)
    return np.asarray(picture[box.y0 : box.y1, box.x0 : box.x1][inside > 0], np.float32)


def _levelled(picture: UInt8Array, black: float, gain: float) -> UInt8Array:
    levels = np.clip(np.round((np.arange(256) - black) * gain), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, levels), np.uint8)
