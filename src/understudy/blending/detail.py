"""Sharpness and grain: the patch gets as much fine detail as the frame has where it lies.

A sharp photo on a soft picture looks cut out and flickers as it moves; a soft one on a sharp picture looks like a mask.
So the finest band of the patch is weighed to the strength of the frame's. What grain is then still missing is taken
from the frame itself, from the very pixels that the patch hides: it moves, and is compressed, as the frame's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array

#: Side of the Gaussian that parts the finest band from the rest, in pixels: a spread of 1.1.
SIZE = 5
#: Opacity (0-255) above which a pixel is measured, and how many there must be, well inside.
FULLY, ENOUGH = 250, 64
#: Grey levels added to both sides of a ratio: below them there is nothing to match.
FLOOR = 0.25


@dataclass(frozen=True)
class DetailOptions:
    """Limits of the match.

    Attributes:
        least, most: Factors that the band is weighed by.
        seconds: Time constant with which the factor follows.
        every: Seconds between two measurements: what follows so slowly need not be measured in every frame.

    Raises:
        ValueError: factors that are not 0 <= least <= most, or a time that is none.
    """

    least: float = 0.15
    most: float = 1.8
    seconds: float = 0.5
    every: float = 0.09

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most:
            raise ValueError(f"factors of detail are 0 <= least <= most, not {self.least} and {self.most}")
        if not (self.seconds > 0 and self.every >= 0):
            raise ValueError(
                "the time constant is above zero and the time between measurements is not below it; "
                f"these are {self.seconds} and {self.every}"
            )


class Detail(NamedTuple):
    """How the patch's pixels are weighed: ``P1 + fine (P - P1) + grain (T - T1)``.

    P1 is the patch blurred, T and T1 the frame and the frame blurred.

    Attributes:
        fine: Factor of the patch's finest band.
        grain: Share of the frame's own finest band that is added.
        limit: The frame's finest band is cut off at this many grey levels either way: what is beyond is an edge.
        soft: uint8 BGR (h, w, 3): P1.
        under: uint8 BGR (h, w, 3): T1.
    """

    fine: np.float32
    grain: np.float32
    limit: np.float32
    soft: UInt8Array
    under: UInt8Array


class DetailMatch:
    """The match between one person's patch and target, and its memory."""

    def __init__(self, options: DetailOptions | None = None) -> None:
        self.options = options or DetailOptions()
        self._logs: FloatArray | None = None
        self._seconds = 0.0

    def measure(self, target: UInt8Array, picture: UInt8Array, alpha: UInt8Array, seconds: float) -> Detail:
        """What to do in this frame.

        Args:
            target: uint8 BGR (h, w, 3): the frame under the patch.
            picture: uint8 BGR (h, w, 3): the patch.
            alpha: uint8 (h, w): its opacity; only what is shown in full is measured.
            seconds: The frame's time; a step back or a long gap forgets what was.
        """
        step = seconds - self._seconds
        soft = _blurred(picture)
        if self._logs is None or not 0 <= step < self.options.every:
            under = _blurred(target)
            fresh = _measured(target, under, picture, soft, alpha)
            if fresh is not None and self._logs is not None and 0 <= step < 1.0:
                follow = np.float32(1 - np.exp(-step / self.options.seconds))
                fresh = self._logs + (fresh - self._logs) * follow
            if fresh is not None:
                self._logs, self._seconds = fresh, seconds
        if self._logs is None:
            one, zero = np.float32(1), np.float32(0)
            return Detail(one, zero, zero, soft, target)
        fine, grain, limit = self._weights(self._logs)
        return Detail(fine, grain, limit, soft, _blurred(target) if grain > 0 else target)

    def _weights(self, logs: FloatArray) -> tuple[np.float32, np.float32, np.float32]:
        options = self.options
        frame, patch = logs
        fine = np.clip(np.exp(frame - patch), options.least, options.most)
        noise, has = float(np.exp(frame)) - FLOOR, float(fine * (np.exp(patch) - FLOOR))
        # Independent grains add up by their squares.
        grain = np.sqrt(1 - (has / noise) ** 2) if noise > has else 0.0
        return np.float32(fine), np.float32(grain), np.float32(2 * noise + 0.5)


def _blurred(picture: UInt8Array) -> UInt8Array:
    return np.asarray(cv2.GaussianBlur(picture, (SIZE, SIZE), 0), np.uint8)


def _measured(
    target: UInt8Array, under: UInt8Array, picture: UInt8Array, soft: UInt8Array, alpha: UInt8Array
) -> FloatArray | None:
    """Logarithms of the band's mean strength in the frame and, in the frame's light, in the patch; float32 (2,).

    In green, which is nearly luma. None if too little is shown.
    """
    shown = np.asarray(cv2.erode(np.asarray(alpha > FULLY, np.uint8), np.ones((SIZE, SIZE), np.uint8)), np.uint8)
    if cv2.countNonZero(shown) < ENOUGH:
        return None
    greens = [np.ascontiguousarray(part[:, :, 1]) for part in (target, under, picture, soft)]
    light = (cv2.mean(greens[1], shown)[0] + 4) / (cv2.mean(greens[3], shown)[0] + 4)
    frame = cv2.mean(cv2.absdiff(greens[0], greens[1]), shown)[0]
    patch = cv2.mean(cv2.absdiff(greens[2], greens[3]), shown)[0] * light
    return np.asarray(np.log(np.array([frame, patch], np.float32) + np.float32(FLOOR)), np.float32)
