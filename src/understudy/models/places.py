"""Where a model can run, the best first: each place is a device and the program that runs models there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from understudy.errors import UsageError
from understudy.models.compiled import FOLDER as COMPILED
from understudy.models.compiled import CompiledKey, CompiledModels
from understudy.models.cuda_devices import CudaDevices
from understudy.models.devices import AskedDevice, Device, Program, RuntimeOptions
from understudy.models.ends import Ends
from understudy.models.engines import FOLDER as ENGINES
from understudy.models.engines import Engines
from understudy.models.entries import Entry, Kind
from understudy.models.openvino_runtime import OpenVino
from understudy.models.providers import OnnxRuntime, called
from understudy.models.tensorrt import TensorRt
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
        gpu: CUDA's number of it, of several GPUs.
    """

    device: Device
    program: Program = "onnxruntime"
    gpu: int = 0

    def __str__(self) -> str:
        return called(self.device, self.gpu)


@dataclass(frozen=True)
class Kept:
    """Where a store keeps what was made of its models for this very machine.

    Attributes:
        compiled: By OpenVINO.
        engines: By TensorRT.
    """

    compiled: CompiledModels
    engines: Engines

    @classmethod
    def of(cls, root: Path) -> Kept:
        """A store's; ``root`` is its folder."""
        return cls(CompiledModels(root / COMPILED), Engines(root / ENGINES))


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph to be opened.

    Attributes:
        data: Its file.
        ends: What goes in and comes out.
        kept: Where what is made of it may be kept; None for nowhere: what was made for one person must not be.
    """

    data: bytes
    ends: Ends
    kept: Kept | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return sha256(self.data).hexdigest()

    @property
    def fixed(self) -> bool:
        """Whether whatever goes in and comes out is always of one shape."""
        ends = [*self.ends.inputs, *self.ends.outputs]
        return all(isinstance(size, int) and size > 0 for end in ends for size in end.shape)


class Places:
    """Knows where models can run here, and opens them there.

    Args:
        options: What was asked for.
        onnx: Opens models with ONNX Runtime.
        openvino: Opens them with OpenVINO.
        cuda: Finds GPUs.
    """

    def __init__(
        self, options: RuntimeOptions, onnx: OnnxRuntime, openvino: OpenVino, cuda: CudaDevices | None = None
    ) -> None:
        self._options, self._onnx, self._openvino = options, onnx, openvino
        self._cuda = cuda or CudaDevices()
        self._tensorrt = TensorRt(onnx, self._cuda)

    def of(self, entry: Entry) -> list[Place]:
        """Where a model may run, in the order in which places are tried.

        Raises:
            UsageError: what was asked for is not here.
        """
        found: list[Place] = []
        devices, gpu = self._devices(entry)
        for device in devices:
            if device == "cpu" and self._options.backend != "onnxruntime":
                if self._options.backend == "openvino":
                    self._openvino.require()
                if self._openvino.usable:
                    found.append(Place(device, "openvino"))
            if device != "cpu" or self._options.backend != "openvino":
                found.append(Place(device, gpu=gpu))
        return found

    def wants_half(self, entry: Entry, place: Place) -> bool:
        """Whether a graph in single precision should be computed in half at a place."""
        if place.program != "openvino" and place.device != "tensorrt":
            return False
        wished = self._options.precision
        if wished == "half":
            return True
        if wished not in ("auto", "int8") or entry.kind not in PICTURES:
            return False
        return place.program != "openvino" or self._openvino.computes_half

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
        if graph.kept is None:
            return False
        if (key := self._engine_key(entry, graph, place, half=True)) is not None:
            return graph.kept.engines.has(key)
        if place.program != "openvino":
            return False
        return graph.kept.compiled.has(self._openvino.key(entry, graph.digest, half=True))

    def drop(self, entry: Entry, graph: Graph, place: Place, *, half: bool = False) -> bool:
        """Remove an engine that TensorRT kept of a graph, which did not work after all; whether one was removed."""
        key = self._engine_key(entry, graph, place, half=half)
        if graph.kept is None or key is None or not graph.kept.engines.has(key):
            return False
        graph.kept.engines.drop(key)
        return not graph.kept.engines.has(key)  # it stays where nothing can be written

    def start(self, entry: Entry, graph: Graph, place: Place, *, half: bool = False) -> Any:  # noqa: ANN401
        """Open a graph at a place: something with the calls of an ``onnxruntime.InferenceSession``.

        Raises:
            NoMemoryError, ModelError: it does not open there.
        """
        threads = self._options.threads
        if place.program == "openvino":
            key = None if graph.kept is None else self._openvino.key(entry, graph.digest, half=half)
            blobs = None if graph.kept is None or key is None else (graph.kept.compiled, key)
            return self._openvino.start(entry, graph.data, graph.ends, half=half, threads=threads, kept=blobs)
        if place.device == "tensorrt":
            key = self._engine_key(entry, graph, place, half=half)
            kept = None if graph.kept is None or key is None else (graph.kept.engines, key)
            return self._tensorrt.start(entry, graph.data, place.gpu, half=half, kept=kept)
        return self._onnx.start(entry, graph.data, place.device, gpu=place.gpu, threads=threads)

    def _engine_key(self, entry: Entry, graph: Graph, place: Place, *, half: bool) -> CompiledKey | None:
        """Under what TensorRT's engine of a graph is kept; None where none is.

        One for open sizes is not: it is built anew with each size that comes.
        """
        if place.device != "tensorrt" or graph.kept is None or not graph.fixed:
            return None
        return self._tensorrt.key(entry, graph.digest, place.gpu, half=half)

    def _devices(self, entry: Entry) -> tuple[list[Device], int]:
        """The devices that a model may run on, in their order, and the number of the GPU, of several."""
        there = self._onnx.devices()
        asked = AskedDevice.of(self._options.device_of(entry.name, entry.kind))
        if asked.device == "auto":
            return there, 0
        if asked.device not in there:
            package = _PACKAGES.get(asked.device)
            raise UsageError(
                f"there is no device {asked.device} here; there is {', '.join(there)}",
                f"It takes {package}." if package else "Choose another with --device.",
            )
        return [asked.device], 0 if asked.gpu is None else self._gpus[asked.gpu]

    @cached_property
    def _gpus(self) -> dict[str, int]:
        """CUDA's numbers of all GPUs that are named: of all at once, since the first to be opened starts CUDA."""
        return self._cuda.numbers(self._options.asked)
