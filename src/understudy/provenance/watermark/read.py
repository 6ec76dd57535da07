"""Finds the mark again. The steps and their reasons are in the package's docstring."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import ComplexArray, FloatArray, UInt8Array
from understudy.compiled import compiled
from understudy.provenance.watermark.payload import CODED_BITS, decode, encode, identifier_of
from understudy.provenance.watermark.texture import FASTEST, carriers, period, waves

#: Most payloads that are looked at in one reading: with 32 check bits, 2.4e-7 false readings a clip.
MAX_TRIES: Final = 1024
#: Shorter and longer side of the working size, in pixels, at most.
_SHORT, _LONG = 360, 1280
#: Periods that are looked for, over the one that an uncropped picture has. Cropping makes them larger: a picture's
#: shorter side shrinks and the texture does not. Borders make them smaller.
_RATIOS: Final = np.exp(np.arange(math.log(0.7), math.log(2.65), 0.003))
#: Periods tried beside the expected one: with the picture's proportions kept, and stretched.
_ISOTROPIC, _STRETCHED = 12, 24
#: Shorter side over the reach of a pixel's neighbourhood, and the power of its deviation that a residual is divided by.
#: Beside 14 and 1, single JPEGs (quality 50) of a busy picture are read in 24 of 24 instead of 12; beside a power of
#: 1.3, one half of a marked photo of 512 x 512 pixels in 598 of 600 instead of 588.
_NEIGHBOURHOODS, _WHITENING = 40, 1.5
#: Caps: of a residual in local deviations, of a spectral line in local means.
_LARGEST_RESIDUAL, _LARGEST_LINE = 1.5, 12.0
_SHIFTS: Final = 128


@dataclass(frozen=True)
class Mark:
    """A mark that was found.

    Attributes:
        identifier: The id: 48 bits.
        agreement: Share of the mark's symbols that say what this id's should, 0.5 (chance) to 1.
        false_accept_bound: Probability of finding any id in a picture without a mark, by the code's design.
        scale_x, scale_y: The texture's period over the one that an uncropped picture of this size has: 1 for
            an uncropped picture, 1.33 where a quarter of the shorter side has been cut off.
        mirrored: Whether the picture is a mirror image of the one that was marked.
        frames: Pictures that were averaged.
    """

    identifier: int
    agreement: float
    false_accept_bound: float
    scale_x: float
    scale_y: float
    mirrored: bool
    frames: int


class _Spectrum(NamedTuple):
    """Power of a residual's spectrum. Rows go from negative to positive frequencies down, columns from 0 across.

    Attributes:
        lines: float32: over its local mean, capped.
        floor: float32: the local mean.
        height, width: Of the transform, in samples.
    """

    lines: FloatArray
    floor: FloatArray
    height: int
    width: int


class MarkReader:
    """Collects pictures of one clip and reads their mark."""

    def __init__(self) -> None:
        self.frames = 0
        self._sum: FloatArray | None = None
        self._expected = (0.0, 0.0)
        self._tries = 0

    def add(self, luma: UInt8Array) -> None:
        """Take a picture in: uint8 (H, W). All should be of one clip; others are scaled to the first one's size."""
        height, width = luma.shape
        if self._sum is None:
            scale = min(1.0, _SHORT / min(width, height), _LONG / max(width, height))
            shape = (max(round(height * scale), 1), max(round(width * scale), 1))
            cycle = period(width, height)
            self._sum = np.zeros(shape, np.float32)
            self._expected = (cycle * shape[1] / width, cycle * shape[0] / height)
        self._sum += _residual(luma, self._sum.shape[0], self._sum.shape[1])
        self.frames += 1

    def read(self) -> Mark | None:
        """The mark of what was taken in so far; None if there is none to be seen."""
        if self._sum is None or min(self._sum.shape) < FASTEST * 2:
            return None
        for mirrored in (False, True):
            residual = np.ascontiguousarray(self._sum[:, ::-1] if mirrored else self._sum) / np.float32(self.frames)
            spectrum = _power(residual)
            for seen, cycles in _alignments(residual, spectrum, self._expected):
                if self._tries >= MAX_TRIES:
                    return None
                self._tries += 1
                found = _payload(seen)
                if found is not None:
                    return self._mark(*found, cycles, mirrored)
        return None

    def _mark(self, identifier: int, agreement: float, cycles: tuple[float, float], mirrored: bool) -> Mark:
        return Mark(
            identifier=identifier,
            agreement=round(agreement, 4),
            false_accept_bound=MAX_TRIES / 2**32,
            scale_x=round(cycles[0] / self._expected[0], 3),
            scale_y=round(cycles[1] / self._expected[1], 3),
            mirrored=mirrored,
            frames=self.frames,
        )


def read_mark(pictures: Iterable[UInt8Array]) -> Mark | None:
    """The mark of some pictures of one clip (uint8 luma), or None."""
    reader = MarkReader()
    for picture in pictures:
        reader.add(picture)
    return reader.read()


def _residual(luma: UInt8Array, height: int, width: int) -> FloatArray:
    """The picture without its shapes, evened out: float32 (height, width)."""
    if luma.shape != (height, width):
        luma = np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    plane = luma.astype(np.float32)
    reach = int(min(height, width) / _NEIGHBOURHOODS) | 1
    plane -= np.asarray(cv2.GaussianBlur(plane, (0, 0), reach / 2))
    spread = np.sqrt(np.asarray(cv2.blur(plane * plane, (reach, reach))) + 1)
    capped = np.clip(plane / spread, -_LARGEST_RESIDUAL, _LARGEST_RESIDUAL)
    return np.asarray(capped / spread ** (_WHITENING - 1), np.float32)


def _power(residual: FloatArray) -> _Spectrum:
    height, width = (cv2.getOptimalDFTSize(2 * side) for side in residual.shape)
    power = np.abs(np.fft.rfft2(residual, (height, width))) ** 2
    power = np.fft.fftshift(power.astype(np.float32), axes=0)
    floor = np.asarray(cv2.blur(power, (31, 31), borderType=cv2.BORDER_REFLECT)) + np.float32(1e-6)
    return _Spectrum(np.minimum(power / floor, _LARGEST_LINE), floor, height, width)


def _alignments(
    residual: FloatArray, spectrum: _Spectrum, expected: tuple[float, float]
) -> Iterator[tuple[ComplexArray, tuple[float, float]]]:
    """What the waves look like under every assumption of where the texture lies, the likeliest first.

    Yields:
        complex64 (n,) amplitudes in the order of ``waves``, turned back by the texture's shift and weighted by
        their noise; and the periods that were assumed.
    """
    # First as if it were neither cropped nor stretched.
    for turned in _shifted(_amplitudes(residual, spectrum, expected)):
        yield turned, expected
    for cycles in _periods(spectrum, expected):
        fitted = _refined(residual, cycles)
        for turned in _shifted(_amplitudes(residual, spectrum, fitted)):
            yield turned, fitted


def _periods(spectrum: _Spectrum, expected: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """Pairs of periods at which the pilots stand out."""
    known = waves()
    across, down = expected[0] * _RATIOS, expected[1] * _RATIOS
    sums = np.zeros((len(down), len(across)), np.float32)
    _pilot_sums(
        spectrum.lines,
        known.u[known.pilots].astype(np.float32),
        known.v[known.pilots].astype(np.float32),
        (spectrum.width / across).astype(np.float32),
        (spectrum.height / down).astype(np.float32),
        spectrum.height // 2,
        sums,
    )
    diagonal = np.diag(sums).copy()
    for _ in range(_ISOTROPIC):
        best = int(np.argmax(diagonal))
        diagonal[max(0, best - 2) : best + 3] = 0
        yield float(across[best]), float(down[best])
    for _ in range(_STRETCHED):
        row, column = (int(index) for index in np.unravel_index(int(np.argmax(sums)), sums.shape))
        sums[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5] = 0
        yield float(across[column]), float(down[row])


@compiled
def _pilot_sums(
    lines: FloatArray,
    u: FloatArray,
    v: FloatArray,
    across: FloatArray,
    down: FloatArray,
    middle: int,
    sums: FloatArray,
) -> None:
    """Sum of the spectrum over the pilots, for every pair of spacings: ``sums``, float32 (len(down), len(across)).

    ``lines`` has frequency 0 in row ``middle`` and column 0; ``u`` and ``v`` are the pilots' cycles a period,
    ``across`` and ``down`` samples of the spectrum a cycle. ``sums`` is 0 before.
    """
    height, width = lines.shape
    for row in range(len(down)):
        for pilot in range(len(u)):
            turned = np.float32(-1.0) if u[pilot] < 0 else np.float32(1.0)
            y = int(np.floor(turned * v[pilot] * down[row] + np.float32(0.5))) + middle
            if not 0 <= y < height:
                continue
            for column in range(len(across)):
                x = int(turned * u[pilot] * across[column] + np.float32(0.5))
                if x < width:
                    sums[row, column] += lines[y, x]


def _refined(residual: FloatArray, cycles: tuple[float, float]) -> tuple[float, float]:
    """The pair of periods near ``cycles`` at which the pilots are strongest."""
    known, reach = waves(), int(FASTEST)
    u, v = known.u[known.pilots] + reach, known.v[known.pilots]
    for step in (0.0015, 0.0005):
        near = (1 - step, 1.0, 1 + step)
        # All nine pairs in two products: reading is made of these.
        across = np.concatenate([carriers(residual.shape[1], cycles[0] * change, 0) for change in near])
        down = np.concatenate([carriers(len(residual), cycles[1] * change, 0).conj() for change in near])
        half = _rows_to_frequencies(residual, across).reshape(len(residual), len(near), reach + 1)
        both = np.concatenate([half[:, :, :0:-1].conj(), half], axis=2)
        sums = (down @ both.reshape(len(residual), -1)).reshape(len(near), reach + 1, len(near), 2 * reach + 1)
        powers = np.sum(np.abs(sums[:, v, :, u]) ** 2, axis=0)  # (down, across)
        row, column = np.unravel_index(int(np.argmax(powers)), powers.shape)
        cycles = (cycles[0] * near[int(column)], cycles[1] * near[int(row)])
    return cycles


def _transform(residual: FloatArray, cycles: tuple[float, float]) -> ComplexArray:
    """The residual's Fourier coefficients at the waves' frequencies: complex64 (n,), in the order of ``waves``."""
    known = waves()
    half = _rows_to_frequencies(residual, carriers(residual.shape[1], cycles[0], 0))
    both = np.concatenate([half[:, :0:-1].conj(), half], axis=1)  # negative frequencies: the residual is real
    down = carriers(len(residual), cycles[1], 0).conj()
    return np.asarray((down @ both)[known.v, known.u + int(FASTEST)], np.complex64)


def _rows_to_frequencies(residual: FloatArray, across: ComplexArray) -> ComplexArray:
    """Sums of every row times the conjugate of each row of ``across``: complex64 (height, len(across))."""
    # The residual is real: two real products are half the work of a complex one.
    real = residual @ np.ascontiguousarray(across.real).T
    return np.asarray(real - 1j * (residual @ np.ascontiguousarray(across.imag).T), np.complex64)


def _amplitudes(residual: FloatArray, spectrum: _Spectrum, cycles: tuple[float, float]) -> ComplexArray:
    """The waves' amplitudes over their noise, median 1: complex64 (n,)."""
    known = waves()
    turned = np.where(known.u < 0, -1, 1)
    x = np.rint(turned * known.u * spectrum.width / cycles[0]).astype(int)
    y = np.rint(turned * known.v * spectrum.height / cycles[1]).astype(int) + spectrum.height // 2
    floor = spectrum.floor[np.clip(y, 0, spectrum.height - 1), np.clip(x, 0, spectrum.floor.shape[1] - 1)]
    seen = _transform(residual, cycles) / np.sqrt(floor)
    return np.asarray(seen / max(float(np.median(np.abs(seen))), 1e-9), np.complex64)


def _shifted(seen: ComplexArray) -> Iterator[ComplexArray]:
    """The amplitudes with the texture's shift taken off, as the pilots tell it: the two likeliest.

    Two, because a picture that was swapped twice carries two marks.
    """
    known = waves()
    u, v = known.u[known.pilots], known.v[known.pilots]
    seen_pilots = seen[known.pilots]
    pilots = seen_pilots / np.maximum(np.abs(seen_pilots) / 3, 1)  # no single line decides
    grid = np.zeros((_SHIFTS, _SHIFTS), np.complex64)
    grid[v % _SHIFTS, u % _SHIFTS] = pilots * known.pilot_phases.conj()
    match = np.fft.ifft2(grid).real
    for _ in range(2):
        row, column = (int(place) for place in np.unravel_index(int(np.argmax(match)), match.shape))
        turn = known.u * (column / _SHIFTS) + known.v * (row / _SHIFTS)
        yield np.asarray(seen * np.exp(2j * np.pi * turn), np.complex64)
        near = np.arange(-4, 5)
        match[np.ix_((row + near) % _SHIFTS, (column + near) % _SHIFTS)] = -np.inf


def _payload(seen: ComplexArray) -> tuple[int, float] | None:
    """The id that the symbols say, and how many of them agree with it; None if its check bits do not hold."""
    known = waves()
    symbols = seen[known.data]
    halves = np.clip(np.stack([symbols.real, symbols.imag], axis=1).reshape(-1), -3, 3) * known.signs
    likelihoods = np.bincount(known.slots, halves, CODED_BITS).astype(np.float32)
    bits = decode(likelihoods)
    identifier = identifier_of(bits)
    if identifier is None:
        return None
    return identifier, float(np.mean((halves < 0) == encode(bits)[known.slots]))
