"""How fast a job is."""

import pytest

from understudy.server.studio.jobs.pace import Pace


def test_the_speed_is_that_of_the_last_seconds():
    pace = Pace()
    for second in range(20):
        pace.note(second, 10 * second)
    for second in range(20, 40):
        pace.note(second, 190 + 30 * (second - 19))
    assert pace.fps == pytest.approx(30)
    assert pace.left(700, 1000) == pytest.approx(10)


def test_nothing_is_said_before_it_is_known():
    pace = Pace()
    assert (pace.fps, pace.left(0, 100)) == (0.0, None)
    pace.note(0.0, 1)
    pace.note(0.2, 5)
    assert pace.left(5, 100) is None
    pace.note(2.0, 41)
    assert pace.left(41, 0) is None
    assert pace.left(41, 61) == pytest.approx(1)


def test_what_is_begun_anew_has_a_speed_of_its_own():
    pace = Pace()
    pace.note(0.0, 0)
    pace.note(5.0, 500)
    pace.note(6.0, 0)
    assert pace.fps == 0.0
    pace.note(10.0, 40)
    assert pace.fps == pytest.approx(10)
