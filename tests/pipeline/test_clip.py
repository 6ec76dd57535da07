"""A clip's frames follow each other, up to a cut."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from understudy import Settings
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import portrait_in
from understudy.frames import Frame
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.photo import PhotoPipeline
from understudy.testing import Puppet, talking
from understudy.testing.opened import parts_of


@pytest.fixture(scope="module")
def shots(astronaut, hopper):
    """Two shots of six frames: of one person in little light, and of another."""
    dim, bright = Puppet(astronaut, (480, 360), face_share=0.6), Puppet(hopper, (480, 360), face_share=0.6)
    first = [(dim.render(talking(number / 30)).picture * 0.4).astype(np.uint8) for number in range(6)]
    return first, [bright.render(talking(number / 30)).picture for number in range(6)]


@pytest.fixture(scope="module")
def swapped(perception, hopper):
    parts = parts_of(Settings(), perception)
    identity = parts.engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])

    def pictures(kind, shown, first=0):
        pipeline, result = kind(parts, OnePerson(identity)), []
        for number, picture in enumerate(shown, first):
            frame = Frame(picture.copy(), pts=number, time_base=Fraction(1, 30))
            assert pipeline.swap(frame).patches
            result.append(frame.picture)
        return result

    return pictures


def test_after_a_cut_nothing_of_the_shot_before_is_left(swapped, shots):
    """Neither its light falls on the next, nor its people's shape."""
    together, alone = swapped(ClipPipeline, shots[0] + shots[1]), swapped(ClipPipeline, shots[1], first=6)
    np.testing.assert_array_equal(together[6:], alone)


@pytest.mark.slow
def test_photos_have_nothing_to_do_with_each_other(swapped, shots):
    one_by_one = [swapped(PhotoPipeline, [picture], number)[0] for number, picture in enumerate(shots[0])]
    np.testing.assert_array_equal(swapped(PhotoPipeline, shots[0]), one_by_one)
