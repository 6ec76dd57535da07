"""What models of the catalogue run on, and how precisely: options only, so that naming them loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Device = Literal["auto", "cpu", "cuda", "tensorrt", "coreml", "directml", "openvino"]
DEVICES: Final[tuple[Device, ...]] = get_args(Device)
#: Programs that run models.
Program = Literal["onnxruntime", "openvino"]
Backend = Literal["auto", "onnxruntime", "openvino"]
BACKENDS: Final[tuple[Backend, ...]] = get_args(Backend)
#: How precisely a model may be computed.
Precision = Literal["int8", "half", "single"]
#: Far more threads than any machine has cores: beyond it the system makes no more.
MOST_THREADS: Final = 1024
#: ONNX Runtime's name of the memory of devices that have one of their own.
MEMORIES: Final[dict[str, str]] = {"cuda": "cuda", "tensorrt": "cuda"}


@dataclass(frozen=True)
class RuntimeOptions:
    """How models are run.

    Attributes:
        device: ``auto``, or the only one that will do.
        placed: Models, by name or kind, for which another one holds: each with its device. A name goes before a kind.
        backend: Which program runs models on the CPU. ``auto``: OpenVINO where it is installed (the extra
            ``openvino``), else ONNX Runtime; or the only one that will do. Other devices are ONNX Runtime's.
        threads: Threads of a model on the CPU; None: as many as there are cores.
        precision: ``auto``: on the CPU with OpenVINO the variant of 8 bits that ``models optimise`` made, or else
            half for what makes pictures, if the CPU itself computes so and it holds; with ONNX Runtime single on the
            CPU, half elsewhere where the model has it and it holds. ``int8``: such a variant wherever there is one.
            ``half``: wherever it holds; ``single``: always.
        recorded: Whether a model on an NVIDIA device is recorded once and replayed (a CUDA graph), where that gives
            the same. Never tried on a device so far: it has to be asked for.

    Raises:
        ValueError: no such device, a model with two places, or no thread or too many.
    """

    device: Device = "auto"
    placed: tuple[tuple[str, Device], ...] = ()
    backend: Backend = "auto"
    threads: int | None = None
    precision: Literal["auto", "int8", "half", "single"] = "auto"
    recorded: bool = False

    def __post_init__(self) -> None:
        for device in (self.device, *(place for _, place in self.placed)):
            if device not in DEVICES:
                raise ValueError(f"there is no device {device!r}: there are {', '.join(DEVICES)}")
        if self.backend not in BACKENDS:
            raise ValueError(f"there is no backend {self.backend!r}: there are {', '.join(BACKENDS)}")
        names = [name for name, _ in self.placed]
        if len(set(names)) < len(names):
            raise ValueError("a model can't run on two devices")
        if self.threads is not None and not 1 <= self.threads <= MOST_THREADS:
            raise ValueError(f"a model has 1 to {MOST_THREADS} threads, not {self.threads}")

    def device_of(self, name: str, kind: str) -> Device:
        """Where a model is to run."""
        placed = dict(self.placed)
        return placed.get(name, placed.get(kind, self.device))
