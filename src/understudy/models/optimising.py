"""Makes a model's variant of 8 bits, and sees to it that it still gives the same pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from typing import Final

import numpy as np
from onnx import ModelProto

from understudy.arrays import AnyArray, FloatArray
from understudy.errors import ModelError, UsageError
from understudy.models.calibrating import Measured, Values, measured
from understudy.models.devices import RuntimeOptions
from understudy.models.ends import Ends, ends_of
from understudy.models.entries import Entry
from understudy.models.graphs import check_graph, in_single, is_half
from understudy.models.onnx_runtime import ort
from understudy.models.openvino_runtime import OpenVino
from understudy.models.places import PICTURES, Graph, Places
from understudy.models.providers import OnnxRuntime
from understudy.models.quantised import Layer, layers, prepared, quantised
from understudy.models.session import Session
from understudy.models.store import Store
from understudy.models.trial import PICTURE_AXES
from understudy.models.variants import VariantRecord, Variants
from understudy.version import __version__

#: How many inputs a model is looked at with, at most; of these every fourth is held back, to judge the result by.
MOST_INPUTS: Final = 24
_HELD_BACK: Final = 4
_FEWEST: Final = 2
#: By how many of those single layers are judged: it is their order that counts.
_FEW: Final = 2


@dataclass(frozen=True)
class OptimiseOptions:
    """Up to what a variant may lose.

    Attributes:
        layer_error: What a layer may be off by, as a share of how much what comes out of it varies: others stay in
            single precision.
        error: Mean difference of what comes out, over its range, up to which a variant is made at all: two grey levels
            of 255.

    Raises:
        ValueError: they are not between 0 and 1.
    """

    layer_error: float = 0.03
    error: float = 2 / 255

    def __post_init__(self) -> None:
        if not (0 < self.layer_error < 1 and 0 < self.error < 1):
            raise ValueError("what a variant may lose is above 0 and below 1")


@dataclass(frozen=True, eq=False)
class Given:
    """What goes into a model once.

    Attributes:
        picture: float32, as the model takes it.
        other: What goes into its other input, where it has one: whose face it is, or a weight.
    """

    picture: AnyArray
    other: AnyArray | None = None


def optimised(
    store: Store,
    entry: Entry,
    given: Sequence[Given],
    calibration: str,
    options: OptimiseOptions | None = None,
    openvino: OpenVino | None = None,
) -> VariantRecord:
    """Make the variant of 8 bits of a model, and put it beside the original.

    Args:
        store: Where the original is.
        entry: Which.
        given: What goes into it, several times, as it will.
        calibration: What that was taken from, in words.
        options: What it may lose.
        openvino: Judges the result, where it is usable: there variants run. Else ONNX Runtime does.

    Raises:
        ModelMissingError, ModelFileError: the original is not there, or altered.
        UsageError: there is only one thing that goes in: by what it was made from, nothing can be judged.
        ModelError: it can't be done, or not within the bounds.
    """
    if len(given) < _FEWEST:
        raise UsageError(
            "one picture is too few: some are learned from, and others judge what comes of it",
            "Name a clip, or several photos, after --calibrate.",
        )
    bounds = options or OptimiseOptions()
    check_kind(entry)
    original = store.read(entry)
    digest, graph = sha256(original).hexdigest(), check_graph(original, entry.file.name)
    del original
    graph = prepared(in_single(graph) if is_half(graph) else graph, entry.name)
    values = by_input(entry, ends_of(graph), given)
    judge = _Judge(entry, values[::_HELD_BACK], openvino or OpenVino())
    seen = [one for number, one in enumerate(values) if number % _HELD_BACK]
    there = layers(graph)
    found = measured(graph, there, seen)
    chosen = {layer: one for layer, one in found.items() if one.error <= bounds.layer_error}
    judge.expect(graph)
    data, error, chosen = _within(entry, graph, chosen, judge, bounds)
    record = VariantRecord(
        original=digest,
        sha256=sha256(data).hexdigest(),
        size=len(data),
        how="convolutions in 8 bits: weights for each channel, what goes in for each layer; all else in 32",
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        tool=f"understudy {__version__}, ONNX Runtime {ort.__version__}",
        calibration=calibration,
        layers=len(chosen),
        left=len(there) - len(chosen),
        layer_error=max(one.error for one in chosen.values()),
        error=error,
        bounds=(bounds.layer_error, bounds.error),
    )
    Variants(store).add(entry, data, record)
    return record


def check_kind(entry: Entry) -> None:
    """Whether a model's numbers may be made coarser at all.

    Raises:
        ModelError: they are held against thresholds, or against each other.
    """
    if entry.kind not in PICTURES:
        raise ModelError(
            f"{entry.name} is a model of the kind {entry.kind}, which is not made coarser",
            "What it gives is held against a threshold or against other faces; pictures are another matter: "
            f"{', '.join(PICTURES)}.",
        )


def by_input(entry: Entry, ends: Ends, given: Sequence[Given]) -> list[Values]:
    """The same by the names of inputs, chosen as ``Session`` does.

    Raises:
        ModelError: there are more inputs.
    """
    names = [end.name for end in ends.inputs]
    source = entry.source.name if entry.source else None
    pictures = [end.name for end in ends.inputs if end.name != source and len(end.shape) == PICTURE_AXES]
    target = entry.input.name or (pictures or names)[0]
    others = [name for name in names if name != target]
    if len(others) > 1 or target not in names:
        raise ModelError(
            f"{entry.name} takes more than a picture and whose face it is: it is not optimised", "It stays as it is."
        )
    return [{target: one.picture} | {name: one.other for name in others if one.other is not None} for one in given]


def _within(
    entry: Entry,
    graph: ModelProto,
    chosen: dict[Layer, Measured],
    judge: _Judge,
    bounds: OptimiseOptions,
) -> tuple[bytes, float, dict[Layer, Measured]]:
    """The file whose result is within the bound, its error and its layers.

    What single layers do to the result adds up like lengths at right angles: the sum of squares. Where all together do
    too much, as many as fit are taken, those first that do least.

    Raises:
        ModelError: none fits.
    """
    error = np.inf
    if chosen:
        data, error = judge.tried(graph, chosen)
        if error <= bounds.error:
            return data, error, chosen
        none = judge.tried(graph, {}, _FEW)[1]
        alone = {layer: judge.tried(graph, {layer: one}, _FEW)[1] for layer, one in chosen.items()}
        order = sorted(chosen, key=lambda layer: alone[layer])
        total = np.cumsum([none**2, *(max(alone[layer] ** 2 - none**2, 0) for layer in order)])[1:]
        number = int((total <= bounds.error**2).sum())
        while number:
            some = {layer: chosen[layer] for layer in order[:number]}
            data, error = judge.tried(graph, some)
            if error <= bounds.error:
                return data, error, some
            number -= 1
    off = f": it was off by {error:.2%} of its range" if np.isfinite(error) else ""
    raise ModelError(
        f"no layer of {entry.name} can have 8 bits within the bounds{off}",
        "It stays as it is. Other pictures to calibrate with may help: --calibrate CLIP.",
    )


class _Judge:
    """Holds what a variant gives against what the original gives, both where they will run.

    Args:
        entry: The model.
        values: What goes in.
        openvino: Runs both, where it is usable.
    """

    def __init__(self, entry: Entry, values: Sequence[Values], openvino: OpenVino) -> None:
        self._entry, self._values = entry, values
        self._places = Places(RuntimeOptions(device="cpu"), OnnxRuntime(), openvino)
        self._place = self._places.of(entry)[0]
        self._expected: list[FloatArray] = []

    def expect(self, model: ModelProto) -> None:
        """Note what the original gives, in single precision."""
        self._expected = self._run(model, model.SerializeToString(), self._values, half=False)

    def tried(
        self, graph: ModelProto, chosen: Mapping[Layer, Measured], most: int | None = None
    ) -> tuple[bytes, float]:
        """A variant, and its mean difference over the range of what is expected: infinite where it gives no numbers.

        Args:
            graph: The original.
            chosen: The layers of 8 bits.
            most: By how many of the inputs it is judged; None for all.
        """
        model = quantised(graph, {layer: one.range for layer, one in chosen.items()})
        data: bytes = model.SerializeToString()
        half = self._places.wants_half(self._entry, self._place)
        given = self._run(model, data, self._values[:most], half=half)
        pairs = zip(given, self._expected[:most], strict=True)
        off = float(np.mean([np.abs(one - other).mean() / max(float(np.ptp(other)), 1e-6) for one, other in pairs]))
        return data, off if np.isfinite(off) else float("inf")

    def _run(self, model: ModelProto, data: bytes, values: Sequence[Values], *, half: bool) -> list[FloatArray]:
        """What comes out first of each."""
        opened = self._places.start(self._entry, Graph(data, ends_of(model)), self._place, half=half)
        session = Session(self._entry, opened, "cpu", len(data))
        return [session.run(given)[0] for given in values]
