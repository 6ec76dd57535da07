"""Keeps the machine code of kernels between processes: beside their source, or in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import platformdirs

from understudy.version import __version__

#: Where Linux says which processor this is.
PROCESSOR: Final = Path("/proc/cpuinfo")
#: The lines of it that tell processors apart for which different code is made.
_TELLING: Final = ("vendor_id", "cpu family", "model", "stepping", "flags")
_SUFFIX: Final = ".kernel"


class Place:
    """Where the code of one kernel for arguments of one kind is kept.

    Args:
        function: The kernel's.
        digest: Of all that the code is made of.
        signature: The kinds of its arguments.
    """

    def __init__(self, function: Callable[..., Any], digest: bytes, signature: Sequence[str]) -> None:
        identity = hashlib.sha256(repr((_machine(PROCESSOR), digest, tuple(signature))).encode()).hexdigest()
        self._name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}-{identity[:24]}{_SUFFIX}"
        self._folders = folders(Path(function.__code__.co_filename))

    def read(self) -> tuple[bytes, bytes] | None:
        """The two object files that were kept; None if there are none, or they are damaged."""
        for folder in self._folders:
            with suppress(OSError):
                return _unpacked((folder / self._name).read_bytes())
        return None

    def write(self, objects: tuple[bytes, bytes]) -> None:
        """Keep two object files. Where nothing can be written nothing is kept."""
        for folder in self._folders:
            with suppress(OSError):
                _write(folder / self._name, _packed(objects))
                return


class Mark:
    """Says that something was done once with the kernels of this version on this machine.

    Args:
        name: Of what was done.
    """

    def __init__(self, name: str) -> None:
        identity = hashlib.sha256(repr((_machine(PROCESSOR), __version__)).encode()).hexdigest()
        self._paths = [folder / f"{name}-{identity[:24]}" for folder in folders(Path(__file__))]

    @property
    def is_there(self) -> bool:
        """Whether it was said. What another user keeps for themselves alone is no use here."""
        return any(os.access(path, os.R_OK) for path in self._paths)

    def set(self) -> bool:
        """Say it; whether that was possible."""
        for path in self._paths:
            with suppress(OSError):
                _write(path, b"")
                return True
        return False

    def clear(self) -> None:
        """Say it no more."""
        for path in self._paths:
            with suppress(OSError):
                path.unlink()


def folders(source: Path) -> tuple[Path, ...]:
    """Where code may be kept that was made of a source file, in the order in which they are tried."""
    return source.parent / "__pycache__", platformdirs.user_cache_path("understudy", appauthor=False) / "kernels"


@lru_cache(maxsize=1)
def _machine(processor: Path) -> tuple[object, ...]:
    """What else the code depends on: its makers, Python's and NumPy's objects in memory, the processor."""
    makers = (_version_of("numba"), _version_of("llvmlite"), np.__version__)
    try:
        with processor.open(encoding="utf-8", errors="replace") as file:
            first = file.read(16384).split("\n\n")[0]  # only its beginning
    except OSError:  # on other systems, where numba keeps the code
        told = [platform.machine(), platform.processor()]
    else:
        told = [line for line in first.splitlines() if line.split("\t")[0].strip() in _TELLING]
    return (*makers, sys.version_info[:2], object.__basicsize__, *told)


def _version_of(package: str) -> bytes:
    """What an installed package says of its version, without importing it: what does so for any takes 20 ms itself."""
    found = find_spec(package)
    if found is None or found.origin is None:
        return b""
    return Path(found.origin).with_name("_version.py").read_bytes()


def _packed(objects: tuple[bytes, bytes]) -> bytes:
    """Both in one, behind a digest and the first one's length."""
    content = len(objects[0]).to_bytes(8, "little") + objects[0] + objects[1]
    return hashlib.sha256(content).digest() + content


def _unpacked(data: bytes) -> tuple[bytes, bytes] | None:
    digest, content = data[:32], data[32:]
    if len(content) < 8 or hashlib.sha256(content).digest() != digest:
        return None
    end = 8 + int.from_bytes(content[:8], "little")
    return content[8:end], content[end:]


def _write(path: Path, data: bytes) -> None:
    """Write at once: another process must not read half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
