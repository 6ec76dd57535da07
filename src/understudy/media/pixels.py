"""Between FFmpeg's pictures and BGR frames, without shifting a pixel's colour.

What is not touched never goes through BGR: the sink starts from the decoded picture itself, in its own
matrix, range and bit depth, and only the rectangles that were written (face, label) are converted and laid
over it. So the untouched part of a frame reaches the encoder bit for bit, and 10-bit and HDR clips keep
their depth and their curve; the face in them is computed with 8 bits in the clip's own transfer curve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import av
import numpy as np

from understudy.arrays import AnyArray, UInt8Array
from understudy.frames import Frame, PixelBox

#: AVColorSpace and AVColorRange numbers (ITU-T H.273) that this module decides by.
MATRIX_RGB, MATRIX_709, MATRIX_UNKNOWN, MATRIX_601 = 0, 1, 2, 6
RANGE_UNKNOWN, RANGE_LIMITED, RANGE_FULL = 0, 1, 2
#: Rectangles are widened to multiples of this, so that they fall on whole chroma samples.
ALIGN = 4


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture as the decoder gave it.

    Attributes:
        picture: The decoded frame, with its matrix and range set.
        rotation: Quarter turns anticlockwise that make it upright, 0-3.
    """

    picture: av.VideoFrame
    rotation: int


def settle_colors(picture: av.VideoFrame) -> None:
    """Fill in what the stream does not say, as players do: BT.709 for HD, BT.601 below, limited range."""
    if picture.format.is_rgb or picture.format.name.startswith("gray"):
        return
    if picture.colorspace in (MATRIX_RGB, MATRIX_UNKNOWN):
        picture.colorspace = MATRIX_709 if max(picture.width / 16 * 9, picture.height) >= 720 else MATRIX_601
    if picture.color_range == RANGE_UNKNOWN:
        picture.color_range = RANGE_FULL if picture.format.name.startswith("yuvj") else RANGE_LIMITED


def bgr(picture: av.VideoFrame, rotation: int) -> UInt8Array:
    """The upright picture, uint8 BGR (H, W, 3), contiguous. ``settle_colors`` comes first."""
    pixels = picture.reformat(format="bgr24").to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, rotation), np.uint8)


def alpha_of(picture: av.VideoFrame, rotation: int) -> UInt8Array | None:
    """The upright opacity, uint8 (H, W), of formats that have one."""
    if not has_alpha(picture.format):
        return None
    pixels = picture.reformat(format="bgra").to_ndarray()[:, :, 3]
    return np.ascontiguousarray(np.rot90(pixels, rotation), np.uint8)


def has_alpha(pixel_format: av.VideoFormat) -> bool:
    """Whether a pixel format carries opacity."""
    return any(component.is_alpha for component in pixel_format.components) or pixel_format.name == "pal8"


def bits_of(pixel_format: av.VideoFormat) -> int:
    """Bits a sample."""
    return max((component.bits for component in pixel_format.components), default=8)


def for_encoder(frame: Frame, pixel_format: str, colors: Mapping[str, int], size: tuple[int, int]) -> av.VideoFrame:
    """The frame as a picture for the encoder.

    Args:
        frame: What to encode.
        pixel_format: FFmpeg's name of a planar YUV format, or of a packed RGB one.
        colors: ``matrix`` and ``range`` of the output, as FFmpeg's numbers.
        size: Width and height of the output; larger than the frame by at most a pixel, which repeats the edge.
    """
    shades = {"dst_colorspace": colors["matrix"], "dst_color_range": colors["range"]}
    origin = frame.origin
    if pixel_format.startswith(("bgr", "rgb")):
        return _packed(frame, pixel_format)
    if not isinstance(origin, Decoded) or not _yuv(origin.picture.format):
        whole = PixelBox(0, 0, frame.width, frame.height)
        return _padded(_converted(frame.picture, whole, pixel_format, shades), size)
    base = origin.picture.reformat(format=pixel_format, **shades)
    if base is origin.picture or origin.rotation:
        base = _copied(base, origin.rotation)
    for box in _aligned(frame.touched, frame.width, frame.height):
        part = _converted(frame.picture, box, pixel_format, shades)
        for target, source, step in zip(planes(base), planes(part), _steps(base), strict=True):
            rows, columns = source.shape[:2]
            top, left = box.y0 // step[1], box.x0 // step[0]
            target[top : top + rows, left : left + columns] = source
    return _padded(base, size)


def planes(picture: av.VideoFrame) -> list[AnyArray]:
    """Writable views of a planar picture's planes: uint8 or uint16, (rows, columns)."""
    dtype = np.uint16 if bits_of(picture.format) > 8 else np.uint8
    views = []
    for plane in picture.planes:
        rows = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)
        views.append(rows[:, : plane.width])
    return views


def _yuv(pixel_format: av.VideoFormat) -> bool:
    return not pixel_format.is_rgb and pixel_format.name != "pal8" and pixel_format.is_planar


def _steps(picture: av.VideoFrame) -> list[tuple[int, int]]:
    """Pixels of the frame a sample of each plane stands for, across and down."""
    return [(round(picture.width / plane.width), round(picture.height / plane.height)) for plane in picture.planes]


def _converted(picture: UInt8Array, box: PixelBox, pixel_format: str, shades: Mapping[str, int]) -> av.VideoFrame:
    part = np.ascontiguousarray(picture[box.y0 : box.y1, box.x0 : box.x1])
    return av.VideoFrame.from_ndarray(part, format="bgr24").reformat(format=pixel_format, **shades)


def _packed(frame: Frame, pixel_format: str) -> av.VideoFrame:
    pixels = frame.picture
    if pixel_format in ("bgra", "rgba"):
        opacity = np.full(pixels.shape[:2], 255, np.uint8) if frame.alpha is None else frame.alpha
        pixels = np.dstack([pixels, opacity])
        return av.VideoFrame.from_ndarray(pixels, format="bgra").reformat(format=pixel_format)
    return av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format=pixel_format)


def _copied(picture: av.VideoFrame, rotation: int) -> av.VideoFrame:
    """A copy, turned upright: the decoder may still need the original."""
    width, height = (picture.height, picture.width) if rotation % 2 else (picture.width, picture.height)
    copy = av.VideoFrame(width, height, picture.format.name)
    for target, source in zip(planes(copy), planes(picture), strict=True):
        target[:] = np.rot90(source, rotation)
    copy.colorspace, copy.color_range = picture.colorspace, picture.color_range
    return copy


def _padded(picture: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """The picture with its right and bottom edge repeated up to ``size``."""
    if (picture.width, picture.height) == size:
        return picture
    larger = av.VideoFrame(*size, picture.format.name)
    for target, source in zip(planes(larger), planes(picture), strict=True):
        rows, columns = target.shape[0] - source.shape[0], target.shape[1] - source.shape[1]
        target[:] = np.pad(source, ((0, max(rows, 0)), (0, max(columns, 0))), mode="edge")[
            : target.shape[0], : target.shape[1]
        ]
    larger.colorspace, larger.color_range = picture.colorspace, picture.color_range
    return larger


def _aligned(boxes: list[PixelBox], width: int, height: int) -> list[PixelBox]:
    """The boxes widened to whole chroma samples and clipped."""
    widened = [
        PixelBox(
            box.x0 // ALIGN * ALIGN,
            box.y0 // ALIGN * ALIGN,
            -(-box.x1 // ALIGN) * ALIGN,
            -(-box.y1 // ALIGN) * ALIGN,
        ).clipped(width, height)
        for box in boxes
    ]
    return [box for box in widened if not box.empty]
