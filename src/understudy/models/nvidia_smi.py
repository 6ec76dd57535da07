"""NVIDIA's GPUs and their MIG slices, as its own program ``nvidia-smi`` tells of them: no library of it is needed.

The form of its lists is that of NVIDIA's manuals ("nvidia-smi -L" in the MIG user guide, "--query-gpu" in its help).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

PROGRAM: Final = "nvidia-smi"
#: With a driver that hangs it would not answer at all.
PATIENCE: Final = 10.0
_GPU_LINE: Final = re.compile(r"GPU (\d+): (.+?) \(UUID: (GPU-[^)\s]+)\)")
_SLICE_LINE: Final = re.compile(r"\s+MIG (\S+)\s+Device\s+\d+: \(UUID: (MIG-[^)\s]+)\)")


@dataclass(frozen=True)
class MigSlice:
    """A part of a GPU (MIG, "multi-instance GPU") that programs use as a GPU of its own.

    Attributes:
        profile: Its share of the GPU and its memory, such as ``3g.20gb``.
        uuid: ``MIG-…``.
    """

    profile: str
    uuid: str


@dataclass(frozen=True)
class Gpu:
    """A GPU.

    Attributes:
        number: Its place on the bus, from 0.
        name: Its model.
        uuid: ``GPU-…``.
        memory_mib: Its memory in MiB; None where that is not told.
        driver: The version of the driver; empty where that is not told.
        slices: The parts that it is cut into.
    """

    number: int
    name: str
    uuid: str
    memory_mib: int | None = None
    driver: str = ""
    slices: tuple[MigSlice, ...] = ()


@dataclass(frozen=True)
class GpuList:
    """What is known of this machine's GPUs.

    Attributes:
        gpus: In the order of their numbers.
        fault: Why they are not known; empty where they are.
        installed: Whether there is a ``nvidia-smi`` at all.
    """

    gpus: tuple[Gpu, ...] = ()
    fault: str = ""
    installed: bool = True


def list_gpus() -> GpuList:
    """Ask ``nvidia-smi`` for the GPUs of this machine. Takes up to a second where there is one."""
    program = shutil.which(PROGRAM)
    if program is None:
        return GpuList(fault=f"there is no {PROGRAM} here", installed=False)
    listed = _asked(program, "-L")
    if isinstance(listed, GpuList):
        return listed
    gpus = parsed(listed)
    if not gpus:
        return GpuList(fault=f"{PROGRAM} names no GPU: {_first_line(listed)}")
    more = _asked(program, "--query-gpu=uuid,memory.total,driver_version", "--format=csv,noheader,nounits")
    return GpuList(gpus if isinstance(more, GpuList) else _with_memory(gpus, more))


def parsed(listed: str) -> tuple[Gpu, ...]:
    """The GPUs of what ``nvidia-smi -L`` printed."""
    gpus: list[Gpu] = []
    for line in listed.splitlines():
        if whole := _GPU_LINE.match(line):
            gpus.append(Gpu(int(whole[1]), whole[2], whole[3]))
        elif (part := _SLICE_LINE.match(line)) and gpus:
            gpus[-1] = replace(gpus[-1], slices=(*gpus[-1].slices, MigSlice(part[1], part[2])))
    return tuple(gpus)


def _with_memory(gpus: tuple[Gpu, ...], table: str) -> tuple[Gpu, ...]:
    rows = [[cell.strip() for cell in line.split(",")] for line in table.splitlines()]
    told = {row[0]: row[1:] for row in rows if len(row) == 3}
    found = []
    for gpu in gpus:
        memory, driver = told.get(gpu.uuid, ("", ""))
        # Some GPUs share the computer's memory: "[N/A]".
        found.append(replace(gpu, memory_mib=int(memory) if memory.isdecimal() else None, driver=driver))
    return tuple(found)


def _asked(program: str, *words: str) -> str | GpuList:
    """What it prints, or why it does not."""
    try:
        process = subprocess.Popen(
            [program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as fault:
        return GpuList(fault=f"{PROGRAM} does not start: {fault.strerror or fault}")
    try:
        said, complained = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        with suppress(subprocess.TimeoutExpired):  # one that waits for the driver can't even be killed
            process.communicate(timeout=1)
        return GpuList(fault=f"{PROGRAM} does not answer within {PATIENCE:.0f} s")
    if process.returncode != 0:
        return GpuList(fault=f"{PROGRAM} failed: {_first_line(said or complained)}")
    return said


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["it says nothing"])[0][:200]
