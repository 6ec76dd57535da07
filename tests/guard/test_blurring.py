"""Somebody of a clip who is blurred stays so for a moment where they were seen last."""

from fractions import Fraction

import numpy as np
import pytest

from understudy.canvas import Canvas
from understudy.face import Faces
from understudy.frames import Frame
from understudy.guard.blurring import Blurring

BOX = np.array([[60, 60, 120, 130]], np.float32)
SOMEBODY, NOBODY = Faces(BOX, np.ones(1, np.float32), track_ids=np.array([7])), Faces.empty()


@pytest.fixture
def blurred():
    blurring, noise = Blurring(), np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)

    def see(seconds, faces, here=None, *, cut=False):
        """Whether the middle of the face's place is blurred in a frame."""
        frame = Frame(noise.copy(), pts=round(seconds * 100), time_base=Fraction(1, 100))
        assert (
            blurring(Canvas(frame), faces, faces if here is None else here, cut=cut) == (frame.picture != noise).any()
        )
        return bool((frame.picture != noise)[90:100, 85:95].any())

    return see


def test_for_a_second_after_they_were_seen(blurred):
    assert blurred(0, SOMEBODY)
    assert [blurred(seconds, NOBODY) for seconds in (0.3, 0.9, 1.1)] == [True, True, False]


def test_not_over_a_cut_nor_once_they_are_seen_and_may_be(blurred):
    assert blurred(0, SOMEBODY)
    assert not blurred(0.1, NOBODY, cut=True)
    assert blurred(0.2, SOMEBODY)
    assert not blurred(0.3, NOBODY, SOMEBODY)
