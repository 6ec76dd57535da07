"""Faces behind bars, paper, masks, arms and other people."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from understudy.arrays import FloatArray
from understudy.testing.scenes import Placed, Scene, Thing
from understudy.testing.situations.base import (
    HEIGHT,
    WIDTH,
    Situation,
    Story,
    ellipse,
    in_the_middle,
    room,
    sheet,
    talks,
)


def _bars(period: int, width: int, angle: float = 0.0, shift: float = 0.0) -> FloatArray:
    """Bars across the whole picture, float32 (H, W), 0-1: upright, or turned by ``angle`` degrees."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    along = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle)) + shift
    return np.asarray((along % period) < width, np.float32)


def _behind(
    opacity: Callable[[int], FloatArray], color: tuple[int, int, int], actor: int = 0, begins: int = 0
) -> Story:
    """Somebody in the middle, and from a frame on something before them."""

    def scene(number: int) -> Scene:
        things = [Thing(color, opacity(number))] if number >= begins else []
        return Scene(room(6), [in_the_middle(number, actor), *things])

    return scene


def _mask(_: int) -> Scene:
    """A medical mask, from below the eyes to the chin."""
    person = Placed(0, (320, 175), 150)
    return Scene(room(6), [person, Thing((225, 215, 190), ellipse((320, 215), (52, 42)))])


def _sunglasses(_: int) -> Scene:
    person = Placed(2, (320, 175), 150)
    lenses = np.maximum(ellipse((294, 152), (24, 16)), ellipse((346, 152), (24, 16)))
    return Scene(room(6), [person, Thing((20, 20, 25), np.maximum(lenses, sheet(290, 147, 350, 152)))])


def _wiped(number: int) -> Scene:
    """An arm goes over the face and back."""
    at = 320 + 260 * float(np.cos(2 * np.pi * number / 50))
    arm = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.line(arm, (round(at), 150), (round(at) + 60, HEIGHT), 1.0, 58)
    return Scene(room(6), [in_the_middle(number, 2), Thing((120, 150, 205), arm)])


def _passed(number: int) -> Scene:
    """Somebody walks past in front of the one who is swapped."""
    return Scene(room(7), [in_the_middle(number, 2, 130), Placed(1, (-120 + 11 * number, 190), 170, talks(number, 2))])


def _grid(_: int) -> FloatArray:
    return np.maximum(_bars(18, 3), _bars(18, 3, 90))


OCCLUDERS = (
    Situation("thin bars, 28% hidden, from the start", "occluder", _behind(lambda _: _bars(14, 4), (40, 40, 40))),
    Situation(
        "thin bars, 28%, after a swap", "occluder", _behind(lambda _: _bars(14, 4), (40, 40, 40), 2, 15), frames=110
    ),
    Situation(
        "thin level bars, 28%", "occluder", _behind(lambda _: _bars(14, 4, 90), (210, 210, 210), 2, 15), frames=110
    ),
    Situation("slanting bars, 30%", "occluder", _behind(lambda _: _bars(20, 6, 40), (30, 60, 40)), frames=75),
    Situation(
        "bars, 40% hidden, from the start", "occluder", _behind(lambda _: _bars(20, 8), (40, 40, 40), 2), frames=75
    ),
    Situation(
        "bars, 40% hidden, after a swap", "occluder", _behind(lambda _: _bars(20, 8), (40, 40, 40), 0, 15), frames=110
    ),
    Situation("broad bars, 35%", "occluder", _behind(lambda _: _bars(42, 15), (60, 70, 90), 2, 15), frames=110),
    Situation(
        "moving bars", "occluder", _behind(lambda n: _bars(24, 8, 0, 3.0 * n), (200, 200, 200), 2, 10), frames=90
    ),
    Situation("a fence", "occluder", _behind(_grid, (90, 90, 90), 0), frames=75),
    Situation(
        "half hidden by a wall", "occluder", _behind(lambda _: sheet(320, 0, 640, 360), (90, 120, 130)), frames=75
    ),
    Situation("lower half behind paper", "occluder", _behind(lambda _: sheet(230, 180, 410, 360), (235, 235, 235), 2)),
    Situation("upper half behind paper", "occluder", _behind(lambda _: sheet(230, 60, 410, 175), (235, 235, 235), 2)),
    Situation("paper goes past", "occluder", _behind(lambda n: sheet(8 * n - 160, 40, 8 * n, 330), (230, 225, 215), 0)),
    Situation(
        "behind frosted glass", "occluder", _behind(lambda _: sheet(0, 0, 640, 360, 0.55), (230, 235, 230), 0, 12)
    ),
    Situation(
        "a subtitle over the mouth", "occluder", _behind(lambda _: sheet(200, 205, 440, 232), (10, 10, 10), 2, 10)
    ),
    Situation("a medical mask", "occluder", _mask),
    Situation("sunglasses", "occluder", _sunglasses),
    Situation("an arm goes over the face", "occluder", _wiped, frames=75),
    Situation("somebody passes in front", "occluder", _passed, "all", frames=70),
)
