"""The original and the result in one picture: where each is, how large it becomes, and where the label stands."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from understudy.errors import InputError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.media.base import MediaInfo, MediaKind
from understudy.pipeline.comparing import Comparing, compared
from understudy.pipeline.sealing import sealed
from understudy.pipeline.tally import Swapped
from understudy.provenance import FrameSealer

BEFORE, AFTER = 40, 90


def composed(how, size=(320, 240), *, seconds=0.0, alpha=None, scale=1, boxes=()):
    """A frame of one grey that becomes another, put together; and what was done to it."""
    width, height = size
    frame = Frame(np.full((height, width, 3), BEFORE, np.uint8), pts=round(seconds * 1000), alpha=alpha)
    comparing = Comparing(how)
    original = comparing.original(frame)
    frame.picture = np.full((height * scale, width * scale, 3), AFTER, np.uint8)
    faces = Faces(boxes_xyxy=np.array(boxes, np.float32).reshape(-1, 4))
    done = comparing.compose(frame, original, Swapped(faces, (), scale=scale))
    assert done.scale == 1  # the boxes are of the new picture
    return frame, done


def line_at(seconds):
    """The first column that is the result's, with nothing of the line left of it."""
    row = composed("wipe", seconds=seconds)[0].picture[0, :, 0]
    assert set(row.tolist()) == {BEFORE, AFTER, 255}
    assert (np.diff((row == BEFORE).astype(int)) != 0).sum() == 1  # the original is left of it, and nowhere else
    return int(np.flatnonzero(row == AFTER)[0])


@pytest.mark.parametrize("size", [(320, 240), (240, 320), (640, 360), (321, 241), (65, 333)])
def test_side_by_side_shows_the_original_left_and_the_result_right(size):
    picture = composed("side-by-side", size)[0].picture
    width, height = size
    assert picture.shape == (height, 2 * width, 3)
    assert picture.flags.c_contiguous
    assert (picture[:, :width] == BEFORE).all()
    assert (picture[:, width:] == AFTER).all()


@pytest.mark.parametrize("size", [(641, 360), (800, 300)])
def test_what_is_wider_than_16_to_9_stands_one_above_the_other(size):
    picture = composed("side-by-side", size)[0].picture
    width, height = size
    assert picture.shape == (2 * height, width, 3)
    assert (picture[:height] == BEFORE).all()
    assert (picture[height:] == AFTER).all()


def test_the_line_of_a_wipe_is_in_the_middle_first_and_wanders_to_and_fro():
    places = [line_at(seconds) for seconds in np.arange(0, 12.01, 0.25)]
    assert abs(places[0] - 160) <= 2
    assert abs(places[-1] - places[0]) <= 1  # once to and fro
    assert max(places) == places[12] > 280
    assert min(places) == places[36] < 40
    assert np.abs(np.diff(places)).max() <= 18  # slowly


def test_a_wipe_keeps_the_size():
    assert composed("wipe", (321, 241))[0].picture.shape == (241, 321, 3)


def test_opacity_goes_along():
    alpha = np.arange(240 * 320, dtype=np.uint32).reshape(240, 320).astype(np.uint8)
    beside = composed("side-by-side", alpha=alpha)[0].alpha
    np.testing.assert_array_equal(beside, np.hstack([alpha, alpha]))
    np.testing.assert_array_equal(composed("wipe", alpha=alpha)[0].alpha, alpha)


@pytest.mark.parametrize(("how", "width"), [("side-by-side", 1280), ("wipe", 640)])
def test_a_result_that_was_enlarged_stands_beside_an_original_as_large(how, width):
    frame, done = composed(how, scale=2, boxes=[[10, 20, 30, 50]])
    picture = frame.picture
    np.testing.assert_array_equal(done.faces.boxes_xyxy[0] - np.tile([width - 640, 0], 2), [20, 40, 60, 100])
    assert picture.shape == (480, width, 3)
    assert (picture[:, : width // 2 - 2] == BEFORE).all()
    assert (picture[:, width // 2 + 2 :] == AFTER).all()


def test_nothing_is_kept_where_nothing_is_compared():
    frame = Frame(np.zeros((64, 64, 3), np.uint8))
    assert Comparing("no").original(frame) is None


@pytest.mark.parametrize("corner", ["bottom-left", "top-left", "bottom-right"])
@pytest.mark.parametrize(
    ("how", "size"), [("side-by-side", (320, 240)), ("side-by-side", (640, 240)), ("wipe", (640, 360))]
)
@pytest.mark.parametrize("close", [False, True])
def test_the_label_stands_with_the_result(how, size, corner, close):
    """Also where a face, or two, fill all of the result: on the original it would say the wrong thing."""
    from understudy.provenance import LabelOptions

    boxes = [[0, 0, *size], [0, 0, *size]] if close else [[20, 20, 60, 70]]
    frame, done = composed(how, size, boxes=boxes)
    label = sealed(FrameSealer(1, LabelOptions(corner=corner)), frame, done).frame.label
    right = how == "wipe" or frame.width > size[0]
    assert (label.x0 >= frame.width / 2) if right else (label.y0 >= frame.height / 2)
    if not close:  # in an outer corner
        assert (label.x1 > 0.95 * frame.width) if right else (label.y1 > 0.95 * frame.height)


def test_the_label_leaves_a_face_alone_where_the_result_has_another_corner():
    """Below each other stand pictures that are wide: faces there reach to the bottom."""
    from understudy.provenance import LabelOptions

    chin = [20, 90, 300, 360]
    frame, done = composed("side-by-side", (960, 360), boxes=[chin, [560, 90, 900, 360]])
    label = sealed(FrameSealer(1, LabelOptions()), frame, done).frame.label
    assert label.y0 >= 360
    assert label.y1 <= 360 + chin[1]


def info(width, height, kind=MediaKind.VIDEO):
    return MediaInfo(Path("clip.mp4"), kind, width, height, Fraction(1, 1000), pixel_format="yuv420p")


def test_what_a_file_of_compares_is_like():
    def size(how, *sides):
        found = compared(info(*sides), how, 96_000_000)
        return found.width, found.height

    assert size("no", 1280, 720) == size("wipe", 1280, 720) == (1280, 720)
    assert size("side-by-side", 1280, 720) == (2560, 720)
    assert size("side-by-side", 1281, 720) == (1281, 1440)
    plain = info(1280, 720)
    assert compared(plain, "no", 1) is plain


@pytest.mark.parametrize(
    ("sides", "kind", "most"),
    [
        ((7680, 4320), MediaKind.VIDEO, 96_000_000),
        ((4096, 4096), MediaKind.ANIMATION, 96_000_000),
        ((1000, 1000), MediaKind.IMAGE, 1_500_000),
    ],
)
def test_what_is_too_large_together_is_refused(sides, kind, most):
    with pytest.raises(InputError, match=r"clip\.mp4 and its result side by side are \d+x\d+"):
        compared(info(*sides, kind), "side-by-side", most)
    assert compared(info(*sides, kind), "wipe", most).width == sides[0]
