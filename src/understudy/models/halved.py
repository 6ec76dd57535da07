"""Graphs in half precision: weights stored in 16 bits, and layers that a device computes so.

What multiplies by stored weights (convolutions, matrices) and what only passes numbers on from there has 16 bits;
norms, roots, sums over a picture, resizing and all else keep 32, with a cast between both. So does a layer whose
weights 16 bits do not hold, or whose numbers come near the largest that they hold (65504): there half precision gives
black squares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from understudy.arrays import AnyArray
from understudy.models.graphs import in_single, names_read

#: The largest number of a layer that may be computed in half precision: an eighth of the largest that there is, since
#: other pictures have larger ones.
MOST: Final = float(np.finfo(np.float16).max) / 8
#: What is added to the name of a value for the same in 16 bits.
_MARK: Final = ":half"
#: Operators that multiply by weights.
_HEAVY: Final = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
#: Operators that pass numbers on, and which of their inputs those are; None: all. ``Add`` and ``Mul`` see below.
_PASSING: Final[dict[str, tuple[int, ...] | None]] = {
    "Add": None,
    "Concat": None,
    "DepthToSpace": (0,),
    "Flatten": (0,),
    "Identity": (0,),
    "LeakyRelu": (0,),
    "MaxPool": (0,),
    "Mul": None,
    "PRelu": None,
    "Pad": (0, 2),
    "Relu": (0,),
    "Reshape": (0,),
    "Slice": (0,),
    "Squeeze": (0,),
    "Transpose": (0,),
    "Unsqueeze": (0,),
}


@dataclass(frozen=True)
class HalfLayer:
    """A layer that can have half precision.

    Attributes:
        output: The name of what comes out: no other layer has it.
        inputs: Names of what goes in and is no constant.
        loss: What its weights lose, as a share of how large they are (roots of mean squares); infinite where 16 bits
            do not hold them.
    """

    output: str
    inputs: tuple[str, ...]
    loss: float


def half_layers(model: ModelProto) -> list[HalfLayer]:
    """The layers that multiply by stored weights in single precision, in the graph's order."""
    constants = _weights(model)
    found = []
    for node in model.graph.node:
        stored = [constants[name] for name in node.input if name in constants]
        if node.op_type in _HEAVY and stored and len(node.output) == 1:
            loss = max(_loss(numpy_helper.to_array(one)) for one in stored)
            passed = tuple(name for name in node.input if name and name not in constants)
            found.append(HalfLayer(node.output[0], passed, loss))
    return found


def halved(model: ModelProto, chosen: Collection[HalfLayer]) -> ModelProto:
    """A copy of a graph with some layers in half precision. What goes in and comes out of it stays in single.

    Args:
        model: The graph, in single precision.
        chosen: Which layers.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    _Halving(copy, {layer.output for layer in chosen}).done()
    return copy


def computed_in_half(model: ModelProto) -> ModelProto:
    """A graph in single precision that gives what a device gives that computes the layers of ``halved`` in half.

    Each such layer is summed up in single precision, as graphics cards do, and what comes out is rounded to 16 bits: so
    this is for a CPU to see what happens there.
    """
    widened = in_single(model)
    graph = widened.graph
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        graph.node.append(node)
        for place, name in enumerate(node.output):
            if name.endswith(_MARK):
                whole, short = f"{name}:whole", f"{name}:short"
                graph.node[-1].output[place] = whole
                graph.node.append(_cast(whole, short, TensorProto.FLOAT16))
                graph.node.append(_cast(short, name, TensorProto.FLOAT))
    return widened


class _Halving:
    """Puts half precision into a graph, node by node.

    Args:
        model: It is changed.
        chosen: Names of what comes out of the layers that have half precision.
    """

    def __init__(self, model: ModelProto, chosen: Collection[str]) -> None:
        self._graph, self._chosen = model.graph, chosen
        self._constants = _weights(model)
        self._nodes: list[NodeProto] = []
        #: Values that were made in half precision; values that are there in single, in half.
        self._made: set[str] = set()
        self._single: set[str] = set()
        self._half: set[str] = set()
        self._shorter: dict[str, TensorProto] = {}

    def done(self) -> None:
        """Do it."""
        graph = self._graph
        for node in list(graph.node):
            places = self._places(node)
            if places is None:
                for name in names_read(node):
                    self._widen(name)
                self._nodes.append(node)
            else:
                self._shorten(node, places)
        outputs = [one.name for one in graph.output]
        for name in outputs:
            self._widen(name)
        del graph.node[:]
        graph.node.extend(self._nodes)
        still = {name for node in self._nodes for name in names_read(node)} | set(outputs)
        # New ones in front: a projection of embeddings is known by being the last, and nothing reads it.
        kept = [one for one in graph.initializer if one.name in still or one.name not in self._shorter]
        gone = {one.name for one in graph.initializer} - {one.name for one in kept}
        inputs = [one for one in graph.input if one.name not in gone]  # where older files list constants
        del graph.initializer[:], graph.input[:], graph.value_info[:]
        graph.initializer.extend([*self._shorter.values(), *kept])
        graph.input.extend(inputs)

    def _places(self, node: NodeProto) -> tuple[int, ...] | None:
        """Which inputs of a node are to be in half precision; None if it stays in single."""
        every = tuple(place for place, name in enumerate(node.input) if name)
        if node.op_type in _HEAVY:
            return every if node.output[0] in self._chosen else None
        if node.op_type not in _PASSING or len(node.output) != 1:
            return None
        places = _PASSING[node.op_type]
        places = every if places is None else tuple(place for place in places if place in every)
        names = [node.input[place] for place in places]
        made = [name for name in names if name in self._made]
        if not made or not all(name in self._made or self._holds(name) for name in names):
            return None
        # A product of two values may be far larger than both.
        return None if node.op_type == "Mul" and len(made) > 1 else places

    def _holds(self, name: str) -> bool:
        """Whether this is a constant, and half precision holds it."""
        return name in self._constants and bool(_loss(numpy_helper.to_array(self._constants[name])) < 1)

    def _shorten(self, node: NodeProto, places: Iterable[int]) -> None:
        """Compute a node in half precision."""
        for place in places:
            name = node.input[place]
            shorter = name + _MARK
            if name in self._constants:
                if name not in self._shorter:
                    values = numpy_helper.to_array(self._constants[name]).astype(np.float16)
                    self._shorter[name] = numpy_helper.from_array(values, shorter)
            elif name not in self._half:
                self._nodes.append(_cast(name, shorter, TensorProto.FLOAT16))
                self._half.add(name)
            node.input[place] = shorter
        for place, name in enumerate(node.output):
            node.output[place] = name + _MARK
            self._made.add(name)
            self._half.add(name)
        self._nodes.append(node)

    def _widen(self, name: str) -> None:
        """Have a value in single precision, too."""
        if name in self._made and name not in self._single:
            self._nodes.append(_cast(name + _MARK, name, TensorProto.FLOAT))
            self._single.add(name)


def _weights(model: ModelProto) -> Mapping[str, TensorProto]:
    """Constants in single precision, by name."""
    return {tensor.name: tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT}


def _loss(weights: AnyArray) -> float:
    """What weights lose in half precision: see ``HalfLayer``."""
    exact = weights.astype(np.float64)
    with np.errstate(over="ignore"):
        lost = float(np.mean((weights.astype(np.float16).astype(np.float64) - exact) ** 2)) if weights.size else 0.0
    size = float(np.mean(exact**2)) if weights.size else 0.0
    return float(np.sqrt(lost / size)) if size > 0 and np.isfinite(lost) else 0.0 if size == 0 else float("inf")


def _cast(name: str, to: str, kind: int) -> NodeProto:
    return helper.make_node("Cast", [name], [to], f"{to}:cast:{kind}", to=kind)
