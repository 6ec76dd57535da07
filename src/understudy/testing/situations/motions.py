"""Faces that turn, shake, jump, come near and go far."""

from __future__ import annotations

import cv2
import numpy as np

from understudy.testing.motion import Motion
from understudy.testing.scenes import Light, Placed, Scene
from understudy.testing.situations.base import (
    RATE,
    Situation,
    Story,
    moves,
    room,
    talks,
)


def _shakes(period: float, far: float) -> Story:
    def scene(number: int) -> Scene:
        away = far * float(np.sin(2 * np.pi * number / RATE / period))
        blur = abs(far * 2 * np.pi / period / RATE * float(np.cos(2 * np.pi * number / RATE / period)))
        return Scene(room(3), [Placed(0, (320 + away, 175), 140)], _smeared(round(blur * 0.5)))

    return scene


def _smeared(pixels: int) -> Light | None:
    """Motion blur across."""
    if pixels < 2:
        return None
    return lambda picture: np.asarray(cv2.blur(picture, (pixels, 1)), np.float32)


def _jumps(number: int) -> Scene:
    places = ((160, 150), (480, 190), (320, 170), (200, 210))
    return Scene(room(4), [Placed(0, places[number // 12 % 4], 130, talks(number))])


def _approaches(number: int) -> Scene:
    return Scene(room(4), [Placed(2, (320, 180), 40 + 300 * min(number / 60, 1), talks(number))])


def _recedes(number: int) -> Scene:
    return Scene(room(4), [Placed(0, (320, 180), 300 - 270 * min(number / 60, 1), talks(number))])


MOTIONS = (
    Situation("turns aside and back", "motion", moves(lambda t: Motion(yaw=75 * float(np.sin(2 * np.pi * t / 2.4))))),
    Situation("looks down and up", "motion", moves(lambda t: Motion(pitch=50 * float(np.sin(2 * np.pi * t / 2.4))))),
    Situation("leans over", "motion", moves(lambda t: Motion(roll=70 * float(np.sin(2 * np.pi * t / 2.4))))),
    Situation("stays turned aside", "motion", moves(lambda t: Motion(yaw=min(70 * t, 70))), frames=90),
    Situation("moves to and fro, 1.5 times a second", "motion", _shakes(0.67, 90)),
    Situation("moves to and fro, 3 times a second", "motion", _shakes(0.33, 110)),
    Situation("is elsewhere at once", "motion", _jumps),
    Situation("comes near", "motion", _approaches, frames=75),
    Situation("goes far away", "motion", _recedes, frames=75),
    Situation("fills the picture", "motion", lambda n: Scene(room(5), [Placed(2, (320, 190), 400, talks(n))])),
)
