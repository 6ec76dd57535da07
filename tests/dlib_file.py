"""Writes small networks in dlib's own format, and computes what they answer."""

import struct

import numpy as np
from conversion.dlib_network import Shape

#: A small network: one block as it is, and two that halve pictures of even size, whose parts then differ in size.
SMALL = Shape(side=40, stem=2, blocks=((2, False), (4, True), (6, True)), embedding=3)


def integer(value):
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def integers(*values):
    return b"".join(map(integer, values))


def number(mantissa, exponent):
    return integers(mantissa, exponent)


def word(text):
    return integer(len(text)) + text.encode()


def spread(rng, low, high, *shape):
    """Random float32 that are the same on every machine."""
    return (low + (high - low) * rng.integers(0, 1024, shape) / 1024).astype(np.float32)


def tensor(values, *shape):
    return integers(2, *shape) + struct.pack(f"<{np.size(values)}f", *np.ravel(values))


_RATES = number(16, -4) * 4
_REST = b"110" + tensor([], 0, 0, 0, 0) * 3
MEANS = (120.0, 100.0, 90.0)


class Layer:
    """A convolution and its affine layer, with random weights."""

    def __init__(self, rng, inputs, outputs, size, stride):
        reach = 1.7 / np.sqrt(inputs * size * size)
        self.filters = spread(rng, -reach, reach, outputs, inputs, size, size)
        self.biases, self.shifts = spread(rng, -0.2, 0.2, 2, outputs)
        self.gains = spread(rng, 0.5, 2, outputs)
        self.stride, self.pad = stride, size // 2 if stride == 1 else 0

    def written(self, innermost=False):
        outputs, inputs, size, _ = self.filters.shape
        values = np.concatenate([self.filters.ravel(), self.biases])
        data = word("con_4") + tensor(values, len(values), 1, 1, 1)
        data += integers(outputs, size, size, self.stride, self.stride, self.pad, self.pad)
        data += integers(1, outputs, inputs, size, size) + integers(1, 1, outputs, 1, 1) + _RATES + _REST
        data += integer(1) if innermost else b""
        both = np.concatenate([self.gains, self.shifts])
        data += word("affine_") + tensor(both, len(both), 1, 1, 1)
        return data + integers(1, 1, outputs, 1, 1) * 2 + integer(0) + _REST

    def run(self, x):
        size = self.filters.shape[2]
        x = np.pad(x, ((0, 0), (self.pad, self.pad), (self.pad, self.pad)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))[:, :: self.stride, :: self.stride]
        out = np.einsum("chwij,ocij->ohw", windows, self.filters) + self.biases[:, None, None]
        return out * self.gains[:, None, None] + self.shifts[:, None, None]


class SmallNetwork:
    """A network of the shape ``SMALL``: as a file, and as what it computes in NumPy."""

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        self.stem = Layer(rng, 3, SMALL.stem, 7, 2)
        channels, self.blocks = SMALL.stem, []
        for outputs, halves in SMALL.blocks:
            first = Layer(rng, channels, outputs, 3, 2 if halves else 1)
            self.blocks.append((halves, first, Layer(rng, outputs, outputs, 3, 1)))
            channels = outputs
        self.weights = spread(rng, -1, 1, channels, SMALL.embedding)

    def written(self):
        versions = [2, 2]
        for _, halves in reversed(SMALL.blocks):
            versions += [2, 2, *([2, 1, 1] if halves else []), 2, 2, 2, 2, 2, 1]
        data = integer(1) + word("loss_metric_2") + number(5, -7) + number(5, -3)
        data += integers(*versions, 2, 2, 2, 3) + word("input_rgb_image_sized")
        data += b"".join(number(int(mean), 0) for mean in MEANS) + integers(SMALL.side, SMALL.side)
        data += self.stem.written(innermost=True) + word("relu_") + _REST
        data += word("max_pool_2") + integers(3, 3, 2, 2, 0, 0) + _REST
        for halves, first, second in self.blocks:
            data += first.written() + word("relu_") + _REST + second.written()
            data += word("avg_pool_2") + integers(2, 2, 2, 2, 0, 0) + _REST if halves else b""
            data += word("add_prev_") + _REST + word("relu_") + _REST
        data += word("avg_pool_2") + integers(0, 0, 1, 1, 0, 0) + _REST
        inputs, outputs = self.weights.shape
        data += word("fc_2") + integers(outputs, inputs) + tensor(self.weights, inputs, outputs, 1, 1)
        data += integers(1, inputs, outputs, 1, 1) + integers(1, 0, 0, 0, 0) + integer(1) + _RATES + _REST
        return data

    def run(self, chip):
        """float32 (3, side, side) to (3,)."""
        x = np.maximum(self.stem.run((chip - np.reshape(MEANS, (3, 1, 1))) / 256), 0)
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))[:, ::2, ::2]
        x = windows.max(axis=(3, 4))
        for halves, first, second in self.blocks:
            y = second.run(np.maximum(first.run(x), 0))
            if halves:
                x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2]
                x = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).mean(axis=(2, 4))
            total = np.zeros(np.maximum(x.shape, y.shape))
            total[: x.shape[0], : x.shape[1], : x.shape[2]] += x
            total[: y.shape[0], : y.shape[1], : y.shape[2]] += y
            x = np.maximum(total, 0)
        return x.mean(axis=(1, 2)) @ self.weights
