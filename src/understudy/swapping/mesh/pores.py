"""Skin's fine relief where no photo shows any: made up, as strong and as coarse as what the photos show elsewhere.

What is spread out from around a hole is smooth, and smooth skin beside pores looks like plaster. Pores have no shape
that anybody remembers; only their spectrum counts. So it is taken from the skin that is seen, with its phases drawn by
lot: nothing of that skin can be recognised, no wrinkle appears twice, and no seam lies between the two.

Source: random phase textures (B. Galerne, Y. Gousseau, J.-M. Morel, "Random Phase Textures: Theory and Synthesis",
IEEE Transactions on Image Processing 20, 2011).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray

#: Spread (texels of 512) below which relief is fine: what is broader is a wrinkle or the face's own shape.
FINE: Final = 3.0
#: Relief beyond this (natural logarithm) is held back: a mole or a wrinkle is no pore.
MOST: Final = 0.08
#: Least share of the texture that must be seen: of less no spectrum can be taken.
ENOUGH: Final = 0.02
#: The lot: the same photo gives the same skin.
_SEED: Final = 5


def pores(tone: FloatArray, skin: FloatArray) -> FloatArray:
    """Fine relief like that of the skin which is seen, everywhere.

    Args:
        tone: float32 (S, S): natural logarithm of luminance.
        skin: float32 (S, S), 0-1: 1 where plain skin is seen.

    Returns:
        float32 (S, S), natural logarithm, of mean 0; all 0 where hardly any skin is seen.
    """
    if float(skin.mean()) < ENOUGH:
        return np.zeros_like(tone)
    weight = cv2.GaussianBlur(skin, (0, 0), FINE)
    smooth = cv2.GaussianBlur(tone * skin, (0, 0), FINE) / np.maximum(weight, np.float32(1e-3))
    # Right at its rim skin is smooth on one side only: what is left of it there is the rim.
    well = np.asarray(skin * cv2.erode((skin > 0.9).astype(np.uint8), np.ones((9, 9), np.uint8)), np.float32)
    if float(well.mean()) < ENOUGH / 4:
        return np.zeros_like(tone)
    relief = MOST * np.tanh((tone - smooth) / MOST) * well
    phases = np.exp(2j * np.pi * np.random.default_rng(_SEED).random(tone.shape))
    drawn = np.fft.ifft2(np.abs(np.fft.fft2(relief)) * phases)
    # Real and imaginary part each carry half of the power, which in the photo lies on the skin alone.
    return np.asarray(drawn.real * np.sqrt(2 / well.mean()), np.float32)
