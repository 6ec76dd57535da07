"""Damage: what disks, networks, editors and people do to files, out of a seed."""

from __future__ import annotations

import json
import random
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Final

Mutation = Callable[[bytes, random.Random, Sequence[bytes]], bytes]

_PNG: Final = b"\x89PNG\r\n\x1a\n"
#: Numbers that lengths, sizes and counts are made to be.
_LIES: Final = (0, 1, 7, 8, 0x7FFF, 0xFFFF, 0x10000, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
#: Words that text is made to hold.
_WORDS: Final = (
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"null",
    b"true",
    b"NaN",
    b"-1",
    b"1e999",
    b"99999999999999999999999999",
    b"9" * 5000,
    b"[" * 3000,
    b'{"a":' * 3000,
    b'"',
    b"'''",
    b"\x1b[2J",
    b"\r",
    b"9000-01-01T00:00:00.000+00:00",
    b"0000-00-00T99:99",
    b"99999-12-31",
    b"../../etc/passwd",
    "\u202e\u0661\u00b2".encode(),
    b"",
)
#: What a value in a file of settings is made to be.
_VALUES: Final = (
    0, -1, 1, 2, 0.5, 0.999, 1e-300, 1e300, 10**30, True, None, [], [0, 1], [0.3, 0.3], [1, 0], [1, 2, 3],
    {}, {"a": 1}, {"detector": "cpu"}, "", "all", "right", "pass", "freeze", "top-right", "mesh", "embedded", "cuda",
    "libx264", "x" * 5000,
    "\u202e\u0661", "a\0b", "../../etc/passwd", "home", "/dev/zero",
)  # fmt: skip


def revalued(data: bytes, dice: random.Random) -> tuple[bytes, str]:
    """JSON in which one to three values are others, and what was done to it."""
    whole, said = json.loads(data), []
    for _ in range(dice.choice((1, 1, 2, 3))):
        table = whole
        while isinstance(table[name := dice.choice(sorted(table))], dict) and table[name] and dice.random() < 0.95:
            table = table[name]
        table[name] = deepcopy(dice.choice(_VALUES))
        said.append(f"{name} is {str(table[name])[:40]!r}")
    return json.dumps(whole).encode(), ", ".join(said)


def flipped(data: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A few bits are the other way round."""
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16, 64))):
        if out:
            out[_place(out, dice)] ^= 1 << dice.randrange(8)
    return bytes(out)


def truncated(data: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """The end is missing."""
    return data[: _place(data, dice)]


def beheaded(data: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """The beginning is missing, or something stands before it."""
    return data[dice.randrange(1, 64) :] if dice.random() < 0.5 else dice.randbytes(dice.randrange(1, 64)) + data


def zeroed(data: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A stretch is zeros, or noise."""
    start, length = _place(data, dice), dice.choice((1, 4, 16, 256, 4096))
    filling = bytes(length) if dice.random() < 0.6 else dice.randbytes(length)
    return data[:start] + filling[: len(data) - start] + data[start + length :]


def removed(data: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A stretch is missing."""
    start = _place(data, dice)
    return data[:start] + data[start + dice.choice((1, 2, 4, 12, 100, 1000)) :]


def repeated(data: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """A stretch is there several times."""
    start, length = _place(data, dice), dice.choice((1, 4, 12, 64, 512, 4096))
    return data[:start] + data[start : start + length] * dice.choice((2, 2, 3, 50)) + data[start + length :]


def spliced(data: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """It goes on as another file of its kind."""
    other = dice.choice(others) if others else data
    return data[: _place(data, dice)] + other[_place(other, dice) :]


def lied(data: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """What looks like a length or a count is another one."""
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 3))):
        if len(out) < 8:
            break
        size = dice.choice((2, 4, 4, 4, 8))
        order = dice.choice(("big", "big", "little"))
        start = _place(out[:-size], dice)
        for at in range(start, min(start + 4096, len(out) - size)):
            if 0 < int.from_bytes(out[at : at + size], order) <= len(out):
                start = at
                break
        value = dice.choice((*_LIES, dice.randrange(1 << 32), len(out), len(out) * 2)) % (1 << (8 * size))
        out[start : start + size] = value.to_bytes(size, order)
    return bytes(out)


def reworded(data: bytes, dice: random.Random, _: Sequence[bytes]) -> bytes:
    """In a text, a word or number is something else, a line is doubled or gone, or the encoding another."""
    how = dice.randrange(6)
    if how == 0:
        lines = data.splitlines(keepends=True) or [b""]
        at = dice.randrange(len(lines))
        lines[at : at + 1] = [] if dice.random() < 0.5 else [lines[at]] * dice.choice((2, 2000))
        return b"".join(lines)
    if how == 1:
        encoding = dice.choice(("utf-16", "utf-32", "utf-16-le", "utf-8-sig", "utf-7"))
        return data.decode("utf-8", "replace").encode(encoding)
    words = list(re.finditer(rb"[\w.+-]+", data))
    if not words:
        return dice.choice(_WORDS)
    word = dice.choice(words)
    if how == 2:
        other = dice.choice(words).group()
        return data[: word.start()] + other + data[word.end() :]
    return data[: word.start()] + dice.choice(_WORDS) + data[word.end() :]


BINARY: Final[tuple[Mutation, ...]] = (
    flipped, flipped, truncated, beheaded, zeroed, removed, repeated, spliced, lied, lied, lied,
)  # fmt: skip
TEXT: Final[tuple[Mutation, ...]] = (flipped, truncated, zeroed, removed, repeated, spliced, reworded, reworded)


def damaged(data: bytes, dice: random.Random, others: Sequence[bytes], *, text: bool = False) -> tuple[bytes, str]:
    """A damaged copy, and what was done to it."""
    steps = []
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        mutation = dice.choice(TEXT if text else BINARY)
        data = mutation(data, dice, others)
        steps.append(mutation.__name__)
    if data.startswith(_PNG) and dice.random() < 0.6:
        data = _with_checksums(data)
        steps.append("checksums")
    return data, " ".join(steps)


def _place(data: bytes | bytearray, dice: random.Random) -> int:
    """Somewhere in a file: as often near its beginning or end, where its structure is said."""
    if not len(data):
        return 0
    near = min(len(data), dice.choice((64, 512, 4096)))
    return dice.choice((dice.randrange(len(data)), dice.randrange(near), len(data) - 1 - dice.randrange(near)))


def _with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks have right checksums again, as whoever makes one on purpose would have them."""
    out, at = bytearray(data), len(_PNG)
    while at + 12 <= len(out):
        (length,) = struct.unpack_from(">I", out, at)
        if at + 12 + length > len(out):
            break
        struct.pack_into(">I", out, at + 8 + length, zlib.crc32(out[at + 4 : at + 8 + length]))
        at += 12 + length
    return bytes(out)
