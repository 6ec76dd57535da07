"""A swapper in three graphs, of mobilefaceswap_224's architecture and sizes, with weights drawn by lot.

*Identity* looks at a photo, *conditioner* makes one person's kernels of what it saw, and *generator* convolves frames
with them (Xu et al., "MobileFaceSwap: A Lightweight Framework for Video Face Swapping", AAAI 2022; the layers of their
published code). Norms over a batch are not folded away: so the graphs are as large as the published files.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np

from understudy.arrays import AnyArray
from understudy.testing.twins.answers import known_tint
from understudy.testing.twins.writer import GraphWriter

#: Channels before and after each step down and up that a person's kernels do.
DOWN: Final = ((3, 32), (32, 64), (64, 128), (128, 256), (256, 512))
UP: Final = ((512, 256), (512, 128), (256, 64), (128, 32))
#: Sides of the depthwise kernels on the way down and up.
_DOWN_SIDE, _UP_SIDE = 4, 3
#: Side of the generator's pictures.
SIDE: Final = 224
#: Channels of the branch that makes the mask.
_MASK: Final = (512, 128, 64, 32, 8, 2)
#: Blocks of the identity network: 101 layers.
_BLOCKS: Final = (3, 4, 23, 3)


def kernel_shapes() -> list[tuple[int, int, int, int]]:
    """The shapes of a person's kernels: nine for each channel by itself, then nine across channels."""
    sides = [*[_DOWN_SIDE] * len(DOWN), *[_UP_SIDE] * len(UP)]
    steps = [*DOWN, *UP]
    apart = [(before, 1, side, side) for (before, _), side in zip(steps, sides, strict=True)]
    return [*apart, *[(after, before, 1, 1) for before, after in steps]]


def identity_twin(seed: int = 0, blocks: tuple[int, int, int, int] = _BLOCKS, narrower: int = 1) -> bytes:
    """The identity network: 52.2 million parameters, a photo of 112 pixels in, an embedding and a map of features out.

    A residual network whose blocks weigh their channels (Hu et al., "Squeeze-and-Excitation Networks", 2018).

    Args:
        seed: Of the weights.
        blocks: Fewer make it quick.
        narrower: By how much the channels before the last are divided.
    """
    graph = GraphWriter(seed)
    before = 64 // narrower
    flow = _one_slope(graph, graph.normed(graph.convolved("input", (3, before), 3, pad=1), before))
    flow = graph.node("MaxPool", flow, kernel_shape=[2, 2], strides=[2, 2])
    widths = (64 // narrower, 128 // narrower, 256 // narrower, 512)
    for level, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        for number in range(count):
            stride = 2 if level and not number else 1
            flow = _weighed_block(graph, flow, (before, width), stride)
            before = width
    features = graph.normed(flow, 512, name="features")
    flat = graph.node("Flatten", features)
    straight = graph.node("Gemm", flat, graph.weights(512, 512 * 49), _zeros(graph, 512), transB=1)
    kept = [graph.constant(np.full(512, value, np.float32)) for value in (1, 0, 0, 1)]
    normal = graph.node("BatchNormalization", straight, *kept)
    graph.node("LpNormalization", normal, axis=1, p=2, name="embedding")
    return graph.finished([("input", (1, 3, 112, 112))], [("embedding", (1, 512)), ("features", (1, 512, 7, 7))])


def _weighed_block(graph: GraphWriter, values: str, channels: tuple[int, int], stride: int) -> str:
    before, after = channels
    flow = graph.convolved(graph.normed(values, before), (before, before), 3, pad=1)
    flow = _one_slope(graph, graph.normed(flow, before))
    flow = graph.normed(graph.convolved(flow, channels, 3, pad=1, stride=stride, gain=0.3), after)
    few = max(after // 16, 1)
    weight = graph.node("Flatten", graph.node("GlobalAveragePool", flow))
    weight = _one_slope(graph, graph.node("Gemm", weight, graph.weights(few, after), _zeros(graph, few), transB=1))
    weight = graph.node("Gemm", weight, graph.weights(after, few), _zeros(graph, after), transB=1)
    shape = graph.constant(np.array([1, after, 1, 1], np.int64))
    flow = graph.node("Mul", flow, graph.node("Reshape", graph.node("Sigmoid", weight), shape))
    past = (
        values
        if stride == 1 and before == after
        else graph.normed(graph.convolved(values, channels, 1, stride=stride), after)
    )
    return _one_slope(graph, graph.node("Add", flow, past))


def conditioner_twin(seed: int = 0, narrower: int = 1) -> bytes:
    """The conditioner: 20.6 million parameters; an embedding and a map of features in, 18 kernels out.

    Args:
        seed: Of the weights.
        narrower: By how much the channels of its first map are divided, to make it quick.
    """
    graph = GraphWriter(seed)
    wide = 512 // narrower
    first = _lively(graph, graph.normed(graph.convolved("features", (512, wide), 4), wide))
    second = _lively(graph, graph.normed(graph.convolved(first, (wide, wide), 2), wide))
    down, up = [before for before, _ in DOWN][::-1], [before for before, _ in UP]
    apart = [*_kernels(graph, first, wide, down)[::-1], *_kernels(graph, second, wide, up)]
    shapes = kernel_shapes()
    names = [f"depthwise_{number}" for number in range(len(apart))]
    names += [f"pointwise_{number}" for number in range(len(apart))]
    for values, shape, name in zip(apart, shapes, names, strict=False):
        graph.node("Reshape", values, graph.constant(np.array(shape, np.int64)), name=name)
    for shape, name in list(zip(shapes, names, strict=True))[len(apart) :]:
        _modulated(graph, shape, name)
    ends = [("embedding", (1, 512)), ("features", (1, 512, 7, 7))]
    return graph.finished(ends, list(zip(names, shapes, strict=True)))


def _kernels(graph: GraphWriter, values: str, before: int, widths: list[int]) -> list[str]:
    """Maps of so many channels, each made of the one before it, and a kernel of each."""
    made = []
    for width in widths:
        values = _lively(graph, graph.normed(graph.convolved(values, (before, width), 3, pad=1), width))
        made.append(graph.convolved(values, (width, width), 3, pad=1))
        before = width
    return made


def _modulated(graph: GraphWriter, shape: tuple[int, int, int, int], name: str) -> None:
    """Kernels across channels, weighed by the embedding, each brought to length 1 (Karras et al., StyleGAN2, 2020)."""
    after, before, *_ = shape
    style = graph.node("Gemm", "embedding", graph.weights(before, 512), _zeros(graph, before), transB=1)
    one = graph.constant(np.array(1, np.float32))
    style = graph.node("Reshape", graph.node("Add", style, one), graph.constant(np.array([1, before, 1, 1], np.int64)))
    weighed = graph.node("Mul", graph.weights(after, before, 1, 1), style)
    lengths = graph.node("ReduceL2", weighed, axes=[1, 2, 3], keepdims=1)
    graph.node("Div", weighed, graph.node("Add", lengths, graph.constant(np.array(1e-8, np.float32))), name=name)


def generator_twin(seed: int = 0, *, planted: bool = False) -> bytes:
    """The generator: 0.09 million parameters and 0.41 million of kernels; a picture of 224 pixels and 18 kernels in.

    Out come the picture, 0-1, mixed with what went in by a mask, and that mask.

    Args:
        seed: Of the weights.
        planted: Whether the answer is known, with all its work done in vain: the picture that went in and
            ``known_tint``, brighter by the first number of the last kernel over ten; and ``known_mask``.
    """
    graph = GraphWriter(seed, within="swap/")
    shapes = kernel_shapes()
    names = ["input", *(f"kernel_{number}" for number in range(len(shapes)))]
    half, two = (graph.constant(np.array(value, np.float32)) for value in (0.5, 2))
    flow = graph.node("Mul", graph.node("Sub", "input", half), two)
    apart, across = names[1 : 1 + len(shapes) // 2], names[1 + len(shapes) // 2 :]
    seen = []
    for number, (before, after) in enumerate(DOWN):
        flow = _separable(graph, flow, (apart[number], across[number]), (before, after), _DOWN_SIDE, stride=2)
        seen.append(flow)
    mask = _mask(graph, flow)
    for number, (before, after) in enumerate(UP, start=len(DOWN)):
        kernels = apart[number], across[number]
        flow = _separable(graph, _doubled(graph, flow), kernels, (before, after), _UP_SIDE, stride=1)
        if number < len(apart) - 1:
            flow = graph.node("Concat", flow, seen[len(apart) - 1 - number], axis=1)
    flow = _head(graph, flow)
    if planted:
        flow, mask = _planted(graph, flow, mask, across[-1])
    one = graph.constant(np.array(1, np.float32))
    shown = graph.node("Mul", flow, mask)
    kept = graph.node("Mul", graph.node("Sub", one, mask), "input")
    graph.node("Add", shown, kept, name="output")
    graph.node("Identity", mask, name="mask")
    picture = (1, 3, SIDE, SIDE)
    return graph.finished(
        list(zip(names, [picture, *shapes], strict=True)), [("output", picture), ("mask", (1, 1, SIDE, SIDE))]
    )


def known_mask() -> AnyArray:
    """What a planted generator says is face: float32 (SIDE, SIDE): an ellipse below the middle, 1 in it, 0 beyond."""
    down, right = _known_axes()
    return np.asarray(down[:, None] + right[None] < 1, np.float32)


def _known_axes() -> tuple[AnyArray, AnyArray]:
    """How far each row and column is from the middle of ``known_mask``, squared, its rim at 1: float32 (SIDE,) each."""
    along = (np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(SIDE)
    return ((along - np.float32(0.55)) / np.float32(0.4)) ** 2, ((along - np.float32(0.5)) / np.float32(0.3)) ** 2


def _separable(
    graph: GraphWriter, values: str, kernels: tuple[str, str], channels: tuple[int, int], side: int, *, stride: int
) -> str:
    """A person's two kernels, one after the other, with biases of 0 that are the graph's own."""
    before, after = channels
    apart, across = kernels
    how: dict[str, Any] = {"kernel_shape": [side, side], "pads": [1] * 4, "strides": [stride] * 2, "group": before}
    flow = graph.node("Conv", values, apart, _zeros(graph, before), **how)
    return _lively(graph, graph.node("Conv", flow, across, _zeros(graph, after), kernel_shape=[1, 1]))


def _mask(graph: GraphWriter, flow: str) -> str:
    for before, after in pairwise(_MASK):
        flow = graph.convolved(_doubled(graph, flow), (before, before), 3, pad=1, groups=before)
        flow = _lively(graph, graph.normed(graph.convolved(flow, (before, after), 1), after))
    return graph.node("Sigmoid", graph.convolved(flow, (_MASK[-1], 1), 3, pad=1))


def _head(graph: GraphWriter, flow: str) -> str:
    """The picture, 0-1."""
    flow = _lively(graph, graph.normed(graph.convolved(_doubled(graph, flow), (32, 8), 1), 8))
    flow = _lively(graph, graph.normed(graph.convolved(flow, (8, 3), 3, pad=1), 3))
    flow = graph.node("Tanh", graph.convolved(flow, (3, 3), 3, pad=1, gain=0.3))
    one, two = (graph.constant(np.array(value, np.float32)) for value in (1, 2))
    return graph.node("Div", graph.node("Add", flow, one), two)


def _planted(graph: GraphWriter, flow: str, mask: str, kernel: str) -> tuple[str, str]:
    """A known picture and mask in the place of what was computed, which stays in the graph, times 0."""
    nothing, tenth, one = (graph.constant(np.array(value, np.float32)) for value in (0, 0.1, 1))
    ends = [graph.constant(np.array([end] * 4, np.int64)) for end in (0, 1)]
    brighter = graph.node("Mul", graph.node("Slice", kernel, *ends), tenth)
    tint = known_tint(SIDE)[None, :, :1]  # the same in every row
    tinted = graph.node("Add", graph.node("Add", "input", graph.constant(tint)), brighter)
    shown = graph.node("Add", graph.node("Mul", flow, nothing), tinted)
    down, right = _known_axes()
    far = graph.node("Add", graph.constant(down[None, None, :, None]), graph.constant(right[None, None, None]))
    face = graph.node("Cast", graph.node("Less", far, one), to=1)
    return shown, graph.node("Add", graph.node("Mul", mask, nothing), face)


def _doubled(graph: GraphWriter, values: str) -> str:
    scales = graph.constant(np.array([1, 1, 2, 2], np.float32), exact=True)
    how = {"mode": "linear", "coordinate_transformation_mode": "align_corners"}
    return graph.node("Resize", values, "", scales, **how)


def _lively(graph: GraphWriter, values: str) -> str:
    return graph.node("LeakyRelu", values, alpha=0.1)


def _one_slope(graph: GraphWriter, values: str) -> str:
    """A PReLU with one slope for all channels."""
    return graph.node("PRelu", values, graph.constant(np.full(1, 0.25, np.float32)))


def _zeros(graph: GraphWriter, count: int) -> str:
    return graph.constant(np.zeros(count, np.float32))
