"""Twins: graphs of the same architecture, input names and sizes as the models of the field, with weights made here.

They swap nobody's face. They are what conventions, speed and conformity are tested with where the real files can't be
had; ``shifted_swapper`` and its like have answers that are known in closed form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from understudy.arrays import AnyArray

#: Of every graph made here: what ONNX Runtime from 1.17 on reads.
_OPSET: Final = 17
_IR: Final = 9
#: inswapper_128's channels after its first convolutions, from InsightFace's file.
INSWAPPER: Final = (128, 256, 512, 1024)


class GraphWriter:
    """Writes a graph node by node, weights and all.

    Args:
        seed: Of the weights.
        kind: float32 or float16, of the weights.
    """

    def __init__(self, seed: int = 0, kind: type[np.floating] = np.float32) -> None:
        self._random, self._kind = np.random.default_rng(seed), kind
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []

    def constant(self, values: AnyArray, name: str | None = None, *, exact: bool = False) -> str:
        """A constant; its name. Numbers become the graph's kind, but not if they are to be kept ``exact``."""
        name = name or f"c{len(self._constants)}"
        kept = values if exact or not np.issubdtype(values.dtype, np.floating) else values.astype(self._kind)
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(kept), name))
        return name

    def spread(self, *shape: int) -> AnyArray:
        """Noise that keeps the size of what goes through it (He et al., 2015), float32."""
        inwards = int(np.prod(shape[1:])) or 1
        return self._random.normal(0, np.sqrt(2 / inwards), shape).astype(np.float32)

    def weights(self, *shape: int) -> str:
        """Such noise as a constant; its name."""
        return self.constant(self.spread(*shape))

    def node(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:  # noqa: ANN401 - as onnx has it
        """A node with one output; that output's name."""
        output = name or f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], f"{kind}{len(self._nodes)}", **attributes))
        return output

    def convolved(self, values: str, channels: tuple[int, int], size: int, *, pad: int = 0, stride: int = 1) -> str:
        """A convolution with bias 0."""
        return self.node(
            "Conv",
            values,
            self.weights(channels[1], channels[0], size, size),
            self.constant(np.zeros(channels[1], np.float32)),
            kernel_shape=[size, size],
            pads=[pad] * 4,
            strides=[stride] * 2,
        )

    def mirrored(self, values: str, by: int) -> str:
        """Padded by its own mirror image."""
        return self.node("Pad", values, self.constant(np.array([0, 0, by, by, 0, 0, by, by], np.int64)), mode="reflect")

    def finished(
        self, inputs: Sequence[tuple[str, Sequence[int | str]]], outputs: Sequence[tuple[str, Sequence[int | str]]]
    ) -> bytes:
        """The file."""
        kind = TensorProto.FLOAT if self._kind is np.float32 else TensorProto.FLOAT16
        first, last = (
            [helper.make_tensor_value_info(name, kind, list(shape)) for name, shape in ends]
            for ends in (inputs, outputs)
        )
        graph = helper.make_graph(self._nodes, "twin", first, last, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        data: bytes = model.SerializeToString()
        return data


def inswapper_twin(
    channels: tuple[int, int, int, int] = INSWAPPER,
    *,
    blocks: int = 6,
    seed: int = 0,
    kind: type[np.floating] = np.float32,
) -> bytes:
    """inswapper_128's architecture: input names, shapes, emap and all. Full size it has 138.55 million parameters.

    Args:
        channels: Fewer make it quick.
        blocks: Residual blocks.
        seed: Of the weights.
        kind: float32, or float16 as the half-precision file is, with an epsilon that is 0 there.
    """
    graph = GraphWriter(seed, kind)
    a, b, c, d = channels

    def lively(values: str) -> str:
        return graph.node("LeakyRelu", values, alpha=0.2)

    flow = lively(graph.convolved(graph.mirrored("target", 3), (3, a), 7))
    flow = lively(graph.convolved(flow, (a, b), 3, pad=1))
    flow = lively(graph.convolved(flow, (b, c), 3, pad=1, stride=2))
    flow = lively(graph.convolved(flow, (c, d), 3, pad=1, stride=2))
    for _ in range(blocks):
        inner = _styled(graph, graph.convolved(graph.mirrored(flow, 1), (d, d), 3), d)
        inner = graph.node("Relu", inner)
        inner = _styled(graph, graph.convolved(graph.mirrored(inner, 1), (d, d), 3), d)
        flow = graph.node("Add", flow, inner)
    for before, after in ((d, c), (c, b)):
        scales = graph.constant(np.array([1, 1, 2, 2], np.float32), exact=True)
        flow = graph.node("Resize", flow, "", scales, mode="linear")
        flow = lively(graph.convolved(flow, (before, after), 3, pad=1))
    flow = lively(graph.convolved(flow, (b, a), 3, pad=1))
    flow = graph.node("Tanh", graph.convolved(graph.mirrored(flow, 3), (a, 3), 7))
    one, two = graph.constant(np.array(1, np.float32)), graph.constant(np.array(2, np.float32))
    graph.node("Div", graph.node("Add", flow, one), two, name="output")
    graph.constant(_turn(512, seed + 1), "emap")
    return graph.finished([("target", (1, 3, 128, 128)), ("source", (1, 512))], [("output", (1, 3, 128, 128))])


def _styled(graph: GraphWriter, values: str, channels: int) -> str:
    """Instance norm, written out, with a scale and a shift that the identity gives."""
    mean = graph.node("ReduceMean", values, axes=[2, 3], keepdims=1)
    rest = graph.node("Sub", values, mean)
    spread = graph.node("ReduceMean", graph.node("Mul", rest, rest), axes=[2, 3], keepdims=1)
    spread = graph.node("Sqrt", graph.node("Add", spread, graph.constant(np.array(1e-8, np.float32))))
    normal = graph.node("Div", rest, spread)
    style = graph.node(
        "Gemm", "source", graph.weights(2 * channels, 512), graph.constant(np.zeros(2 * channels, np.float32)), transB=1
    )
    style = graph.node("Reshape", style, graph.constant(np.array([1, 2 * channels, 1, 1], np.int64)))
    ends = [graph.constant(np.array([end], np.int64)) for end in (0, channels, 2 * channels, 1)]
    scale = graph.node("Slice", style, ends[0], ends[1], ends[3])
    shift = graph.node("Slice", style, ends[1], ends[2], ends[3])
    one = graph.constant(np.array(1, np.float32))
    return graph.node("Add", graph.node("Mul", normal, graph.node("Add", scale, one)), shift)


def arcface_twin(seed: int = 0, width: int = 8) -> bytes:
    """An embedder with arcface_w600k_r50's ends: 112 pixels in, 512 numbers out."""
    graph = GraphWriter(seed)
    flow = "input.1"
    for before, after in ((3, width), (width, 2 * width), (2 * width, 4 * width)):
        flow = graph.node("Relu", graph.convolved(flow, (before, after), 3, pad=1, stride=2))
    flat = graph.node("Flatten", flow)
    graph.node("Gemm", flat, graph.weights(512, 4 * width * 14 * 14), transB=1, name="683")
    return graph.finished([("input.1", ("N", 3, 112, 112))], [("683", ("N", 512))])


def swapper_twin(size: int, source: tuple[int, ...], *, emap: bool = False) -> bytes:
    """A swapper whose answer is known: its target, tinted, and brighter by its source's first number over ten.

    Red is raised by a tenth, blue falls from left to right by a fifth: a wrong order of colours, a turned picture and a
    missing mean all show.

    Args:
        size: Side of its pictures.
        source: Shape of its source, with the leading 1.
        emap: With a projection as its last constant, as inswapper has.
    """
    graph = GraphWriter()
    tint = graph.constant(known_tint(size)[None])
    added = graph.node("Add", "target", tint)
    flat = graph.node("Flatten", "source")
    ends = [graph.constant(np.array([end], np.int64)) for end in (0, 1, 1, 1)]
    first = graph.node("Slice", flat, *ends)
    graph.node("Add", added, graph.node("Mul", first, graph.constant(np.array(0.1, np.float32))), name="output")
    if emap:
        graph.constant(_turn(512, 1), "emap")
    shape = (1, 3, size, size)
    return graph.finished([("target", shape), ("source", source)], [("output", shape)])


def known_tint(size: int) -> AnyArray:
    """What ``swapper_twin`` adds to its target: float32 (3, size, size), RGB."""
    tint = np.zeros((3, size, size), np.float32)
    tint[0] = 0.1
    tint[2] = -0.2 * np.arange(size, dtype=np.float32) / size
    return tint


def converter_twin(seed: int = 3) -> bytes:
    """A converter of embeddings: it turns them and makes them twice as long."""
    graph = GraphWriter(seed)
    graph.node("MatMul", "input", graph.constant(2 * _turn(512, seed)), name="output")
    return graph.finished([("input", (1, 512))], [("output", (1, 512))])


def classifier_twin(intimate: float = 0.02, size: int = 384) -> bytes:
    """A content classifier that says the same of every picture (0-1), but of a wholly red one that it is intimate."""
    graph = GraphWriter()
    means = graph.node("ReduceMean", "input", axes=[2, 3], keepdims=0)  # (1, 3) in -1 to 1
    redness = graph.node("MatMul", means, graph.constant(np.array([[60, 0], [-60, 0], [-60, 0]], np.float32)))
    logits = np.array([[np.log(intimate) - 150, np.log(1 - intimate)]], np.float32)
    flat = graph.node("Add", redness, graph.constant(logits))
    floor = graph.constant(np.array([[np.log(intimate), np.log(1 - intimate)]], np.float32))
    graph.node("Max", flat, floor, name="output")
    return graph.finished([("input", (1, 3, size, size))], [("output", (1, 2))])


def _turn(size: int, seed: int) -> AnyArray:
    """A rotation in so many dimensions, float32."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))
    return q.astype(np.float32)


def points_twin(numbers: int, size: int = 192, seed: int = 7) -> bytes:
    """A landmarker or ``genderage``: so many numbers out of a picture of that size.

    As in InsightFace's own files its first steps are a subtraction and a product, which is how their code knows that it
    takes grey levels as they are.
    """
    graph = GraphWriter(seed)
    flow = graph.node("Sub", "data", graph.constant(np.array(127.5, np.float32)))
    flow = graph.node("Mul", flow, graph.constant(np.array(1 / 128, np.float32)))
    for before, after in ((3, 8), (8, 16), (16, 32), (32, 32)):
        flow = graph.node("Relu", graph.convolved(flow, (before, after), 3, pad=1, stride=2))
    side = size // 16
    few = graph.constant(np.float32(0.3) * GraphWriter(seed).spread(numbers, 32 * side * side))
    graph.node("Gemm", graph.node("Flatten", flow), few, transB=1, name="fc1")
    return graph.finished([("data", ("N", 3, size, size))], [("fc1", ("N", numbers))])


def planted_twin(shape: Sequence[int | str], answers: Mapping[str, AnyArray], name: str = "input") -> bytes:
    """A graph that answers the same to every picture: detectors and landmarks whose result is known.

    Args:
        shape: Of its picture.
        answers: By output.
        name: Of its input.
    """
    graph = GraphWriter()
    mean = graph.node("ReduceMean", name, axes=list(range(len(shape))), keepdims=0)
    nothing = graph.node("Mul", mean, graph.constant(np.array(0, np.float32)))
    for output, values in answers.items():
        graph.node("Add", graph.constant(values.astype(np.float32)), nothing, name=output)
    return graph.finished([(name, shape)], [(output, values.shape) for output, values in answers.items()])
