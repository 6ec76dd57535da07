"""The one place that opens ONNX models: on which device, how precisely, and whether they work there at all.

A device that was asked for is the device that is used, or an error. A model is tried before its first real picture:
half precision only where it gives what single precision gives, and nothing that answers with NaN or one flat grey.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnxruntime as ort
from onnx import ModelProto

from understudy.arrays import AnyArray, FloatArray
from understudy.errors import ModelError, ModelFileError, UsageError
from understudy.models.devices import Device, RuntimeOptions
from understudy.models.entries import Entry
from understudy.models.graphs import EMBEDDING, check_graph, in_single, is_half
from understudy.models.store import Store

#: ONNX Runtime's name of each device, the fastest first: ``auto`` takes the first that works.
PROVIDERS: Final[dict[Device, str]] = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
#: Which packages bring a device.
_PACKAGES: Final[dict[Device, str]] = {
    "tensorrt": "onnxruntime-gpu and TensorRT",
    "cuda": "onnxruntime-gpu",
    "coreml": "onnxruntime on a Mac",
    "directml": "onnxruntime-directml",
    "openvino": "onnxruntime-openvino",
}
#: Mean difference of half precision from single, over the range of what comes out, up to which it is used.
_HALF_IS_FINE: Final = 0.01
#: Seed of the noise that models are tried with.
_SEED: Final = 5
#: Axes of a picture.
_PICTURE: Final = 4
#: Size of an axis that a graph leaves open.
_OPEN_AXIS: Final = 1
#: What answers noise with the same number everywhere is broken, if it is one of these kinds; and not if it gives fewer
#: numbers than that.
_LIVELY: Final = ("swapper", "enhancer", "upscaler", "embedder", "converter")
_ENOUGH: Final = 64


class Session:
    """An open model that works.

    Attributes:
        entry: Which.
        device: Where it really runs.
        notes: What should be said of it.
        inputs, outputs: Names in the graph's order.
    """

    def __init__(self, entry: Entry, session: Any, device: Device, notes: tuple[str, ...] = ()) -> None:  # noqa: ANN401
        self.entry, self.device, self.notes = entry, device, notes
        self._session = session
        self._types = {one.name: _numpy_type(one.type) for one in session.get_inputs()}
        self.inputs = [one.name for one in session.get_inputs()]
        self.outputs = [one.name for one in session.get_outputs()]

    @property
    def target(self) -> str:
        """The input that takes a picture."""
        named, others = self.entry.input.name, [self.entry.source.name if self.entry.source else None]
        return named or next(
            (n for n in self.inputs if n not in others and len(self.shape(n)) == _PICTURE), self.inputs[0]
        )

    @property
    def source(self) -> str:
        """The input that takes an identity, where there are two."""
        named = self.entry.source.name if self.entry.source else None
        return named or next(name for name in self.inputs if name != self.target)

    def shape(self, name: str) -> list[int | str | None]:
        """The shape of an input: numbers, and names or None for open axes."""
        return next(list(one.shape) for one in self._session.get_inputs() if one.name == name)

    def run(self, values: Mapping[str, AnyArray]) -> list[FloatArray]:
        """Run once.

        Args:
            values: By input.

        Returns:
            All outputs in the graph's order, float32.

        Raises:
            ModelError: the device failed.
        """
        given = {name: np.asarray(value, self._types[name]) for name, value in values.items()}
        try:
            return [np.asarray(one, np.float32) for one in self._session.run(None, given)]
        except Exception as fault:  # ONNX Runtime's errors have no common class but this
            raise ModelError(
                f"{self.entry.name} failed on {self.device}: {_first_line(fault)}",
                "Try it on another device: --device cpu",
            ) from fault


class Runtime:
    """Opens models, each once.

    Args:
        options: How they are run.
    """

    def __init__(self, options: RuntimeOptions | None = None) -> None:
        self.options = options or RuntimeOptions()
        self._open: dict[str, Session] = {}

    def open(self, store: Store, entry: Entry) -> Session:
        """A model, ready: opened, tried, and the same session for everybody who asks.

        Raises:
            ModelMissingError, ModelFileError: it is not in the store, altered, or not what its entry says.
            UsageError: the device that was asked for is not there.
            ModelError: it does not open or does not work.
        """
        if entry.name not in self._open:
            data = store.read(entry)
            model = check_graph(data, entry.file.name)
            self._open[entry.name] = self._opened(entry, data, model)
        return self._open[entry.name]

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said of the open models."""
        return tuple(note for session in self._open.values() for note in session.notes)

    def close(self) -> None:
        """Give all models back."""
        self._open.clear()

    def _opened(self, entry: Entry, data: bytes, model: ModelProto) -> Session:
        notes: tuple[str, ...] = ()
        if not is_half(model):
            return self._working(entry, data)
        single_data = in_single(model).SerializeToString()
        device = self._devices()[0]
        wanted = self.options.precision == "half" or (self.options.precision == "auto" and device != "cpu")
        if wanted:
            single = self._working(entry, single_data)
            try:
                half = self._working(entry, data)
            except ModelError as fault:
                notes = (f"{entry.name}: half precision does not work here ({fault.message}): single is used",)
            else:
                if _agree(half, single):
                    return half
                notes = (f"{entry.name}: half precision gives something else here: single is used",)
            return Session(entry, single._session, single.device, notes)
        return self._working(entry, single_data)

    def _working(self, entry: Entry, data: bytes) -> Session:
        """A session that answers sensibly, on the first device where one does."""
        faults = []
        for device in self._devices():
            try:
                session = Session(entry, self._started(data, device), device)
                _check_inputs(session)
                _probe(session)
            except ModelFileError:
                raise
            except ModelError as fault:
                faults.append(fault.message)
                continue
            notes = tuple(f"{entry.name}: {fault}; {device} is used" for fault in faults)
            return Session(entry, session._session, device, notes)
        raise ModelError(faults[-1], "Try another device (--device cpu), or fetch the model again.")

    def _devices(self) -> list[Device]:
        there = available_devices()
        asked = self.options.device
        if asked == "auto":
            return there
        if asked not in there:
            package = _PACKAGES.get(asked)
            raise UsageError(
                f"there is no device {asked} here; there is {', '.join(there)}",
                f"It takes {package}." if package else "Choose another with --device.",
            )
        return [asked]

    def _started(self, data: bytes, device: Device) -> Any:  # noqa: ANN401
        options = ort.SessionOptions()
        options.log_severity_level = 4  # what it has to say comes as an error
        if self.options.threads is not None:
            options.intra_op_num_threads = self.options.threads
        provider = PROVIDERS[device]
        try:
            session = ort.InferenceSession(data, options, providers=[provider])
        except Exception as fault:
            raise ModelError(f"it does not open on {device}: {_first_line(fault)}", "") from fault
        if session.get_providers()[0] != provider:
            raise ModelError(f"{device} is not usable here", "")
        return session


def available_devices() -> list[Device]:
    """What ONNX Runtime was built for, the fastest first. Whether it works shows when a model is opened."""
    there = set(ort.get_available_providers())
    return [device for device, provider in PROVIDERS.items() if provider in there]


def _check_inputs(session: Session) -> None:
    """Whether the graph takes what its entry says.

    Raises:
        ModelFileError: it does not.
    """
    entry = session.entry
    for name in (entry.input.name, entry.source.name if entry.source else None):
        if name is not None and name not in session.inputs:
            raise ModelFileError(
                f"{entry.name} has no input {name!r}, but {', '.join(session.inputs)}",
                "It is another model than its entry means.",
            )
    if entry.source is not None and len(session.inputs) != 2:
        raise ModelFileError(
            f"{entry.name} has {len(session.inputs)} inputs; a swapper has two", "It is another model than that."
        )
    if entry.kind != "converter":
        if len(session.shape(session.target)) != _PICTURE:
            raise ModelFileError(f"{entry.name} takes no picture", "It is another model than its entry means.")
        side = session.shape(session.target)[-1 if entry.input.layout == "nchw" else -2]
        if entry.kind != "detector" and isinstance(side, int) and side != entry.input.size:
            raise ModelFileError(
                f"{entry.name} takes pictures of {side} pixels, its entry says {entry.input.size}",
                "It is another model than its entry means.",
            )


def _noise(session: Session) -> list[dict[str, FloatArray]]:
    """What a model is tried with: noise, and one flat colour, on which norms in half precision divide by zero."""
    random = np.random.default_rng(_SEED)
    tries = []
    for flat in (False, True):
        values = {}
        for name in session.inputs:
            shape = [size if isinstance(size, int) and size > 0 else _OPEN_AXIS for size in session.shape(name)]
            if len(shape) != _PICTURE:
                shape[-1] = EMBEDDING if shape[-1] == _OPEN_AXIS else shape[-1]
            elif _OPEN_AXIS in shape[2:]:
                source = session.entry.source
                photo = source.picture if source is not None and name != session.target else None
                size = (photo or session.entry.input).size
                shape = [1, 3, size, size] if session.entry.input.layout == "nchw" else [1, size, size, 3]
            noise = random.normal(size=shape) * 0.3
            values[name] = (
                np.full(shape, 0.25, np.float32) if flat and len(shape) == _PICTURE else noise.astype(np.float32)
            )
        tries.append(values)
    return tries


def _probe(session: Session) -> None:
    """Run a model on noise.

    Raises:
        ModelError: it fails, or answers with what is no number, or with the same number everywhere.
    """
    for number, values in enumerate(_noise(session)):
        outputs = session.run(values)
        _check_output(session, outputs[0])
        for output in outputs:
            if not np.isfinite(output).all():
                raise ModelError(f"{session.entry.name} gives what are no numbers on {session.device}", "")
            lively = session.entry.kind in _LIVELY and number == 0
            if lively and output.size >= _ENOUGH and float(np.ptp(output)) == 0:
                raise ModelError(f"{session.entry.name} gives the same number everywhere on {session.device}", "")


def _check_output(session: Session, output: FloatArray) -> None:
    """Whether what comes out is of the shape that its kind has.

    Raises:
        ModelFileError: it is not.
    """
    entry, side = session.entry, session.entry.input.size
    wanted: dict[str, tuple[int, ...]] = {
        "swapper": (1, 3, side, side),
        "embedder": (1, EMBEDDING),
        "converter": (1, EMBEDDING),
        "content": (1, 2),
        "attributes": (1, 3),
    }
    shape = wanted.get(entry.kind)
    if shape is not None and output.shape != shape:
        raise ModelFileError(
            f"{entry.name} gives numbers in the shape {output.shape}, not {shape}", "It is another model than that."
        )


def _agree(half: Session, single: Session) -> bool:
    """Whether two sessions of one model give nearly the same."""
    for values in _noise(single):
        for one, other in zip(half.run(values), single.run(values), strict=True):
            spread = max(float(np.ptp(other)), 1e-6)
            if float(np.abs(one - other).mean()) > _HALF_IS_FINE * spread:
                return False
    return True


def _numpy_type(name: str) -> Any:  # noqa: ANN401
    """ONNX Runtime's name of a type, as numpy's."""
    types = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
    return types.get(name, np.int64)


def _first_line(fault: Exception) -> str:
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]
