"""Faces in the dark, in glare, in noise and in changing light."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from understudy.arrays import FloatArray
from understudy.testing.scenes import Light, Scene
from understudy.testing.situations.base import (
    HEIGHT,
    WIDTH,
    Situation,
    Story,
    in_the_middle,
    room,
)


def _lit(light: Callable[[int], Light | None], actor: int = 0) -> Story:
    return lambda number: Scene(room(8), [in_the_middle(number, actor)], light(number))


def _times(share: float) -> Light:
    return lambda picture: np.asarray(picture * np.float32(share), np.float32)


def _towards(color: float, share: float) -> Light:
    return lambda picture: np.asarray(picture + (np.float32(color) - picture) * np.float32(share), np.float32)


def _noisy(number: int, strength: float) -> Light:
    rng = np.random.default_rng(number)
    return lambda picture: np.asarray(picture + rng.normal(0, strength, picture.shape), np.float32)


def _tinted(picture: FloatArray) -> FloatArray:
    return np.asarray(picture * np.array([0.15, 0.25, 1.0], np.float32), np.float32)


def _against_a_window(number: int) -> Scene:
    bright = np.full((HEIGHT, WIDTH, 3), 245, np.uint8)
    dim = lambda picture: np.asarray(np.where(picture > 235, picture, picture * np.float32(0.22)), np.float32)  # noqa: E731
    return Scene(bright, [in_the_middle(number, 2)], dim)


LIGHT = (
    Situation("fades in from black", "light", _lit(lambda n: _times(min(n / 25, 1)))),
    Situation("fades in from black quickly", "light", _lit(lambda n: _times(min(max(n - 20, 0) / 6, 1)), 2)),
    Situation("fades in from black slowly", "light", _lit(lambda n: _times(min(n / 75, 1))), frames=80),
    Situation("fades in from white", "light", _lit(lambda n: _towards(255, max(1 - n / 25, 0)))),
    Situation("black, then light at once", "light", _lit(lambda n: _times(float(n >= 25)))),
    Situation("the lamp goes out and on", "light", _lit(lambda n: _times(0.05 if 20 <= n < 60 else 1.0)), frames=80),
    Situation("dim light", "light", _lit(lambda _: _times(0.08), 2)),
    Situation("flashes of white", "light", _lit(lambda n: _towards(255, 0.9 if n % 12 < 2 else 0.0))),
    Situation("dark and light in turn", "light", _lit(lambda n: _times(1.0 if n % 6 < 3 else 0.1), 2)),
    Situation("before a bright window", "light", _against_a_window),
    Situation("much noise", "light", _lit(lambda n: _noisy(n, 30), 2)),
    Situation("red light", "light", _lit(lambda _: _tinted)),
    Situation("nearly no contrast", "light", _lit(lambda _: _towards(128, 0.85), 2)),
)
