"""Reads ONNX files: the graph's nodes and constants (``onnx.proto``, protobuf's wire format).

Only what ``onnx_file`` can write is read: everything else in a file is passed over, and what a graph needs and is not
there is an error. Nothing in a file decides how much memory is taken: it is a few times the file's own bytes.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conversion.onnx_file import FLOAT32, Attribute
from conversion.protobuf import fields, varint, wrong

#: ONNX's codes of attributes that are read.
_NUMBER, _NUMBERS = 2, 7


@dataclass(frozen=True)
class Node:
    """One step of a graph.

    Attributes:
        operator: ONNX's name of what is done.
        inputs: Names of outputs and constants, or of the graph's inputs.
        outputs: Names of what comes out.
        attributes: Whole numbers, and lists of them. Others are left out.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]


@dataclass(frozen=True)
class Constant:
    """Weights of a graph.

    Attributes:
        shape: Its axes.
        values: The last axis fastest.
    """

    shape: tuple[int, ...]
    values: array[float]


@dataclass(frozen=True)
class Graph:
    """What a file holds.

    Attributes:
        nodes: In the order in which they are computed.
        constants: Those of float32, by name.
        inputs, outputs: Names of the graph's ends.
    """

    nodes: Sequence[Node]
    constants: dict[str, Constant]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def read_graph(data: bytes) -> Graph:
    """The graph in a file.

    Raises:
        WrongFileError: it is damaged, or no ONNX file.
    """
    graph = _one(data, 7)
    constants = dict(_constant(part) for part in _parts(graph, 5) if _kind(part) == FLOAT32)
    ends = [tuple(_text(_one(end, 1)) for end in _parts(graph, field)) for field in (11, 12)]
    return Graph([_node(part) for part in _parts(graph, 1)], constants, ends[0], ends[1])


def _node(data: bytes) -> Node:
    attributes: dict[str, Attribute] = {}
    for part in _parts(data, 5):
        kinds = list(_numbers(part, 20))
        if kinds == [_NUMBER]:
            attributes[_text(_one(part, 1))] = _number(part, 3)
        elif kinds == [_NUMBERS]:
            attributes[_text(_one(part, 1))] = tuple(_numbers(part, 8))
    names = [tuple(_text(name) for name in _parts(data, field)) for field in (1, 2)]
    return Node(_text(_one(data, 4)), names[0], names[1], attributes)


def _kind(data: bytes) -> int:
    """ONNX's code of a constant's type."""
    return _number(data, 2)


def _constant(data: bytes) -> tuple[str, Constant]:
    """A constant of float32, by its name."""
    name, shape, content = _text(_one(data, 8)), tuple(_numbers(data, 1)), _one(data, 9)
    if len(content) != 4 * math.prod(shape):
        raise wrong(f"{len(content)} bytes of weights where {shape} was expected")
    values = array("f", content)
    if sys.byteorder != "little":
        values.byteswap()
    if not all(map(math.isfinite, values)):
        raise wrong("a weight that is no number")
    return name, Constant(shape, values)


def _one(data: bytes, field: int) -> bytes:
    """The content of a field that is there once."""
    found = list(_parts(data, field))
    if len(found) != 1:
        raise wrong(f"field {field} {len(found)} times where it was expected once")
    return found[0]


def _parts(data: bytes, field: int) -> Iterator[bytes]:
    """The content of each field of that number that has bytes, text or a message."""
    return (content for number, content in fields(data) if number == field and isinstance(content, bytes))


def _number(data: bytes, field: int) -> int:
    """A whole number; 0 if it is not there, as protobuf has it."""
    return next(iter(_numbers(data, field)), 0)


def _numbers(data: bytes, field: int) -> Iterator[int]:
    """The whole numbers of a field, one by one or packed."""
    for number, content in fields(data):
        if number == field and isinstance(content, int):
            yield content
        elif number == field and isinstance(content, bytes):
            at = 0
            while at < len(content):
                value, at = varint(content, at)
                yield value


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as fault:
        raise wrong("no text") from fault
