"""What goes into a graph and what comes out of it, as its file says: names, shapes, types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from onnx import ModelProto, TensorProto, ValueInfoProto

#: ONNX Runtime's names of types; all others are whole numbers to it and to us.
_TYPES: Final[dict[int, str]] = {
    TensorProto.FLOAT: "tensor(float)",
    TensorProto.FLOAT16: "tensor(float16)",
    TensorProto.DOUBLE: "tensor(double)",
}


@dataclass(frozen=True)
class End:
    """One input or output, as ONNX Runtime's ``NodeArg`` tells it.

    Attributes:
        name: In the graph.
        type: ONNX Runtime's name of it.
        shape: Numbers, and names or None for open axes.
    """

    name: str
    type: str
    shape: tuple[int | str | None, ...]


@dataclass(frozen=True)
class Ends:
    """All of them, in the graph's order."""

    inputs: Sequence[End]
    outputs: Sequence[End]


def ends_of(model: ModelProto) -> Ends:
    """The ends of a graph. Older files list constants among the inputs: these are left out."""
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = (one for one in model.graph.input if one.name not in constants)
    return Ends(_listed(inputs), _listed(model.graph.output))


def _listed(values: Iterable[ValueInfoProto]) -> tuple[End, ...]:
    found = []
    for value in values:
        tensor = value.type.tensor_type
        shape = (axis.dim_value or axis.dim_param or None for axis in tensor.shape.dim)
        found.append(End(value.name, _TYPES.get(tensor.elem_type, "tensor(int64)"), tuple(shape)))
    return tuple(found)
