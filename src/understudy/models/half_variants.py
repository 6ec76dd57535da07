"""Makes a model's variant of 16 bits, and sees to it that a device that computes so gives the same pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from typing import Final

import numpy as np
from onnx import ModelProto

from understudy.arrays import FloatArray
from understudy.errors import ModelError
from understudy.models.calibrating import Values, largest
from understudy.models.ends import ends_of
from understudy.models.entries import Entry
from understudy.models.graphs import check_graph, is_half
from understudy.models.halved import MOST, HalfLayer, computed_in_half, half_layers, halved
from understudy.models.onnx_runtime import ort
from understudy.models.openvino_runtime import OpenVino
from understudy.models.optimising import Given, OptimiseOptions, by_input
from understudy.models.providers import OnnxRuntime
from understudy.models.session import Session
from understudy.models.store import Store
from understudy.models.trial import PICTURE_AXES
from understudy.models.variants import VariantRecord, Variants
from understudy.version import __version__

#: By how many inputs a variant is judged, besides a flat picture, on which norms in half precision divide by nothing.
_MOST_INPUTS: Final = 6
#: The flat picture.
_FLAT: Final = 0.25


@dataclass(frozen=True, eq=False)
class Original:
    """What a variant is made of.

    Attributes:
        entry: The model.
        digest: SHA-256 of its file.
        graph: In it, in single precision.
    """

    entry: Entry
    digest: str
    graph: ModelProto


@dataclass(frozen=True, eq=False)
class Judged:
    """By what a variant is judged.

    Attributes:
        values: What goes into the model, several times, by input.
        expected: What comes of the original in the end, for each of them: pictures, float32.
        result: The same of another graph in its place, as ``answers`` runs it: by OpenVINO, where that is given.
        openvino: Runs variants on this CPU, where it is usable.
    """

    values: Sequence[Values]
    expected: Sequence[FloatArray]
    result: Callable[[ModelProto, OpenVino | None], Sequence[FloatArray]]
    openvino: OpenVino

    def error(self, variant: ModelProto) -> float:
        """What a variant is off by: computed in half precision, and by OpenVINO in its own 16 bits; the larger one."""
        found = off_by(self.result(computed_in_half(variant), None), self.expected)
        if self.openvino.usable:
            found = max(found, off_by(self.result(variant, self.openvino), self.expected))
        return found


def original_of(store: Store, entry: Entry) -> Original:
    """A model that can be made of 16 bits.

    Raises:
        ModelMissingError, ModelFileError: it is not there, or altered.
        ModelError: it has 16 bits already.
    """
    data = store.read(entry)
    graph = check_graph(data, entry.file.name)
    if is_half(graph):
        raise ModelError(
            f"{entry.name} is in half precision as it comes", "It stays as it is: --precision half computes it so."
        )
    return Original(entry, sha256(data).hexdigest(), graph)


def half_variant(
    store: Store,
    entry: Entry,
    given: Sequence[Given],
    calibration: str,
    options: OptimiseOptions | None = None,
    openvino: OpenVino | None = None,
) -> VariantRecord:
    """Make the variant of 16 bits of a model that makes pictures, and put it beside the original.

    Args:
        store: Where the original is.
        entry: Which.
        given: What goes into it, several times, as it will.
        calibration: What that was taken from, in words.
        options: What it may lose.
        openvino: Runs it on this CPU, where it is usable.

    Raises:
        ModelMissingError, ModelFileError: the original is not there, or altered.
        ModelError: it can't be done, or not within the bounds.
    """
    original = original_of(store, entry)
    values = with_flat(by_input(entry, ends_of(original.graph), given))

    def result(model: ModelProto, program: OpenVino | None = None) -> list[FloatArray]:
        return firsts(answers(entry, model, values, program))

    judged = Judged(values, result(original.graph), result, openvino or OpenVino())
    return kept(store, original, judged, calibration, options or OptimiseOptions())


def kept(store: Store, original: Original, judged: Judged, calibration: str, bounds: OptimiseOptions) -> VariantRecord:
    """Make the variant of 16 bits of a model, judge it by what comes of it in the end, and put it beside the original.

    Args:
        store: Where the original is.
        original: What it is made of.
        judged: By what it is judged.
        calibration: What goes in was taken from this, in words.
        bounds: What it may lose.

    Raises:
        ModelError: it can't be done, or not within the bounds.
    """
    entry, graph = original.entry, original.graph
    there = half_layers(graph)
    chosen = _chosen(graph, there, judged.values, bounds.layer_error)
    variant = halved(graph, chosen)
    error = judged.error(variant) if chosen else float("inf")
    if not error <= bounds.error:
        off = f": it was off by {error:.2%} of its range" if np.isfinite(error) else ": it gave what are no numbers"
        raise ModelError(
            f"{entry.name} can't have 16 bits within the bounds" + (off if chosen else ": no layer can"),
            "It stays as it is. Other pictures to calibrate with may help: --calibrate CLIP.",
        )
    data: bytes = variant.SerializeToString()
    record = VariantRecord(
        original=original.digest,
        sha256=sha256(data).hexdigest(),
        size=len(data),
        precision="half",
        how="weights in 16 bits, and what multiplies by them; norms, sums over a picture and resizing in 32",
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        tool=f"understudy {__version__}, ONNX Runtime {ort.__version__}",
        calibration=calibration,
        layers=len(chosen),
        left=len(there) - len(chosen),
        layer_error=max(one.loss for one in chosen),
        error=error,
        bounds=(bounds.layer_error, bounds.error),
    )
    Variants(store, "half").add(entry, data, record)
    return record


def with_flat(values: Sequence[Values]) -> list[Values]:
    """Some of the inputs, and a flat picture with the rest of the first: what a model is judged by."""
    few = list(values[:: max(len(values) // _MOST_INPUTS, 1)][:_MOST_INPUTS])
    flat = {name: np.full_like(one, _FLAT) if one.ndim == PICTURE_AXES else one for name, one in few[0].items()}
    return [*few, flat]


def answers(
    entry: Entry, model: ModelProto, values: Sequence[Values], openvino: OpenVino | None = None
) -> list[list[FloatArray]]:
    """All that comes out of a graph for each of the inputs, on the CPU.

    Args:
        entry: Which model.
        model: The graph.
        values: What goes in, by input.
        openvino: Runs it in 16 bits; None: ONNX Runtime does, as precisely as the graph says.

    Raises:
        NoMemoryError, ModelError: it does not open or run.
    """
    data = model.SerializeToString()
    if openvino is None:
        session = Session(entry, OnnxRuntime().start(entry, data, "cpu"), "cpu", len(data))
    else:
        session = Session(entry, openvino.start(entry, data, ends_of(model), half=True), "cpu", len(data))
    return [session.run(given) for given in values]


def firsts(answered: Sequence[Sequence[FloatArray]]) -> list[FloatArray]:
    """The first of what came out, for each of the inputs."""
    return [one[0] for one in answered]


def off_by(given: Sequence[FloatArray], expected: Sequence[FloatArray]) -> float:
    """The mean difference over the range of all that is expected; infinite where what is given are no numbers.

    It is that of the worst of the pictures: a flat one alone may come out black.
    """
    spread = max(max(float(one.max()) for one in expected) - min(float(one.min()) for one in expected), 1e-6)
    off = max(float(np.abs(one - other).mean()) for one, other in zip(given, expected, strict=True)) / spread
    return off if np.isfinite(off) else float("inf")


def _chosen(
    graph: ModelProto, there: Sequence[HalfLayer], values: Sequence[Values], most_lost: float
) -> list[HalfLayer]:
    """The layers that 16 bits hold: their weights, and with room to spare what goes in and comes out."""
    able = [layer for layer in there if layer.loss <= most_lost]
    sizes = largest(graph, sorted({name for one in able for name in (one.output, *one.inputs)}), values)
    return [one for one in able if max(sizes[name] for name in (one.output, *one.inputs)) <= MOST]
