"""Slow changes over the texture: light, and colour that is filled in. Computed on a coarse copy."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray
from understudy.geometry.unwrap import TEXTURE_SIZE

#: Side of the coarse copy, in texels.
COARSE: Final = 128


def mean_around(values: FloatArray, weight: FloatArray, sigma: float) -> FloatArray:
    """The mean around each texel, float32 (S, S), fading to 0 where there is no weight near."""
    return weighted_blur((values * weight)[..., None], weight, sigma, floor=1e-2)[..., 0]


def weighted_blur(weighted: FloatArray, weight: FloatArray, sigma: float, floor: float) -> FloatArray:
    """Blur of values given as value·weight, fading to 0 where there is no weight near.

    ``sigma`` is a share of the side. Done on a coarse copy: what comes out is smooth anyway.
    """
    total = cv2.GaussianBlur(coarse(weight), (0, 0), sigma * COARSE)[..., None]
    blurred = cv2.GaussianBlur(coarse(weighted), (0, 0), sigma * COARSE)
    even = fine(blurred.reshape(COARSE, COARSE, -1) / (total + np.float32(floor)))
    return even.reshape(*even.shape[:2], -1)


def coarse(values: FloatArray) -> FloatArray:
    """Values over the texture, float32 (S, S) or (S, S, C), averaged down to the coarse copy."""
    return np.asarray(cv2.resize(values, (COARSE, COARSE), interpolation=cv2.INTER_AREA), np.float32)


def fine(values: FloatArray) -> FloatArray:
    """Back from the coarse copy to the texture's size."""
    size = (TEXTURE_SIZE, TEXTURE_SIZE)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float32)


def log(color: FloatArray) -> FloatArray:
    """The natural logarithm of colours, 0-255, that does not fall off a cliff in the dark."""
    return np.asarray(np.log(color + np.float32(4)), np.float32)


def mirrored(picture: FloatArray) -> FloatArray:
    """The other half in place of this one: the unwrapping is symmetric about the middle."""
    return np.ascontiguousarray(picture[:, ::-1])
