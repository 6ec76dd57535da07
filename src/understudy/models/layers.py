"""Computes the layers of small convolutional networks with numpy: what ONNX's operators of the same names do.

Pictures are float32 (1, C, H, W). A convolution is one product of matrices: of its weights, a row for each channel that
comes out, and of what its window sees, a column for each place ("im2col"; K. Chellapilla, S. Puri and P. Simard, 2006).
That takes a third longer than ONNX Runtime does, and none of its 75 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from understudy.arrays import AnyArray, FloatArray, Int8Array
from understudy.compiled import compiled

Attributes = Mapping[str, int | tuple[int, ...]]


@dataclass(frozen=True)
class ScaledWeights:
    """Weights in 8 bits, and what each row of them is to be multiplied by (DequantizeLinear along the first axis).

    Attributes:
        values: int8, a row for each channel that comes out.
        scales: float32, one a row.
    """

    values: Int8Array
    scales: FloatArray


Value = AnyArray | ScaledWeights


def convolution(picture: FloatArray, weights: Value, biases: FloatArray, attributes: Attributes) -> FloatArray:
    """Conv, with as many groups and dilations as 1."""
    values, scales = (weights.values, weights.scales) if isinstance(weights, ScaledWeights) else (weights, None)
    outputs, window = values.shape[0], values.shape[2:]
    (top, left, bottom, right), (down, along) = _pads(attributes), _strides(attributes)
    _, channels, height, width = picture.shape
    size = ((height + top + bottom - window[0]) // down + 1, (width + left + right - window[1]) // along + 1)
    if window == (1, 1) and (height, width) == size:
        columns = picture[0]
    else:
        columns = np.empty((channels, *window, *size), np.float32)
        _unroll(picture[0], columns, down, along, top, left)
    by_channel = values.reshape(outputs, -1).astype(np.float32, copy=False) @ columns.reshape(-1, size[0] * size[1])
    _scale(by_channel, np.ones_like(biases) if scales is None else scales, biases)
    return np.asarray(by_channel.reshape(1, outputs, *size), np.float32)


def largest(picture: FloatArray, attributes: Attributes) -> FloatArray:
    """MaxPool."""
    padded = _padded(picture, _pads(attributes), -np.inf)
    return _pooled(padded, np.maximum, attributes)


def mean(picture: FloatArray, attributes: Attributes) -> FloatArray:
    """AveragePool without pads."""
    found = _pooled(picture, np.add, attributes)
    found /= np.float32(np.prod(_list(attributes, "kernel_shape")))
    return found


def mean_of_all(picture: FloatArray) -> FloatArray:
    """GlobalAveragePool."""
    return np.asarray(picture.mean(axis=(2, 3), keepdims=True), np.float32)


def filled(picture: FloatArray, pads: AnyArray) -> FloatArray:
    """Pad with zeros: so many before each axis, and then so many after each."""
    return _padded(picture, tuple(pads.tolist()), 0)


def probabilities(values: FloatArray) -> FloatArray:
    """Softmax along the last axis, of two."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def weighed(values: FloatArray, weights: Value) -> FloatArray:
    """Gemm with ``transB`` and without biases: (1, N) by a row of weights for each number that comes out."""
    if isinstance(weights, ScaledWeights):
        return np.asarray((values @ weights.values.astype(np.float32).T) * weights.scales, np.float32)
    return np.asarray(values @ weights.T, np.float32)


@compiled
def _unroll(picture: FloatArray, columns: FloatArray, down: int, along: int, top: int, left: int) -> None:
    """Write what a window sees from all its places: ``columns`` (C, h, w, H, W) from ``picture`` (C, height, width).

    It goes ``down`` and ``along`` by so many pixels at a time, and begins so many above (``top``) and ``left`` of the
    picture, where it sees zeros.
    """
    channels, rows, places, height, width = columns.shape
    _, last_row, last_place = picture.shape
    zero = np.float32(0)
    for channel in range(channels):
        for row in range(rows):
            for place in range(places):
                for y in range(height):
                    line = y * down + row - top
                    for x in range(width):
                        at = x * along + place - left
                        inside = 0 <= line < last_row and 0 <= at < last_place
                        columns[channel, row, place, y, x] = picture[channel, line, at] if inside else zero


@compiled
def _scale(by_channel: FloatArray, scales: FloatArray, biases: FloatArray) -> None:
    """Multiply each row (a channel) by its scale, and add its bias, in place."""
    rows, places = by_channel.shape
    for row in range(rows):
        for place in range(places):
            by_channel[row, place] = by_channel[row, place] * scales[row] + biases[row]


def _windows(picture: FloatArray, window: tuple[int, ...], strides: tuple[int, int]) -> FloatArray:
    """What a window sees of a picture from all its places: a view, (C, window height, window width, H, W)."""
    seen = np.lib.stride_tricks.sliding_window_view(picture[0], window, (1, 2))
    steps = seen[:, :: strides[0], :: strides[1]]
    return np.asarray(steps.transpose(0, 3, 4, 1, 2))


def _pooled(picture: FloatArray, together: Callable[..., FloatArray], attributes: Attributes) -> FloatArray:
    """All that a window sees, put together."""
    window = _list(attributes, "kernel_shape")
    seen = _windows(picture, window, _strides(attributes))
    found = seen[:, 0, 0].copy()
    for row, column in list(product(*map(range, window)))[1:]:
        together(found, seen[:, row, column], out=found)
    return found[None]


def _padded(picture: FloatArray, pads: tuple[int, ...], value: float) -> FloatArray:
    """With so many in front of each axis, and so many behind."""
    if not any(pads):
        return picture
    axes = len(pads) // 2
    before, after = ((0,) * (picture.ndim - axes) + half for half in (pads[:axes], pads[axes:]))
    shape = [front + side + back for front, side, back in zip(before, picture.shape, after, strict=True)]
    padded = np.full(shape, value, np.float32)
    padded[tuple(slice(front, front + side) for front, side in zip(before, picture.shape, strict=True))] = picture
    return padded


def _pads(attributes: Attributes) -> tuple[int, ...]:
    return _list(attributes, "pads", (0, 0, 0, 0))


def _strides(attributes: Attributes) -> tuple[int, int]:
    down, right = _list(attributes, "strides", (1, 1))
    return down, right


def _list(attributes: Attributes, name: str, usual: tuple[int, ...] = ()) -> tuple[int, ...]:
    found = attributes.get(name, usual)
    return found if isinstance(found, tuple) else ()
