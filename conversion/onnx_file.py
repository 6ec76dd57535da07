"""Writes ONNX files: the few protobuf messages that a small graph takes (``onnx.proto``, protobuf's wire format).

The same graph gives the same bytes with every version of every package, which is why the package ``onnx`` is not used.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping, Sequence
from typing import Final

#: Format and operators of the files: what ONNX Runtime reads from 1.17 on.
_IR, _OPSET = 8, 17
#: Types of elements: of ``constant``, with the code that ONNX has for each.
FLOAT32: Final = 1
INT8: Final = 3
INT64: Final = 7
#: ONNX's codes of attributes.
_NUMBER, _NUMBERS = 2, 7

Attribute = int | Sequence[int]
Axes = Sequence[int | str]


class OnnxFile:
    """A graph, written node by node.

    Args:
        name: Of the graph.
        note: Where it comes from, for whoever opens it.
    """

    def __init__(self, name: str, note: str) -> None:
        self._name, self._note = name, note
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, kind: int, shape: Sequence[int], content: bytes) -> str:
        """A constant; its name.

        Args:
            kind: ``FLOAT32``, ``INT8`` or ``INT64``.
            shape: Its axes.
            content: Its values, the last axis and the lowest byte first.
        """
        name = f"c{len(self._constants)}"
        axes = b"".join(_number(1, axis) for axis in shape)
        self._constants.append(axes + _number(2, kind) + _text(8, name) + _bytes(9, content))
        return name

    def floats(self, values: Sequence[float], shape: Sequence[int] | None = None) -> str:
        """A constant of float32; its name. Its shape is that of a list if None."""
        return self.constant(
            FLOAT32, (len(values),) if shape is None else shape, struct.pack(f"<{len(values)}f", *values)
        )

    def integers(self, *values: int) -> str:
        """A list of int64 as a constant; its name."""
        return self.constant(INT64, (len(values),), struct.pack(f"<{len(values)}q", *values))

    def in_bytes(self, rows: Sequence[Sequence[float]], shape: Sequence[int]) -> str:
        """Weights in 8 bits, each row with a scale of its own, and multiplied by it; the product's name.

        Args:
            rows: The weights by the first axis, as many in each.
            shape: Their axes.

        Raises:
            OverflowError: a weight is beyond all measure, large or small.
        """
        scales, content = [], array("b")
        for row in rows:
            scale = _single(max(map(abs, row)) / 127) or 1.0
            scales.append(scale)
            content.extend([round(value / scale) for value in row])
        kept = self.constant(INT8, shape, content.tobytes())
        return self.node("DequantizeLinear", kept, self.floats(scales), axis=0)

    def node(self, operator: str, *inputs: str, name: str | None = None, **attributes: Attribute) -> str:
        """A node with one output; that output's name.

        Args:
            operator: ONNX's name of what is done.
            inputs: Names of outputs and constants, or of the graph's inputs.
            name: Of the output; one is made if None.
            attributes: By ONNX's names.
        """
        output = name or f"n{len(self._nodes)}"
        parts = [_text(1, one) for one in inputs] + [_text(2, output), _text(4, operator)]
        parts += [_bytes(5, _attribute(key, value)) for key, value in sorted(attributes.items())]
        self._nodes.append(b"".join(parts))
        return output

    def finished(self, inputs: Mapping[str, Axes], outputs: Mapping[str, Axes]) -> bytes:
        """The file.

        Args:
            inputs: The axes of each, float32: a number, or a name for one that is open.
            outputs: Likewise.
        """
        graph = b"".join(_bytes(1, node) for node in self._nodes) + _text(2, self._name)
        graph += b"".join(_bytes(5, constant) for constant in self._constants)
        graph += b"".join(_bytes(11, _end(*end)) for end in inputs.items())
        graph += b"".join(_bytes(12, _end(*end)) for end in outputs.items())
        return _number(1, _IR) + _text(6, self._note) + _bytes(7, graph) + _bytes(8, _number(2, _OPSET))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _NUMBER)
    return _text(1, name) + b"".join(_number(8, one) for one in value) + _number(20, _NUMBERS)


def _end(name: str, axes: Axes) -> bytes:
    """An input or output of the graph."""
    shape = b"".join(_bytes(1, _text(2, axis) if isinstance(axis, str) else _number(1, axis)) for axis in axes)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, FLOAT32) + _bytes(2, shape)))


def _varint(value: int) -> bytes:
    """A whole number, 0 or more, seven bits a byte."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _single(value: float) -> float:
    """A number as float32 holds it, rounded to the nearest."""
    rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return rounded
