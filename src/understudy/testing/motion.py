"""What a puppet does: head pose, mouth and lids as functions of time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from understudy.arrays import FloatArray


@dataclass(frozen=True)
class Motion:
    """One moment.

    Attributes:
        yaw, pitch, roll: Degrees from the portrait's own pose: to the picture's right, down, clockwise.
        shift: x and y in face widths.
        mouth: 0 as in the portrait, 1 wide open.
        blink: 0 as in the portrait, 1 shut.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    mouth: float = 0.0
    blink: float = 0.0

    @property
    def rotation(self) -> FloatArray:
        """How a head is turned: float32 (3, 3), for x to the right, y down, z away from the camera."""
        # Signs as ``geometry.pose.pose_degrees`` reads them.
        yaw, pitch, roll = np.radians([self.yaw, self.pitch, self.roll])
        about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
        about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
        return np.asarray(about_z @ about_x @ about_y, np.float32)


#: As in the portrait.
REST: Final = Motion()
#: A motion for every time in seconds.
Choreography = Callable[[float], Motion]


def talking(seconds: float) -> Motion:
    """A head that looks about, talks and blinks: smooth, and the same every time."""

    def wave(period: float, phase: float = 0.0) -> float:
        return math.sin(2 * math.pi * (seconds / period + phase))

    blink = float(np.exp(-((((seconds % 2.4) - 1.5) / 0.09) ** 2)))
    speech = max(0.0, wave(0.83)) * (0.55 + 0.45 * wave(2.9, 0.2))
    return Motion(
        yaw=16 * wave(4.0),
        pitch=5 * wave(3.1, 0.1),
        roll=4 * wave(5.3, 0.3),
        shift=(0.05 * wave(4.0, 0.05), 0.02 * wave(2.3)),
        mouth=speech * 0.6,
        blink=blink,
    )


def presenting(seconds: float) -> Motion:
    """As ``talking``, but calmer, and without blinks: glasses in a portrait would be drawn down with the lids."""
    lively = talking(seconds)
    return Motion(
        yaw=0.75 * lively.yaw, pitch=0.8 * lively.pitch, roll=lively.roll, shift=lively.shift, mouth=0.45 * lively.mouth
    )
