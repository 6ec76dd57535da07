"""Situations before a camera in which a face might be shown as it is: what ``benchmarks.guard`` goes through.

Each is a function from a frame's number to a scene, at 25 frames a second, 640 x 360 pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.face import FaceChoice
from understudy.testing.hand import with_hand
from understudy.testing.motion import Motion, talking
from understudy.testing.scenes import Light, Placed, Scene, Thing

#: Pixels of a scene, and frames a second.
SIZE: Final = (640, 360)
RATE: Final = 25
_WIDTH, _HEIGHT = SIZE

#: What is seen at each frame's number.
Story = Callable[[int], Scene]
Group = Literal["edge", "motion", "occluder", "light", "cut", "crowd", "choice", "ordinary"]


@dataclass(frozen=True)
class Situation:
    """Something that happens before a camera.

    Attributes:
        name: Of the situation.
        group: What it is about; in an ``ordinary`` one nothing should be covered.
        scene: What is seen at each frame's number.
        faces: Which faces are to be swapped.
        chosen: The actors that these are; None for all.
        frames: How many there are.
        rests: Seconds that pass before certain frames: the camera hung.
    """

    name: str
    group: Group
    scene: Story
    faces: FaceChoice = "largest"
    chosen: tuple[int, ...] | None = None
    frames: int = 60
    rests: tuple[tuple[int, float], ...] = ()


@lru_cache(maxsize=8)
def room(seed: int = 0) -> UInt8Array:
    """A room with a window, a door and a floor: uint8 BGR."""
    rng = np.random.default_rng(seed)
    wall, floor = rng.integers(110, 190, 3).tolist(), rng.integers(50, 110, 3).tolist()
    picture = np.full((_HEIGHT, _WIDTH, 3), wall, np.uint8)
    cv2.rectangle(picture, (0, 270), SIZE, floor, -1)
    cv2.rectangle(picture, (40, 30), (190, 160), (230, 205, 170), -1)
    cv2.rectangle(picture, (480, 80), (600, 290), rng.integers(40, 120, 3).tolist(), -1)
    for line in range(0, _WIDTH, 40):
        cv2.line(picture, (line, 270), (line * 2 - 320, _HEIGHT), [value - 20 for value in floor], 1)
    grain = rng.normal(0, 10, (_HEIGHT // 8, _WIDTH // 8, 3)).astype(np.float32)
    rough = cv2.resize(grain, SIZE, interpolation=cv2.INTER_CUBIC) + rng.normal(0, 2, picture.shape)
    return np.clip(picture + rough, 0, 255).astype(np.uint8)


def _talks(number: int, phase: float = 0.0) -> Motion:
    return talking(number / RATE + phase)


def _in_the_middle(number: int, actor: int = 0, height: float = 150) -> Placed:
    return Placed(actor, (320, 175), height, _talks(number))


def _desk(top: float) -> Thing:
    """A desk across the picture: whoever sits far away does not float."""
    return Thing((70, 95, 120), _sheet(0, top, _WIDTH, _HEIGHT))


# Edges --------------------------------------------------------------------------------------------------------------


def _enters(
    start: tuple[float, float], step: tuple[float, float], stop: tuple[float, float], height: float = 150
) -> Story:
    """Somebody comes in from an edge at so many pixels a frame, and stays where the way ends."""
    length = float(np.hypot(stop[0] - start[0], stop[1] - start[1]) / np.hypot(*step))

    def scene(number: int) -> Scene:
        gone = min(number, length)
        at = (start[0] + step[0] * gone, start[1] + step[1] * gone)
        return Scene(room(), [Placed(0, at, height, _talks(number))])

    return scene


def _stays(at: tuple[float, float], height: float = 150, actor: int = 0) -> Story:
    return lambda number: Scene(room(1), [Placed(actor, at, height, _talks(number))])


def _leaves(to: tuple[float, float]) -> Story:
    """Somebody goes from the middle to a place at an edge, and stays there."""

    def scene(number: int) -> Scene:
        share = min(max(number - 15, 0) / 25, 1)
        at = (320 + (to[0] - 320) * share, 175 + (to[1] - 175) * share)
        return Scene(room(2), [Placed(0, at, 150, _talks(number))])

    return scene


_EDGES = (
    Situation("enters from the left, 6 pixels a frame", "edge", _enters((-90, 175), (6, 0), (250, 175)), frames=75),
    Situation("enters from the right, 8 pixels a frame", "edge", _enters((730, 175), (-8, 0), (400, 175))),
    Situation("enters from the left, 2 pixels a frame", "edge", _enters((-80, 175), (2, 0), (120, 175)), frames=110),
    Situation("enters from the left, 40 pixels a frame", "edge", _enters((-120, 175), (40, 0), (320, 175)), frames=40),
    Situation("comes up from below", "edge", _enters((300, 480), (0, -7), (300, 190))),
    Situation("comes down from above", "edge", _enters((300, -110), (0, 7), (300, 160))),
    Situation("enters large", "edge", _enters((-190, 190), (8, 0), (280, 190), 260), frames=75),
    Situation("enters small", "edge", _enters((-30, 150), (3, 0), (200, 150), 60), frames=80),
    Situation("half a face at the left edge", "edge", _stays((0, 175))),
    Situation("half a face at the right edge", "edge", _stays((640, 175), actor=2)),
    Situation("a third of a face at the edge", "edge", _stays((-20, 175))),
    Situation("two thirds of a face at the edge", "edge", _stays((25, 175), actor=3)),
    Situation("only the lower half at the upper edge", "edge", _stays((320, 10))),
    Situation("only the upper half at the lower edge", "edge", _stays((320, 350), actor=2)),
    Situation("a corner of a face", "edge", _stays((25, 20), 180)),
    Situation("leaves by half and stays", "edge", _leaves((5, 175)), frames=80),
    Situation("leaves by two thirds and stays", "edge", _leaves((655, 175)), frames=80),
    Situation("leaves downwards by half", "edge", _leaves((320, 355)), frames=80),
)

# Motions ------------------------------------------------------------------------------------------------------------


def _moves(motion: Callable[[float], Motion], height: float = 150) -> Story:
    return lambda number: Scene(room(3), [Placed(2, (320, 175), height, motion(number / RATE))])


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
    return Scene(room(4), [Placed(0, places[number // 12 % 4], 130, _talks(number))])


def _approaches(number: int) -> Scene:
    return Scene(room(4), [Placed(2, (320, 180), 40 + 300 * min(number / 60, 1), _talks(number))])


def _recedes(number: int) -> Scene:
    return Scene(room(4), [Placed(0, (320, 180), 300 - 270 * min(number / 60, 1), _talks(number))])


_MOTIONS = (
    Situation("turns aside and back", "motion", _moves(lambda t: Motion(yaw=75 * float(np.sin(2 * np.pi * t / 2.4))))),
    Situation("looks down and up", "motion", _moves(lambda t: Motion(pitch=50 * float(np.sin(2 * np.pi * t / 2.4))))),
    Situation("leans over", "motion", _moves(lambda t: Motion(roll=70 * float(np.sin(2 * np.pi * t / 2.4))))),
    Situation("stays turned aside", "motion", _moves(lambda t: Motion(yaw=min(70 * t, 70))), frames=90),
    Situation("moves to and fro, 1.5 times a second", "motion", _shakes(0.67, 90)),
    Situation("moves to and fro, 3 times a second", "motion", _shakes(0.33, 110)),
    Situation("is elsewhere at once", "motion", _jumps),
    Situation("comes near", "motion", _approaches, frames=75),
    Situation("goes far away", "motion", _recedes, frames=75),
    Situation("fills the picture", "motion", lambda n: Scene(room(5), [Placed(2, (320, 190), 400, _talks(n))])),
)

# Occluders ----------------------------------------------------------------------------------------------------------


def _bars(period: int, width: int, angle: float = 0.0, shift: float = 0.0) -> FloatArray:
    """Bars across the whole picture, float32 (H, W), 0-1: upright, or turned by ``angle`` degrees."""
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.float32)
    along = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle)) + shift
    return np.asarray((along % period) < width, np.float32)


def _behind(
    opacity: Callable[[int], FloatArray], color: tuple[int, int, int], actor: int = 0, begins: int = 0
) -> Story:
    """Somebody in the middle, and from a frame on something before them."""

    def scene(number: int) -> Scene:
        things = [Thing(color, opacity(number))] if number >= begins else []
        return Scene(room(6), [_in_the_middle(number, actor), *things])

    return scene


def _sheet(left: float, top: float, right: float, bottom: float, share: float = 1.0) -> FloatArray:
    sheet = np.zeros((_HEIGHT, _WIDTH), np.float32)
    low, high = (max(round(left), 0), max(round(top), 0)), (max(round(right), 0), max(round(bottom), 0))
    sheet[low[1] : high[1], low[0] : high[0]] = share
    return sheet


def _mask(_: int) -> Scene:
    """A medical mask, from below the eyes to the chin."""
    person = Placed(0, (320, 175), 150)
    return Scene(room(6), [person, Thing((225, 215, 190), _ellipse((320, 215), (52, 42)))])


def _ellipse(at: tuple[float, float], radii: tuple[float, float]) -> FloatArray:
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.float32)
    inside = ((x - at[0]) / radii[0]) ** 2 + ((y - at[1]) / radii[1]) ** 2
    return np.asarray(np.clip((1 - inside) * 20, 0, 1), np.float32)


def _sunglasses(_: int) -> Scene:
    person = Placed(2, (320, 175), 150)
    lenses = np.maximum(_ellipse((294, 152), (24, 16)), _ellipse((346, 152), (24, 16)))
    return Scene(room(6), [person, Thing((20, 20, 25), np.maximum(lenses, _sheet(290, 147, 350, 152)))])


def _wiped(number: int) -> Scene:
    """An arm goes over the face and back."""
    at = 320 + 260 * float(np.cos(2 * np.pi * number / 50))
    arm = np.zeros((_HEIGHT, _WIDTH), np.float32)
    cv2.line(arm, (round(at), 150), (round(at) + 60, _HEIGHT), 1.0, 58)
    return Scene(room(6), [_in_the_middle(number, 2), Thing((120, 150, 205), arm)])


def _passed(number: int) -> Scene:
    """Somebody walks past in front of the one who is swapped."""
    return Scene(
        room(7), [_in_the_middle(number, 2, 130), Placed(1, (-120 + 11 * number, 190), 170, _talks(number, 2))]
    )


def _grid(_: int) -> FloatArray:
    return np.maximum(_bars(18, 3), _bars(18, 3, 90))


_OCCLUDERS = (
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
        "half hidden by a wall", "occluder", _behind(lambda _: _sheet(320, 0, 640, 360), (90, 120, 130)), frames=75
    ),
    Situation("lower half behind paper", "occluder", _behind(lambda _: _sheet(230, 180, 410, 360), (235, 235, 235), 2)),
    Situation("upper half behind paper", "occluder", _behind(lambda _: _sheet(230, 60, 410, 175), (235, 235, 235), 2)),
    Situation(
        "paper goes past", "occluder", _behind(lambda n: _sheet(8 * n - 160, 40, 8 * n, 330), (230, 225, 215), 0)
    ),
    Situation(
        "behind frosted glass", "occluder", _behind(lambda _: _sheet(0, 0, 640, 360, 0.55), (230, 235, 230), 0, 12)
    ),
    Situation(
        "a subtitle over the mouth", "occluder", _behind(lambda _: _sheet(200, 205, 440, 232), (10, 10, 10), 2, 10)
    ),
    Situation("a medical mask", "occluder", _mask),
    Situation("sunglasses", "occluder", _sunglasses),
    Situation("an arm goes over the face", "occluder", _wiped, frames=75),
    Situation("somebody passes in front", "occluder", _passed, "all", frames=70),
)

# Light --------------------------------------------------------------------------------------------------------------


def _lit(light: Callable[[int], Light | None], actor: int = 0) -> Story:
    return lambda number: Scene(room(8), [_in_the_middle(number, actor)], light(number))


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
    bright = np.full((_HEIGHT, _WIDTH, 3), 245, np.uint8)
    dim = lambda picture: np.asarray(np.where(picture > 235, picture, picture * np.float32(0.22)), np.float32)  # noqa: E731
    return Scene(bright, [_in_the_middle(number, 2)], dim)


_LIGHT = (
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

# Cuts ---------------------------------------------------------------------------------------------------------------


def _cut(at: int, first: Story, second: Story) -> Story:
    return lambda number: first(number) if number < at else second(number)


def _nobody(_: int) -> Scene:
    return Scene(room(9))


def _dissolves(number: int) -> Scene:
    share = min(max(number - 15, 0) / 15, 1)
    shown = _person(number).draw().picture.astype(np.float32)
    blend = lambda picture: np.asarray(picture * (1 - share) + shown * share, np.float32)  # noqa: E731
    return Scene(room(9), [], blend) if share < 1 else _person(number)


def _person(number: int) -> Scene:
    return Scene(room(10), [_in_the_middle(number, 2)])


def _elsewhere(number: int) -> Scene:
    return Scene(room(9), [Placed(0, (500, 190), 150, _talks(number))])


def _appears(number: int) -> Scene:
    return Scene(room(9), [_in_the_middle(number)] if number >= 30 else [])


def _flickers(number: int) -> Scene:
    return _person(number) if number % 9 < 4 else _nobody(number)


_CUTS = (
    Situation("a cut from an empty room to a face", "cut", _cut(30, _nobody, _person)),
    Situation("a cut from one face to another", "cut", _cut(30, _person, _elsewhere)),
    Situation("somebody is there at once", "cut", _appears),
    Situation("a dissolve from a room to a face", "cut", _dissolves),
    Situation("many cuts", "cut", _flickers),
    Situation("the camera hung, and they are elsewhere", "cut", _cut(30, _person, _elsewhere), rests=((30, 3.0),)),
    Situation("begins in the middle of a face", "cut", _stays((320, 175), 330, 2), frames=30),
)

# Crowds -------------------------------------------------------------------------------------------------------------


def _joined(
    at: Callable[[int], tuple[float, float]], height: float = 130, actor: int = 0, *, behind: bool = False
) -> Story:
    """One who is there, and another who comes."""

    def scene(number: int) -> Scene:
        there = Placed(2, (400, 180), 140, _talks(number))
        comes = Placed(actor, at(number), height, _talks(number, 3))
        return Scene(room(11), [comes, there] if behind else [there, comes])

    return scene


def _three(number: int) -> Scene:
    people = [Placed(actor, (120 + 200 * actor, 170), 110, _talks(number, 2 * actor)) for actor in range(3)]
    return Scene(room(12), [*people, _desk(290)])


def _many(number: int) -> Scene:
    places = [(60 + 150 * (one % 4) + 30 * (one // 4), 90 + 130 * (one // 4)) for one in range(8)]
    return Scene(room(12), [Placed(n % 4, at, 52, _talks(number, n)) for n, at in enumerate(places)])


def _cross(number: int) -> Scene:
    share = number / 60
    first = Placed(0, (140 + 360 * share, 175), 120, _talks(number))
    second = Placed(2, (500 - 360 * share, 185), 140, _talks(number, 2))
    return Scene(room(13), [first, second])


def _changes_over(number: int) -> Scene:
    """One goes out on the right while another comes in from the left."""
    return Scene(
        room(13),
        [
            Placed(2, (330 + 7 * max(number - 10, 0), 175), 140),
            Placed(0, (-300 + 8 * number, 180), 140, _talks(number)),
        ],
    )


_CROWDS = (
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
    Situation("two cross", "crowd", _cross, "all", frames=65),
    Situation("one goes while another comes", "crowd", _changes_over, "all", frames=75),
)

_CHOICES = (
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
    Situation("largest: the only one at the edge", "choice", _stays((12, 175), 200, 1)),
)

# Ordinary -----------------------------------------------------------------------------------------------------------


def _far(number: int) -> Scene:
    return Scene(room(1), [Placed(0, (320, 175), 70, _talks(number)), _desk(255)])


def _gestures(number: int) -> Scene:
    """Somebody who talks with a hand beside the face."""
    swing = float(np.sin(2 * np.pi * number / 30))
    hand = with_hand(room(14), (470 + 25 * swing, 260 + 30 * swing), 52, color=(120, 150, 205), lean=0.3 * swing)
    shown = hand.covered.astype(np.float32) / np.float32(255)
    return Scene(room(14), [_in_the_middle(number, 2, 140), Thing(hand.picture, shown)])


def _pans(number: int) -> Scene:
    """A camera that moves."""
    shift = round(60 * float(np.sin(2 * np.pi * number / 100)))
    backdrop = np.ascontiguousarray(np.roll(room(15), shift, axis=1))
    return Scene(backdrop, [Placed(2, (320 + shift, 175), 140, _talks(number))])


def _rolls_by(number: int) -> Scene:
    """A ball rolls through an empty room, then somebody's room."""
    ball = _ellipse((10.0 * number, 280), (40, 40))
    return Scene(room(15), [_in_the_middle(number, 2, 130), Thing((150, 110, 40), ball)])


def _two(number: int) -> Scene:
    return Scene(room(16), [Placed(0, (190, 205), 130, _talks(number)), Placed(2, (450, 205), 130, _talks(number, 2))])


def _beside(number: int) -> Scene:
    back: list[Placed | Thing] = [Placed(1, (130, 150), 70, _talks(number, 1)), _desk(230)]
    return Scene(room(16), [*back, Placed(2, (400, 190), 150, _talks(number))])


_ORDINARY = (
    Situation("one talks", "ordinary", _stays((320, 175), 150, 2), frames=125),
    Situation("one talks, near", "ordinary", _stays((320, 190), 240, 1), frames=125),
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
        _moves(lambda t: Motion(15 * np.sin(t * 3), 10 * np.sin(t * 2), 12 * np.sin(t))),
        frames=125,
    ),
    Situation("an empty room", "ordinary", _nobody, "all", frames=500),
)

#: All of them.
SITUATIONS: Final[tuple[Situation, ...]] = (
    *_EDGES,
    *_MOTIONS,
    *_OCCLUDERS,
    *_LIGHT,
    *_CUTS,
    *_CROWDS,
    *_CHOICES,
    *_ORDINARY,
)
