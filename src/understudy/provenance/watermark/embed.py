"""Puts the mark into frames."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from understudy.arrays import FloatArray, Int8Array, UInt8Array
from understudy.compiled import compiled
from understudy.frames import Frame, PixelBox
from understudy.provenance.watermark.texture import DITHER, UNIT, dither, render

#: Shorter side of the small picture in which texture is measured: cells of 4 pixels at 720p.
MEASURED: int = 180
_SECOND_DIFFERENCE = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], np.float32) / 4


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


class Watermarker:
    """Marks the frames of one output with its id.

    Args:
        identifier: The id: 48 bits.
        options: How strong.
    """

    def __init__(self, identifier: int, options: WatermarkOptions | None = None) -> None:
        self.identifier = identifier
        given = options or WatermarkOptions()
        # Made anew, so that its limits hold for what a subclass says, too.
        self.options = WatermarkOptions(given.least, given.most, given.slope, given.psnr)
        self._texture: Int8Array | None = None
        self._noise = dither()

    def mark(self, frame: Frame) -> None:
        """Add the mark to ``frame``, in place."""
        size = (frame.height, frame.width)
        if self._texture is None or self._texture.shape != size:
            self._texture = render(self.identifier, frame.width, frame.height)
            self._noise = np.tile(dither(), -(-frame.width // DITHER))[:, : frame.width].copy()
        picture = frame.change(PixelBox(0, 0, frame.width, frame.height))
        _add(picture.reshape(frame.height, -1), self._texture, self._strength(picture), self._noise)

    def _strength(self, picture: UInt8Array) -> FloatArray:
        """G of every pixel, in ``render``'s units: float32 (H, W)."""
        height, width = picture.shape[:2]
        cell = max(min(width, height) / MEASURED, 1.0)
        small = (max(round(width / cell), 1), max(round(height / cell), 1))
        twice = (max(round(width / cell * 2), 1), max(round(height / cell * 2), 1))
        # Green is most of luma; a plane of it costs a third of the conversion.
        plane = np.asarray(cv2.resize(picture, twice, interpolation=cv2.INTER_AREA))[:, :, 1].astype(np.float32)
        coarse = cv2.resize(plane, small, interpolation=cv2.INTER_AREA)
        texture = np.abs(cv2.filter2D(coarse, cv2.CV_32F, _SECOND_DIFFERENCE))
        fine = np.abs(cv2.filter2D(plane, cv2.CV_32F, _SECOND_DIFFERENCE))
        texture += 0.7 * np.asarray(cv2.resize(fine, small, interpolation=cv2.INTER_AREA))
        # A single strong edge is not texture all around it: capped, and the least of the neighbourhood counts.
        spread = cv2.blur(np.minimum(texture, 8.0), (7, 7))
        least = cv2.blur(cv2.erode(spread, np.ones((5, 5), np.uint8)), (5, 5))
        options = self.options
        strength = np.clip(options.least + options.slope * np.asarray(least), options.least, options.most)
        loudness = math.sqrt(float(np.mean(strength * strength)))
        strength *= min(1.0, options.loudest / loudness) / UNIT
        return np.asarray(cv2.resize(strength, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


@compiled
def _add(picture: UInt8Array, texture: Int8Array, strength: FloatArray, noise: FloatArray) -> None:
    """Add ``strength`` x ``texture``, rounded with the help of ``noise``, to all three colours.

    Args:
        picture: uint8 (H, 3 W): the colours of a pixel follow each other.
        texture: int8 (H, W).
        strength: float32 (H, W).
        noise: float32 (n, W), 0-1: repeated down the picture.
    """
    height, width = texture.shape
    steps = np.empty(width, np.int16)
    spread = np.empty(3 * width, np.int16)
    for y in range(height):
        grain = noise[y % noise.shape[0]]
        # Loops of one kind of access each: so they become vector code, five times as fast.
        for x in range(width):
            # 512: the conversion to int cuts towards zero, and this makes it a floor.
            raised = strength[y, x] * np.float32(texture[y, x]) + grain[x] + np.float32(512)
            steps[x] = np.int16(np.int32(raised) - 512)
        for x in range(width):
            spread[3 * x] = steps[x]
            spread[3 * x + 1] = steps[x]
            spread[3 * x + 2] = steps[x]
        for x in range(3 * width):
            picture[y, x] = np.uint8(min(max(np.int16(picture[y, x]) + spread[x], np.int16(0)), np.int16(255)))
