"""Cuts, dissolves, and a camera that hangs."""

from __future__ import annotations

import numpy as np

from understudy.testing.scenes import Placed, Scene
from understudy.testing.situations.base import (
    Situation,
    Story,
    in_the_middle,
    nobody,
    room,
    stays,
    talks,
)


def _cut(at: int, first: Story, second: Story) -> Story:
    return lambda number: first(number) if number < at else second(number)


def _dissolves(number: int) -> Scene:
    share = min(max(number - 15, 0) / 15, 1)
    shown = _person(number).draw().picture.astype(np.float32)
    blend = lambda picture: np.asarray(picture * (1 - share) + shown * share, np.float32)  # noqa: E731
    return Scene(room(9), [], blend) if share < 1 else _person(number)


def _person(number: int) -> Scene:
    return Scene(room(10), [in_the_middle(number, 2)])


def _elsewhere(number: int) -> Scene:
    return Scene(room(9), [Placed(0, (500, 190), 150, talks(number))])


def _appears(number: int) -> Scene:
    return Scene(room(9), [in_the_middle(number)] if number >= 30 else [])


def _flickers(number: int) -> Scene:
    return _person(number) if number % 9 < 4 else nobody(number)


CUTS = (
    Situation("a cut from an empty room to a face", "cut", _cut(30, nobody, _person)),
    Situation("a cut from one face to another", "cut", _cut(30, _person, _elsewhere)),
    Situation("somebody is there at once", "cut", _appears),
    Situation("a dissolve from a room to a face", "cut", _dissolves),
    Situation("many cuts", "cut", _flickers),
    Situation("the camera hung, and they are elsewhere", "cut", _cut(30, _person, _elsewhere), rests=((30, 3.0),)),
    Situation("begins in the middle of a face", "cut", stays((320, 175), 330, 2), frames=30),
)
