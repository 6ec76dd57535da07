"""Which layers of a model may have 8 bits: measured on what really goes into it, with ONNX Runtime on the CPU.

Three looks at the same inputs: between which numbers what goes into each layer lies; which part of that range loses
least when it is rounded; how far what comes out of each layer is then off. All three are computed inside the graph, so
that nothing large leaves it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from understudy.arrays import AnyArray
from understudy.errors import ModelError, NoMemoryError, out_of_memory
from understudy.models.onnx_runtime import ort
from understudy.models.providers import first_line
from understudy.models.quantised import Layer, Range, eight_bits, rounded_input, stored_weights

#: Parts of a range that are tried.
_SHARES: Final = (1.0, 0.85, 0.7, 0.55)
#: Of the inputs at most so many are looked at for the second and the third.
_FEW: Final = 6

Values = Mapping[str, AnyArray]


@dataclass(frozen=True)
class Measured:
    """What was found out about one layer.

    Attributes:
        range: Between which numbers what goes into it lies, as far as it pays.
        error: Root of the mean square by which what comes out of it is off, over how much that varies.
    """

    range: Range
    error: float


def measured(model: ModelProto, layers: Sequence[Layer], values: Sequence[Values]) -> dict[Layer, Measured]:
    """What 8 bits would do to each layer by itself.

    Args:
        model: As ``quantised.prepared`` makes it.
        layers: Which.
        values: What goes into the model, several times, by input.

    Raises:
        ModelError: the model can't be run, or gives what are no numbers.
        NoMemoryError: there is not enough.
    """
    few = values[:: max(len(values) // _FEW, 1)][:_FEW]
    ranges = _ranges(model, layers, values)
    narrowed = _narrowed(model, layers, ranges, few)
    errors = _errors(model, layers, narrowed, few)
    return {layer: Measured(narrowed[layer], errors[layer]) for layer in layers}


def largest(model: ModelProto, names: Collection[str], values: Sequence[Values]) -> dict[str, float]:
    """The largest number, whatever its sign, of some values of a graph in single precision.

    Args:
        model: The graph.
        names: The values.
        values: What goes into the model, several times, by input.

    Raises:
        ModelError, NoMemoryError: see ``measured``.
    """
    asked = _Questions(model)
    ends: dict[str, str] = {}
    for name in names:
        size = f"{name}:size"
        asked.add([helper.make_node("Abs", [name], [size], size)])
        ends[name] = asked.reduced("ReduceMax", size)
    told = asked.answers(values)
    return {name: max(told[end]) for name, end in ends.items()}


def _ranges(model: ModelProto, layers: Sequence[Layer], values: Sequence[Values]) -> dict[Layer, Range]:
    """The smallest and the largest number that go into each layer."""
    asked = _Questions(model)
    ends = {
        layer.input: (asked.reduced("ReduceMin", layer.input), asked.reduced("ReduceMax", layer.input))
        for layer in layers
    }
    told = asked.answers(values)
    return {layer: Range(min(told[ends[layer.input][0]]), max(told[ends[layer.input][1]])) for layer in layers}


def _narrowed(
    model: ModelProto, layers: Sequence[Layer], ranges: Mapping[Layer, Range], values: Sequence[Values]
) -> dict[Layer, Range]:
    """The part of each range that loses least when it is rounded to 8 bits: cutting off a few far ones may pay."""
    asked = _Questions(model)
    lost: dict[tuple[Layer, float], str] = {}
    first: dict[str, Layer] = {}
    for layer in layers:
        same = first.setdefault(layer.input, layer)
        for share in _SHARES:
            if same is not layer:
                lost[layer, share] = lost[same, share]
                continue
            given = rounded_input(layer, ranges[layer].narrowed(share))
            asked.add(given.nodes, given.constants)
            lost[layer, share] = asked.square_of_difference(given.output, layer.input)
    told = asked.answers(values)
    best = {layer: min(_SHARES, key=lambda share, one=layer: sum(told[lost[one, share]])) for layer in layers}  # type: ignore[misc]
    return {layer: ranges[layer].narrowed(best[layer]) for layer in layers}


def _errors(
    model: ModelProto, layers: Sequence[Layer], ranges: Mapping[Layer, Range], values: Sequence[Values]
) -> dict[Layer, float]:
    """How far what comes out of each layer is off, if it alone has 8 bits."""
    asked = _Questions(model)
    nodes = {node.name: node for node in model.graph.node}
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    lost, varied = {}, {}
    rounded: dict[str, str] = {}
    for layer in layers:
        if layer.input not in rounded:
            given = rounded_input(layer, ranges[layer])
            asked.add(given.nodes, given.constants)
            rounded[layer.input] = given.output
        weights, scales = eight_bits(numpy_helper.to_array(constants[layer.weights]))
        name = f"{layer.node}:int8"
        lighter = stored_weights(layer, name, scales)
        beside = NodeProto()
        beside.CopyFrom(nodes[layer.node])
        beside.name, beside.output[0] = f"{layer.node}:beside", f"{layer.output}:beside"
        beside.input[0], beside.input[1] = rounded[layer.input], lighter.output
        asked.add((*lighter.nodes, beside), (*lighter.constants, numpy_helper.from_array(weights, name)))
        lost[layer] = asked.square_of_difference(beside.output[0], layer.output)
        varied[layer] = asked.square_of_difference(layer.output, asked.reduced("ReduceMean", layer.output))
    told = asked.answers(values)
    return {
        layer: float(np.sqrt(np.mean(told[lost[layer]]) / max(float(np.mean(told[varied[layer]])), 1e-12)))
        for layer in layers
    }


class _Questions:
    """A graph with further outputs of one number each.

    Args:
        model: The graph; it is not changed.
    """

    def __init__(self, model: ModelProto) -> None:
        self._model = ModelProto()
        self._model.CopyFrom(model)
        self._asked: list[str] = []

    def add(self, nodes: Sequence[NodeProto], constants: Sequence[TensorProto] = ()) -> None:
        """Put nodes and constants into the graph. They may come before what they read: it is sorted at the end."""
        self._model.graph.node.extend(nodes)
        self._model.graph.initializer.extend(constants)

    def reduced(self, how: str, value: str) -> str:
        """One number of a value, and ask for it; its name."""
        name = f"{value}:{how}:{len(self._asked)}"
        self.add([helper.make_node(how, [value], [name], name, keepdims=0)])
        self._asked.append(name)
        return name

    def square_of_difference(self, one: str, other: str) -> str:
        """The mean square of the difference of two values, and ask for it; its name."""
        off = f"{one}:off:{len(self._asked)}"
        self.add([helper.make_node("Sub", [one, other], [off], off)])
        self.add([helper.make_node("Mul", [off, off], [f"{off}:square"], f"{off}:square")])
        return self.reduced("ReduceMean", f"{off}:square")

    def answers(self, values: Sequence[Values]) -> dict[str, list[float]]:
        """What was asked for, for each of the inputs.

        Raises:
            ModelError: it can't be run, or gives what are no numbers.
            NoMemoryError: there is not enough.
        """
        if not self._asked:
            return {}
        graph = self._model.graph
        graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, []) for name in self._asked)
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.add_session_config_entry("session.force_spinning_stop", "1")
        told: dict[str, list[float]] = {name: [] for name in self._asked}
        try:
            session: Any = ort.InferenceSession(_written(self._model), options, providers=["CPUExecutionProvider"])
            kinds = {end.name: end.type for end in session.get_inputs()}
            for given in values:
                typed = {name: np.asarray(value, _kind(kinds[name])) for name, value in given.items()}
                for name, value in zip(self._asked, session.run(self._asked, typed), strict=True):
                    told[name].append(float(value))
        except Exception as fault:  # of ONNX Runtime, in whatever class
            if out_of_memory(fault):
                raise NoMemoryError("to look into the model") from fault
            raise ModelError(f"the model can't be looked into: {first_line(fault)}", "It stays as it is.") from fault
        if not all(np.isfinite(each).all() for each in told.values()):
            raise ModelError("the model gives what are no numbers on the way", "It stays as it is: try other pictures.")
        return told


def _written(model: ModelProto) -> bytes:
    data: bytes = model.SerializeToString()
    return data


def _kind(name: str) -> Any:  # noqa: ANN401
    return np.float64 if name == "tensor(double)" else np.float32
