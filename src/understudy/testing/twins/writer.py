"""Writes ONNX graphs node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from understudy.arrays import AnyArray

#: Of every graph made here: what ONNX Runtime from 1.17 on reads.
_OPSET: Final = 17
_IR: Final = 9


class GraphWriter:
    """Writes a graph node by node, weights and all.

    Args:
        seed: Of the weights.
        kind: float32 or float16, of the weights.
        within: What names of nodes and constants begin with, as exporters put a layer's name there.
    """

    def __init__(self, seed: int = 0, kind: type[np.floating] = np.float32, within: str = "") -> None:
        self._random, self._kind, self._within = np.random.default_rng(seed), kind, within
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []

    def constant(self, values: AnyArray, name: str | None = None, *, exact: bool = False) -> str:
        """A constant; its name. Numbers become the graph's kind, but not if they are to be kept ``exact``."""
        name = name or f"{self._within}c{len(self._constants)}"
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
        output, own = name or f"{self._within}n{len(self._nodes)}", f"{self._within}{kind}{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], own, **attributes))
        return output

    def convolved(
        self,
        values: str,
        channels: tuple[int, int],
        size: int,
        *,
        pad: int = 0,
        stride: int = 1,
        groups: int = 1,
        gain: float = 1.0,
    ) -> str:
        """A convolution with bias 0, its weights times ``gain``."""
        weights = np.float32(gain) * self.spread(channels[1], channels[0] // groups, size, size)
        return self.node(
            "Conv",
            values,
            self.constant(weights),
            self.constant(np.zeros(channels[1], np.float32)),
            kernel_shape=[size, size],
            pads=[pad] * 4,
            strides=[stride] * 2,
            group=groups,
        )

    def sloped(self, values: str, channels: int) -> str:
        """A PReLU whose slopes are all a quarter."""
        return self.node("PRelu", values, self.constant(np.full((channels, 1, 1), 0.25, np.float32)))

    def normed(self, values: str, channels: int, name: str | None = None) -> str:
        """A norm over the batch that changes nothing, as at inference."""
        kept = [self.constant(np.full(channels, value, np.float32)) for value in (1, 0, 0, 1)]
        return self.node("BatchNormalization", values, *kept, name=name)

    def mirrored(self, values: str, by: int) -> str:
        """Padded by its own mirror image."""
        return self.node("Pad", values, self.constant(np.array([0, 0, by, by, 0, 0, by, by], np.int64)), mode="reflect")

    def finished(
        self,
        inputs: Sequence[tuple[str, Sequence[int | str]]],
        outputs: Sequence[tuple[str, Sequence[int | str]]],
        doubles: Sequence[tuple[str, Sequence[int | str]]] = (),
    ) -> bytes:
        """The file.

        Args:
            inputs: Names and shapes.
            outputs: Likewise.
            doubles: More inputs, of float64.
        """
        kind = TensorProto.FLOAT if self._kind is np.float32 else TensorProto.FLOAT16
        first, last = (
            [helper.make_tensor_value_info(name, kind, list(shape)) for name, shape in ends]
            for ends in (inputs, outputs)
        )
        first += [helper.make_tensor_value_info(name, TensorProto.DOUBLE, list(shape)) for name, shape in doubles]
        graph = helper.make_graph(self._nodes, "twin", first, last, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        data: bytes = model.SerializeToString()
        return data


def turn(size: int, seed: int) -> AnyArray:
    """A random orthogonal matrix, float32 (size, size): it keeps lengths and angles, and moves every number.

    A permutation, mirrored a few times (Householder's way): a thousand times quicker than a random rotation by QR.
    """
    rng = np.random.default_rng(seed)
    matrix = np.eye(size)[rng.permutation(size)]
    for _ in range(4):
        normal = rng.normal(size=size)
        matrix -= np.outer(matrix @ normal, normal) * (2 / (normal @ normal))
    return matrix.astype(np.float32)
