"""The mark's texture: which waves it has, what they carry, and how it looks at a given size."""

from __future__ import annotations

import hashlib
import math
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from understudy.arrays import ComplexArray, FloatArray, Int8Array, IntArray
from understudy.compiled import compiled
from understudy.provenance.watermark.payload import CODED_BITS, encode, payload

#: Periods along the picture's shorter side.
TILES: Final = 5
#: Periods are never shorter than this many pixels: its fastest wave needs four.
MIN_PERIOD: Final = 52.0
#: Pixels of a picture, and of a clip's frames, from which on the mark is found again: in smaller ones there are too few
#: periods of it, and some are not read (docs/watermark.md).
READABLE_PICTURE: Final = 50_000
READABLE_CLIP: Final = 20_000
#: The band, in cycles a period.
SLOWEST, FASTEST = 3.0, 13.0
PILOTS: Final = 32
PILOT_AMPLITUDE: Final = 1.6
#: Side of the dither pattern, in pixels.
DITHER: Final = 64
#: What 1.0 of the texture (its standard deviation) is in ``render``'s integers.
UNIT: Final = 25


class Waves(NamedTuple):
    """The waves, and what they are for. All arrays are in the same order.

    Attributes:
        u, v: int (n,): cycles a period across and down.
        pilots: int (32,): which of them are pilots.
        pilot_phases: complex (32,): exp(i phi) of the pilots.
        data: int (m,): which of them carry symbols.
        slots: int (2 m,): the coded bit that each half symbol (real, imaginary) repeats.
        signs: float32 (2 m,): +1 or -1, by which each half symbol is multiplied.
    """

    u: IntArray
    v: IntArray
    pilots: IntArray
    pilot_phases: ComplexArray
    data: IntArray
    slots: IntArray
    signs: FloatArray


@cache
def waves() -> Waves:
    """The waves of version 1. They are derived from SHAKE-256, so that they are the same on every machine."""
    reach = int(FASTEST)
    both = [(u, v) for v in range(reach + 1) for u in range(-reach, reach + 1) if v > 0 or u > 0]
    band = np.array([(u, v) for u, v in both if SLOWEST <= math.hypot(u, v) <= FASTEST])
    order = np.argsort(_noise("waves", len(band)), kind="stable")
    pilots, data = np.sort(order[:PILOTS]), np.sort(order[PILOTS:])
    halves = 2 * len(data)
    slots = np.argsort(_noise("slots", halves), kind="stable") % CODED_BITS
    return Waves(
        u=band[:, 0].astype(np.int32),
        v=band[:, 1].astype(np.int32),
        pilots=pilots.astype(np.int32),
        pilot_phases=np.exp(2j * np.pi * _noise("pilots", PILOTS)).astype(np.complex64),
        data=data.astype(np.int32),
        slots=slots.astype(np.int32),
        signs=np.where(_noise("signs", halves) < 0.5, -1.0, 1.0).astype(np.float32),
    )


def amplitudes(identifier: int) -> ComplexArray:
    """The z_k of an id, in the order of ``waves``: complex64 (n,).

    Each id's texture begins at a place of its own. A picture that is swapped twice carries two marks, and this keeps
    the second from writing over the first, wave by wave.
    """
    known = waves()
    halves = (1.0 - 2.0 * encode(payload(identifier))[known.slots]) * known.signs / math.sqrt(2)
    z = np.zeros(len(known.u), np.complex64)
    z[known.pilots] = PILOT_AMPLITUDE * known.pilot_phases
    z[known.data] = halves[0::2] + 1j * halves[1::2]
    right, down = _noise(f"shift {identifier}", 2)
    return np.asarray(z * np.exp(-2j * np.pi * (known.u * right + known.v * down)), np.complex64)


def period(width: int, height: int) -> float:
    """The texture's period in pixels of a picture of that size."""
    return max(min(width, height) / TILES, MIN_PERIOD)


def render(identifier: int, width: int, height: int) -> Int8Array:
    """The texture of a picture of that size: int8 (height, width), standard deviation ``UNIT``, clipped at five."""
    known, z = waves(), amplitudes(identifier)
    reach = int(FASTEST)
    grid = np.zeros((reach + 1, 2 * reach + 1), np.complex64)
    # The sum of real waves has variance sum |z|^2 / 2.
    grid[known.v, known.u + reach] = z * UNIT / math.sqrt(float(np.sum(np.abs(z) ** 2)) / 2)
    across = grid @ carriers(width, period(width, height), -reach)
    down = carriers(height, period(width, height), 0, reach).T
    rows = 256  # at a time: a picture may be large
    texture = np.empty((height, width), np.int8)
    for top in range(0, height, rows):
        part = down[top : top + rows]
        values = part.real @ across.real - part.imag @ across.imag
        texture[top : top + rows] = np.clip(np.rint(values), -127, 127)
    return texture


def carriers(length: int, cycle: float, first: int, last: int = int(FASTEST)) -> ComplexArray:
    """exp(2 pi i f (x + 1/2) / cycle) for f from ``first`` to ``last``: complex64 (frequencies, length)."""
    rows = np.empty((last - first + 1, length), np.complex64)
    _carriers(float(1 / cycle), first, rows)
    return rows


@compiled
def _carriers(step: float, first: int, rows: ComplexArray) -> None:
    for x in range(rows.shape[1]):
        angle = 2 * np.pi * (x + 0.5) * step
        turn = complex(np.cos(angle), np.sin(angle))
        value = complex(np.cos(angle * first), np.sin(angle * first))
        for n in range(rows.shape[0]):
            rows[n, x] = np.complex64(value)
            value *= turn


def dither() -> FloatArray:
    """A fixed pattern of evenly spread values from 0 to 1: float32 (DITHER, DITHER)."""
    noise = _noise("dither", DITHER * DITHER)
    ranks = np.argsort(np.argsort(noise, kind="stable"), kind="stable")
    return ((ranks + 0.5) / len(ranks)).astype(np.float32).reshape(DITHER, DITHER)


def _noise(name: str, count: int) -> NDArray[np.float64]:
    """Numbers from 0 to 1 that depend on the name only: float64 (count,)."""
    stream = hashlib.shake_256(f"understudy watermark 1 {name}".encode()).digest(4 * count)
    return np.frombuffer(stream, "<u4").astype(np.float64) / 2**32
