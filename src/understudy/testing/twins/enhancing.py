"""Enhancers whose answer is known: a restorer that adds a pattern, and upscalers that only sharpen a little."""

from __future__ import annotations

import numpy as np

from understudy.arrays import AnyArray
from understudy.testing.twins.writer import GraphWriter

#: Cells of the pattern along a side.
_CELLS = 16


def restorer_twin(size: int, *, weighed: bool = False, noisy: float = 0.0, layers: int = 0) -> bytes:
    """A restorer whose answer is known: its crop and ``known_pattern``.

    Args:
        size: Side of its pictures.
        weighed: Whether it has CodeFormer's second input, float64 of one number: the pattern is weaker by that share.
        noisy: How much of what it adds depends on the crop's brightness in a way that turns over with the slightest
            change, as a restorer's own inventions do: 0 for none, else the amplitude in grey levels.
        layers: How many convolutions of 64 channels at half the size it does besides, to no effect but that it takes
            its time: one of 512 pixels multiplies 2.4 billion times.
    """
    graph = GraphWriter()
    pattern = graph.constant(known_pattern(size)[None] * 2)  # -1 to 1
    if weighed:
        single = graph.node("Cast", "weight", to=1)
        kept = graph.node("Sub", graph.constant(np.array(1, np.float32)), single)
        pattern = graph.node("Mul", pattern, graph.node("Reshape", kept, graph.constant(np.ones(4, np.int64))))
    flow = graph.node("Add", "input", pattern)
    if noisy:
        phase = graph.node("Mul", graph.node("ReduceMean", "input", axes=[1], keepdims=1), _scalar(graph, 40))
        phase = graph.node("Add", phase, graph.constant(np.random.default_rng(3).uniform(0, 6, (1, 1, size, size))))
        flow = graph.node("Add", flow, graph.node("Mul", graph.node("Sin", phase), _scalar(graph, noisy / 127.5)))
    if layers:
        idle = graph.convolved("input", (3, 64), 3, pad=1, stride=2)
        for _ in range(layers):
            idle = graph.node("Relu", graph.convolved(idle, (64, 64), 3, pad=1))
        nothing = graph.node("Mul", graph.node("ReduceMean", idle, axes=[1, 2, 3]), _scalar(graph, 0))
        flow = graph.node("Add", flow, nothing)
    graph.node("Identity", flow, name="output")
    shape = (1, 3, size, size)
    return graph.finished([("input", shape)], [("output", shape)], [("weight", (1,))] if weighed else [])


def known_pattern(size: int) -> AnyArray:
    """What ``restorer_twin`` adds, of 0-1: float32 (3, size, size), RGB: a board of 16 cells, and red on its left half.

    Colours in a wrong order, a turned or a shifted picture all show.
    """
    cells = np.arange(size) * _CELLS // size
    board = np.where((cells[:, None] + cells[None]) % 2 == 0, 0.06, -0.06).astype(np.float32)
    pattern = np.repeat(board[None], 3, axis=0)
    pattern[0, :, : size // 2] += 0.08
    return pattern


def upscaler_twin(scale: int, size: int | str = "side") -> bytes:
    """An upscaler whose answer is known: each pixel ``scale`` times as large, all sharpened over 5 pixels.

    Args:
        scale: How many times as large.
        size: Side of its tiles; a name takes pictures of any size.
    """
    graph = GraphWriter()
    kernel = np.zeros((3, 3, 5, 5), np.float32)
    for channel in range(3):
        kernel[channel, channel] = -1 / 50
        kernel[channel, channel, 2, 2] += 1.5
    padded = graph.mirrored("input", 2)
    sharper = graph.node("Conv", padded, graph.constant(kernel), kernel_shape=[5, 5])
    scales = graph.constant(np.array([1, 1, scale, scale], np.float32), exact=True)
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    graph.node("Resize", sharper, "", scales, name="output", **how)
    large = size * scale if isinstance(size, int) else "large"
    return graph.finished([("input", (1, 3, size, size))], [("output", (1, 3, large, large))])


def _scalar(graph: GraphWriter, value: float) -> str:
    return graph.constant(np.array(value, np.float32))
