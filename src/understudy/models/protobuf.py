"""Reads protocol buffers: whole numbers, and the fields of a message by their numbers (protobuf.dev, "Encoding").

Whoever needs all of a format's fields reads it with the format's own package. This one is for what must not take that
package's memory and time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

#: How a field is written, and the bytes of those that have a fixed length.
VARINT: Final = 0
LENGTH: Final = 2
FIXED: Final = {1: 8, 5: 4}


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message, by number, in their order: whole numbers, and all else as bytes, which are not copied.

    Raises:
        ValueError: it is damaged, or no message.
    """
    place = 0
    while place < len(data):
        try:
            key, place = varint(data, place)
            kind = key & 7
            if kind == VARINT:
                value, place = varint(data, place)
                yield key >> 3, value
                continue
            length, place = varint(data, place) if kind == LENGTH else (FIXED[kind], place)
        except (IndexError, KeyError) as fault:
            raise ValueError("it breaks off, or is none") from fault
        if place + length > len(data):
            raise ValueError("it breaks off")
        yield key >> 3, data[place : place + length]
        place += length


def varint(data: bytes | memoryview, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends.

    Raises:
        IndexError: the bytes end before it, or it is longer than 64 bits.
    """
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 63:
            raise IndexError
