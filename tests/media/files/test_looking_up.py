"""Any frame of a file, by its time."""

import numpy as np
import pytest
from PIL import Image

from understudy.errors import InputError
from understudy.media.files.looking_up import FrameFinder
from understudy.testing import ClipSpec, write_clip

RATE, COUNT = 25, 46


def picture(number):
    """Its brightness is its number."""
    return np.full((64, 96, 3), 20 + 5 * number, np.uint8)


def number_in(frame):
    return round((float(frame.picture.mean()) - 19) / 5)


@pytest.fixture(
    scope="module",
    params=[
        (".mp4", ClipSpec(rate=RATE)),
        (".mkv", ClipSpec(rate=RATE, audio=())),
        (".avi", ClipSpec(rate=RATE, encoder="mpeg4", options=(("b", "4000000"),), audio=())),
        (".ts", ClipSpec(rate=RATE, audio=())),
        (".webm", ClipSpec(rate=RATE, encoder="libvpx-vp9", options=(("crf", "10"), ("b", "0")), audio=())),
    ],
    ids=lambda param: param[0],
)
def clip(request, tmp_path_factory):
    suffix, spec = request.param
    path = tmp_path_factory.mktemp("clips") / f"clip{suffix}"
    write_clip(path, [picture(number) for number in range(COUNT)], spec)
    return path


def test_every_frame_is_found_in_any_order(clip):
    with FrameFinder(clip) as frames:
        start = frames.at(0).seconds
        for number in (0, 1, 2, 40, 3, 45, 30, 31, 0):
            assert number_in(frames.at(start + number / RATE)) == number


def test_between_two_frames_it_is_the_one_that_is_shown(clip):
    with FrameFinder(clip) as frames:
        start = frames.at(0).seconds
        assert number_in(frames.at(start + 10.9 / RATE)) == 10
        assert number_in(frames.at(999)) == COUNT - 1
        assert number_in(frames.at(-5)) == 0


def test_what_is_written_into_a_frame_is_not_there_the_next_time(clip):
    with FrameFinder(clip) as frames:
        frames.at(0.4).picture[:] = 255
        frame = frames.at(0.4)
        assert frame.picture.mean() < 250


def test_a_picture_is_the_same_at_any_time(tmp_path):
    path = tmp_path / "one.png"
    Image.fromarray(picture(7)).save(path)
    with FrameFinder(path) as frames:
        assert {number_in(frames.at(seconds)) for seconds in (0, 3, 0)} == {7}


def test_what_is_no_picture_is_said_so(tmp_path):
    path = tmp_path / "one.mp4"
    path.write_bytes(b"nothing" * 100)
    with pytest.raises(InputError):
        FrameFinder(path)
