"""Several people: who comes beside another, and who of them is to be swapped."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from understudy.testing.scenes import Placed, Scene
from understudy.testing.situations.base import (
    HEIGHT,
    WIDTH,
    Situation,
    Story,
    desk,
    room,
    stays,
    talks,
)


def _joined(
    at: Callable[[int], tuple[float, float]], height: float = 130, actor: int = 0, *, behind: bool = False
) -> Story:
    """One who is there, and another who comes."""

    def scene(number: int) -> Scene:
        there = Placed(2, (400, 180), 140, talks(number))
        comes = Placed(actor, at(number), height, talks(number, 3))
        return Scene(room(11), [comes, there] if behind else [there, comes])

    return scene


def _three(number: int) -> Scene:
    people = [Placed(actor, (120 + 200 * actor, 170), 110, talks(number, 2 * actor)) for actor in range(3)]
    return Scene(room(12), [*people, desk(290)])


def _many(number: int) -> Scene:
    places = [(60 + 150 * (one % 4) + 30 * (one // 4), 90 + 130 * (one // 4)) for one in range(8)]
    return Scene(room(12), [Placed(n % 4, at, 52, talks(number, n)) for n, at in enumerate(places)])


def _gallery(columns: int, rows: int, height: float) -> Story:
    """A video call: everybody talks in a room of their own; ``height`` is a face's, in pixels."""
    places = [(column, row) for row in range(rows) for column in range(columns)]

    def scene(number: int) -> Scene:
        wall = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        people = list[Placed]()
        for one, (column, row) in enumerate(places):
            (left, right), (top, bottom) = (
                (length * place // count + 2, length * (place + 1) // count - 2)
                for length, place, count in ((WIDTH, column, columns), (HEIGHT, row, rows))
            )
            wall[top:bottom, left:right] = cv2.resize(room(20 + one % 8), (right - left, bottom - top))
            people.append(Placed(one % 4, ((left + right) / 2, (top + bottom) / 2), height, talks(number, 1.3 * one)))
        return Scene(wall, people)

    return scene


def _cross(number: int) -> Scene:
    share = number / 60
    first = Placed(0, (140 + 360 * share, 175), 120, talks(number))
    second = Placed(2, (500 - 360 * share, 185), 140, talks(number, 2))
    return Scene(room(13), [first, second])


def _changes_over(number: int) -> Scene:
    """One goes out on the right while another comes in from the left."""
    return Scene(
        room(13),
        [
            Placed(2, (330 + 7 * max(number - 10, 0), 175), 140),
            Placed(0, (-300 + 8 * number, 180), 140, talks(number)),
        ],
    )


CROWDS = (
    Situation(
        "a second enters from the left, 6 pixels a frame",
        "crowd",
        _joined(lambda n: (-90 + 6 * min(n, 40), 180)),
        "all",
        frames=75,
    ),
    Situation(
        "a second enters from the left, 8 pixels a frame",
        "crowd",
        _joined(lambda n: (-90 + 8 * min(n, 32), 180), actor=1),
        "all",
    ),
    Situation(
        "a second enters from the right, close by",
        "crowd",
        _joined(lambda n: (720 - 5 * min(n, 30), 190)),
        "all",
        frames=75,
    ),
    Situation("a second enters small", "crowd", _joined(lambda n: (-30 + 3 * min(n, 60), 130), 60), "all", frames=80),
    Situation("a second comes from above", "crowd", _joined(lambda n: (180, -100 + 6 * min(n, 45)), actor=1), "all"),
    Situation("a second comes from below", "crowd", _joined(lambda n: (160, 460 - 7 * min(n, 38))), "all"),
    Situation(
        "a second comes up behind the first",
        "crowd",
        _joined(lambda n: (330, 330 - 4 * min(n, 50)), 120, behind=True),
        "all",
    ),
    Situation(
        "a second comes out from behind the first",
        "crowd",
        _joined(lambda n: (400 - 5 * min(n, 45), 175), 120, behind=True),
        "all",
    ),
    Situation("half a second face at the edge", "crowd", _joined(lambda _: (0, 180)), "all"),
    Situation("half a second face at the other edge", "crowd", _joined(lambda _: (638, 190), 120, 1), "all"),
    Situation("a second is there at once", "crowd", _joined(lambda n: (150 if n >= 25 else -300, 180)), "all"),
    Situation("three beside each other", "crowd", _three, "all"),
    Situation("eight small faces", "crowd", _many, "all"),
    Situation("a call's gallery of four", "crowd", _gallery(2, 2, 75), "all"),
    Situation("a call's gallery of nine", "crowd", _gallery(3, 3, 40), "all"),
    Situation("a call's gallery of twelve", "crowd", _gallery(4, 3, 32), "all"),
    Situation("two cross", "crowd", _cross, "all", frames=65),
    Situation("one goes while another comes", "crowd", _changes_over, "all", frames=75),
)

CHOICES = (
    Situation(
        "left: another enters on the left", "choice", _joined(lambda n: (-90 + 7 * min(n, 35), 180)), "left", (0,), 75
    ),
    Situation(
        "right: another enters on the right",
        "choice",
        _joined(lambda n: (730 - 4 * min(n, 45), 185), 110),
        "right",
        (0,),
        75,
    ),
    Situation(
        "largest: a larger one enters",
        "choice",
        _joined(lambda n: (-170 + 8 * min(n, 40), 200), 250, 1),
        "largest",
        (1,),
        75,
    ),
    Situation("largest: the only one at the edge", "choice", stays((12, 175), 200, 1)),
)
