"""The field's architectures, of the published sizes, with weights drawn by lot.

Sources: the published configurations (InsightFace's ``scrfd_10g_bnkps``, ``iresnet50``, ``coordinate_reg``; the layers
of ``inswapper_128.onnx``). Norms over a batch are folded into the convolutions before them, as exported files have it;
but not in 2d106det.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from understudy.arrays import AnyArray, FloatArray
from understudy.testing.twins.writer import GraphWriter, turn

#: inswapper_128's channels after its first convolutions, from InsightFace's file.
INSWAPPER: Final = (128, 256, 512, 1024)
#: Of InsightFace's det_10g: the names of scores, boxes and keypoints by stride.
SCRFD_ENDS: Final = {8: ("448", "451", "454"), 16: ("471", "474", "477"), 32: ("494", "497", "500")}


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
    graph.constant(turn(512, seed + 1), "emap")
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


def scrfd_10g_twin(seed: int = 0, answers: Mapping[str, AnyArray] | None = None) -> bytes:
    """det_10g's architecture: 4.23 million parameters, any picture whose sides are multiples of 32.

    A ResNet of (3, 4, 2, 3) blocks, a path aggregation pyramid of 56 channels, and one head of three convolutions for
    each stride (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021).

    Args:
        seed: Of the weights.
        answers: By output, for 640 pixels: what it says whatever it sees, at the full cost of looking.
    """
    graph = GraphWriter(seed)

    def lively(values: str, channels: tuple[int, int], stride: int = 1) -> str:
        return graph.node("Relu", graph.convolved(values, channels, 3, pad=1, stride=stride))

    flow = "input.1"
    for channels, stride in (((3, 28), 2), ((28, 28), 1), ((28, 56), 1)):
        flow = lively(flow, channels, stride)
    flow = graph.node("MaxPool", flow, kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2])
    levels = []
    before = 56
    for width, blocks, first in ((56, 3, 1), (88, 4, 2), (88, 2, 2), (224, 3, 2)):
        for stride in (first, *[1] * (blocks - 1)):
            past = flow
            if stride == 2:
                past = graph.node("AveragePool", past, kernel_shape=[2, 2], strides=[2, 2])
                past = graph.convolved(past, (before, width), 1)
            flow = lively(flow, (before, width), stride)
            flow = graph.convolved(flow, (width, width), 3, pad=1, gain=0.3)
            flow = graph.node("Relu", graph.node("Add", flow, past))
            before = width
        levels.append((flow, width))
    for stride, flow in zip(SCRFD_ENDS, _pyramid(graph, levels[1:]), strict=True):
        head = flow
        for channels in ((56, 80), (80, 80), (80, 80)):
            head = lively(head, channels)
        for name, numbers in zip(SCRFD_ENDS[stride], (1, 4, 10), strict=True):
            values = graph.convolved(head, (80, 2 * numbers), 3, pad=1, gain=0.1)
            if numbers == 4:
                values = graph.node("Mul", values, graph.constant(np.array(1, np.float32)))  # a scale of each stride
            values = graph.node("Transpose", values, perm=[2, 3, 0, 1])
            values = graph.node("Reshape", values, graph.constant(np.array([-1, numbers], np.int64)))
            if numbers == 1:
                values = graph.node("Sigmoid", values)
            nothing = 1 if answers is None else 0
            values = graph.node("Mul", values, graph.constant(np.array(nothing, np.float32)))
            planted = np.zeros(numbers, np.float32) if answers is None else answers[name]
            graph.node("Add", values, graph.constant(planted), name=name)
    ends = [(names[part], ("N", numbers)) for part, numbers in enumerate((1, 4, 10)) for names in SCRFD_ENDS.values()]
    return graph.finished([("input.1", (1, 3, "H", "W"))], ends)


def scrfd_answers(box_xyxy: FloatArray, keypoints5: FloatArray, longer_side: int) -> dict[str, AnyArray]:
    """What ``scrfd_10g_twin`` says for one face, and no other, in every picture.

    Args:
        box_xyxy: float32 (4,), in pixels of the picture.
        keypoints5: float32 (5, 2), likewise.
        longer_side: Of the picture, in pixels.
    """
    scale = np.float32(640 / longer_side)
    box, points = box_xyxy * scale, keypoints5 * scale
    answers: dict[str, AnyArray] = {
        names[part]: np.zeros((2 * (640 // stride) ** 2, numbers), np.float32)
        for part, numbers in enumerate((1, 4, 10))
        for stride, names in SCRFD_ENDS.items()
    }
    column, row = ((box[:2] + box[2:]) / 64).astype(int)
    middle = 32 * np.array([column, row], np.float32)
    sides = np.concatenate([middle - box[:2], box[2:] - middle]) / 32
    values = (np.full(1, 0.9), sides, (points - middle).reshape(-1) / 32)
    for name, value in zip(SCRFD_ENDS[32], values, strict=True):
        answers[name][2 * (20 * row + column)] = value
    return answers


def _pyramid(graph: GraphWriter, levels: list[tuple[str, int]], width: int = 56) -> list[str]:
    """What each level sees once coarse and fine have told each other: from the top down, and from the bottom up."""
    sides = [graph.convolved(flow, (channels, width), 1) for flow, channels in levels]
    for level in (1, 0):
        scales = graph.constant(np.array([1, 1, 2, 2], np.float32), exact=True)
        above = graph.node("Resize", sides[level + 1], "", scales, mode="nearest")
        sides[level] = graph.node("Add", sides[level], above)
    joined = [graph.convolved(side, (width, width), 3, pad=1) for side in sides]
    for level in (0, 1):
        below = graph.convolved(joined[level], (width, width), 3, pad=1, stride=2)
        joined[level + 1] = graph.node("Add", joined[level + 1], below)
    return [joined[0], *(graph.convolved(one, (width, width), 3, pad=1) for one in joined[1:])]


def arcface_r50_twin(seed: int = 0) -> bytes:
    """arcface_w600k_r50's architecture: 43.6 million parameters, 112 pixels in, 512 numbers out.

    An improved residual network of (3, 4, 14, 3) blocks (Duta et al., 2020), with arcface's end (Deng et al., 2019).
    """
    graph = GraphWriter(seed)
    flow = graph.sloped(graph.convolved("input.1", (3, 64), 3, pad=1), 64)
    before = 64
    for width, blocks in ((64, 3), (128, 4), (256, 14), (512, 3)):
        for stride in (2, *[1] * (blocks - 1)):
            past = flow if stride == 1 else graph.convolved(flow, (before, width), 1, stride=2)
            flow = graph.normed(flow, before)
            flow = graph.sloped(graph.convolved(flow, (before, width), 3, pad=1), width)
            flow = graph.node("Add", graph.convolved(flow, (width, width), 3, pad=1, stride=stride, gain=0.3), past)
            before = width
    flat = graph.node("Flatten", graph.normed(flow, 512))
    bias = graph.constant(np.zeros(512, np.float32))
    flat = graph.node("Gemm", flat, graph.weights(512, 512 * 7 * 7), bias, transB=1)
    graph.normed(flat, 512, name="683")
    return graph.finished([("input.1", ("N", 3, 112, 112))], [("683", ("N", 512))])


def landmark_106_twin(seed: int = 0) -> bytes:
    """2d106det's architecture: 1.25 million parameters, 192 pixels in, 106 points out.

    MobileNet (Howard et al., 2017) of half the width, one more convolution, one product. As in the file its first steps
    are a subtraction and a product, by which InsightFace's code knows that it takes grey levels as they are.
    """
    graph = GraphWriter(seed)
    flow = graph.node("Sub", "data", graph.constant(np.array(127.5, np.float32)))
    flow = graph.node("Mul", flow, graph.constant(np.array(1 / 128, np.float32)))

    def unit(values: str, channels: tuple[int, int], size: int, *, stride: int = 1, groups: int = 1) -> str:
        values = graph.convolved(values, channels, size, pad=size // 2, stride=stride, groups=groups)
        return graph.sloped(graph.normed(values, channels[1]), channels[1])

    flow = unit(flow, (3, 16), 3, stride=2)
    widths = ((16, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2))
    for before, after, stride in (*widths, *[(256, 256, 1)] * 5, (256, 512, 2), (512, 512, 1)):
        flow = unit(unit(flow, (before, before), 3, stride=stride, groups=before), (before, after), 1)
    flow = unit(flow, (512, 64), 3, stride=2)
    few = graph.constant(np.float32(0.3) * graph.spread(212, 64 * 3 * 3))
    bias = graph.constant(np.zeros(212, np.float32))
    graph.node("Gemm", graph.node("Flatten", flow), few, bias, transB=1, name="fc1")
    return graph.finished([("data", ("N", 3, 192, 192))], [("fc1", ("N", 212))])
