"""What models of the catalogue run on, and how precisely: options only, so that naming them loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Device = Literal["auto", "cpu", "cuda", "tensorrt", "coreml", "directml", "openvino"]
DEVICES: Final[tuple[Device, ...]] = get_args(Device)


@dataclass(frozen=True)
class RuntimeOptions:
    """How models are run.

    Attributes:
        device: ``auto``, or the only one that will do.
        threads: Threads of a model on the CPU; None: as many as there are cores.
        precision: ``auto``: single on the CPU, half elsewhere where the model has it and it holds; ``half``: wherever
            it holds; ``single``: always.

    Raises:
        ValueError: no such device, or no thread.
    """

    device: Device = "auto"
    threads: int | None = None
    precision: Literal["auto", "half", "single"] = "auto"

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise ValueError(f"there is no device {self.device!r}: there are {', '.join(DEVICES)}")
        if self.threads is not None and self.threads < 1:
            raise ValueError("a model needs a thread")
