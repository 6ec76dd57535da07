"""Faces at the edge of the picture: who comes, who goes, and who is half seen."""

from __future__ import annotations

import numpy as np

from understudy.testing.scenes import Placed, Scene
from understudy.testing.situations.base import (
    Situation,
    Story,
    room,
    stays,
    talks,
)


def _enters(
    start: tuple[float, float], step: tuple[float, float], stop: tuple[float, float], height: float = 150
) -> Story:
    """Somebody comes in from an edge at so many pixels a frame, and stays where the way ends."""
    length = float(np.hypot(stop[0] - start[0], stop[1] - start[1]) / np.hypot(*step))

    def scene(number: int) -> Scene:
        gone = min(number, length)
        at = (start[0] + step[0] * gone, start[1] + step[1] * gone)
        return Scene(room(), [Placed(0, at, height, talks(number))])

    return scene


def _leaves(to: tuple[float, float]) -> Story:
    """Somebody goes from the middle to a place at an edge, and stays there."""

    def scene(number: int) -> Scene:
        share = min(max(number - 15, 0) / 25, 1)
        at = (320 + (to[0] - 320) * share, 175 + (to[1] - 175) * share)
        return Scene(room(2), [Placed(0, at, 150, talks(number))])

    return scene


EDGES = (
    Situation("enters from the left, 6 pixels a frame", "edge", _enters((-90, 175), (6, 0), (250, 175)), frames=75),
    Situation("enters from the right, 8 pixels a frame", "edge", _enters((730, 175), (-8, 0), (400, 175))),
    Situation("enters from the left, 2 pixels a frame", "edge", _enters((-80, 175), (2, 0), (120, 175)), frames=110),
    Situation("enters from the left, 40 pixels a frame", "edge", _enters((-120, 175), (40, 0), (320, 175)), frames=40),
    Situation("comes up from below", "edge", _enters((300, 480), (0, -7), (300, 190))),
    Situation("comes down from above", "edge", _enters((300, -110), (0, 7), (300, 160))),
    Situation("enters large", "edge", _enters((-190, 190), (8, 0), (280, 190), 260), frames=75),
    Situation("enters small", "edge", _enters((-30, 150), (3, 0), (200, 150), 60), frames=80),
    Situation("half a face at the left edge", "edge", stays((0, 175))),
    Situation("half a face at the right edge", "edge", stays((640, 175), actor=2)),
    Situation("a third of a face at the edge", "edge", stays((-20, 175))),
    Situation("two thirds of a face at the edge", "edge", stays((25, 175), actor=3)),
    Situation("only the lower half at the upper edge", "edge", stays((320, 10))),
    Situation("only the upper half at the lower edge", "edge", stays((320, 350), actor=2)),
    Situation("a corner of a face", "edge", stays((25, 20), 180)),
    Situation("leaves by half and stays", "edge", _leaves((5, 175)), frames=80),
    Situation("leaves by two thirds and stays", "edge", _leaves((655, 175)), frames=80),
    Situation("leaves downwards by half", "edge", _leaves((320, 355)), frames=80),
)
