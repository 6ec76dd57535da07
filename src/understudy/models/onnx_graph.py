"""Reads small ONNX files without the package ``onnx``, which alone takes 13 MB and as long as the reading itself.

It is for the package's own files: graphs of a few operators, their weights as raw bytes (``onnx.proto``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from understudy.arrays import AnyArray
from understudy.models.protobuf import fields, varint

#: ONNX's codes of the types of weights.
_TYPES: Final[Mapping[int, np.dtype[Any]]] = {1: np.dtype("<f4"), 3: np.dtype("i1"), 7: np.dtype("<i8")}
#: ONNX's codes of attributes that are read: a whole number, and a list of them.
_NUMBER, _NUMBERS = 2, 7


@dataclass(frozen=True)
class Node:
    """One step of a graph.

    Attributes:
        operator: ONNX's name of what is done.
        inputs, outputs: Names of what goes in and comes out.
        attributes: Whole numbers, and lists of them. Others are left out.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, int | tuple[int, ...]]


@dataclass(frozen=True)
class Graph:
    """What a file holds.

    Attributes:
        nodes: In the order in which they are computed.
        constants: float32, int8 or int64, by name. Those of int8 lie in the file's own bytes.
        input: Name of what goes in.
        input_shape: Its axes; 0 for one that is open.
        output: Name of what comes out.
    """

    nodes: tuple[Node, ...]
    constants: dict[str, AnyArray]
    input: str
    input_shape: tuple[int, ...]
    output: str


def read_graph(data: bytes) -> Graph:
    """The graph in a file with one input and one output.

    Raises:
        ValueError: it is damaged, or no such file.
    """
    graph = _Message(_Message(memoryview(data)).part(7))
    start, end = _Message(graph.part(11)), _Message(graph.part(12))
    axes = _Message(_Message(_Message(start.part(2)).part(1)).part(2)).parts(1)
    return Graph(
        tuple(_node(part) for part in graph.parts(1)),
        dict(_constant(part) for part in graph.parts(5)),
        start.text(1),
        tuple(_Message(axis).number(1) for axis in axes),
        end.text(1),
    )


def _node(data: memoryview) -> Node:
    node = _Message(data)
    attributes: dict[str, int | tuple[int, ...]] = {}
    for attribute in map(_Message, node.parts(5)):
        kind = attribute.number(20)
        if kind == _NUMBER:
            attributes[attribute.text(1)] = attribute.number(3)
        elif kind == _NUMBERS:
            attributes[attribute.text(1)] = attribute.numbers(8)
    inputs, outputs = (tuple(str(name, "utf-8") for name in node.parts(field)) for field in (1, 2))
    return Node(node.text(4), inputs, outputs, attributes)


def _constant(data: memoryview) -> tuple[str, AnyArray]:
    constant = _Message(data)
    name, shape, content = constant.text(8), constant.numbers(1), constant.part(9)
    kind = _TYPES.get(constant.number(2))
    if kind is None:
        raise ValueError(f"weights {name} of another type")
    if len(content) != kind.itemsize * math.prod(shape):
        raise ValueError(f"{len(content)} bytes of weights where {shape} was expected")
    values = np.frombuffer(content, kind).reshape(shape)
    # What has several bytes lies anywhere in a file; a copy lies where the processor reads it quickly.
    return name, values if kind.itemsize == 1 else values.astype(kind.newbyteorder("="))


class _Message:
    """The fields of a message, by number.

    Raises:
        ValueError: it is damaged, or no message.
    """

    def __init__(self, data: memoryview) -> None:
        self._fields: dict[int, list[int | memoryview]] = {}
        for number, content in fields(data):
            self._fields.setdefault(number, []).append(content)

    def parts(self, field: int) -> list[memoryview]:
        """The content of each field of that number that has bytes, text or a message."""
        return [content for content in self._fields.get(field, ()) if not isinstance(content, int)]

    def part(self, field: int) -> memoryview:
        """The content of a field that is there once."""
        found = self.parts(field)
        if len(found) != 1:
            raise ValueError(f"field {field} {len(found)} times where it was expected once")
        return found[0]

    def text(self, field: int) -> str:
        """The text of a field that is there once."""
        return str(self.part(field), "utf-8")

    def numbers(self, field: int) -> tuple[int, ...]:
        """The whole numbers of a field, one by one or packed."""
        found: list[int] = []
        for content in self._fields.get(field, ()):
            if isinstance(content, int):
                found.append(content)
                continue
            place = 0
            while place < len(content):
                try:
                    value, place = varint(content, place)
                except IndexError as fault:
                    raise ValueError("a list of numbers breaks off") from fault
                found.append(value)
        return tuple(found)

    def number(self, field: int) -> int:
        """A whole number; 0 if it is not there, as protobuf has it."""
        return next(iter(self.numbers(field)), 0)
