"""Reads the graph in a TensorFlow Lite file, and exchanges constants in it (``schema.fbs`` of LiteRT, a FlatBuffer).

A file is tables, lists and numbers that point at each other by distances. What is exchanged is written behind the end,
and what pointed at the old content points there: nothing else moves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from conversion.dlib_format import WrongFileError

#: Content of constants starts at multiples of this many bytes.
_ALIGNED: Final = 16
#: The fields that are read, by their places in the schema's tables.
_CODES, _GRAPHS, _BUFFERS = 1, 2, 4
_TENSORS, _STEPS = 0, 3
_SHAPE, _TYPE, _BUFFER = 0, 1, 2
_CODE, _INPUTS, _OUTPUTS = 0, 1, 2
_OPERATOR, _CONTENT = 0, 0


class Step(NamedTuple):
    """One step of the graph: what is done (the schema's ``BuiltinOperator``), and numbers of tensors."""

    operator: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class TfliteFile:
    """One file with one graph, whose operators have codes below 127.

    Args:
        data: The whole file.

    Raises:
        WrongFileError: it is no such file.
    """

    def __init__(self, data: bytes) -> None:
        self._data = bytearray(data)
        if data[4:8] != b"TFL3":
            raise _wrong("no TensorFlow Lite file")
        model = self._pointed(0)
        (graph,) = self._only(self._tables(model, _GRAPHS))
        self._buffers = list(self._tables(model, _BUFFERS))
        self._tensors = list(self._tables(graph, _TENSORS))
        codes = [self._byte(code, _OPERATOR) for code in self._tables(model, _CODES)]
        self.steps: Sequence[Step] = [
            Step(_at(codes, self._number(step, _CODE)), self._numbers(step, _INPUTS), self._numbers(step, _OUTPUTS))
            for step in self._tables(graph, _STEPS)
        ]

    @property
    def content(self) -> bytes:
        """The file."""
        return bytes(self._data)

    def shape(self, tensor: int) -> tuple[int, ...]:
        """The axes of a tensor."""
        return self._numbers(_at(self._tensors, tensor), _SHAPE)

    def kind(self, tensor: int) -> int:
        """The schema's ``TensorType`` of a tensor."""
        return self._byte(_at(self._tensors, tensor), _TYPE)

    def constant(self, tensor: int) -> bytes:
        """A tensor's bytes; none if it is computed."""
        place = self._field(self._buffer(tensor), _CONTENT)
        if place is None:
            return b""
        start, count = self._list(place)
        return self._taken(start, count)

    def reshape(self, tensor: int, shape: Sequence[int]) -> None:
        """Give a tensor other axes, as many as it had."""
        place = self._field(_at(self._tensors, tensor), _SHAPE)
        if place is None or self._list(place)[1] != len(shape):
            raise _wrong("a tensor with another number of axes")
        start, _ = self._list(place)
        self._data[start : start + 4 * len(shape)] = struct.pack(f"<{len(shape)}i", *shape)

    def exchange(self, tensor: int, content: bytes) -> None:
        """Give a constant other bytes. Whatever else is stored in the same place has them, too."""
        place = self._field(self._buffer(tensor), _CONTENT)
        if place is None:
            raise _wrong("a constant without content")
        # The length comes first, and the content after it is what is aligned.
        self._data += bytes(-(len(self._data) + 4) % _ALIGNED)
        self._data[place : place + 4] = struct.pack("<I", len(self._data) - place)
        self._data += struct.pack("<I", len(content)) + content

    def _buffer(self, tensor: int) -> int:
        return _at(self._buffers, self._number(_at(self._tensors, tensor), _BUFFER))

    def _tables(self, table: int, field: int) -> Iterator[int]:
        """Where the tables of a list are."""
        place = self._field(table, field)
        if place is not None:
            start, count = self._list(place)
            self._taken(start, 4 * count)
            yield from (self._pointed(start + 4 * row) for row in range(count))

    def _numbers(self, table: int, field: int) -> tuple[int, ...]:
        place = self._field(table, field)
        if place is None:
            return ()
        start, count = self._list(place)
        return struct.unpack(f"<{count}i", self._taken(start, 4 * count))

    def _number(self, table: int, field: int) -> int:
        place = self._field(table, field)
        return 0 if place is None else self._unsigned(place)

    def _byte(self, table: int, field: int) -> int:
        place = self._field(table, field)
        return 0 if place is None else self._taken(place, 1)[0]

    def _list(self, place: int) -> tuple[int, int]:
        """Where the list's first entry is that is pointed at, and how many there are."""
        start = self._pointed(place)
        return start + 4, self._unsigned(start)

    def _field(self, table: int, field: int) -> int | None:
        """Where a field's content is; None if the table has none."""
        (back,) = struct.unpack("<i", self._taken(table, 4))
        (length,) = struct.unpack("<H", self._taken(table - back, 2))
        entry = 4 + 2 * field
        if entry + 2 > length:
            return None
        (distance,) = struct.unpack("<H", self._taken(table - back + entry, 2))
        return table + distance if distance else None

    def _pointed(self, place: int) -> int:
        return place + self._unsigned(place)

    def _unsigned(self, place: int) -> int:
        return int.from_bytes(self._taken(place, 4), "little")

    def _taken(self, place: int, count: int) -> bytes:
        if not 0 <= place <= place + count <= len(self._data):
            raise _wrong("something that points out of the file")
        return bytes(self._data[place : place + count])

    @staticmethod
    def _only(tables: Iterator[int]) -> list[int]:
        found = list(tables)
        if len(found) != 1:
            raise _wrong(f"{len(found)} graphs")
        return found


def _at(values: Sequence[int], number: int) -> int:
    if not 0 <= number < len(values):
        raise _wrong("something that points at nothing")
    return values[number]


def _wrong(found: str) -> WrongFileError:
    return WrongFileError(f"the file is damaged or another one: it has {found}")
