"""Puts the mark into frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from understudy.arrays import AnyArray, FloatArray, Int8Array, UInt8Array
from understudy.compiled import compiled
from understudy.frames import Frame
from understudy.provenance.watermark.strength import Strength, WatermarkOptions
from understudy.provenance.watermark.texture import DITHER, dither, render


@dataclass(eq=False)
class _Made:
    """What frames of one size are marked with, once it is made."""

    lock: Lock = field(default_factory=Lock)
    texture: Int8Array | None = None
    noise: FloatArray = field(default_factory=dither)


class Watermarker:
    """Marks the frames of one output with its id.

    Args:
        identifier: The id: 48 bits.
        options: How strong.
        live: Whether there is no time to measure the texture of every frame.
    """

    def __init__(self, identifier: int, options: WatermarkOptions | None = None, *, live: bool = False) -> None:
        self.identifier = identifier
        given = options or WatermarkOptions()
        # Made anew, so that its limits hold for what a subclass says, too.
        self.options = WatermarkOptions(given.least, given.most, given.slope, given.psnr)
        self._made = _Made()
        self._strength = Strength(self.options, live=live)

    def prepare(self, width: int, height: int) -> None:
        """Make what frames of that size are marked with. In another thread, if need be: ``mark`` waits for it."""
        self._for(width, height)

    def share(self, other: Watermarker) -> None:
        """Have what another of the same output has made, now and later. To be asked before anything is marked."""
        assert (other.identifier, other.options) == (self.identifier, self.options)
        self._made = other._made

    def mark(self, frame: Frame, steps: Int8Array | None = None) -> None:
        """Add the mark to ``frame``, in place.

        Args:
            frame: To be marked.
            steps: int8 (H, W), written: what each pixel's colours were raised by, before they were clipped to 0-255.
                None if nobody asks.
        """
        texture, noise = self._for(frame.width, frame.height)
        picture, width = frame.picture, frame.width
        made = np.empty((1, width), np.int8) if steps is None else steps
        row, spread = np.empty(width, np.int16), np.empty(3 * width, np.int16)
        _add(picture.reshape(frame.height, -1), texture, self._strength.of(picture), noise, made, row, spread)

    def _for(self, width: int, height: int) -> tuple[Int8Array, FloatArray]:
        made = self._made
        with made.lock:
            if made.texture is None or made.texture.shape != (height, width):
                made.texture = render(self.identifier, width, height)
                made.noise = np.tile(dither(), -(-width // DITHER))[:, :width].copy()
            return made.texture, made.noise


@compiled
def _add(
    picture: UInt8Array,
    texture: Int8Array,
    strength: FloatArray,
    noise: FloatArray,
    made: Int8Array,
    steps: AnyArray,
    spread: AnyArray,
) -> None:
    """Add ``strength`` x ``texture``, rounded with the help of ``noise``, to all three colours.

    Args:
        picture: uint8 (H, 3 W): the colours of a pixel follow each other.
        texture: int8 (H, W).
        strength: float32 (h, W): see ``Strength.of``.
        noise: float32 (n, W), 0-1: repeated down the picture.
        made: int8 (H, W): what was added, written; of one row if nobody asks.
        steps: int16 (W,): room for a row.
        spread: int16 (3 W,): room for a row, colour by colour.
    """
    height, width = texture.shape
    strips = strength.shape[0]
    half, zero, last = np.float32(0.5), np.float32(0), np.float32(strips - 1)
    for y in range(height):
        grain = noise[y % noise.shape[0]]
        place = min(max((np.float32(y) + half) * (np.float32(strips) / np.float32(height)) - half, zero), last)
        above = min(int(place), max(strips - 2, 0))
        upper, lower = strength[above], strength[min(above + 1, strips - 1)]
        share = place - np.float32(above)
        # Loops of one kind of access each: so they become vector code, five times as fast.
        for x in range(width):
            # 512: the conversion to int cuts towards zero, and this makes it a floor.
            strong = upper[x] + (lower[x] - upper[x]) * share
            raised = strong * np.float32(texture[y, x]) + grain[x] + np.float32(512)
            steps[x] = np.int16(np.int32(raised) - 512)
        said = made[y % made.shape[0]]
        for x in range(width):
            said[x] = np.int8(steps[x])
        for x in range(width):
            spread[3 * x] = steps[x]
            spread[3 * x + 1] = steps[x]
            spread[3 * x + 2] = steps[x]
        row = picture[y]
        for x in range(3 * width):
            # Without the outer conversion numba adds in 64 bits, four times as slow.
            raised_to = np.int16(np.int16(row[x]) + spread[x])
            raised_to = np.int16(0) if raised_to < np.int16(0) else raised_to
            row[x] = np.uint8(np.int16(255) if raised_to > np.int16(255) else raised_to)
