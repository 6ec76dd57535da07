"""How strong the mark is at every pixel: weak where the eye would see it, stronger where there is texture already."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.compiled import compiled
from understudy.provenance.watermark.texture import UNIT
from understudy.text import number_of

#: Shorter side of the small picture in which texture is measured: cells of 4 pixels at 720p.
MEASURED: Final = 180
#: A single strong edge is not texture all around it: texture is capped, and the least of the neighbourhood counts.
_CAP: Final = 8.0


@dataclass(frozen=True)
class WatermarkOptions:
    """How strong the mark is, as standard deviations in grey levels (0-255).

    There is no zero: a mark weaker than ``least`` = 0.5 would not survive the coding of the file itself.

    Attributes:
        least: On even surfaces.
        most: On the strongest texture.
        slope: How fast it grows with texture (grey levels of second difference).
        psnr: The luma of no frame is further from what it was than this, in dB: where there is much texture, the
            strength comes down everywhere.

    Raises:
        ValueError: weaker than the code can read, or stronger than anyone would bear.
    """

    least: float = 0.65
    most: float = 4.0
    slope: float = 0.7
    psnr: float = 42.2

    def __post_init__(self) -> None:
        for name in ("least", "most", "slope", "psnr"):
            # Plain numbers from here on, whatever class these are of: what is checked is what is used.
            object.__setattr__(self, name, number_of(getattr(self, name)))
        fits = 0.5 <= self.least <= self.most <= 16 and self.most >= 2 and 0.3 <= self.slope <= 4
        if not (fits and 25 <= self.psnr <= 44):
            raise ValueError(
                "a mark needs 0.5 <= least <= most <= 16, most >= 2, 0.3 <= slope <= 4 and 25 <= psnr <= 44; "
                f"this has {self.least}, {self.most}, {self.slope} and {self.psnr}"
            )

    @property
    def loudest(self) -> float:
        """What the strength may be over a whole frame, as a root mean square in grey levels."""
        # Rounding with dither adds an error of its own: a sixth of a grey level squared.
        return math.sqrt(255**2 / 10 ** (self.psnr / 10) - 1 / 6)


class Strength:
    """The strength for the frames of one output.

    Args:
        options: How strong.
        live: Whether there is no time to measure every frame: then it takes three frames to measure one, a step each.
            Texture is averaged over more pixels than a picture moves by meanwhile, and the bound on the strength
            does not depend on where the texture lies, so it holds for every frame.
    """

    def __init__(self, options: WatermarkOptions, *, live: bool) -> None:
        self._options, self._live = options, live
        self._known: FloatArray | None = None
        self._size = (0, 0)
        self._under_way: Iterator[FloatArray | None] | None = None

    def of(self, picture: UInt8Array) -> FloatArray:
        """G of some of the rows, in units of ``texture.render``: float32 (h, W); it is linear from one to the next.

        The rows are the middles of h equal strips of the picture. As many as it has pixels down would be four bytes a
        pixel: of a large picture more than the picture itself.

        Args:
            picture: uint8 BGR (H, W, 3), the mark not in it yet.
        """
        size = picture.shape[:2]
        if not self._live or self._known is None or self._size != size:
            self._under_way, self._size = None, size
            *_, coarse = self._steps(picture)
            assert coarse is not None
            self._known = _across(coarse, size[1])
            return self._known
        self._under_way = self._under_way or self._steps(picture)
        step = next(self._under_way)
        if step is not None:
            self._known, self._under_way = _across(step, size[1]), None
        return self._known

    def _steps(self, picture: UInt8Array) -> Iterator[FloatArray | None]:
        """Measure a picture; None after each step but the last. It is looked at in the first."""
        height, width = picture.shape[:2]
        cell = max(min(width, height) / MEASURED, 1.0)
        down, across = max(round(height / cell), 1), max(round(width / cell), 1)
        # Green is most of luma; a plane of it costs a third of the conversion.
        plane = _green(picture, 2 * down, 2 * across)
        del picture  # or a whole frame would live, and be writable, as long as this does
        yield None
        texture = np.empty((down, across), np.float32)
        _measure(plane, texture, np.empty((2, 2 * across), np.float32), np.empty((down, across), np.float32))
        yield None
        spread = cv2.blur(texture, (7, 7))
        least = cv2.blur(cv2.erode(spread, np.ones((5, 5), np.uint8)), (5, 5))
        options = self._options
        strength = np.clip(options.least + options.slope * np.asarray(least), options.least, options.most)
        loudness = math.sqrt(float(np.mean(strength * strength)))
        strength *= min(1.0, options.loudest / loudness) / UNIT
        yield np.asarray(strength, np.float32)


def _across(coarse: FloatArray, width: int) -> FloatArray:
    return np.asarray(cv2.resize(coarse, (width, len(coarse)), interpolation=cv2.INTER_LINEAR), np.float32)


def _green(picture: UInt8Array, down: int, across: int) -> FloatArray:
    """The picture's green, as means over cells: float32 (down, across)."""
    height, width = picture.shape[:2]
    if (height, width) == (2 * down, 2 * across):  # 720p and what is like it
        halves = np.empty((down, across), np.float32)
        _halve(picture.reshape(height, -1), halves)
        return halves
    green = cv2.resize(cv2.extractChannel(picture, 1), (across, down), interpolation=cv2.INTER_AREA)
    return np.asarray(green, np.float32)


@compiled
def _halve(picture: UInt8Array, green: FloatArray) -> None:
    """Means of four pixels' green.

    Args:
        picture: uint8 (2 h, 6 w): the colours of a pixel follow each other.
        green: float32 (h, w), written.
    """
    height, width = green.shape
    for y in range(height):
        upper, lower, row = picture[2 * y], picture[2 * y + 1], green[y]
        for x in range(width):
            above = np.uint16(upper[6 * x + 1]) + np.uint16(upper[6 * x + 4])
            row[x] = np.float32(above + np.uint16(lower[6 * x + 1]) + np.uint16(lower[6 * x + 4])) * np.float32(0.25)


@compiled
def _measure(plane: FloatArray, texture: FloatArray, fine: FloatArray, coarse: FloatArray) -> None:
    """Second differences at two scales, each a mean over a cell of four samples.

    Args:
        plane: float32 (2 h, 2 w), 0-255; mirrored beyond its edges.
        texture: float32 (h, w), written: at most ``_CAP``.
        fine: float32 (2, 2 w): room for two rows of differences.
        coarse: float32 (h, w): room for the cells' means.
    """
    height, width = texture.shape
    four, quarter = np.float32(4), np.float32(0.25)
    for y in range(height):
        for half in range(2):
            row = 2 * y + half
            middle, into = plane[row], fine[half]
            upper, lower = plane[abs(row - 1)], plane[row + 1 if row < 2 * height - 1 else row - 1]
            last = 2 * width - 1
            for x in range(1, last):
                into[x] = abs(four * middle[x] - middle[x - 1] - middle[x + 1] - upper[x] - lower[x])
            for x, beside in ((0, 1), (last, last - 1)):
                into[x] = abs(four * middle[x] - np.float32(2) * middle[beside] - upper[x] - lower[x])
        above, below, row_of, means = plane[2 * y], plane[2 * y + 1], texture[y], coarse[y]
        for x in range(width):
            means[x] = (above[2 * x] + above[2 * x + 1] + below[2 * x] + below[2 * x + 1]) * quarter
            sums = fine[0, 2 * x] + fine[0, 2 * x + 1] + fine[1, 2 * x] + fine[1, 2 * x + 1]
            row_of[x] = np.float32(0.7 / 16) * sums
    for y in range(height):
        middle, row_of = coarse[y], texture[y]
        upper, lower = coarse[min(abs(y - 1), height - 1)], coarse[y + 1 if y < height - 1 else max(y - 1, 0)]
        for x in range(width):
            left = middle[min(abs(x - 1), width - 1)]
            right = middle[x + 1 if x < width - 1 else max(x - 1, 0)]
            different = abs(four * middle[x] - left - right - upper[x] - lower[x]) * quarter
            row_of[x] = min(row_of[x] + different, np.float32(_CAP))
