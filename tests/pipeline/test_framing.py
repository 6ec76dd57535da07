"""Another shape: what is shown of a frame, how calmly it follows a face, and that the label is whole."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import UsageError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.media.base import MediaInfo, MediaKind
from understudy.pipeline.following import Following
from understudy.pipeline.framing import Framing, framed
from understudy.pipeline.tally import Swapped
from understudy.provenance import FrameSealer
from understudy.settings import FrameOptions

WIDE = (640, 360)
CROP = (202, 360)


def boxed(*middles, side=60, tracks=None):
    """Faces whose boxes have these middles."""
    boxes = [[x - side / 2, y - side / 2, x + side / 2, y + side / 2] for x, y in middles]
    ids = np.arange(len(boxes)) if tracks is None else np.array(tracks, np.int64)
    return Faces(boxes_xyxy=np.array(boxes, np.float32).reshape(-1, 4), track_ids=ids)


def gradient(width, height):
    """A picture whose pixels say where they are: red is the column's share, green the row's, of 250."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 2] = np.linspace(0, 250, width)[None, :]
    picture[..., 1] = np.linspace(0, 250, height)[:, None]
    return picture


def shown(options, faces=None, size=WIDE, *, alpha=None, aspect=Fraction(1)):
    frame = Frame(gradient(*size), alpha=alpha)
    framing = Framing(options, aspect)
    faces = Faces.empty() if faces is None else faces
    view = framing.view(frame, faces)
    done = Swapped(faces, (), view=view)
    return (frame, done) if view is None else (frame, framing.compose(frame, done, view))


def info(size, kind=MediaKind.VIDEO, aspect=Fraction(1)):
    return MediaInfo(Path("clip.mp4"), kind, *size, Fraction(1, 25), pixel_format="yuv420p", pixel_aspect=aspect)


@pytest.mark.parametrize(
    ("shape", "fit", "size", "whole"),
    [
        ("9:16", "crop", (1280, 720), (404, 720)),
        ("9:16", "crop", (720, 1280), (720, 1280)),
        ("1:1", "crop", (1280, 720), (720, 720)),
        ("16:9", "crop", (720, 1280), (720, 404)),
        ("4:5", "crop", (641, 361), (288, 361)),
        ("1080x1920", "crop", (1280, 720), (1080, 1920)),
        ("9:16", "pad", (1280, 720), (1280, 2276)),
        ("1080x1920", "pad", (1280, 720), (1080, 1920)),
        ("as-is", "pad", (1281, 721), (1281, 721)),
    ],
)
def test_a_file_has_the_shape_that_was_asked_for(shape, fit, size, whole):
    options = FrameOptions(shape, fit)
    assert (framed(info(size), options, 10**9).width, framed(info(size), options, 10**9).height) == whole
    frame, _ = shown(options, size=size)
    assert (frame.width, frame.height) == whole


def test_pixels_that_are_not_square_are_counted_as_they_are_shown():
    # A PAL DVD's 16:9: 720x576 pixels, each 64/45 as wide as high, shown as 1024x576.
    aspect = Fraction(64, 45)
    assert framed(info((720, 576), aspect=aspect), FrameOptions("1:1"), 10**9).width == 404  # x 64/45 = 575
    sized = framed(info((720, 576), aspect=aspect), FrameOptions("1080x1920", "pad"), 10**9)
    assert (sized.width, sized.height, sized.pixel_aspect) == (1080, 1920, 1)
    frame, _ = shown(FrameOptions("1080x1920", "pad"), size=(720, 576), aspect=aspect)
    inside = np.flatnonzero(frame.picture[:, 540, 2] == frame.picture[960, 540, 2])
    assert abs((inside[-1] - inside[0] + 1) - 1080 * 9 / 16) < 4


def test_what_has_the_shape_already_stays_as_it_was_decoded():
    assert shown(FrameOptions("16:9"))[1].view is None
    own = info(WIDE)
    assert framed(own, FrameOptions("16:9"), 10**9) is own


@given(st.integers(64, 2000), st.integers(64, 2000), st.sampled_from(["9:16", "1:1", "16:9", "4:5"]))
def test_a_crop_is_as_large_as_the_frame_allows_and_of_the_ratio(width, height, shape):
    if max(width, height) > 30 * min(width, height):
        return
    options = FrameOptions(shape)
    found = framed(info((width, height)), options, 10**9)
    assert (found.width == width) or (found.height == height)
    assert found.width <= width
    assert found.height <= height
    assert abs(found.width - found.height * options.ratio) <= 1 + max(options.ratio, 1)


def test_the_crop_is_where_the_face_is_and_boxes_go_along():
    frame, done = shown(FrameOptions("9:16"), boxed((500, 150)))
    assert (frame.width, frame.height) == CROP
    middle = done.faces.boxes_xyxy.reshape(2, 2).mean(axis=0)
    assert abs(middle[0] - CROP[0] / 2) <= 1
    column = round(float(frame.picture[180, CROP[0] // 2, 2]) / 250 * (WIDE[0] - 1))
    assert abs(column - 500) <= 3


def test_at_the_edge_the_crop_stays_inside():
    for x in (10, 630):
        frame, done = shown(FrameOptions("9:16"), boxed((x, 150)))
        assert (frame.width, frame.height) == CROP
        assert (done.faces.boxes_xyxy >= 0).all()


def test_whoever_is_cut_off_is_no_place_for_the_label_to_avoid():
    _, done = shown(FrameOptions("9:16"), boxed((100, 150), (600, 150)))
    assert len(done.faces) == 1


def test_padded_all_of_the_frame_is_there_sharp_and_the_rest_is_not_black():
    frame, done = shown(FrameOptions("9:16", "pad"), boxed((500, 150)))
    assert (frame.width, frame.height) == (640, 1138)
    top = (1138 - 360) // 2
    np.testing.assert_array_equal(frame.picture[top : top + 360], gradient(*WIDE))
    assert frame.picture[:top].mean() > 10
    np.testing.assert_allclose(done.faces.boxes_xyxy, boxed((500, 150 + top)).boxes_xyxy)


def test_opacity_goes_along():
    alpha = np.zeros((360, 640), np.uint8)
    alpha[:, 420:] = 200
    frame, _ = shown(FrameOptions("9:16"), boxed((530, 150)), alpha=alpha)
    assert frame.alpha.shape == (360, 202)
    assert (frame.alpha == 200).all()


def follow(path, *, cuts=(), size=CROP, side=60, fps=30):
    """The crop's left edge for faces at these columns; None where there is no face."""
    following = Following()
    return np.array(
        [
            following.view(
                Faces.empty() if x is None else boxed((x, 150), side=side), WIDE, size, number / fps, cut=number in cuts
            ).x0
            for number, x in enumerate(path)
        ]
    )


def test_a_face_that_trembles_does_not_move_the_crop():
    trembling = 300 + np.random.default_rng(1).normal(0, 3, 300)
    assert np.ptp(follow(trembling)) == 0


def test_a_face_that_walks_is_followed_without_a_jerk():
    walk = np.concatenate([np.full(30, 150.0), np.linspace(150, 500, 120), np.full(60, 500.0)])
    edges = follow(walk + np.random.default_rng(2).normal(0, 1.0, len(walk)))
    steps = np.diff(edges)
    assert (steps >= -1).all()  # never back
    assert steps.max() <= 6  # the face itself moves 3 a frame
    assert np.abs(np.diff(steps)).max() <= 2
    assert np.abs(edges[-1] + CROP[0] / 2 - 500) < 0.1 * CROP[0]


def test_a_face_that_runs_does_not_get_out():
    run = np.concatenate([np.full(10, 150.0), np.linspace(150, 560, 15), np.full(20, 560.0)])
    edges = follow(run)
    assert (run - 30 >= edges - 1).all()
    assert (run + 30 <= edges + CROP[0] + 1).all()


def test_at_a_cut_it_jumps_and_where_nobody_is_it_stays():
    edges = follow([150] * 10 + [480] * 10, cuts={10})
    assert edges[9] == 150 - 101
    assert set(edges[10:].tolist()) == {480 - 101}
    assert np.ptp(follow([480] * 10 + [None] * 30)) == 0
    assert follow([None])[0] == (640 - 202) // 2


def test_two_who_fit_in_are_shown_together_and_else_the_one_that_was_followed():
    following = Following()
    both = following.view(boxed((300, 150), (380, 150)), WIDE, CROP, 0.0)
    assert (both.x0 + both.x1) / 2 == 340
    following = Following()
    first = following.view(boxed((500, 150), tracks=[7]), WIDE, CROP, 0.0)
    two = Faces(boxes_xyxy=np.array([[20, 60, 220, 260], [470, 120, 530, 180]], np.float32), track_ids=np.array([3, 7]))
    assert following.view(two, WIDE, CROP, 0.04) == first  # not the larger one
    assert Following().view(two, WIDE, CROP, 0.0).x0 < 100


def test_where_whoever_was_followed_is_gone_it_jumps_to_who_is_left_unless_they_are_seen_already():
    following = Following()
    following.view(boxed((500, 150), (100, 150), tracks=[7, 3]), WIDE, CROP, 0.0)
    assert following.view(boxed((100, 150), tracks=[3]), WIDE, CROP, 0.04).x0 == 0
    following = Following()
    first = following.view(boxed((300, 150), tracks=[7]), WIDE, CROP, 0.0)
    assert 0 < following.view(boxed((380, 150), tracks=[3]), WIDE, CROP, 0.04).x0 - first.x0 < 20


def test_it_does_not_depend_on_how_many_frames_a_second_there_are():
    slow = follow(np.linspace(200, 420, 50), fps=25)
    fast = follow(np.linspace(200, 420, 100), fps=50)
    assert np.abs(slow - fast[1::2]).max() <= 5


@pytest.mark.parametrize("options", [FrameOptions("9:16"), FrameOptions("1:1"), FrameOptions("9:16", "pad")])
def test_the_label_is_whole_and_as_high_as_the_law_says(options):
    frame, done = shown(options, boxed((320, 150)), size=(1280, 720))
    before = frame.picture.copy()
    sealer = FrameSealer(0x123456789ABC)
    sealed = sealer.seal(frame, done.placed).frame
    box = sealed.label
    assert box == box.clipped(frame.width, frame.height)
    written = np.abs(sealed.picture.astype(int) - before).max(axis=2) > 40
    rows = np.flatnonzero(written.any(axis=1))
    assert rows[0] >= box.y0
    assert rows[-1] < box.y1
    assert box.y1 - box.y0 >= 0.05 * min(frame.width, frame.height)


def test_a_caption_stands_in_the_lower_part_clear_of_the_label():
    frame, done = shown(FrameOptions("9:16", caption="Three things nobody told me about moving"), size=(1280, 720))
    place = done.faces.boxes_xyxy[-1]
    assert len(done.faces) == 1
    assert abs((place[0] + place[2]) / 2 - frame.width / 2) <= 1
    assert 0.5 * frame.height < place[1] < place[3] <= 0.83 * frame.height
    changed = np.abs(frame.picture.astype(int) - gradient(1280, 720)[:, 438:842]).max(axis=2) > 60
    assert changed[int(place[1]) : int(place[3]), int(place[0]) : int(place[2])].mean() > 0.05
    label = FrameSealer(1).seal(frame, done.placed).frame.label
    assert label.y0 >= place[3] or label.y1 <= place[1]


def test_a_caption_stands_above_where_it_would_hide_a_mouth_and_stays_there():
    framing, places = Framing(FrameOptions("9:16", caption="a few words")), []
    for number, y in enumerate([480, 250, 250]):
        frame = Frame(gradient(1280, 720), pts=number * 40)
        faces = boxed((640, y), side=400)
        view = framing.view(frame, faces)
        places.append(framing.compose(frame, Swapped(faces, (), view=view), view).faces.boxes_xyxy[-1])
    assert places[0][3] < 0.3 * 720
    assert (places[0] == places[1]).all()
    assert (places[0] == places[2]).all()


def test_a_caption_of_blanks_is_refused():
    with pytest.raises(ValueError, match="a caption of blanks says nothing"):
        FrameOptions(caption="   ")
    assert FrameOptions(caption="").caption is None


def test_a_caption_alone_leaves_the_shape():
    frame, _ = shown(FrameOptions(caption="hello there"))
    assert (frame.width, frame.height) == WIDE
    assert frame.origin is None
    assert (frame.picture != gradient(*WIDE)).any()


def test_a_caption_is_not_transparent():
    frame, done = shown(FrameOptions(caption="hello there"), alpha=np.zeros((360, 640), np.uint8))
    left, top, right, bottom = done.faces.boxes_xyxy[-1].astype(int)
    assert frame.alpha[(top + bottom) // 2, (left + right) // 2] == 255


def test_what_has_no_room_is_told_before_the_work():
    with pytest.raises(UsageError, match="no room for a caption of 159 characters in 64x114"):
        framed(info((64, 114)), FrameOptions(caption="caption " * 20), 10**9)
    with pytest.raises(UsageError, match="would be 1280x2276: that is too large"):
        framed(info((1280, 720)), FrameOptions("9:16", "pad"), 1_000_000)


@pytest.mark.parametrize("shape", ["", "9", "9/16", "0:1", "1:5", "100x101x2", "9:16 ", "32x32", "1080x9999", "tall"])
def test_there_are_no_other_shapes(shape):
    with pytest.raises(ValueError, match=r"shape|must be|too long"):
        FrameOptions(shape)


@pytest.mark.parametrize(
    ("caption", "why"),
    [
        ("x" * 161, "at most 160"),
        ("not AI, real footage", "opposite"),
        ("\U0010fffd", "letters|seen"),
        ("a\x07b", "seen"),
    ],
)
def test_a_caption_that_can_not_be_is_refused(caption, why):
    with pytest.raises(ValueError, match=why):
        FrameOptions(caption=caption)
