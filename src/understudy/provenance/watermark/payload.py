"""Bits of the mark: payload, check bits, convolutional code, and the Viterbi algorithm that undoes it."""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.compiled import compiled

VERSION: Final = 1
ID_BITS: Final = 48
_VERSION_BITS, _CHECK_BITS = 4, 32
PAYLOAD_BITS: Final = _VERSION_BITS + ID_BITS + _CHECK_BITS
#: Constraint length and generators of the code (Larsen 1973, rate 1/3).
MEMORY: Final = 8
GENERATORS: Final = (0o557, 0o663, 0o711)
CODED_BITS: Final = (PAYLOAD_BITS + MEMORY) * len(GENERATORS)


def payload(identifier: int) -> UInt8Array:
    """The payload's bits for an id: version, id, check bits, each from its highest bit: uint8 (84,), 0 or 1.

    Raises:
        ValueError: the id does not fit into 48 bits.
    """
    if not 0 <= identifier < 1 << ID_BITS:
        raise ValueError(f"an id has {ID_BITS} bits, this one is {identifier}")
    said = VERSION << ID_BITS | identifier
    return _bits(said << _CHECK_BITS | _check(said), PAYLOAD_BITS)


def identifier_of(bits: UInt8Array) -> int | None:
    """The id in a payload; None if its check bits do not hold or its version is another.

    Args:
        bits: uint8 (84,), 0 or 1.
    """
    number = int("".join(str(int(bit)) for bit in bits), 2)
    said, check = number >> _CHECK_BITS, number & ((1 << _CHECK_BITS) - 1)
    if _check(said) != check or said >> ID_BITS != VERSION:
        return None
    return said & ((1 << ID_BITS) - 1)


def encode(bits: UInt8Array) -> UInt8Array:
    """The coded bits of a payload, uint8 (276,): the register starts and ends at zero."""
    register, coded = 0, []
    for bit in (*bits, *(0,) * MEMORY):
        register = (register << 1 | int(bit)) & ((1 << (MEMORY + 1)) - 1)
        coded += [(register & generator).bit_count() & 1 for generator in GENERATORS]
    return np.array(coded, np.uint8)


def decode(likelihoods: FloatArray) -> UInt8Array:
    """The likeliest payload, uint8 (84,).

    Args:
        likelihoods: float32 (276,): how much each coded bit speaks for 0 (positive) or 1 (negative).
    """
    coded = np.ascontiguousarray(likelihoods, np.float32).reshape(-1, len(GENERATORS))
    states = len(_EXPECTED) // 2
    metrics, came_from_upper = np.full((2, states), -1e9, np.float32), np.zeros((len(coded), states), np.uint8)
    bits = np.empty(len(coded), np.uint8)
    _viterbi(coded, _EXPECTED, metrics, came_from_upper, bits)
    return bits[:PAYLOAD_BITS]


def _expected() -> FloatArray:
    """What each register (memory and newest bit) sends: float32 (512, 3), +1 for 0 and -1 for 1."""
    registers = range(1 << (MEMORY + 1))
    sent = [[1 - 2 * ((register & generator).bit_count() & 1) for generator in GENERATORS] for register in registers]
    return np.array(sent, np.float32)


_EXPECTED: Final = _expected()


@compiled
def _viterbi(
    likelihoods: FloatArray, expected: FloatArray, metrics: FloatArray, came_from_upper: UInt8Array, bits: UInt8Array
) -> None:
    """Maximum-likelihood path through the code's trellis, from state 0 to state 0: its input bits, uint8 (n,).

    ``metrics``, float32 (2, states), -1e9 before, and ``came_from_upper``, uint8 (n, states), are room for the way.
    """
    steps, states = likelihoods.shape[0], expected.shape[0] // 2
    metric, following = metrics[0], metrics[1]
    metric[0] = 0.0
    for step in range(steps):
        a, b, c = likelihoods[step, 0], likelihoods[step, 1], likelihoods[step, 2]
        for state in range(states):
            # The new state is the old one shifted by the newest bit; two old states differ in the bit shifted out.
            low, high = state, state + states
            upper = metric[high >> 1] + a * expected[high, 0] + b * expected[high, 1] + c * expected[high, 2]
            lower = metric[low >> 1] + a * expected[low, 0] + b * expected[low, 1] + c * expected[low, 2]
            came_from_upper[step, state] = upper > lower
            following[state] = max(upper, lower)
        metric, following = following, metric
    state = 0
    for step in range(steps - 1, -1, -1):
        bits[step] = state & 1
        state = (state + states * came_from_upper[step, state]) >> 1


def _check(said: int) -> int:
    return zlib.crc32(said.to_bytes((_VERSION_BITS + ID_BITS + 7) // 8, "big"))


def _bits(number: int, count: int) -> UInt8Array:
    return np.array([number >> place & 1 for place in range(count - 1, -1, -1)], np.uint8)
