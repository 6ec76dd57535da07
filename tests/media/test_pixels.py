"""What reaches the encoder: untouched pixels bit for bit."""

import av
import cv2
import numpy as np
import pytest

from understudy.canvas import Canvas
from understudy.changes import aligned, apart
from understudy.face import Faces
from understudy.frames import Change, Frame, PixelBox
from understudy.geometry.orientation import UPRIGHT, Orientation
from understudy.media.pixels import Decoded, bgr, changes_of, for_encoder, planes, settle_colors
from understudy.provenance import FrameSealer


def noisy(width, height, pixel_format, matrix=1, color_range=1):
    rng = np.random.default_rng(3)
    picture = av.VideoFrame(width, height, pixel_format)
    depth = 1023 if "10" in pixel_format else 255
    for plane in planes(picture):
        plane[:] = rng.integers(depth // 8, depth * 7 // 8, plane.shape)
    picture.colorspace, picture.color_range = matrix, color_range
    return picture


def copies(picture):
    return [plane.copy() for plane in planes(picture)]


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize("size", [(64, 48), (66, 50), (63, 47)])
def test_untouched_pixels_are_bit_exact_and_touched_ones_are_not(pixel_format, size):
    decoded = noisy(*size, pixel_format)
    before = copies(decoded)
    frame = Frame(bgr(decoded, UPRIGHT), origin=Decoded(decoded, UPRIGHT))
    box = PixelBox(9, 5, 23, 30)
    Canvas(frame).change(box)[:] = (10, 200, 30)
    after = for_encoder(frame, pixel_format, {"matrix": 1, "range": 1}, size)
    for number, (old, new) in enumerate(zip(before, planes(after), strict=True)):
        step = 1 if number == 0 else 2
        inside = np.zeros(old.shape, bool)
        inside[4 // step : 32 // step, 8 // step : 24 // step] = True
        np.testing.assert_array_equal(new[~inside], old[~inside])
        assert (new[inside] != old[inside]).mean() > 0.5
    for old, new in zip(before, planes(decoded), strict=True):
        np.testing.assert_array_equal(old, new)  # the decoder may still need its picture


@pytest.mark.parametrize("orientation", [Orientation(m, t) for m in (False, True) for t in range(4)][1:])
def test_turned_pictures_are_turned_bit_for_bit(orientation):
    decoded = noisy(64, 48, "yuv420p")
    frame = Frame(bgr(decoded, orientation), origin=Decoded(decoded, orientation))
    size = (frame.width, frame.height)
    after = for_encoder(frame, "yuv420p", {"matrix": 1, "range": 1}, size)
    for old, new in zip(planes(decoded), planes(after), strict=True):
        np.testing.assert_array_equal(orientation.applied(old), new)


def test_an_odd_edge_is_repeated():
    decoded = noisy(63, 47, "yuv420p")
    frame = Frame(bgr(decoded, UPRIGHT), origin=Decoded(decoded, UPRIGHT))
    after = planes(for_encoder(frame, "yuv420p", {"matrix": 1, "range": 1}, (64, 48)))
    np.testing.assert_array_equal(after[0][:47, :63], planes(decoded)[0])
    np.testing.assert_array_equal(after[0][:, 63], after[0][:, 62])
    np.testing.assert_array_equal(after[0][47], after[0][46])


@pytest.mark.parametrize(("height", "matrix"), [(480, 6), (720, 1), (1080, 1)])
def test_unsaid_matrices_are_read_as_players_do(height, matrix):
    picture = av.VideoFrame(height * 4 // 3 // 2 * 2, height, "yuv420p")
    settle_colors(picture)
    assert picture.colorspace == matrix
    assert picture.color_range == 1


def test_full_range_by_its_old_name():
    picture = av.VideoFrame(64, 48, "yuvj420p")
    settle_colors(picture)
    assert picture.color_range == 2


@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
@pytest.mark.parametrize("color_range", [1, 2])
def test_a_colour_goes_there_and_back(matrix, color_range):
    grays = np.repeat(np.repeat(np.linspace(0, 255, 16).astype(np.uint8)[None, :, None], 16, 0), 3, 2)
    colored = np.kron(np.random.default_rng(1).integers(0, 255, (4, 4, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    picture = np.ascontiguousarray(np.vstack([grays, colored]))
    there = for_encoder(Frame(picture), "yuv420p", {"matrix": matrix, "range": color_range}, (16, 32))
    settle_colors(there)
    # Back through the exact conversion, as an animation would be written.
    decoded = Frame(bgr(there, UPRIGHT), origin=Decoded(there, UPRIGHT))
    back = for_encoder(decoded, "bgr24", {"matrix": matrix, "range": color_range}, (16, 32)).to_ndarray().astype(int)
    difference = back - picture
    assert np.abs(difference[:14, 2:-2].mean(axis=(0, 1))).max() < 0.6  # grays, each channel
    assert np.abs(difference[17::4, 1::4].mean(axis=(0, 1))).max() < 2.5  # the swatches' middles
    # A change is added to what was there: no shade is lost to the fast conversion.
    change = Canvas(decoded).change(PixelBox(0, 0, 16, 16))
    change[:] = np.clip(change.astype(int) + 20, 0, 255)
    lighter = planes(for_encoder(decoded, "yuv420p", {"matrix": matrix, "range": color_range}, (16, 32)))[0]
    gain = (lighter[:14, 2:12].astype(int) - planes(there)[0][:14, 2:12]).mean()
    assert gain == pytest.approx(20 * (219 / 255 if color_range == 1 else 1), abs=0.6)


def test_changes_that_overlap_are_told_apart():
    rng = np.random.default_rng(5)
    frame = Frame(rng.integers(0, 255, (40, 40, 3), np.uint8), origin="decoded")
    start = frame.picture.copy()
    for box in (PixelBox(3, 3, 20, 20), PixelBox(10, 10, 33, 30), PixelBox(0, 0, 8, 8)):
        Canvas(frame).change(box)[:] = rng.integers(0, 255, 3)
    end = frame.picture.copy()
    total = start.astype(int)
    for box, before, after in changes_of(frame):
        total[box.y0 : box.y1, box.x0 : box.x1] += after.astype(int) - before
    np.testing.assert_array_equal(total, end)
    np.testing.assert_array_equal(frame.picture, end)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("color_range", [1, 2])
def test_of_a_sealed_frame_only_luma_differs_where_nothing_was_written(pixel_format, color_range):
    """The mark is grey: it needs no chroma. Label and change do."""
    rng = np.random.default_rng(7)
    picture = cv2.resize(rng.integers(60, 200, (12, 16, 3), np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
    shades = {"matrix": 1, "range": color_range}
    decoded = for_encoder(Frame(picture), pixel_format, shades, (320, 240))
    decoded.colorspace, decoded.color_range = 1, color_range
    frame = Frame(bgr(decoded, UPRIGHT), origin=Decoded(decoded, UPRIGHT))
    Canvas(frame).change(PixelBox(40, 40, 100, 100))[:] = (10, 200, 30)
    sealed = FrameSealer(5).seal(frame, Faces.empty()).frame
    before, after = planes(decoded), planes(for_encoder(sealed, pixel_format, shades, (320, 240)))
    across, down = 320 // before[1].shape[1], 240 // before[1].shape[0]
    written = np.zeros((240, 320), bool)
    label = aligned(sealed.label, 320, 240)
    for box in (PixelBox(40, 40, 100, 100), label):
        written[box.y0 : box.y1, box.x0 : box.x1] = True
    for old, new in zip(before[1:], after[1:], strict=True):
        assert np.array_equal(new[~written[::down, ::across]], old[~written[::down, ::across]])
        assert np.abs(new.astype(int) - old)[written[::down, ::across]].mean() > 1
    scale = (1 if color_range == 2 else 219 / 255) * (4 if "10" in pixel_format else 1)
    off = after[0].astype(float) - before[0] - scale * sealed.steps
    assert np.abs(off[~written]).max() <= 0.5
    assert np.abs(sealed.steps[~written]).max() > 0
    # Where something was written the mark is in the difference.
    blended = Frame(bgr(for_encoder(sealed, pixel_format, shades, (320, 240)), UPRIGHT)).picture.astype(int)
    assert np.abs(blended - sealed.picture)[44:96, 44:96].mean() < 4


def test_a_change_that_does_not_fit_is_refused():
    for box, before in (
        (PixelBox(0, 0, 4, 4), np.zeros((3, 4, 3), np.uint8)),
        (PixelBox(36, 0, 44, 4), np.zeros((4, 8, 3), np.uint8)),
        (PixelBox(0, 0, 4, 4), None),
    ):
        with pytest.raises(ValueError, match="does not fit"):
            apart(np.zeros((40, 40, 3), np.uint8), [Change(box, before)])
