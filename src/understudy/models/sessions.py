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
from understudy.models.graphs import check_graph, emap_of, in_single, is_half
from understudy.models.store import Store
from understudy.models.trial import PICTURE_AXES, agree, check_inputs, probe

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


class Session:
    """An open model that works.

    Attributes:
        entry: Which.
        device: Where it really runs.
        notes: What should be said of it.
        emap: float32 (512, 512): the projection of embeddings, where a swapper's file carries one.
        inputs, outputs: Names in the graph's order.
    """

    def __init__(self, entry: Entry, session: Any, device: Device) -> None:  # noqa: ANN401
        self.entry, self.device = entry, device
        self.notes: tuple[str, ...] = ()
        self.emap: FloatArray | None = None
        self._session = session
        self._types = {one.name: _numpy_type(one.type) for one in session.get_inputs()}
        self.inputs = [one.name for one in session.get_inputs()]
        self.outputs = [one.name for one in session.get_outputs()]

    @property
    def target(self) -> str:
        """The input that takes a picture."""
        named, others = self.entry.input.name, [self.entry.source.name if self.entry.source else None]
        return named or next(
            (n for n in self.inputs if n not in others and len(self.shape(n)) == PICTURE_AXES), self.inputs[0]
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
            session = self._opened(entry, data, model)
            if entry.source is not None and entry.source.kind == "emap":
                session.emap = emap_of(model, entry.file.name)
            self._open[entry.name] = session
        return self._open[entry.name]

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said of the open models."""
        return tuple(note for session in self._open.values() for note in session.notes)

    def close(self) -> None:
        """Give all models back."""
        self._open.clear()

    def _opened(self, entry: Entry, data: bytes, model: ModelProto) -> Session:
        devices = self._devices()
        if not is_half(model):
            return self._working(entry, data, devices)
        single = self._working(entry, in_single(model).SerializeToString(), devices)
        wished = self.options.precision
        if wished == "single" or (wished == "auto" and single.device == "cpu"):
            return single
        try:
            half = self._working(entry, data, [single.device])
        except ModelError as fault:
            single.notes += (f"half precision does not work here ({fault.message}): single is used",)
            return single
        if agree(half, single):
            return half
        single.notes += (f"{entry.name}: half precision gives something else here: single is used",)
        return single

    def _working(self, entry: Entry, data: bytes, devices: list[Device]) -> Session:
        """A session that answers sensibly, on the first device where one does."""
        faults: list[str] = []
        for device in devices:
            try:
                session = Session(entry, self._started(entry, data, device), device)
                check_inputs(session)
                probe(session)
            except ModelFileError:
                raise
            except ModelError as fault:
                faults.append(fault.message)
                continue
            session.notes = tuple(f"{fault}; {device} is used" for fault in faults)
            return session
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

    def _started(self, entry: Entry, data: bytes, device: Device) -> Any:  # noqa: ANN401
        options = ort.SessionOptions()
        options.log_severity_level = 4  # what it has to say comes as an error
        if self.options.threads is not None:
            options.intra_op_num_threads = self.options.threads
        provider = PROVIDERS[device]
        try:
            session = ort.InferenceSession(data, options, providers=[provider])
        except Exception as fault:
            raise ModelError(f"{entry.name} does not open on {device}: {_first_line(fault)}", "") from fault
        if session.get_providers()[0] != provider:
            raise ModelError(f"{entry.name}: {device} is not usable here", "")
        return session


def available_devices() -> list[Device]:
    """What ONNX Runtime was built for, the fastest first. Whether it works shows when a model is opened."""
    there = set(ort.get_available_providers())
    return [device for device, provider in PROVIDERS.items() if provider in there]


def _numpy_type(name: str) -> Any:  # noqa: ANN401
    """ONNX Runtime's name of a type, as numpy's."""
    types = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
    return types.get(name, np.int64)


def _first_line(fault: Exception) -> str:
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]
