"""Similarity transforms between pictures and crops.

A transform is float32 (2, 3): ``crop_xy = M[:, :2] @ picture_xy + M[:, 2]``. Points are in continuous
coordinates where (0, 0) is the outer corner of the first pixel and (0.5, 0.5) its centre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array

#: What lies beyond a picture, unless it is said.
BLACK: Final = (0, 0, 0)


@dataclass(frozen=True)
class RotatedSquare:
    """A square region of interest.

    Attributes:
        center: x, y in pixels of the frame.
        size: Side in pixels of the frame.
        angle: Radians by which the face leans clockwise as seen in the picture.
    """

    center: tuple[float, float]
    size: float
    angle: float

    def to_crop(self, crop_size: int) -> FloatArray:
        """The transform that takes the frame to an upright crop of ``crop_size`` pixels."""
        scale = crop_size / self.size
        cos, sin = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        linear = np.array([[cos, sin], [-sin, cos]])
        shift = crop_size / 2 - linear @ np.array(self.center)
        return np.column_stack([linear, shift]).astype(np.float32)

    @property
    def corners(self) -> FloatArray:
        """float32 (4, 2): its corners in the frame."""
        unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        return apply(invert(self.to_crop(1)), unit)


def similarity(source: FloatArray, target: FloatArray) -> FloatArray:
    """The rotation, uniform scale and shift that best take ``source`` to ``target``.

    Least squares in closed form (Umeyama, "Least-squares estimation of transformation parameters
    between two point patterns", 1991), without reflection.

    Args:
        source: float (N, 2), N >= 2, not all the same point.
        target: float (N, 2).

    Returns:
        float32 (2, 3).

    Raises:
        ValueError: fewer than two points, or all of them in one place.
    """
    a, b = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if a.shape != b.shape or a.ndim != 2 or len(a) < 2:
        raise ValueError(f"need two equal lists of at least two points, not {a.shape} and {b.shape}")
    mean_a, mean_b = a.mean(0), b.mean(0)
    a, b = a - mean_a, b - mean_b
    spread = float((a * a).sum())
    if spread < 1e-12:
        raise ValueError("all source points are in one place")
    # In the plane the optimum is the complex number sum(conj(a) * b) / sum(|a|^2).
    real = float((a * b).sum()) / spread
    imaginary = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    linear = np.array([[real, -imaginary], [imaginary, real]])
    return np.column_stack([linear, mean_b - linear @ mean_a]).astype(np.float32)


def invert(transform: FloatArray) -> FloatArray:
    """The transform that undoes ``transform``, float32 (2, 3).

    Raises:
        ValueError: it can't be undone.
    """
    (a, b, x), (c, d, y) = transform.tolist()
    size = a * d - b * c
    if not size:
        raise ValueError("a transform that makes everything a line or a point can't be undone")
    a, b, c, d = d / size, -b / size, -c / size, a / size
    return np.array([[a, b, -(a * x + b * y)], [c, d, -(c * x + d * y)]], np.float32)


def apply(transform: FloatArray, points: FloatArray) -> FloatArray:
    """Transform points: float (..., 2) to float32 (..., 2)."""
    return np.asarray(points @ transform[:, :2].T + transform[:, 2], np.float32)


def scale_of(transform: FloatArray) -> float:
    """How many crop pixels a picture pixel becomes along one side."""
    (a, b, _), (c, d, _) = transform.tolist()
    return math.sqrt(abs(a * d - b * c))


def resized(picture: UInt8Array, size: tuple[int, int]) -> UInt8Array:
    """The picture at another size, without aliasing.

    A much larger one is halved first, which OpenCV does many times as fast as any other step; the mean of means over
    equal areas is the same.

    Args:
        picture: uint8 (H, W, 3) or (H, W).
        size: Width and height of the result.

    Returns:
        uint8 (height, width, 3) or (height, width).
    """
    width, height = size
    while min(picture.shape[1] / width, picture.shape[0] / height) >= 2:
        half = (picture.shape[1] // 2, picture.shape[0] // 2)
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
    smaller = width < picture.shape[1] or height < picture.shape[0]
    return np.asarray(
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR), np.uint8
    )


def letterboxed(picture: UInt8Array, inner: tuple[int, int], size: tuple[int, int]) -> UInt8Array:
    """The picture at the size ``inner`` (width, height), in the middle of a black one of ``size``.

    Args:
        picture: uint8 (H, W, 3) or (H, W).
        inner: No larger than ``size``.
        size: Width and height of the result.

    Returns:
        uint8 (height, width, 3) or (height, width).
    """
    canvas = np.zeros((size[1], size[0], *picture.shape[2:]), np.uint8)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = resized(picture, inner)
    return canvas


def crop(
    picture: UInt8Array, transform: FloatArray, size: tuple[int, int], border: tuple[int, int, int] = BLACK
) -> UInt8Array:
    """Sample a crop without aliasing.

    A face that is much larger than the crop is first averaged down: plain bilinear sampling would skip
    pixels, and the landmarks found in such a crop jitter.

    Args:
        picture: uint8 (H, W, 3).
        transform: Picture to crop, float32 (2, 3).
        size: Width and height of the crop.
        border: Grey levels of what lies beyond the picture, in the picture's order of colours.

    Returns:
        uint8 (height, width, 3).
    """
    width, height = size
    factor = int(1 / max(scale_of(transform), 1e-6))
    linear, shift = transform[:, :2].astype(np.float64), transform[:, 2].astype(np.float64)
    if factor >= 2:
        corners = apply(invert(transform), np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32))
        bottom_right = [picture.shape[1], picture.shape[0]]
        low = np.clip(np.floor(corners.min(0)) - factor, 0, bottom_right).astype(int)
        high = np.clip(np.ceil(corners.max(0)) + factor, 0, bottom_right).astype(int)
        high = low + (high - low) // factor * factor
        if (high > low).all():
            region = picture[low[1] : high[1], low[0] : high[0]]
            small = ((high - low) // factor).tolist()
            picture = np.asarray(cv2.resize(region, small, interpolation=cv2.INTER_AREA), np.uint8)
            shift = shift + linear @ low
            linear = linear * factor
    # OpenCV puts whole numbers at pixel centres; here they are pixel corners.
    matrix = np.column_stack([linear, shift + linear @ [0.5, 0.5] - 0.5])
    warped = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=border)
    return np.asarray(warped, np.uint8)


def aligned(
    picture: UInt8Array,
    keypoints5: FloatArray,
    template: FloatArray,
    size: int,
    border: tuple[int, int, int] = BLACK,
) -> tuple[UInt8Array, FloatArray]:
    """The crop of a face in which its keypoints lie where a template has them.

    Args:
        picture: uint8 (H, W, 3).
        keypoints5: float32 (5, 2), in pixels of ``picture``.
        template: float32 (5, 2), in units of the crop's side (see ``templates``).
        size: Side of the crop, in pixels.
        border: See ``crop``.

    Returns:
        uint8 (size, size, 3), and the transform from picture to crop, float32 (2, 3).
    """
    # Templates count pixels by their centres, as the field's code does; here (0, 0) is a pixel's outer corner.
    transform = similarity(keypoints5, template * size + 0.5)
    return crop(picture, transform, (size, size), border), transform
