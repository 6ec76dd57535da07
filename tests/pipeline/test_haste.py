"""When live frames take too long for their rate, and when they do not any more."""

from __future__ import annotations

import pytest

from understudy.pipeline.haste import Haste


@pytest.fixture
def haste():
    made = Haste()
    made.period = 1 / 30
    return made


def test_there_is_more_haste_while_frames_take_most_of_their_time(haste):
    assert not any(haste(0.020) for _ in range(60))
    begun = [haste(0.028) for _ in range(60)]
    assert begun == sorted(begun)
    assert begun.count(1) >= 15  # no more of it before its effect is seen
    assert begun[-1] == 2
    assert {haste(0.018) for _ in range(60)} == {2}  # quicker, since something is spared: that is no reason to stop
    ended = [haste(0.011) for _ in range(60)]
    assert ended == sorted(ended, reverse=True)
    assert (ended[0], ended[-1]) == (2, 0)


def test_one_frame_that_comes_late_makes_no_haste(haste):
    assert not any(haste(0.4 if number % 8 == 3 else 0.015) for number in range(100))


def test_how_much_time_there_is_is_up_to_the_rate(haste):
    haste.period = 1 / 10
    assert not any(haste(0.028) for _ in range(60))
