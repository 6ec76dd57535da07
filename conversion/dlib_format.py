"""Reads what dlib's files are made of: numbers, flags, words, tensors (dlib's ``serialize.h`` and ``tensor.h``)."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Sequence

#: Bytes of the longest whole number, and of the longest word, that a file may hold.
_LONGEST_NUMBER, _LONGEST_WORD = 8, 64


class WrongFileError(ValueError):
    """A file is damaged, or another one than was meant."""


class DlibReader:
    """Reads a file from its start to its end. It never takes more memory than the file has bytes.

    Args:
        data: The whole file.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def integer(self) -> int:
        """A whole number: a byte with its sign and length, then so many bytes, the lowest first.

        Raises:
            WrongFileError: there is none here.
        """
        (head,) = self._take(1)
        length = head & 0x0F
        if head & 0x70 or not 1 <= length <= _LONGEST_NUMBER:
            raise self._wrong("no whole number")
        value = int.from_bytes(self._take(length), "little")
        return -value if head & 0x80 else value

    def number(self) -> float:
        """A fraction: a whole number times a power of two.

        Raises:
            WrongFileError: there is none here, or it is not finite.
        """
        mantissa, exponent = self.integer(), self.integer()
        if abs(exponent) > 1000:  # dlib's way to write infinity and what is no number
            raise self._wrong("no finite number")
        return math.ldexp(mantissa, exponent)

    def flag(self) -> bool:
        """Yes or no.

        Raises:
            WrongFileError: it is neither.
        """
        value = self._take(1)
        if value not in (b"0", b"1"):
            raise self._wrong("no flag")
        return value == b"1"

    def expect(self, what: str, *values: int) -> None:
        """Whole numbers that must be these.

        Args:
            what: What they are called in messages.
            values: In the file's order.

        Raises:
            WrongFileError: one is another.
        """
        found = tuple(self.integer() for _ in values)
        if found != values:
            raise self._wrong(f"{what} {found}, not {values}")

    def expect_word(self, word: str) -> None:
        """A word that must be this one.

        Raises:
            WrongFileError: it is another.
        """
        length = self.integer()
        if not 0 <= length <= _LONGEST_WORD or self._take(length) != word.encode():
            raise self._wrong(f"not the word {word!r}")

    def tensor(self, shape: Sequence[int]) -> array[float]:
        """A tensor of float32, which must have this shape of four axes: its values, the last axis fastest.

        Raises:
            WrongFileError: it has another shape, or holds what is not finite.
        """
        self.expect("version of a tensor", 2)
        self.expect("shape of a tensor", *shape)
        values = array("f", self._take(4 * math.prod(shape)))
        if sys.byteorder == "big":
            values.byteswap()
        if not math.isfinite(sum(values)):
            raise self._wrong("a tensor with what is no number")
        return values

    def alias(self, shape: Sequence[int]) -> None:
        """The shape of a part of a tensor, which must be this one.

        Raises:
            WrongFileError: it is another.
        """
        self.expect("version of a part", 1)
        self.expect("shape of a part", *shape)

    def finish(self) -> None:
        """The end of the file.

        Raises:
            WrongFileError: more follows.
        """
        if self._at != len(self._data):
            raise self._wrong(f"{len(self._data) - self._at} bytes more than expected")

    def _take(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise self._wrong("the end of the file")
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def _wrong(self, what: str) -> WrongFileError:
        return WrongFileError(f"the file is damaged or another one: {what} at byte {self._at}")
