"""Holds skin to what skin looks like: relief no stronger, and colours no further from each other, than in life.

Cracks in varnish, brush strokes, chisel marks and the blocks of a small JPEG are as sharp as pores and many times as
strong; painted onto a moving face they read as a mask, and they flicker. Cool and warm lamps leave a forehead blue and
a cheek orange. Neither is the person. What is left too smooth takes its grain from the frame that it is put in.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray
from understudy.each import both
from understudy.quantiles import median_of_rows
from understudy.swapping.mesh.regions import regions
from understudy.tones import LUMA

#: Bands of relief: up to which spread (texels of 512), and how strong (mean of the absolute natural logarithm of
#: luminance, as a standard deviation) it may be. The mean hardly sees a mole or a scar: they are the person.
BANDS: Final = ((1.2, 0.006), (2.5, 0.012), (6.0, 0.04))
#: A crack in varnish, or the shine on its edge, is thinner than this (texels, odd): a mole and a wrinkle are wider. It
#: stands alone, so the mean misses it; no more than this is left of it (natural logarithm).
THIN: Final = 5
LINE: Final = 0.03
#: Spread over which that strength is taken.
AROUND: Final = 14.0
#: Colour over luminance may be this far from the skin's median (norm of BGR, by a smooth limit).
HUE: Final = 0.035
#: No colour is taken further than this: a lamp is a tint, what is painted on a face is the face.
MOST_TINT: Final = 0.3
#: Spread of the colours that are limited: what is finer has no hue to speak of.
HUE_SIGMA: Final = 4.0


def calm(color: FloatArray, trust: FloatArray) -> FloatArray:
    """A texture with plain skin held to these limits.

    Args:
        color: float32 BGR (S, S, 3), 0-255.
        trust: float32 (S, S), 0-1.

    Returns:
        float32 BGR (S, S, 3). Lips are as they were; brows, eyes and nostrils keep their relief.
    """
    skin = np.asarray(trust * regions().plain, np.float32)
    if not (skin > 0.5).any():
        return color
    tone = np.maximum(color @ LUMA, 1)
    rest = color / tone[..., None] - 1
    hue, relief = both(lambda: _one_hue(rest, skin), lambda: _relief(np.log(tone + 4), skin))
    rest = rest + (hue - rest) * regions().pale[..., None]
    tone = tone * np.exp(relief * regions().plain)
    return np.asarray(tone[..., None] * (1 + rest), np.float32)


def _relief(tone: FloatArray, skin: FloatArray) -> FloatArray:
    """What to add to the logarithm of luminance so that no band is too strong."""
    change = _without_lines(tone) - tone
    finer = whole = tone + change
    around = _Mean(skin, AROUND)
    for sigma, most in BANDS:
        smooth = _Mean(skin, sigma)(whole)
        band = finer - smooth
        strength = around(np.abs(band)) * np.float32(np.sqrt(np.pi / 2))
        change += band * (most / np.maximum(strength, most) - 1)
        finer = smooth
    return np.asarray(change, np.float32)


def _without_lines(tone: FloatArray) -> FloatArray:
    """What is thin held to a little above and below what lies beside it."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (THIN, THIN))
    filled = np.maximum(tone, cv2.morphologyEx(tone, cv2.MORPH_CLOSE, disc) - np.float32(LINE))
    return np.asarray(np.minimum(filled, cv2.morphologyEx(filled, cv2.MORPH_OPEN, disc) + np.float32(LINE)), np.float32)


def _one_hue(rest: FloatArray, skin: FloatArray) -> FloatArray:
    """Colours over luminance, less 1, held to the neighbourhood of the skin's own."""
    middle = median_of_rows(rest[skin > 0.5])
    mean = _Mean(skin, HUE_SIGMA)
    away = np.dstack([mean(rest[:, :, k]) for k in range(3)]) - middle
    far = np.linalg.norm(away, axis=2, keepdims=True)
    back = np.minimum(far - HUE * np.tanh(far / HUE), MOST_TINT)
    return np.asarray(middle + away * (1 - back / np.maximum(far, 1e-6)), np.float32)


class _Mean:
    """Gaussian mean over skin; where there is none near, over everything.

    Args:
        skin: float32 (S, S), 0-1.
        sigma: In texels.
    """

    def __init__(self, skin: FloatArray, sigma: float) -> None:
        self._share, self._sigma = skin + np.float32(1e-3), sigma
        self._weight = self._blurred(self._share)

    def __call__(self, values: FloatArray) -> FloatArray:
        return np.asarray(self._blurred(values * self._share) / self._weight, np.float32)

    def _blurred(self, values: FloatArray) -> FloatArray:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), self._sigma))
