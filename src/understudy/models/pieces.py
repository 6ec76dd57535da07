"""How many pieces an ONNX file is made of, counted before they are made.

Such a file is a protocol buffer: pieces in pieces, each of two bytes at least, and of some hundred once it is read.
Weights are few and long; a hundred megabytes of nothing take gigabytes and a quarter of an hour.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from onnx import ModelProto

from understudy.models.protobuf import FIXED, LENGTH, VARINT, varint

#: Most pieces of a file: the largest graphs of the field have some ten thousand nodes.
MOST_PIECES: Final = 300_000
#: Most bytes of numbers that are written one by one, and take up to eight times as much.
MOST_NUMBERS: Final = 100_000_000
#: How deep pieces may lie in each other, as protocol buffers have it.
_DEEPEST: Final = 100


def too_many_pieces(data: bytes) -> bool:
    """Whether a file has more pieces than a graph has. What is no protocol buffer at all is left to its reader."""
    pieces = numbers = 0
    waiting: list[tuple[int, int, Any, int]] = [(0, len(data), ModelProto.DESCRIPTOR, 0)]
    try:
        while waiting:
            place, end, kind, depth = waiting.pop()
            inner, packed = _fields(kind)
            while place < end:
                pieces += 1
                if pieces > MOST_PIECES or numbers > MOST_NUMBERS:
                    return True
                key, place = varint(data, place)
                wire, field = key & 7, key >> 3
                if wire == LENGTH:
                    length, place = varint(data, place)
                    if field in inner:
                        if depth >= _DEEPEST:
                            return True
                        waiting.append((place, min(place + length, end), inner[field], depth + 1))
                    elif field in packed:
                        numbers += length
                    place += length
                elif wire == VARINT:
                    _, place = varint(data, place)
                elif wire in FIXED:
                    place += FIXED[wire]
                else:
                    return False  # no such file: its reader says so
    except IndexError:
        return False  # it breaks off
    return False


@cache
def _fields(kind: Any) -> tuple[dict[int, Any], frozenset[int]]:  # noqa: ANN401 - protobuf's descriptors have no type
    """The fields of a kind of piece that hold pieces, and those that hold rows of numbers."""
    inner = {field.number: field.message_type for field in kind.fields if field.message_type is not None}
    rows = (field.number for field in kind.fields if field.message_type is None and field.type in _WHOLE_NUMBERS)
    return inner, frozenset(rows)


#: Of protobuf's types (FieldDescriptor): those that are written with as many bytes as a number needs.
_WHOLE_NUMBERS: Final = frozenset((3, 4, 5, 8, 13, 14, 17, 18))
