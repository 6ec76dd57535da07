"""Which number CUDA gives a GPU in this process.

CUDA counts only what the environment lets it see, and reads that once, when it starts: ``CUDA_VISIBLE_DEVICES`` says
which GPUs and in which order, ``CUDA_DEVICE_ORDER`` how the rest are counted (by guessed speed unless it says
``PCI_BUS_ID``, which is how ``nvidia-smi`` counts). A MIG slice can be chosen in no other way, and of several a process
sees one ("CUDA Environment Variables" in the CUDA programming guide; "CUDA Device Enumeration" in the MIG user guide).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable, MutableMapping
from functools import cached_property
from typing import Final

from understudy.errors import UsageError
from understudy.models.devices import AskedDevice
from understudy.models.nvidia_smi import GpuList, list_gpus

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
ORDER: Final = "CUDA_DEVICE_ORDER"
_AS_ON_THE_BUS: Final = "PCI_BUS_ID"
#: What every call of CUDA's driver answers before it was started (cuda.h).
_NOT_INITIALIZED: Final = 3
#: Where its number in a process is not known, or none was asked for.
_FIRST: Final = 0


def cuda_started() -> bool:
    """Whether anybody in this process has started CUDA: what the environment says comes too late then."""
    name = "nvcuda.dll" if os.name == "nt" else "libcuda.so.1"
    try:
        # Asks for the driver only if it is loaded already.
        driver = ctypes.CDLL(name, mode=getattr(os, "RTLD_NOLOAD", ctypes.DEFAULT_MODE))
    except OSError:
        return False
    answer: int = driver.cuDeviceGetCount(ctypes.byref(ctypes.c_int()))
    return answer != _NOT_INITIALIZED


class CudaDevices:
    """Finds GPUs, and chooses what CUDA will see where that is still possible.

    Args:
        listed: Tells of the machine's GPUs.
        started: Tells whether CUDA has started.
        environment: This process's.
    """

    def __init__(
        self,
        listed: Callable[[], GpuList] = list_gpus,
        started: Callable[[], bool] = cuda_started,
        environment: MutableMapping[str, str] = os.environ,
    ) -> None:
        self._ask, self._started, self._environment = listed, started, environment

    def numbers(self, asked: Iterable[AskedDevice]) -> dict[str, int]:
        """CUDA's numbers of all GPUs that are asked for by name or number, by what they are called.

        Slices come first: they decide what is seen.

        Raises:
            UsageError: one is not there, or can't be used in this process.
        """
        wanted = dict.fromkeys(one.gpu for one in asked if one.gpu is not None)
        if not wanted:
            return {}
        if not self._started():
            # An environment that changes while another thread reads it is not safe; nothing of CUDA runs yet.
            self._environment.setdefault(ORDER, _AS_ON_THE_BUS)
        return {gpu: self._number(gpu) for gpu in sorted(wanted, key=lambda one: (not one.startswith("MIG-"), one))}

    def name(self, number: int) -> str | None:
        """What a GPU is: its model, its share of it and its driver; None where that is not known for sure."""
        visible, models = self._visible(), {gpu.name for gpu in self._listed.gpus}
        if number >= len(visible) or (self._uncertain and len(models) > 1):
            return None
        uuid = visible[number]
        for gpu in self._listed.gpus:
            for one in gpu.slices:
                if one.uuid == uuid:
                    return f"{gpu.name} MIG {one.profile}, driver {gpu.driver}"
            if gpu.uuid == uuid:
                return f"{gpu.name}, driver {gpu.driver}"
        return None

    @cached_property
    def _listed(self) -> GpuList:
        return self._ask()

    @property
    def _uncertain(self) -> bool:
        """Whether CUDA may count otherwise than ``nvidia-smi``: of several, where nobody told it how."""
        by_name = all(not word.strip().isdecimal() for word in self._environment.get(VISIBLE, "0").split(","))
        return len(self._listed.gpus) > 1 and self._environment.get(ORDER) != _AS_ON_THE_BUS and not by_name

    def _number(self, asked: str) -> int:
        if asked.isdecimal():
            return self._counted(int(asked))
        uuid = self._whole(asked)
        visible = self._visible()
        chosen = VISIBLE in self._environment
        if uuid in visible and (chosen or not uuid.startswith("MIG-")):
            if self._uncertain:
                raise UsageError(
                    f"it is not known which of CUDA's GPUs {uuid} is: CUDA was started before it was asked for",
                    f"Set {ORDER}={_AS_ON_THE_BUS} before the program starts.",
                )
            return visible.index(uuid)
        if chosen or self._started():
            raise self._unseen(uuid, visible)
        self._environment[VISIBLE] = uuid
        return _FIRST

    def _counted(self, number: int) -> int:
        """A number, checked as far as anything is known."""
        visible = self._visible()
        if self._listed.gpus and number >= len(visible):
            there = f"{self._called(visible)} (counted from 0)" if visible else "none"
            raise UsageError(
                f"there is no GPU {number} in this process; there is {there}",
                "`understudy doctor` names them all. "
                + (f"{VISIBLE} says which are seen." if VISIBLE in self._environment else ""),
            )
        return number

    def _whole(self, asked: str) -> str:
        """The whole of a name that may be only its beginning.

        Raises:
            UsageError: there is none of that name, or several.
        """
        if not self._listed.gpus:
            return asked  # CUDA knows
        found = [uuid for uuid in self._uuids() if uuid.lower().startswith(asked.lower())]
        if len(found) != 1:
            raise UsageError(
                f"there {'is no GPU' if not found else 'are several GPUs'} {asked} here",
                "`understudy doctor` and `nvidia-smi -L` name those that are.",
            )
        return found[0]

    def _unseen(self, uuid: str, visible: list[str]) -> UsageError:
        """The error about a GPU or slice that this process does not see."""
        seen = self._called(visible) or "none"
        why = f"{VISIBLE} is {self._environment[VISIBLE]!r}" if VISIBLE in self._environment else "CUDA runs already"
        sliced = uuid.startswith("MIG-") or any(one.startswith("MIG-") for one in visible)
        one = "With a MIG slice a process sees that one and nothing else: " if sliced else ""
        return UsageError(
            f"{uuid} can't be used in this process, which sees {seen}: {why}",
            f"{one}Start a program for it, with {VISIBLE}={uuid}.".strip(),
        )

    def _uuids(self) -> list[str]:
        """All names, of GPUs and slices."""
        return [uuid for gpu in self._listed.gpus for uuid in (gpu.uuid, *(one.uuid for one in gpu.slices))]

    def _visible(self) -> list[str]:
        """What CUDA sees, in its order; a slice, where there is one, and nothing else."""
        gpus = {gpu.number: gpu for gpu in self._listed.gpus}
        words = self._environment.get(VISIBLE, ",".join(map(str, gpus)))
        seen: list[str] = []
        for word in (one.strip() for one in words.split(",")):
            if word.isdecimal():
                gpu = gpus.get(int(word))
                found = [] if gpu is None else [gpu.slices[0].uuid if gpu.slices else gpu.uuid]
            else:
                found = [uuid for uuid in self._uuids() if word and uuid.lower().startswith(word.lower())]
                found = found if gpus or not word else [word]
            if len(found) != 1:
                break  # CUDA stops at the first word that means nothing
            seen += found
        slices = [uuid for uuid in seen if uuid.startswith("MIG-")]
        return slices[:1] or seen

    def _called(self, visible: list[str]) -> str:
        """GPUs, as people know them."""
        names = {gpu.uuid: gpu.name for gpu in self._listed.gpus}
        names |= {one.uuid: f"{one.uuid} ({one.profile})" for gpu in self._listed.gpus for one in gpu.slices}
        return ", ".join(names.get(uuid, uuid) for uuid in visible)
