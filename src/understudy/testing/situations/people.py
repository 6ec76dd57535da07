"""Who is who: people who come back after a cut or an absence, cross each other, or stand where another stood.

``benchmarks.people`` goes through them. Actors 0 and 1, and 2 and 3, are one portrait and its mirror image: like twins.
"""

from __future__ import annotations

import numpy as np

from understudy.testing.motion import Motion
from understudy.testing.scenes import Placed, Scene
from understudy.testing.situations.base import RATE, Situation, Story, room, talks


def _shots(*shots: Story, length: int = 40) -> Story:
    """One shot after another, each of so many frames."""
    return lambda number: shots[number // length % len(shots)](number)


def _alone(actor: int, at: tuple[float, float] = (320, 175), height: float = 140, seed: int = 0) -> Story:
    return lambda number: Scene(room(seed), [Placed(actor, at, height, talks(number, actor))])


def _both(first: Placed, second: Placed, seed: int = 5) -> Story:
    """Two who talk: what they are placed with is where and how large they are."""

    def scene(number: int) -> Scene:
        people = [one._replace(motion=talks(number, one.actor)) for one in (first, second)]
        return Scene(room(seed), people)

    return scene


def _comes_and_goes(number: int) -> Scene:
    """Leaves to the left, is away for three seconds, and comes back from the right."""
    away = 45 + 3 * RATE
    x = 320 - 14 * max(number - 25, 0) if number < away else max(330.0, 760 - 14 * (number - away))
    return Scene(room(6), [Placed(2, (x, 175), 140, talks(number))] if -120 < x < 740 else [])


def _relieves(number: int) -> Scene:
    """One leaves, another takes that place, and the first comes back beside, further away."""
    first = 320 + 14 * max(number - 25, 0) if number < 110 else max(470.0, 760 - 10 * (number - 110))
    second = max(-150 + 10 * max(number - 60, 0), -150)
    people = [
        Placed(0, (min(second, 200.0), 175), 140, talks(number, 2)),
        Placed(2, (first, 180), 140 if number < 110 else 90, talks(number)),
    ]
    return Scene(room(7), [one for one in people if -120 < one.at[0] < 740])


def _cross(first: int, second: int, low: float, high: float, height: float) -> Story:
    """Two walk to and fro past each other, at these heights of the picture."""

    def scene(number: int) -> Scene:
        there = 320 - 180 * float(np.cos(np.pi * number / 60))
        one = Placed(first, (there, low), height, talks(number))
        other = Placed(second, (640 - there, high), height, talks(number, 2))
        return Scene(room(8), [one, other])

    return scene


def _dissolves(number: int) -> Scene:
    """One becomes another in the same place, slowly."""
    share = min(max((number - 40) / 20, 0.0), 1.0)
    if share >= 1:
        return _alone(0)(number)
    other = _alone(0)(number).draw().picture.astype(np.float32) if share else None
    light = None if other is None else lambda picture: np.asarray(picture * (1 - share) + other * share, np.float32)
    return Scene(room(0), [Placed(2, (320, 175), 140, talks(number, 2))], light)


def _turned(number: int) -> Scene:
    """Looks to the side for a second in each shot before turning to the camera."""
    motion = Motion(yaw=float(np.clip(50 - 2.5 * max(number % 60 - 25, 0), 0, 50)))
    return Scene(room(number // 60), [Placed(2 if number // 60 % 2 == 0 else 0, (320, 175), 140, motion)])


_BESIDE_A_LARGER_ONE = _shots(
    _alone(2), _both(Placed(0, (190, 180), 190), Placed(2, (480, 160), 100)), _alone(2, seed=2)
)

#: Who is to be swapped though another is larger, or was swapped meanwhile: what ``benchmarks.guard`` goes through.
FOLLOWED = (
    Situation("largest: beside a larger one after a cut", "choice", _BESIDE_A_LARGER_ONE, "largest", (2,), frames=120),
    Situation("largest: comes back beside a stand-in", "choice", _relieves, "largest", (2,), frames=190),
)

PEOPLE = (
    Situation("two in turn, with cuts", "people", _shots(_alone(2), _alone(0, seed=1)), frames=200),
    Situation("another in the same place after a cut", "people", _shots(_alone(2), _alone(0)), frames=120),
    Situation("alone, then with a larger one, then alone", "people", _BESIDE_A_LARGER_ONE, frames=160),
    Situation(
        "two who change sides with each cut",
        "people",
        _shots(
            _both(Placed(0, (180, 175), 130), Placed(2, (460, 175), 130)),
            _both(Placed(2, (180, 175), 130), Placed(0, (460, 175), 130), 6),
        ),
        frames=160,
    ),
    Situation("leaves for three seconds and comes back", "people", _comes_and_goes, frames=190),
    Situation("another takes the place, and they come back", "people", _relieves, frames=190),
    Situation("two cross, one before the other", "people", _cross(0, 2, 175, 180, 130), frames=180),
    Situation("two cross, apart", "people", _cross(0, 2, 95, 265, 100), frames=180),
    Situation("one becomes another, without a cut", "people", _dissolves, frames=200),
    Situation("twins cross, apart", "people", _cross(0, 1, 95, 265, 100), frames=120),
    Situation(
        "twins beside each other, with a cut",
        "people",
        _shots(
            _both(Placed(0, (180, 175), 130), Placed(1, (460, 175), 130)),
            _both(Placed(0, (200, 175), 120), Placed(1, (440, 175), 120), 6),
        ),
        frames=120,
    ),
    Situation("turned away at first", "people", _turned, frames=240),
    Situation("too small", "people", _shots(_alone(2, height=34), _alone(0, height=34, seed=1)), frames=120),
)
