"""Opens and runs the embedded ONNX models, with numpy.

ONNX Runtime would take 75 MB of every process and a tenth of a second of every start, for two small networks of which
each is asked once or so a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from understudy.arrays import FloatArray
from understudy.errors import ModelError, NoMemoryError
from understudy.models import layers
from understudy.models.layers import ScaledWeights, Value
from understudy.models.onnx_graph import Graph, Node, read_graph
from understudy.models.runtime import read_embedded


@dataclass(frozen=True)
class _Step:
    """A node that is ready to be computed.

    Attributes:
        compute: What to call with its inputs.
        inputs: Names of results that go in, or what is known from the start.
        output: Name of what comes out.
        last: Results that no later step needs.
    """

    compute: Callable[..., FloatArray]
    inputs: tuple[str | Value, ...]
    output: str
    last: tuple[str, ...]


class OnnxModel:
    """One embedded model with one input and one output. For several threads at once.

    Args:
        name: File name under ``understudy/models/embedded``.

    Raises:
        ModelError: the file is not in the installed package, or is damaged.
    """

    def __init__(self, name: str) -> None:
        content = read_embedded(name)
        try:
            graph = read_graph(content)
            self._steps = tuple(_steps(graph))
        except ValueError as fault:
            reason = f"the embedded model {name} does not open: {fault}"
            raise ModelError(reason, "Install the package again with pip.") from fault
        self.name, self._graph = name, graph

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height of the picture it takes."""
        height, width = self._graph.input_shape[2:]
        return width, height

    def run(self, pictures: FloatArray) -> FloatArray:
        """Run once.

        Args:
            pictures: float32 (N, 3, H, W), at least one, of ``input_size``, in the model's own colour order and range.

        Returns:
            Its output, float32 (N, D).

        Raises:
            NoMemoryError: there is not enough.
            ValueError: the pictures are of another size.
        """
        if pictures.ndim != len(self._graph.input_shape) or pictures.shape[1:] != self._graph.input_shape[1:]:
            raise ValueError(f"pictures of {pictures.shape} for {self.name}, which takes {self._graph.input_shape}")
        try:
            return np.concatenate([self._one(pictures[number : number + 1]) for number in range(len(pictures))])
        except MemoryError as fault:
            raise NoMemoryError(f"for {self.name}", "Close other programs.") from fault

    def _one(self, picture: FloatArray) -> FloatArray:
        found = {self._graph.input: picture}
        for step in self._steps:
            inputs = [found[one] if isinstance(one, str) else one for one in step.inputs]
            found[step.output] = step.compute(*inputs)
            for name in step.last:
                del found[name]
        return found[self._graph.output]


def _steps(graph: Graph) -> Iterator[_Step]:
    """The graph's nodes, made ready.

    Raises:
        ValueError: one is not computed here.
    """
    known: dict[str, Value] = dict(graph.constants)
    needed = {name: number for number, node in enumerate(graph.nodes) for name in node.inputs}
    there = {graph.input}
    for number, node in enumerate(graph.nodes):
        inputs = tuple(known.get(name, name) for name in node.inputs)
        if len(node.outputs) != 1 or any(isinstance(one, str) and one not in there for one in inputs):
            raise ValueError(f"a step {node.operator} before what it needs, or with several results")
        (output,) = node.outputs
        if node.operator == "DequantizeLinear":
            known[output] = _scaled(node, known)
            continue
        there.add(output)
        last = {name for name in node.inputs if name in there and needed[name] == number}
        yield _Step(_ready(node), inputs, output, tuple(sorted(last)))
    if graph.output not in there:
        raise ValueError("it has no end")


def _scaled(node: Node, known: dict[str, Value]) -> ScaledWeights:
    values, scales = (known.get(name) for name in node.inputs)
    if not (isinstance(values, np.ndarray) and isinstance(scales, np.ndarray) and node.attributes == {"axis": 0}):
        raise ValueError("scales of something else than rows of weights")
    return ScaledWeights(values, scales)


def _ready(node: Node) -> Callable[..., FloatArray]:
    """What computes a node."""
    windowed, allowed = _WINDOWED.get(node.operator, (None, frozenset()))
    lists = all(isinstance(value, tuple) for value in node.attributes.values())
    if windowed is not None and lists and {"kernel_shape"} <= node.attributes.keys() <= allowed:
        return partial(windowed, attributes=node.attributes)
    plain, says = _PLAIN.get(node.operator, (None, {}))
    if plain is None or node.attributes != says:
        raise ValueError(f"a step {node.operator} of a kind that is not computed here: {node.attributes}")
    return plain


def _flat(values: FloatArray) -> FloatArray:
    return values.reshape(len(values), -1)


def _positive(values: FloatArray) -> FloatArray:
    return np.maximum(values, np.float32(0))


#: The operators that have a window, by ONNX's names: what computes them, and the attributes that it heeds.
_WINDOWED: Final[Mapping[str, tuple[Callable[..., FloatArray], frozenset[str]]]] = {
    "Conv": (layers.convolution, frozenset({"kernel_shape", "strides", "pads"})),
    "MaxPool": (layers.largest, frozenset({"kernel_shape", "strides", "pads"})),
    "AveragePool": (layers.mean, frozenset({"kernel_shape", "strides"})),
}
#: The others, and the attributes that they must have.
_PLAIN: Final[Mapping[str, tuple[Callable[..., FloatArray], Mapping[str, int]]]] = {
    "GlobalAveragePool": (layers.mean_of_all, {}),
    "Relu": (_positive, {}),
    "Add": (np.add, {}),
    "Sub": (np.subtract, {}),
    "Mul": (np.multiply, {}),
    "Pad": (layers.filled, {}),
    "Flatten": (_flat, {}),
    "MatMul": (np.matmul, {}),
    "Gemm": (layers.weighed, {"transB": 1}),
    "Softmax": (layers.probabilities, {"axis": 1}),
}
