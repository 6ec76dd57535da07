"""Pictures into models and out of them, as each one's authors have it (see ``entries.Picture`` and ``Output``)."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.models.entries import Output, Picture, Triple

#: Grey levels by which a picture varies that shows something.
_BLANK: Final = 1.0


def blob(picture: UInt8Array, how: Picture) -> FloatArray:
    """A picture as a model takes it: ``(value / 255 - mean) / std``.

    Args:
        picture: uint8 BGR (h, w, 3).
        how: The model's convention.

    Returns:
        float32 (1, 3, h, w), or (1, h, w, 3) where its layout is ``nhwc``.
    """
    # In one step, so that a value is rounded once; of the 256 that there are, not of every pixel.
    scale = np.float32(1 / 255) / _three(how.std)
    values = np.arange(256, dtype=np.float32)[:, None] * scale - _three(how.mean) / _three(how.std)
    order = (2, 1, 0) if how.channels == "rgb" else (0, 1, 2)
    planes = np.empty((3, *picture.shape[:2]), np.float32)
    for plane, channel, column in zip(planes, order, values.T, strict=True):
        cv2.LUT(cv2.extractChannel(picture, channel), np.ascontiguousarray(column), plane)
    return np.asarray(cv2.merge(list(planes)), np.float32)[None] if how.layout == "nhwc" else planes[None]


def picture_of(values: FloatArray, how: Output) -> UInt8Array:
    """What came out of a swapper or an enhancer, as a picture: ``value * std + mean``, cut to 0-1.

    Args:
        values: (1, 3, h, w) or (3, h, w), RGB.
        how: The model's convention.

    Returns:
        uint8 BGR (h, w, 3).
    """
    planes = values.reshape(values.shape[-3:]).astype(np.float32)  # a copy: it is written from here on
    planes *= _three(how.std)[:, None, None]
    planes += _three(how.mean)[:, None, None]
    np.clip(planes, 0, 1, out=planes)
    planes *= 255
    return np.asarray(cv2.merge(list(np.rint(planes, out=planes).astype(np.uint8)[::-1])), np.uint8)


def is_picture(values: FloatArray) -> bool:
    """Whether what came out of a model can be a face: numbers throughout, and not one colour.

    Some runtimes turn what is no number into one that is: the black squares of the field.

    Args:
        values: (1, 3, h, w) or (3, h, w).
    """
    planes = values.reshape(3, -1)
    return bool(np.isfinite(planes).all() and np.ptp(planes, axis=1).any())


def is_blank(picture: UInt8Array, given: UInt8Array) -> bool:
    """Whether a model's picture is of one colour but for rounding, though what went in is not.

    Numbers far beyond what a picture has, or next to nothing, differ, and are black or white all the same.

    Args:
        picture: uint8 BGR (h, w, 3): what came out.
        given: uint8 BGR (H, W, 3): what went in.
    """
    return _spread(picture) < _BLANK <= _spread(given)


def _spread(picture: UInt8Array) -> float:
    """The standard deviation of the channel that varies most, in grey levels."""
    return float(cv2.meanStdDev(picture)[1].max())


def _three(value: float | Triple) -> FloatArray:
    return np.full(3, value, np.float32) if isinstance(value, (int, float)) else np.array(value, np.float32)
