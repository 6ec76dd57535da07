"""Between FFmpeg's pictures and BGR frames, without shifting a pixel's colour.

What is not changed never goes through BGR: the sink starts from the decoded picture itself, in its own
matrix, range and bit depth, and only the *difference* that was made to a rectangle (face, label) is converted
and added; the mark, which is the same in all three colours, is added to luma alone. So unchanged pixels reach
the encoder bit for bit, 10-bit and HDR clips keep their depth and their curve (the face in them is computed with
8 bits in the clip's own transfer curve), and the rounding of swscale's fast conversion to BGR, which darkens by
one to three levels, cancels out: it is in both sides of the difference. Where a picture has to be converted as a
whole, the slow and exact conversion does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import av
import numpy as np

from understudy.arrays import AnyArray, FloatArray, Int8Array, UInt8Array
from understudy.changes import aligned, apart
from understudy.compiled import compiled
from understudy.frames import Frame, PixelBox, SealedFrame
from understudy.geometry.orientation import UPRIGHT, Orientation

#: AVColorSpace and AVColorRange numbers (ITU-T H.273) that this module decides by.
MATRIX_RGB, MATRIX_709, MATRIX_UNKNOWN, MATRIX_601 = 0, 1, 2, 6
#: Weights of red and blue in luma, by matrix.
LUMA_COEFFICIENTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087)}
LUMA_COEFFICIENTS |= {9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
RANGE_UNKNOWN, RANGE_LIMITED, RANGE_FULL = 0, 1, 2
#: swscale's bilinear filter with exact rounding and full chroma (SWS_BILINEAR, SWS_ACCURATE_RND,
#: SWS_FULL_CHR_H_INT, SWS_FULL_CHR_H_INP of libswscale): no shade is shifted, at some ten times the time.
EXACT = 0x2 | 0x40000 | 0x2000 | 0x4000


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture as the decoder gave it.

    Attributes:
        picture: The decoded frame, with its matrix and range set.
        orientation: What makes it upright.
    """

    picture: av.VideoFrame
    orientation: Orientation

    def fits(self, frame: Frame | SealedFrame) -> bool:
        """Whether the frame has its size, turned upright."""
        sides = (self.picture.width, self.picture.height)
        return (sides[::-1] if self.orientation.lying else sides) == (frame.width, frame.height)


def settle_colors(picture: av.VideoFrame) -> None:
    """Fill in what the stream does not say, as players do: BT.709 for HD, BT.601 below, limited range."""
    if not is_yuv(picture.format) and not picture.format.name.startswith(("yuy", "uyvy", "yvyu", "nv", "p0")):
        return
    if picture.colorspace in (MATRIX_RGB, MATRIX_UNKNOWN):
        picture.colorspace = MATRIX_709 if max(picture.width / 16 * 9, picture.height) >= 720 else MATRIX_601
    if picture.color_range == RANGE_UNKNOWN:
        picture.color_range = RANGE_FULL if picture.format.name.startswith("yuvj") else RANGE_LIMITED


def bgr(picture: av.VideoFrame, orientation: Orientation, *, exact: bool = False) -> UInt8Array:
    """The upright picture, uint8 BGR (H, W, 3), contiguous. ``settle_colors`` comes first.

    By the fast conversion unless ``exact``: see the module's docstring for why that does no harm.
    """
    how = {"interpolation": EXACT} if exact else {}
    pixels = picture.reformat(format="bgr24", **how).to_ndarray()
    if picture.format.name == "bgr24":
        pixels = pixels.copy()  # nothing was converted: this is the decoder's own memory, and frames are written to
    return np.ascontiguousarray(orientation.applied(pixels), np.uint8)


def alpha_of(picture: av.VideoFrame, orientation: Orientation) -> UInt8Array | None:
    """The upright opacity, uint8 (H, W), of formats that have one."""
    if not has_alpha(picture.format):
        return None
    pixels = picture.reformat(format="bgra").to_ndarray()[:, :, 3]
    return np.ascontiguousarray(orientation.applied(pixels), np.uint8)


def has_alpha(pixel_format: av.VideoFormat) -> bool:
    """Whether a pixel format carries opacity."""
    return any(component.is_alpha for component in pixel_format.components) or pixel_format.name == "pal8"


def has_holes(picture: av.VideoFrame) -> bool:
    """Whether a picture's format carries opacity; of one with a palette, which may, whether a pixel has less."""
    if picture.format.name != "pal8":
        return has_alpha(picture.format)
    opacity = alpha_of(picture, UPRIGHT)
    return opacity is not None and int(opacity.min()) < 255


def bits_of(pixel_format: av.VideoFormat) -> int:
    """Bits a sample."""
    return max((component.bits for component in pixel_format.components), default=8)


def for_encoder(
    frame: Frame | SealedFrame, pixel_format: str, colors: Mapping[str, int], size: tuple[int, int]
) -> av.VideoFrame:
    """The frame as a picture for the encoder.

    Args:
        frame: What to encode.
        pixel_format: FFmpeg's name of a planar YUV format, or of a packed RGB one.
        colors: ``matrix`` and ``range`` of the output, as FFmpeg's numbers.
        size: Width and height of the output; larger than the frame by at most a pixel, which repeats the edge.
    """
    shades = {"dst_colorspace": colors["matrix"], "dst_color_range": colors["range"]}
    if pixel_format.startswith(("bgr", "rgb")):
        return _packed(frame, pixel_format)
    origin = _yuv_origin(frame)
    if origin is None:
        return _padded(_converted(frame.picture, pixel_format, shades), size)
    base = origin.picture
    if base.format.name != pixel_format:
        base = base.reformat(format=pixel_format, interpolation=EXACT, **shades)
    if base is origin.picture or origin.orientation != UPRIGHT:
        base = _copied(base, origin.orientation)
    bits = bits_of(base.format)
    weights = difference_matrix(colors["matrix"], colors["range"], bits)
    into = planes(base)
    if isinstance(frame, SealedFrame) and frame.steps is not None:
        _add_mark(into[0], frame.steps, [change.box for change in frame.changes], weights, bits)
    for box, before, after in changes_of(frame):
        _add(into, box, before, after, weights, bits)
    if isinstance(frame, SealedFrame):
        _write_label(into, frame, weights, bits, full=colors["range"] == RANGE_FULL)
    return _padded(base, size)


def _add(
    into: list[AnyArray], box: PixelBox, before: UInt8Array, after: UInt8Array, weights: FloatArray, bits: int
) -> None:
    """Add the difference of two pictures of ``box`` to the planes of a YUV picture."""
    luma, cb, cr = into
    across, down = (round(luma.shape[side] / cb.shape[side]) for side in (1, 0))
    part = luma[box.y0 : box.y1, box.x0 : box.x1]
    small = np.s_[box.y0 // down : -(-box.y1 // down), box.x0 // across : -(-box.x1 // across)]
    step, sums = np.empty(3 * part.shape[1], np.int16), np.empty(3 * part.shape[1], np.int32)
    flat, most = (_flat(before), _flat(after)), (1 << bits) - 1
    _add_differences(part, cb[small], cr[small], *flat, weights, across, down, most, step, sums)


def _add_mark(luma: AnyArray, steps: Int8Array, changed: list[PixelBox], weights: FloatArray, bits: int) -> None:
    """Add the mark to luma, but for where the frame was changed: there its difference has the mark."""
    parts = [luma[box.y0 : box.y1, box.x0 : box.x1] for box in changed]
    kept = [part.copy() for part in parts]
    _add_steps(luma, steps, float(weights[0].sum()), (1 << bits) - 1)
    for part, pixels in zip(parts, kept, strict=True):
        part[:] = pixels


def _write_label(into: list[AnyArray], frame: SealedFrame, weights: FloatArray, bits: int, *, full: bool) -> None:
    """Write the label's pixels as they were sealed, whatever the picture was decoded from (that is anybody's).

    They are black first, and what is added then is their difference to black.
    """
    box = aligned(frame.label, frame.width, frame.height)
    luma, *chroma = into
    across, down = (round(luma.shape[side] / chroma[0].shape[side]) for side in (1, 0))
    luma[box.y0 : box.y1, box.x0 : box.x1] = 0 if full else 16 << (bits - 8)
    for plane in chroma:
        plane[box.y0 // down : -(-box.y1 // down), box.x0 // across : -(-box.x1 // across)] = 1 << (bits - 1)
    after = frame.picture[box.y0 : box.y1, box.x0 : box.x1]
    _add(into, box, np.zeros_like(after), after, weights, bits)


def difference_matrix(matrix: int, color_range: int, bits: int) -> FloatArray:
    """What a difference in B, G, R (0-255) is in Y, Cb, Cr codes: float32 (3, 3), rows Y, Cb, Cr.

    From the luma coefficients of ITU-R BT.601, BT.709, BT.2020 and SMPTE 240M, and the ranges of ITU-T H.273.
    """
    red, blue = LUMA_COEFFICIENTS.get(matrix, LUMA_COEFFICIENTS[MATRIX_601])
    luma = np.array([blue, 1 - red - blue, red])
    cb = (np.array([1, 0, 0]) - luma) / (2 * (1 - blue))
    cr = (np.array([0, 0, 1]) - luma) / (2 * (1 - red))
    full = color_range == RANGE_FULL
    scale = ((1 << bits) - 1) / 255 if full else (1 << (bits - 8))
    spans = (255, 255, 255) if full else (219, 224, 224)
    return np.asarray([row * scale * span / 255 for row, span in zip((luma, cb, cr), spans, strict=True)], np.float32)


@compiled
def _add_steps(luma: AnyArray, steps: Int8Array, weight: float, most: int) -> None:
    """Add ``weight`` x ``steps``, rounded, to luma.

    Args:
        luma: (h, w), written.
        steps: int8 (h, w).
        weight: What a grey level is in luma's codes.
        most: The largest code.
    """
    half, top, none, each = np.float32(0.5), np.float32(most), np.float32(0), np.float32(weight)
    for y in range(luma.shape[0]):
        row, raised = luma[y], steps[y]
        for x in range(luma.shape[1]):
            row[x] = np.int32(min(max(np.float32(row[x]) + half + each * np.float32(raised[x]), none), top))


@compiled
def _add_differences(
    luma: AnyArray,
    cb: AnyArray,
    cr: AnyArray,
    before: UInt8Array,
    after: UInt8Array,
    weights: FloatArray,
    across: int,
    down: int,
    most: int,
    step: AnyArray,
    sums: AnyArray,
) -> None:
    """Add the difference of two pictures to Y, Cb and Cr, in one pass over them.

    Args:
        luma: (h, w), written.
        cb: Each sample takes the mean of its ``across`` x ``down`` pixels; written.
        cr: As ``cb``.
        before: uint8 (h, 3 w): the colours of a pixel follow each other.
        after: As ``before``.
        weights: See ``difference_matrix``.
        across: Pixels to a sample of chroma.
        down: The same downwards.
        most: The largest code.
        step: int16 (3 w,): room for a row.
        sums: int32 (3 w,): room for the sum of some.
    """
    height, width = luma.shape
    half, top, none = np.float32(0.5), np.float32(most), np.float32(0)
    yb, yg, yr = weights[0, 0], weights[0, 1], weights[0, 2]
    ub, ug, ur = weights[1, 0], weights[1, 1], weights[1, 2]
    vb, vg, vr = weights[2, 0], weights[2, 1], weights[2, 2]
    rest = width // across if across == 2 else 0  # columns with both their pixels; the last may have one
    for row in range(cb.shape[0]):
        first, last = row * down, min((row + 1) * down, height)
        sums[:] = 0
        for y in range(first, last):
            # One loop for each kind of access: so each becomes vector code, several times as fast.
            for x in range(3 * width):
                step[x] = np.int16(after[y, x]) - np.int16(before[y, x])
            for x in range(3 * width):
                sums[x] += np.int32(step[x])
            for x in range(width):
                value = np.float32(luma[y, x]) + half
                value += yb * np.float32(step[3 * x])
                value += yg * np.float32(step[3 * x + 1])
                value += yr * np.float32(step[3 * x + 2])
                luma[y, x] = np.int32(min(max(value, none), top))
        share = np.float32(1) / np.float32(2 * (last - first))
        for x in range(rest):
            blue = np.float32(sums[6 * x] + sums[6 * x + 3])
            green = np.float32(sums[6 * x + 1] + sums[6 * x + 4])
            red = np.float32(sums[6 * x + 2] + sums[6 * x + 5])
            first_of_two = (ub * blue + ug * green + ur * red) * share
            second_of_two = (vb * blue + vg * green + vr * red) * share
            cb[row, x] = np.int32(min(max(np.float32(cb[row, x]) + first_of_two + half, none), top))
            cr[row, x] = np.int32(min(max(np.float32(cr[row, x]) + second_of_two + half, none), top))
        for column in range(rest, cb.shape[1]):
            left, right = column * across, min((column + 1) * across, width)
            blue, green, red = none, none, none
            for x in range(left, right):
                blue += np.float32(sums[3 * x])
                green += np.float32(sums[3 * x + 1])
                red += np.float32(sums[3 * x + 2])
            part = np.float32(1) / np.float32((right - left) * (last - first))
            u, v = (ub * blue + ug * green + ur * red) * part, (vb * blue + vg * green + vr * red) * part
            cb[row, column] = np.int32(min(max(np.float32(cb[row, column]) + u + half, none), top))
            cr[row, column] = np.int32(min(max(np.float32(cr[row, column]) + v + half, none), top))


def exactly(frame: Frame | SealedFrame) -> UInt8Array | None:
    """What the frame was decoded from, converted exactly, without what was changed since.

    Args:
        frame: Its ``origin`` says what that is.

    Returns:
        uint8 BGR (H, W, 3), upright, a copy; None where the frame was not decoded from YUV, or is of another size now.
    """
    origin = _yuv_origin(frame)
    if origin is None:
        return None
    pixels = origin.picture.reformat(format="bgr24", interpolation=EXACT).to_ndarray()
    return np.ascontiguousarray(origin.orientation.applied(pixels), np.uint8)


def _yuv_origin(frame: Frame | SealedFrame) -> Decoded | None:
    """The YUV picture that a frame was decoded from, if it still has its size."""
    origin = frame.origin
    if not isinstance(origin, Decoded) or not origin.fits(frame) or not is_yuv(origin.picture.format):
        return None
    return origin


def add_changes(pixels: UInt8Array, frame: Frame | SealedFrame) -> bool:
    """Add what was changed in a frame to what ``exactly`` gave of it.

    Args:
        pixels: uint8 BGR (H, W, 3), written in place.
        frame: With its ``changes``.

    Returns:
        Whether it could be: False, and nothing is written, for a frame of which ``exactly`` gives nothing.
    """
    if _yuv_origin(frame) is None:
        return False
    changes = changes_of(frame)
    if isinstance(frame, SealedFrame) and frame.steps is not None:
        outside = np.ones(pixels.shape[:2], bool)
        for box, _, _ in changes:
            outside[box.y0 : box.y1, box.x0 : box.x1] = False
        marked = np.where(outside, frame.steps, 0)[:, :, None]
        np.copyto(pixels, np.clip(pixels + marked.astype(np.int16), 0, 255), casting="unsafe")
    for box, before, after in changes:
        region = pixels[box.y0 : box.y1, box.x0 : box.x1]
        region[:] = np.clip(region.astype(np.int16) + after - before.astype(np.int16), 0, 255)
    return True


def changes_of(frame: Frame | SealedFrame) -> list[tuple[PixelBox, UInt8Array, UInt8Array]]:
    """What was changed: rectangles of whole chroma samples that do not overlap, each before and after.

    Of a sealed frame's: the mark is in what is after.
    """
    changes = frame.changes if isinstance(frame, SealedFrame) else apart(frame.picture, frame.changes)
    return [
        (box, before, frame.picture[box.y0 : box.y1, box.x0 : box.x1]) for box, before in changes if before is not None
    ]


def _flat(picture: UInt8Array) -> UInt8Array:
    """A picture (h, w, 3) as (h, 3 w), not to be written: one kind of array, so that one kernel is compiled."""
    flat = np.ascontiguousarray(picture).reshape(picture.shape[0], -1)
    flat.flags.writeable = False
    return flat


def planes(picture: av.VideoFrame) -> list[AnyArray]:
    """Writable views of a planar picture's planes: uint8 or uint16, (rows, columns)."""
    dtype = np.uint16 if bits_of(picture.format) > 8 else np.uint8
    views = []
    for plane in picture.planes:
        rows = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)
        views.append(rows[:, : plane.width])
    return views


def is_yuv(pixel_format: av.VideoFormat) -> bool:
    """Whether it is planar YUV with chroma."""
    return not pixel_format.is_rgb and pixel_format.is_planar and len(pixel_format.components) >= 3


def _converted(picture: UInt8Array, pixel_format: str, shades: Mapping[str, int]) -> av.VideoFrame:
    whole = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
    return whole.reformat(format=pixel_format, interpolation=EXACT, **shades)


def _packed(frame: Frame | SealedFrame, pixel_format: str) -> av.VideoFrame:
    """The frame as packed RGB."""
    pixels, exact = frame.picture, exactly(frame)
    if exact is not None:
        pixels = exact
        add_changes(pixels, frame)
        if isinstance(frame, SealedFrame):  # see _write_label
            label = np.s_[frame.label.y0 : frame.label.y1, frame.label.x0 : frame.label.x1]
            pixels[label] = frame.picture[label]
    if pixel_format in ("bgra", "rgba"):
        opacity = np.full(pixels.shape[:2], 255, np.uint8) if frame.alpha is None else frame.alpha
        whole = av.VideoFrame.from_ndarray(np.dstack([pixels, opacity]), format="bgra")
    else:
        whole = av.VideoFrame.from_ndarray(pixels, format="bgr24")
    return whole.reformat(format=pixel_format)


def _copied(picture: av.VideoFrame, orientation: Orientation) -> av.VideoFrame:
    """A copy, turned upright: the decoder may still need the original."""
    width, height = (picture.height, picture.width) if orientation.lying else (picture.width, picture.height)
    copy = av.VideoFrame(width, height, picture.format.name)
    for target, source in zip(planes(copy), planes(picture), strict=True):
        target[:] = orientation.applied(source)
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
