"""Reads protocol buffers: the fields of a message by their numbers (protobuf.dev, "Encoding").

Nothing in a file decides how much memory is taken: it is a few times the file's own bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from conversion.dlib_format import WrongFileError

#: Codes of how a field is written, and the lengths of those that have a fixed one.
_VARINT, _BYTES, _FLOAT = 0, 2, 5
_FIXED: Final = {1: 8, _FLOAT: 4}
#: Most bytes of a whole number.
_LONGEST: Final = 10


def fields(data: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """The fields of a message, by number, in their order: whole numbers, numbers of four bytes, and all else as bytes.

    Raises:
        WrongFileError: it is damaged, or no message.
    """
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = varint(data, at)
            yield key >> 3, value
            continue
        length, at = varint(data, at) if kind == _BYTES else (_FIXED.get(kind, len(data) + 1), at)
        if at + length > len(data):
            raise wrong("the end of the file, or what was not expected")
        content = data[at : at + length]
        yield key >> 3, struct.unpack("<f", content)[0] if kind == _FLOAT else content
        at += length


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A whole number, seven bits a byte; and where it ends.

    Raises:
        WrongFileError: there is none.
    """
    value = 0
    for place in range(_LONGEST):
        if at + place >= len(data):
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise wrong("no whole number")


def wrong(found: str) -> WrongFileError:
    """What is raised where a file has something else than was expected."""
    return WrongFileError(f"the file is damaged or another one: it has {found}")
