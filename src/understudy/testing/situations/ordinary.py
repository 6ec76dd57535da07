"""What happens all the time, and calls for no cover."""

from __future__ import annotations

import numpy as np

from understudy.testing.hand import with_hand
from understudy.testing.motion import Motion
from understudy.testing.scenes import Placed, Scene, Thing
from understudy.testing.situations.base import (
    Situation,
    desk,
    ellipse,
    in_the_middle,
    moves,
    nobody,
    room,
    stays,
    talks,
)


def _far(number: int) -> Scene:
    return Scene(room(1), [Placed(0, (320, 175), 70, talks(number)), desk(255)])


def _gestures(number: int) -> Scene:
    """Somebody who talks with a hand beside the face."""
    swing = float(np.sin(2 * np.pi * number / 30))
    hand = with_hand(room(14), (470 + 25 * swing, 260 + 30 * swing), 52, color=(120, 150, 205), lean=0.3 * swing)
    shown = hand.covered.astype(np.float32) / np.float32(255)
    return Scene(room(14), [in_the_middle(number, 2, 140), Thing(hand.picture, shown)])


def _pans(number: int) -> Scene:
    """A camera that moves."""
    shift = round(60 * float(np.sin(2 * np.pi * number / 100)))
    backdrop = np.ascontiguousarray(np.roll(room(15), shift, axis=1))
    return Scene(backdrop, [Placed(2, (320 + shift, 175), 140, talks(number))])


def _rolls_by(number: int) -> Scene:
    """A ball rolls through an empty room, then somebody's room."""
    ball = ellipse((10.0 * number, 280), (40, 40))
    return Scene(room(15), [in_the_middle(number, 2, 130), Thing((150, 110, 40), ball)])


def _two(number: int) -> Scene:
    return Scene(room(16), [Placed(0, (190, 205), 130, talks(number)), Placed(2, (450, 205), 130, talks(number, 2))])


def _beside(number: int) -> Scene:
    back: list[Placed | Thing] = [Placed(1, (130, 150), 70, talks(number, 1)), desk(230)]
    return Scene(room(16), [*back, Placed(2, (400, 190), 150, talks(number))])


ORDINARY = (
    Situation("one talks", "ordinary", stays((320, 175), 150, 2), frames=125),
    Situation("one talks, near", "ordinary", stays((320, 190), 240, 1), frames=125),
    Situation("one talks, far", "ordinary", _far, frames=125),
    Situation("one talks with a hand", "ordinary", _gestures, frames=125),
    Situation("one talks with a hand, all", "ordinary", _gestures, "all", frames=125),
    Situation("two talk, all", "ordinary", _two, "all", frames=125),
    Situation("one beside the chosen one", "ordinary", _beside, "largest", (2,), 125),
    Situation("the camera moves", "ordinary", _pans, "all", frames=125),
    Situation("a ball rolls by", "ordinary", _rolls_by, "all", frames=75),
    Situation(
        "leans and nods",
        "ordinary",
        moves(lambda t: Motion(15 * np.sin(t * 3), 10 * np.sin(t * 2), 12 * np.sin(t))),
        frames=125,
    ),
    Situation("an empty room", "ordinary", nobody, "all", frames=500),
)
