"""Small graphs whose answer is known, or with nothing but the right ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from understudy.arrays import AnyArray
from understudy.testing.twins.writer import GraphWriter, turn

#: Where ``centerface_twin`` says that the five keypoints are, as shares of the box: float32 (5, 2), x and y.
CENTERFACE_POINTS: Final = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)


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
        graph.constant(turn(512, 1), "emap")
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
    graph.node("MatMul", "input", graph.constant(2 * turn(512, seed)), name="output")
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


def occluder_twin(size: int = 256) -> bytes:
    """A model as XSeg is fed and read: whatever is green hides a face, all else is face."""
    graph = GraphWriter()
    # BGR, 0-1: how much greener than grey.
    greener = graph.node("MatMul", "input", graph.constant(np.array([[-0.5], [1], [-0.5]], np.float32)))
    sharp = graph.node("Mul", greener, graph.constant(np.array(-8, np.float32)))
    above = graph.node("Add", sharp, graph.constant(np.array(2, np.float32)))
    ends = [graph.constant(np.array(end, np.float32)) for end in (0, 1)]
    graph.node("Clip", above, *ends, name="output")
    return graph.finished([("input", (1, size, size, 3))], [("output", (1, size, size, 1))])


def parser_twin(size: int = 512) -> bytes:
    """A model as BiSeNet is fed and read: whatever is green is hair, whatever is blue lips, all else skin."""
    graph = GraphWriter()
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    weights, bias = np.zeros((19, 3)), np.full(19, -100.0)
    for number, color in ((1, (0, 0, 0)), (17, (-0.5, 1, -0.5)), (12, (-0.5, -0.5, 1))):
        weights[number] = 8 * np.array(color)  # RGB, 0-1: how much greener, or bluer, than grey
        bias[number] = 0 if number == 1 else -1.5
    fed = graph.constant((weights * std)[:, :, None, None].astype(np.float32))
    graph.node("Conv", "input", fed, graph.constant((bias + weights @ mean).astype(np.float32)), name="output")
    return graph.finished([("input", (1, 3, size, size))], [("output", (1, 19, size, size))])


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


def centerface_twin(width: float = 48, height: float = 64) -> bytes:
    """CenterFace with its ends, a size in them that is not meant, and an answer that is known: it finds what is red.

    Each cell of four pixels is as surely the middle of a face as it is red and neither green nor blue.

    Args:
        width: Of every face, in pixels.
        height: The same.
    """
    graph = GraphWriter()
    cells = graph.node("AveragePool", "input.1", kernel_shape=[4, 4], strides=[4, 4])
    mixed = graph.constant(np.array([1, -1, -1], np.float32).reshape(1, 3, 1, 1) / 255)
    red = graph.node("Conv", cells, mixed, kernel_shape=[1, 1])
    ends = [graph.constant(np.array(end, np.float32)) for end in (0, 1)]
    graph.node("Clip", red, *ends, name="537")
    nothing = graph.node("Mul", red, ends[0])
    size = np.log(np.array([height, width]) / 4)
    for name, values in (("538", size), ("539", np.zeros(2)), ("540", CENTERFACE_POINTS[:, ::-1].reshape(-1))):
        graph.node("Add", nothing, graph.constant(values.astype(np.float32).reshape(1, -1, 1, 1)), name=name)
    outputs = [(name, (10, rows, 8, 8)) for name, rows in (("537", 1), ("538", 2), ("539", 2), ("540", 10))]
    return graph.finished([("input.1", (10, 3, 32, 32))], outputs)


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
