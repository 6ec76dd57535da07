"""What situations are made of: the room, a desk, somebody who talks, and things in front of them.

A scene has 640 x 360 pixels, and there are 25 a second.
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
from understudy.testing.motion import Motion, talking
from understudy.testing.scenes import Placed, Scene, Thing

#: Pixels of a scene, and frames a second.
SIZE: Final = (640, 360)
RATE: Final = 25
WIDTH, HEIGHT = SIZE

#: What is seen at each frame's number.
Story = Callable[[int], Scene]
Group = Literal["edge", "motion", "occluder", "light", "cut", "crowd", "choice", "people", "ordinary"]


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
    picture = np.full((HEIGHT, WIDTH, 3), wall, np.uint8)
    cv2.rectangle(picture, (0, 270), SIZE, floor, -1)
    cv2.rectangle(picture, (40, 30), (190, 160), (230, 205, 170), -1)
    cv2.rectangle(picture, (480, 80), (600, 290), rng.integers(40, 120, 3).tolist(), -1)
    for line in range(0, WIDTH, 40):
        cv2.line(picture, (line, 270), (line * 2 - 320, HEIGHT), [value - 20 for value in floor], 1)
    grain = rng.normal(0, 10, (HEIGHT // 8, WIDTH // 8, 3)).astype(np.float32)
    rough = cv2.resize(grain, SIZE, interpolation=cv2.INTER_CUBIC) + rng.normal(0, 2, picture.shape)
    return np.clip(picture + rough, 0, 255).astype(np.uint8)


def talks(number: int, phase: float = 0.0) -> Motion:
    """How somebody who talks holds their head at a frame; ``phase`` are seconds by which they are ahead."""
    return talking(number / RATE + phase)


def in_the_middle(number: int, actor: int = 0, height: float = 150) -> Placed:
    """An actor who talks in the middle of the picture; ``height`` is the face's, in pixels."""
    return Placed(actor, (320, 175), height, talks(number))


def desk(top: float) -> Thing:
    """A desk across the picture: whoever sits far away does not float."""
    return Thing((70, 95, 120), sheet(0, top, WIDTH, HEIGHT))


def stays(at: tuple[float, float], height: float = 150, actor: int = 0) -> Story:
    """An actor who talks and stays at a place: the middle of the face, in pixels."""
    return lambda number: Scene(room(1), [Placed(actor, at, height, talks(number))])


def moves(motion: Callable[[float], Motion], height: float = 150) -> Story:
    """An actor in the middle who moves as is said of each time in seconds."""
    return lambda number: Scene(room(3), [Placed(2, (320, 175), height, motion(number / RATE))])


def nobody(_: int) -> Scene:
    """An empty room."""
    return Scene(room(9))


def sheet(left: float, top: float, right: float, bottom: float, share: float = 1.0) -> FloatArray:
    """A rectangle of that opacity, float32 (H, W), 0-1; its ends in pixels may lie outside the picture."""
    shown = np.zeros((HEIGHT, WIDTH), np.float32)
    low, high = (max(round(left), 0), max(round(top), 0)), (max(round(right), 0), max(round(bottom), 0))
    shown[low[1] : high[1], low[0] : high[0]] = share
    return shown


def ellipse(at: tuple[float, float], radii: tuple[float, float]) -> FloatArray:
    """An ellipse around a place, opaque but for its rim: float32 (H, W), 0-1."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    inside = ((x - at[0]) / radii[0]) ** 2 + ((y - at[1]) / radii[1]) ** 2
    return np.asarray(np.clip((1 - inside) * 20, 0, 1), np.float32)
