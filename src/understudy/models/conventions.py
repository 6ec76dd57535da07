"""Pictures into models and out of them, as each one's authors have it (see ``entries.Picture`` and ``Output``)."""

from __future__ import annotations

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.models.entries import Output, Picture, Triple


def blob(picture: UInt8Array, how: Picture) -> FloatArray:
    """A picture as a model takes it: ``(value / 255 - mean) / std``.

    Args:
        picture: uint8 BGR (h, w, 3).
        how: The model's convention.

    Returns:
        float32 (1, 3, h, w), or (1, h, w, 3) where its layout is ``nhwc``.
    """
    ordered = picture[:, :, ::-1] if how.channels == "rgb" else picture
    # In one step, so that a value is rounded once.
    scale = np.float32(1 / 255) / _three(how.std)
    values = ordered.astype(np.float32) * scale - _three(how.mean) / _three(how.std)
    return np.ascontiguousarray((values if how.layout == "nhwc" else values.transpose(2, 0, 1))[None])


def picture_of(values: FloatArray, how: Output) -> UInt8Array:
    """What came out of a swapper or an enhancer, as a picture: ``value * std + mean``, cut to 0-1.

    Args:
        values: (1, 3, h, w) or (3, h, w), RGB.
        how: The model's convention.

    Returns:
        uint8 BGR (h, w, 3).
    """
    planes = values.reshape(values.shape[-3:]).astype(np.float32)
    rgb = planes.transpose(1, 2, 0) * _three(how.std) + _three(how.mean)
    return np.ascontiguousarray(np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)[:, :, ::-1])


def _three(value: float | Triple) -> FloatArray:
    return np.full(3, value, np.float32) if isinstance(value, (int, float)) else np.array(value, np.float32)
