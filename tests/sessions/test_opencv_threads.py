"""OpenCV has one thread while a session runs, and as many as before once it has ended or could not begin."""

import cv2
import pytest

from tests.sessions.stage import Screen

pytestmark = pytest.mark.usefixtures("three_opencv_threads")


def test_it_has_one_until_the_session_has_ended(session):
    with session(Screen()):
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == 3


def test_a_session_that_can_not_begin_leaves_it_as_it_was(session):
    def broken(_):
        raise RuntimeError("no such sink")

    with pytest.raises(RuntimeError):
        session(broken).start()
    assert cv2.getNumThreads() == 3
