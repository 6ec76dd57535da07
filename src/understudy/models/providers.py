"""ONNX Runtime as it is installed here: on which devices it runs models, and how it opens one there."""

from __future__ import annotations

import ctypes
import io
import re
from collections.abc import Mapping
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final

from understudy.errors import ModelError, NoMemoryError, out_of_memory
from understudy.models.devices import SEVERAL, Device
from understudy.models.entries import Entry
from understudy.models.leftover_memory import give_back_memory
from understudy.models.onnx_runtime import ort

#: ONNX Runtime's name of each device, the fastest first: ``auto`` takes the first that works.
PROVIDERS: Final[dict[Device, str]] = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
#: The part of ONNX Runtime that each of NVIDIA's devices needs, and that needs NVIDIA's own libraries.
_LIBRARIES: Final[dict[str, str]] = {
    "cuda": "libonnxruntime_providers_cuda.so",
    "tensorrt": "libonnxruntime_providers_tensorrt.so",
}
#: The place in its own source with which an error begins: in lines of their own, and before what it says.
_PLACE_ONLY: Final = re.compile(r"(?:Exception from|Check .+ failed at) \S+\.(?:cc|cpp|cu|hpp|h):\d+:")
_SOURCE: Final = re.compile(r"(?:/|[A-Z]:\\)\S+\.(?:cc|cpp|cu|h):\d+ .+?\)(?: const)?(?: \[with [^\]]*\])? (?=\S)")
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class OnnxRuntime:
    """Opens models. Tests put another in its place, with devices that are not here."""

    def devices(self) -> list[Device]:
        """What it was built for, the fastest first. Whether a device works shows when a model is opened."""
        there = set(ort.get_available_providers())
        return [device for device, provider in PROVIDERS.items() if provider in there]

    def start(
        self,
        entry: Entry,
        data: bytes,
        device: Device,
        *,
        gpu: int = 0,
        threads: int | None = None,
        recorded: bool = False,
        own: Mapping[str, str] = _NONE,
    ) -> Any:  # noqa: ANN401
        """A model, opened on a device: an ``onnxruntime.InferenceSession``.

        Args:
            entry: Which model, for messages.
            data: Its file.
            device: The only one that will do.
            gpu: CUDA's number of it, of several GPUs.
            threads: Of a model on the CPU; None: as many as there are cores.
            recorded: Whether its first run is recorded, for others to be replayed (a CUDA graph).
            own: Further options of the device's, by ONNX Runtime's names.

        Raises:
            NoMemoryError: the device has not enough.
            ModelError: it does not open there.
        """
        options = ort.SessionOptions()
        options.log_severity_level = 4  # what it has to say comes as an error
        # Its threads wait for the next run in a busy loop, and take the cores from what else a frame takes (with two
        # cores that took twice as long). The next run is a frame away.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        if threads is not None:
            options.intra_op_num_threads = threads
        provider = PROVIDERS[device]
        which = {"device_id": str(gpu)} if device in SEVERAL else {}
        chosen = [(provider, {**which, **own, **({"enable_cuda_graph": "1"} if recorded else {})})]
        # TensorRT leaves to CUDA what it does not know, not to the CPU.
        chosen += [(PROVIDERS["cuda"], which)] if device == "tensorrt" and "cuda" in self.devices() else []
        if device in SEVERAL:
            load_libraries(ort)
        try:
            # Its own falling back would go on elsewhere in silence.
            session = ort.InferenceSession(data, options, providers=chosen, enable_fallback=0)
        except Exception as fault:
            if out_of_memory(fault):
                raise too_large(entry, len(data), called(device, gpu)) from fault
            what = f"{entry.name} does not open on {called(device, gpu)}"
            raise ModelError(f"{what}: {missing(device) or first_line(fault)}", "") from fault
        give_back_memory()
        if session.get_providers()[0] != provider:
            why = missing(device)
            raise ModelError(f"{entry.name}: {called(device, gpu)} is not usable here{f': {why}' if why else ''}", "")
        return session


def called(device: Device, gpu: int) -> str:
    """A device as people name it: the first of several has no number."""
    return f"{device}:{gpu}" if gpu else device


def too_large(entry: Entry, size: int, device: str) -> NoMemoryError:
    """The error for a model that a device has not enough memory for; ``size`` is its bytes."""
    return NoMemoryError(
        f"for {entry.name} on {device}: its file alone is {size / 1e6:.0f} MB",
        "Close other programs, choose a smaller model, or place some elsewhere: --device NAME=cpu",
    )


def first_line(fault: Exception) -> str:
    """Of what ONNX Runtime or OpenVINO says of an error, the first line that is more than a place in its source."""
    lines = [line.strip() for line in str(fault).strip().splitlines() if line.strip()] or [type(fault).__name__]
    telling = [line for line in lines if not _PLACE_ONLY.fullmatch(line)]
    line = (telling or lines)[0]
    return (_SOURCE.sub("", line) or line)[:200]


def missing(device: Device) -> str:
    """Which library a device lacks here, in the system's words; empty where none is known to be lacking."""
    name = _LIBRARIES.get(device)
    path = None if name is None else Path(str(ort.__file__)).parent / "capi" / name
    if path is None or not path.exists():
        return ""
    try:
        ctypes.CDLL(str(path))
    except OSError as fault:
        return first_line(fault)
    return ""


@cache
def load_libraries(runtime: ModuleType) -> None:
    """Load CUDA and cuDNN where pip put them, once: the system does not look there (ONNX Runtime 1.21 and later).

    It prints what it does not find; ``missing`` tells that.
    """
    if hasattr(runtime, "preload_dlls"):
        with redirect_stdout(io.StringIO()):
            runtime.preload_dlls()
