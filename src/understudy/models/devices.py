"""What models of the catalogue run on, and how precisely: options only, so that naming them loads nothing."""

from __future__ import annotations

import re
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
#: Devices of which a machine may have several.
SEVERAL: Final[tuple[Device, ...]] = ("cuda", "tensorrt")
#: How one of several GPUs is named: by its number, or as ``nvidia-smi -L`` names it or a part (MIG slice) of it.
#: Drivers before R470 name slices ``MIG-GPU-…/1/0``.
_GPU: Final = re.compile(r"[0-9]{1,4}|GPU-[0-9a-fA-F-]{1,64}|MIG-(GPU-)?[0-9a-fA-F-]{1,64}(/[0-9]{1,4}/[0-9]{1,4})?")


@dataclass(frozen=True)
class AskedDevice:
    """What a word such as ``cuda`` or ``cuda:1`` asks for.

    Attributes:
        device: The kind of device.
        gpu: Which of several: its number, ``GPU-…`` or ``MIG-…``; None where that was left open.
    """

    device: Device
    gpu: str | None = None

    @classmethod
    def of(cls, word: str) -> AskedDevice:
        """What a word asks for.

        Raises:
            ValueError: it names no device.
        """
        kind, colon, gpu = word.partition(":") if isinstance(word, str) else ("", "", "")
        device = next((one for one in DEVICES if one == kind), None)
        if device is None:
            raise ValueError(f"there is no device {word!r}: there are {', '.join(DEVICES)}")
        if not colon:
            return cls(device)
        if device not in SEVERAL:
            raise ValueError(f"{device} takes no number: of {' and '.join(SEVERAL)} only one of several can be named")
        if not _GPU.fullmatch(gpu):
            raise ValueError(f"{gpu!r} names no GPU: name its number, or GPU-… or MIG-… as `nvidia-smi -L` has it")
        return cls(device, gpu)

    def __str__(self) -> str:
        return self.device if self.gpu is None else f"{self.device}:{self.gpu}"


@dataclass(frozen=True)
class RuntimeOptions:
    """How models are run.

    Attributes:
        device: ``auto``, or the only one that will do: ``cpu``, ``cuda``, ``tensorrt``, ``coreml``, ``directml`` or
            ``openvino``. Of several GPUs ``cuda:1`` and ``tensorrt:1`` are the second, ``cuda:GPU-…`` and
            ``cuda:MIG-…`` those that ``nvidia-smi -L`` names so.
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

    device: str = "auto"
    placed: tuple[tuple[str, str], ...] = ()
    backend: Backend = "auto"
    threads: int | None = None
    precision: Literal["auto", "int8", "half", "single"] = "auto"
    recorded: bool = False

    def __post_init__(self) -> None:
        AskedDevice.of(self.device)
        for name, word in self.placed:
            try:
                AskedDevice.of(word)
            except ValueError as fault:
                raise ValueError(f"{name}: {fault}") from fault
        if self.backend not in BACKENDS:
            raise ValueError(f"there is no backend {self.backend!r}: there are {', '.join(BACKENDS)}")
        names = [name for name, _ in self.placed]
        if len(set(names)) < len(names):
            raise ValueError("a model can't run on two devices")
        if self.threads is not None and not 1 <= self.threads <= MOST_THREADS:
            raise ValueError(f"a model has 1 to {MOST_THREADS} threads, not {self.threads}")

    @property
    def asked(self) -> tuple[AskedDevice, ...]:
        """All devices that are named: first the one for all models."""
        return tuple(AskedDevice.of(word) for word in (self.device, *(place for _, place in self.placed)))

    def device_of(self, name: str, kind: str) -> str:
        """Where a model is to run."""
        placed = dict(self.placed)
        return placed.get(name, placed.get(kind, self.device))
