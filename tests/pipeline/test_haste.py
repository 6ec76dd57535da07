"""When live frames take too long for their rate, and when they do not any more."""

from __future__ import annotations

import pytest

from understudy.pipeline.haste import Haste


def at(rate):
    made = Haste()
    made.period = 1 / rate
    return made


def lived(whole, spared, *, frames=400, before=0, haste=None, noise=lambda number: 0.0):
    """How much haste there was in each frame of a session at 30 frames a second.

    Args:
        whole, spared: What frames take in which a mesh is fitted, and the others, over the time between two frames.
        frames: How many.
        before: How much haste there is at first.
        haste: Whose.
        noise: What a frame takes in addition.
    """
    haste, found, rested = haste or at(30), [before], 0
    for number in range(frames):
        fitted = rested >= found[-1]
        rested = 0 if fitted else rested + 1
        found.append(haste(((whole if fitted else spared) + noise(number)) / 30, fitted=fitted))
    return found[1:]


@pytest.mark.parametrize(
    ("whole", "spared", "settles"),
    [(0.5, 0.3, 0), (0.64, 0.3, 0), (0.68, 0.38, 1), (0.9, 0.35, 1), (1.1, 0.38, 2), (0.95, 0.5, 2), (3.0, 2.5, 2)],
)
def test_it_settles_at_as_much_as_is_needed(whole, spared, settles):
    haste = lived(whole, spared)
    assert haste == sorted(haste)
    assert haste[-1] == settles
    assert len(set(haste[100:])) == 1


def test_it_ends_when_there_is_time_again():
    haste = at(30)
    assert lived(1.1, 0.5, haste=haste)[-1] == 2
    ended = lived(0.4, 0.25, haste=haste, before=2)
    assert ended == sorted(ended, reverse=True)
    assert ended[-1] == 0


def test_what_is_spared_is_no_reason_to_stop_sparing():
    haste = at(30)
    assert lived(0.9, 0.2, haste=haste)[-1] == 1
    assert set(lived(0.6, 0.1, haste=haste, before=1)) == {1}


def test_one_frame_that_comes_late_makes_no_haste():
    assert not any(lived(0.45, 0.3, noise=lambda number: 10.0 * (number % 8 == 3)))


def test_how_much_time_there_is_is_up_to_the_rate():
    assert not any(lived(1.5, 1.0, haste=at(10)))
    assert not any(lived(1.5, 1.0, haste=Haste()))  # not known yet


def test_what_frames_take_lately_is_the_mean_of_one_turn():
    haste = at(30)
    assert haste(0.010, fitted=True) == 0
    assert haste.lately == 0.010
    lived(1.1, 0.38, haste=haste)
    for seconds in (0.020, 0.005, 0.008):
        haste(seconds, fitted=seconds == 0.020)
    assert haste.lately == pytest.approx(0.011)
