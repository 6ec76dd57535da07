"""Convolutions in 8 bits: some layers of a graph quantised, as ONNX writes it (QuantizeLinear, DequantizeLinear).

The weights of a layer get one scale for each of its output channels, what goes into it one scale and one zero. Norms
and all else stay in single precision. Written here and not with ONNX Runtime's own tools, which choose layers by name
only, write files on the way, and say nothing of what each layer loses: that is measured in ``calibrating``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.version_converter import convert_version

from understudy.arrays import AnyArray, FloatArray
from understudy.errors import ModelError
from understudy.models.graphs import names_read

#: From which version of ONNX's operators on weights may have a scale for each channel.
LEAST_OPSET: Final = 13
#: How much of the largest weight is tried as the largest number that 8 bits hold: what lies beyond is cut off.
_SHARES: Final = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75)
_MOST: Final = 127
#: Values in a block at most: beyond it the sum is a longer way round, as in networks that go down and up.
_LONGEST: Final = 60


@dataclass(frozen=True)
class Layer:
    """A convolution that can be quantised.

    Attributes:
        node: Its name, which is made up where the file has none.
        input: What goes in.
        weights: The name of its weights.
        output: What comes out.
    """

    node: str
    input: str
    weights: str
    output: str


@dataclass(frozen=True)
class Range:
    """Between which numbers what goes into a layer lies; what lies beyond is cut off."""

    least: float
    most: float

    @property
    def scale(self) -> float:
        """What one step of 8 bits is worth."""
        return max(max(self.most, 0.0) - min(self.least, 0.0), 1e-9) / 255

    @property
    def zero(self) -> int:
        """Which of the 256 numbers is nothing."""
        return int(np.clip(round(-min(self.least, 0.0) / self.scale), 0, 255))

    def narrowed(self, share: float) -> Range:
        """The same, with both ends nearer to nothing."""
        return Range(self.least * share, self.most * share)


def prepared(model: ModelProto, name: str) -> ModelProto:
    """A copy of a graph into which layers of 8 bits can be put: every node has a name, and operators are new enough.

    Args:
        model: The graph, in single precision.
        name: What the model is called in messages.

    Raises:
        ModelError: its operators can't be brought up to date.
    """
    versions = [one.version for one in model.opset_import if one.domain in ("", "ai.onnx")]
    copy = ModelProto()
    if versions and max(versions) >= LEAST_OPSET:
        copy.CopyFrom(model)
    else:
        try:
            copy.CopyFrom(convert_version(model, LEAST_OPSET))
        except Exception as fault:  # of the converter, in whatever class
            raise ModelError(
                f"{name} is written in operators too old to be brought up to date",
                "It stays as it is: only models whose operators are new enough can be optimised.",
            ) from fault
        # What nothing uses is dropped on the way, and inswapper's projection of embeddings is such a constant.
        there = {tensor.name for tensor in copy.graph.initializer}
        copy.graph.initializer.extend(one for one in model.graph.initializer if one.name not in there)
    for number, node in enumerate(copy.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    return copy


def layers(model: ModelProto) -> list[Layer]:
    """The convolutions that may be quantised: those in residual blocks; where there are none, all but first and last.

    What a block computes is added to what went into it, and is most often normed before: there an error counts least.
    First and last layers take and give pictures, and there it is seen.
    """
    weights = {tensor.name for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT}
    found = [
        Layer(node.name, node.input[0], node.input[1], node.output[0])
        for node in model.graph.node
        if node.op_type == "Conv" and node.input[1] in weights and _dense(node)
    ]
    used = Counter(name for node in model.graph.node for name in names_read(node))
    found = [layer for layer in found if used[layer.weights] == 1]  # what others read as well keeps its numbers
    inside = _in_blocks(model.graph)
    return [layer for layer in found if layer.node in inside] or found[1:-1]


def quantised(model: ModelProto, chosen: Mapping[Layer, Range]) -> ModelProto:
    """A copy of a graph with some layers in 8 bits.

    Args:
        model: As ``prepared`` makes it.
        chosen: Which, and between which numbers what goes into each lies.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    nodes, by_node = list(graph.node), {layer.node: layer for layer in chosen}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    del graph.node[:]
    new: list[TensorProto] = []
    rounded: set[tuple[str, Range]] = set()
    for node in nodes:
        layer = by_node.get(node.name)
        if layer is not None:
            given = rounded_input(layer, chosen[layer])
            if (layer.input, chosen[layer]) not in rounded:  # several layers may take the same
                rounded.add((layer.input, chosen[layer]))
                new += given.constants
                graph.node.extend(given.nodes)
            values, scales = eight_bits(numpy_helper.to_array(constants[layer.weights]))
            constants[layer.weights].CopyFrom(numpy_helper.from_array(values, layer.weights))
            lighter = stored_weights(layer, layer.weights, scales)
            new += lighter.constants
            graph.node.extend(lighter.nodes)
            node.input[0], node.input[1] = given.output, lighter.output
        graph.node.append(node)
    # In front: a projection of embeddings is known by being the last.
    kept = list(graph.initializer)
    del graph.initializer[:]
    graph.initializer.extend([*new, *kept])
    return copy


@dataclass(frozen=True)
class Addition:
    """Nodes and constants to be put into a graph, and what comes out of them."""

    nodes: tuple[NodeProto, ...]
    constants: tuple[TensorProto, ...]
    output: str


def rounded_input(layer: Layer, between: Range, mark: str = "") -> Addition:
    """What goes into a layer, rounded to 8 bits."""
    name = f"{layer.input}:{between.least:.9g}:{between.most:.9g}{mark}"
    ends = (f"{name}:scale", f"{name}:zero")
    constants = (
        numpy_helper.from_array(np.array(between.scale, np.float32), ends[0]),
        numpy_helper.from_array(np.array(between.zero, np.uint8), ends[1]),
    )
    nodes = (
        helper.make_node("QuantizeLinear", [layer.input, *ends], [f"{name}:q"], f"{name}:Q"),
        helper.make_node("DequantizeLinear", [f"{name}:q", *ends], [f"{name}:d"], f"{name}:D"),
    )
    return Addition(nodes, constants, f"{name}:d")


def stored_weights(layer: Layer, values: str, scales: FloatArray) -> Addition:
    """The weights of a layer, read from 8 bits: ``values`` are their name there."""
    name = f"{layer.node}:weights"
    ends = (f"{name}:scale", f"{name}:zero")
    constants = (
        numpy_helper.from_array(scales, ends[0]),
        numpy_helper.from_array(np.zeros(len(scales), np.int8), ends[1]),
    )
    node = helper.make_node("DequantizeLinear", [values, *ends], [f"{name}:d"], f"{name}:D", axis=0)
    return Addition((node,), constants, f"{name}:d")


def eight_bits(weights: AnyArray) -> tuple[AnyArray, FloatArray]:
    """Weights as int8 of the same shape, and the scale of each output channel, float32 (C,).

    The scale is that of a few which loses least: a single large weight is rather cut off than all others made coarse.
    """
    flat = weights.reshape(len(weights), -1).astype(np.float32)
    largest = np.maximum(np.abs(flat).max(axis=1), 1e-12)
    best, lost = largest / _MOST, np.full(len(flat), np.inf)
    for share in _SHARES:
        scales = (largest * share / _MOST)[:, None]
        errors = ((np.clip(np.rint(flat / scales), -_MOST, _MOST) * scales - flat) ** 2).mean(axis=1)
        better = errors < lost
        best, lost = np.where(better, scales[:, 0], best), np.where(better, errors, lost)
    values = np.clip(np.rint(flat / best[:, None]), -_MOST, _MOST).astype(np.int8)
    return values.reshape(weights.shape), best.astype(np.float32)


def _dense(node: NodeProto) -> bool:
    """Whether each output channel sees every input channel: others have little to gain, and more to lose."""
    return all(one.i == 1 for one in node.attribute if one.name == "group")


def _in_blocks(graph: GraphProto) -> Collection[str]:
    """Names of the nodes between a value and the sum by which it goes past them.

    A block is what lies between both, if nothing of a picture's size changes on the way past: one of the two values
    that are added is also where the other one comes from.
    """
    makers = {output: node for node in graph.node for output in node.output}
    found: set[str] = set()
    for node in graph.node:
        if node.op_type == "Add" and all(value in makers for value in node.input):
            for past, through in (tuple(node.input), tuple(node.input)[::-1]):
                names = set(_before(through, past, makers))
                if "" in names:  # it does come from there
                    found |= names - {""}
    return found


def _before(value: str, past: str, makers: Mapping[str, NodeProto]) -> Iterator[str]:
    """Names of the nodes that a value comes from, back to ``past``; an empty one if that is reached."""
    waiting, seen = [value], {value}
    while waiting and len(seen) < _LONGEST:
        maker = makers.get(waiting.pop(0))
        if maker is None:
            continue
        yield maker.name
        for one in maker.input:
            if one == past:
                yield ""
            elif one not in seen:
                seen.add(one)
                waiting.append(one)
