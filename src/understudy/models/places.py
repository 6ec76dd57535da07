"""Where a model can run, the best first: each place is a device and the program that runs models there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from understudy.errors import UsageError
from understudy.models.compiled import CompiledModels
from understudy.models.devices import Device, Program, RuntimeOptions
from understudy.models.ends import Ends
from understudy.models.entries import Entry, Kind
from understudy.models.openvino_runtime import OpenVino
from understudy.models.providers import OnnxRuntime
from understudy.models.variants import VariantPrecision

#: Which packages bring a device.
_PACKAGES: Final[dict[Device, str]] = {
    "tensorrt": "onnxruntime-gpu and TensorRT",
    "cuda": "onnxruntime-gpu",
    "coreml": "onnxruntime on a Mac",
    "directml": "onnxruntime-directml",
    "openvino": "onnxruntime-openvino",
}
#: What makes pictures. Everything else gives numbers that are held against a threshold, or against each other: these
#: stay as exact as they were when the thresholds were found, unless less is asked for.
PICTURES: Final[tuple[Kind, ...]] = ("swapper", "enhancer", "upscaler", "mask")


@dataclass(frozen=True)
class Place:
    """Where a model can run.

    Attributes:
        device: The device.
        program: What runs models there.
    """

    device: Device
    program: Program = "onnxruntime"


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph to be opened.

    Attributes:
        data: Its file.
        ends: What goes in and comes out.
        kept: Where it may be kept compiled; None for nowhere: what was made for one person must not be.
    """

    data: bytes
    ends: Ends
    kept: CompiledModels | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return sha256(self.data).hexdigest()


class Places:
    """Knows where models can run here, and opens them there.

    Args:
        options: What was asked for.
        onnx: Opens models with ONNX Runtime.
        openvino: Opens them with OpenVINO.
    """

    def __init__(self, options: RuntimeOptions, onnx: OnnxRuntime, openvino: OpenVino) -> None:
        self._options, self._onnx, self._openvino = options, onnx, openvino

    def of(self, entry: Entry) -> list[Place]:
        """Where a model may run, in the order in which places are tried.

        Raises:
            UsageError: what was asked for is not here.
        """
        found: list[Place] = []
        for device in self._devices(entry):
            if device == "cpu" and self._options.backend != "onnxruntime":
                if self._options.backend == "openvino":
                    self._openvino.require()
                if self._openvino.usable:
                    found.append(Place(device, "openvino"))
            if device != "cpu" or self._options.backend != "openvino":
                found.append(Place(device))
        return found

    def wants_half(self, entry: Entry, place: Place) -> bool:
        """Whether a graph in single precision should be computed in half at a place."""
        if place.program != "openvino":
            return False
        wished = self._options.precision
        if wished == "half":
            return True
        return wished in ("auto", "int8") and entry.kind in PICTURES and self._openvino.computes_half

    def variants(self, place: Place) -> tuple[VariantPrecision, ...]:
        """In which precisions a variant should run at a place in the original's stead, if there is one: best first.

        With ONNX Runtime on the CPU 8 bits have to be asked for: on CPUs of today they were slower there than the
        original. 16 bits are for what computes so: another device, or OpenVINO where half precision is asked for.
        """
        wished, openvino = self._options.precision, place.program == "openvino"
        found: list[VariantPrecision] = []
        if wished == "int8" or (wished == "auto" and openvino):
            found.append("int8")
        if (wished == "half" and openvino) or (wished != "single" and place.device != "cpu"):
            found.append("half")
        return tuple(found)

    def is_kept(self, entry: Entry, graph: Graph, place: Place) -> bool:
        """Whether a graph is kept compiled in half precision: only what was found to hold is."""
        if graph.kept is None or place.program != "openvino":
            return False
        return graph.kept.has(self._openvino.key(entry, graph.digest, half=True))

    def start(self, entry: Entry, graph: Graph, place: Place, *, half: bool = False) -> Any:  # noqa: ANN401
        """Open a graph at a place: something with the calls of an ``onnxruntime.InferenceSession``.

        Raises:
            NoMemoryError, ModelError: it does not open there.
        """
        threads = self._options.threads
        if place.program == "openvino":
            key = None if graph.kept is None else self._openvino.key(entry, graph.digest, half=half)
            kept = None if graph.kept is None or key is None else (graph.kept, key)
            return self._openvino.start(entry, graph.data, graph.ends, half=half, threads=threads, kept=kept)
        return self._onnx.start(entry, graph.data, place.device, threads=threads)

    def _devices(self, entry: Entry) -> list[Device]:
        there = self._onnx.devices()
        asked = self._options.device_of(entry.name, entry.kind)
        if asked == "auto":
            return there
        if asked not in there:
            package = _PACKAGES.get(asked)
            raise UsageError(
                f"there is no device {asked} here; there is {', '.join(there)}",
                f"It takes {package}." if package else "Choose another with --device.",
            )
        return [asked]
