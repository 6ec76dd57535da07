"""OpenCV has one thread while frames run, and as many as before when the last of them are done."""

import cv2
import pytest

from understudy import Settings, Understudy
from understudy.pipeline.opencv_threads import one_opencv_thread

pytestmark = pytest.mark.usefixtures("three_opencv_threads")


def test_it_has_one_until_the_last_block_has_ended_whichever_that_is():
    first, second = one_opencv_thread(), one_opencv_thread()
    first.__enter__()
    second.__enter__()
    assert cv2.getNumThreads() == 1
    first.__exit__(None, None, None)
    assert cv2.getNumThreads() == 1
    second.__exit__(None, None, None)
    assert cv2.getNumThreads() == 3


def test_it_has_as_many_as_before_after_an_error():
    with pytest.raises(ZeroDivisionError), one_opencv_thread():
        assert cv2.getNumThreads() == 1
        raise ZeroDivisionError
    assert cv2.getNumThreads() == 3


def test_it_has_one_while_a_clip_is_swapped(brief_clip, hopper_path, tmp_path):
    seen = set()
    with Understudy(Settings(home=tmp_path / "home")) as app:
        person = app.person(hopper_path, consent="sample")
        app.swap(brief_clip, tmp_path / "out.mp4", person, progress=lambda *_: seen.add(cv2.getNumThreads()))
    assert seen == {1}
    assert cv2.getNumThreads() == 3
