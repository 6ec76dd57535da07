"""Sharpness and grain: the patch gets as much fine detail as the frame has where it lies.

A sharp photo on a soft picture looks cut out and flickers as it moves; a soft one on a sharp picture looks like a mask.
So the finest band of the patch is weighed to the strength of the frame's. What grain is then still missing is taken
from the frame itself, from the very pixels that the patch hides: it moves, and is compressed, as the frame's. The next
band, of wrinkles and strokes, is held to the frame's, too, and never made stronger: it is the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.each import LARGE, Each

#: Side of the Gaussian that parts the finest band from the rest, in pixels: a spread of 1.1.
SIZE = 5
#: Spread of the Gaussian that parts the next band, on a copy of half the size, in its pixels: some 2.6 of the patch's.
SPREAD = 1.2
#: How strong the next band may be, as a share of the frame's.
AS_STRONG = 1.1
#: The share of the pixels, from the weakest on, that is measured: the rest may be edges. And how strong, on average,
#: that share of normally distributed grain is beside all of it: (1 - exp(-q²/2)) / PLAIN, where PLAIN of it is below q.
PLAIN, OF_GRAIN = 0.75, 0.645
#: A picture's green in three steps of softness: as it is, without the finest band, and without the next one either.
Greens = tuple[UInt8Array, UInt8Array, UInt8Array]
#: Opacity (0-255) above which a pixel is measured, and how many there must be, well inside.
FULLY, ENOUGH = 250, 64
#: Grey levels added to both sides of a ratio: below them there is nothing to match.
FLOOR = 0.25


@dataclass(frozen=True)
class DetailOptions:
    """Limits of the match.

    Attributes:
        least, most: Factors that the finest band is weighed by.
        least_middle: Factor that the next band is weighed by, at least.
        seconds: Time constant with which the factor follows.
        every: Seconds between two measurements: what follows so slowly need not be measured in every frame.

    Raises:
        ValueError: factors that are not 0 <= least <= most, or a time that is none.
    """

    least: float = 0.15
    most: float = 1.8
    least_middle: float = 0.5
    seconds: float = 0.5
    every: float = 0.09

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most:
            raise ValueError(f"factors of detail are 0 <= least <= most, not {self.least} and {self.most}")
        if not 0 <= self.least_middle <= 1:
            raise ValueError(f"the factor of the middle band is between 0 and 1, not {self.least_middle}")
        if not (self.seconds > 0 and self.every >= 0):
            raise ValueError(
                "the time constant is above zero and the time between measurements is not below it; "
                f"these are {self.seconds} and {self.every}"
            )


class Detail(NamedTuple):
    """How the patch's pixels are weighed: ``P2 + middle (P1 - P2) + fine (P - P1) + grain (T - T1)``.

    P1 is the patch blurred, P2 the same blurred more, T and T1 the frame and the frame blurred.

    Attributes:
        fine: Factor of the patch's finest band.
        middle: Factor of the next one, 1 at most.
        grain: Share of the frame's own finest band that is added.
        limit: The frame's finest band is cut off at this many grey levels either way: what is beyond is an edge.
        soft: uint8 BGR (h, w, 3): P1.
        wide: uint8 BGR (h, w, 3): P2; P1 where ``middle`` is 1.
        under: uint8 BGR (h, w, 3): T1; P1 where ``grain`` is 0, and nothing is made of it.
    """

    fine: np.float32
    middle: np.float32
    grain: np.float32
    limit: np.float32
    soft: UInt8Array
    wide: UInt8Array
    under: UInt8Array


class _Weights(NamedTuple):
    """The first four of ``Detail``."""

    fine: np.float32
    middle: np.float32
    grain: np.float32
    limit: np.float32


class _Asked(NamedTuple):
    """A picture, and which of it is needed softer: all of it once, twice, and its green both times."""

    picture: UInt8Array
    once: bool
    twice: bool
    greens: bool


class _Softened(NamedTuple):
    """What was asked for; None what was not."""

    once: UInt8Array | None
    twice: UInt8Array | None
    greens: Greens | None


class DetailMatch:
    """The match between one person's patch and target, and its memory."""

    def __init__(self, options: DetailOptions | None = None) -> None:
        self.options = options or DetailOptions()
        self._logs: FloatArray | None = None
        self._seconds = 0.0

    def measure(
        self, target: UInt8Array, picture: UInt8Array, alpha: UInt8Array, seconds: float, each: Each = map
    ) -> Detail:
        """What to do in this frame.

        Args:
            target: uint8 BGR (h, w, 3): the frame under the patch.
            picture: uint8 BGR (h, w, 3): the patch.
            alpha: uint8 (h, w): its opacity; only what is shown in full is measured.
            seconds: The frame's time; a step back or a long gap forgets what was.
            each: Calls a function with each of several items: with the two pictures, if they are large.
        """
        step = seconds - self._seconds
        due = self._logs is None or not 0 <= step < self.options.every
        before = None if self._logs is None else self._weights(self._logs)
        asked = (
            _Asked(picture, once=True, twice=before is None or bool(before.middle < 1), greens=due),
            _Asked(target, once=before is None or bool(before.grain > 0), twice=False, greens=due),
        )
        patch, frame = (each if alpha.size >= LARGE else map)(_softened, asked)
        if frame.greens is not None and patch.greens is not None:
            fresh = _measured(frame.greens, patch.greens, alpha)
            if fresh is not None and self._logs is not None and 0 <= step < 1.0:
                follow = np.float32(1 - np.exp(-step / self.options.seconds))
                fresh = self._logs + (fresh - self._logs) * follow
            if fresh is not None:
                self._logs, self._seconds = fresh, seconds
        soft = patch.once
        assert soft is not None
        if self._logs is None:
            one, zero = np.float32(1), np.float32(0)
            return Detail(one, one, zero, zero, soft, soft, soft)
        now = self._weights(self._logs)
        wide = under = soft  # whole arrays, as the others: the same machine code is for all
        if now.middle < 1:
            wide = _wide(soft) if patch.twice is None else patch.twice
        if now.grain > 0:
            under = _blurred(target) if frame.once is None else frame.once
        return Detail(*now, soft, wide, under)

    def _weights(self, logs: FloatArray) -> _Weights:
        options = self.options
        frame, patch, frame_middle, patch_middle = logs
        middle = np.clip(AS_STRONG * np.exp(frame_middle - patch_middle), options.least_middle, 1)
        fine = np.clip(np.exp(frame - patch), options.least, options.most)
        noise, has = float(np.exp(frame)) - FLOOR, float(fine * (np.exp(patch) - FLOOR))
        # Independent grains add up by their squares.
        grain = np.sqrt(1 - (has / noise) ** 2) if noise > has else 0.0
        return _Weights(np.float32(fine), np.float32(middle), np.float32(grain), np.float32(2 * noise + 0.5))


def _blurred(picture: UInt8Array) -> UInt8Array:
    return np.asarray(cv2.GaussianBlur(picture, (SIZE, SIZE), 0), np.uint8)


def _wide(soft: UInt8Array) -> UInt8Array:
    """P2 from P1. What is so smooth loses nothing at half the size."""
    height, width = soft.shape[:2]
    half = cv2.resize(soft, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    half = cv2.GaussianBlur(half, (0, 0), SPREAD)
    return np.asarray(cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _softened(asked: _Asked) -> _Softened:
    picture = asked.picture
    once = _blurred(picture) if asked.once else None
    twice = _wide(once) if once is not None and asked.twice else None
    if not asked.greens:
        return _Softened(once, twice, None)
    green = _green(picture)
    soft = _blurred(green) if once is None else _green(once)
    return _Softened(once, twice, (green, soft, _wide(soft) if twice is None else _green(twice)))


def _green(picture: UInt8Array) -> UInt8Array:
    """A picture's green, which is nearly its luma: uint8 (h, w)."""
    return np.asarray(cv2.extractChannel(picture, 1), np.uint8)


def _strength(band: UInt8Array, shown: UInt8Array) -> float:
    """How strong a band is on average where there is grain alone: lids, lips and brows are edges, which are stronger.

    Args:
        band: uint8 (H, W): its amount.
        shown: uint8 (H, W): not 0 where it is measured; there must be such pixels.
    """
    counts = cv2.calcHist([band], [0], shown, [256], [0, 256]).ravel()
    kept = np.minimum(np.cumsum(counts), PLAIN * float(counts.sum()))
    return float(np.diff(kept, prepend=0) @ np.arange(256) / kept[-1]) / OF_GRAIN


def _measured(frame: Greens, patch: Greens, alpha: UInt8Array) -> FloatArray | None:
    """Logarithms of the bands' mean strengths in the frame and, in the frame's light, in the patch.

    Args:
        frame: T's, uint8 (h, w) each.
        patch: P's.
        alpha: uint8 (h, w): the patch's opacity.

    Returns:
        float32 (4,): the finest band of frame and patch, and the next one; None if too little is shown.
    """
    shown = np.asarray(cv2.erode(np.asarray(alpha > FULLY, np.uint8), np.ones((SIZE, SIZE), np.uint8)), np.uint8)
    if cv2.countNonZero(shown) < ENOUGH:
        return None
    bands = (frame, patch)
    light = (cv2.mean(frame[1], shown)[0] + 4) / (cv2.mean(patch[1], shown)[0] + 4)
    strengths = [
        _strength(np.asarray(cv2.absdiff(greens[n], greens[n + 1]), np.uint8), shown) * scale
        for n in (0, 1)
        for greens, scale in zip(bands, (1.0, light), strict=True)
    ]
    return np.asarray(np.log(np.array(strengths, np.float32) + np.float32(FLOOR)), np.float32)
