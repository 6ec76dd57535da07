"""The steps that need no model, each as the textbooks have it, at full strength.

Strengths are blended by who calls: half the strength is half the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np

from understudy.arrays import UInt8Array

#: Unsharp masking: the spread of the blur in pixels, and how many times what it takes away is added.
_SPREAD, _AMOUNT = 1.2, 1.2
#: Bilateral filter (Tomasi and Manduchi, 1998): reach in pixels, and the spreads in grey levels and in pixels.
_REACH, _LEVELS, _NEAR = 7, 18.0, 2.5
#: Contrast limited adaptive histogram equalisation (Zuiderveld, 1994): the limit, and tiles along each side.
_LIMIT, _TILES = 1.5, 4
#: Pixels that a step looks beyond the one it computes: what is cut out of a frame for it is so much larger.
REACH: Final = 8


def sharpen(picture: UInt8Array) -> UInt8Array:
    """Unsharp masking: what a slight blur takes away, added once more.

    Args:
        picture: uint8 BGR (h, w, 3).
    """
    soft = cv2.GaussianBlur(picture, (0, 0), _SPREAD)
    return np.asarray(cv2.addWeighted(picture, 1 + _AMOUNT, soft, -_AMOUNT, 0), np.uint8)


def denoise(picture: UInt8Array) -> UInt8Array:
    """A bilateral filter: pixels are averaged with near ones of nearly the same colour, so edges stay.

    Args:
        picture: uint8 BGR (h, w, 3).
    """
    return np.asarray(cv2.bilateralFilter(picture, _REACH, _LEVELS, _NEAR), np.uint8)


def clahe(picture: UInt8Array) -> UInt8Array:
    """More contrast where there is little: adaptive histogram equalisation of the brightness (L of CIELAB) alone.

    Args:
        picture: uint8 BGR (h, w, 3).
    """
    lab = cv2.cvtColor(picture, cv2.COLOR_BGR2LAB)
    lab[:, :, 0] = cv2.createCLAHE(_LIMIT, (_TILES, _TILES)).apply(lab[:, :, 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR), np.uint8)


#: By name.
STEPS: Final[Mapping[str, Callable[[UInt8Array], UInt8Array]]] = {
    "sharpen": sharpen,
    "denoise": denoise,
    "clahe": clahe,
}
