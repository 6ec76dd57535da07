"""What OpenVINO made of models for this very processor, kept in the private folder: they open in half the time.

Nothing that is kept is believed unless all fits: the model's own digest, OpenVINO's version, the processor and what it
can do, and the digest of what is kept. Another machine's, a damaged or an older one is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from understudy.interruptions import deferred
from understudy.regular import read_regular
from understudy.temporaries import Temporary

#: The folder in the store.
FOLDER: Final = "compiled"
#: Most bytes that are kept of all models: those that were used longest ago go first.
MOST_BYTES: Final = 2_000_000_000
_LONGEST_RECORD: Final = 10_000


@dataclass(frozen=True)
class CompiledKey:
    """What must be the same for a compiled model to be used.

    Attributes:
        name: Of the model in the catalogue.
        model: SHA-256 of the graph that was compiled.
        precision: ``single`` or ``half``.
        program: What compiled it, and its version.
        processor: The processor or GPU: its name, and what it can do or by which driver.
    """

    name: str
    model: str
    precision: str
    program: str
    processor: str

    @property
    def file(self) -> str:
        """The name of its file."""
        known = json.dumps(asdict(self), sort_keys=True)
        return f"{self.name}.{hashlib.sha256(known.encode()).hexdigest()[:16]}.blob"


class CompiledModels:
    """Compiled models of one store.

    Args:
        folder: Where they are; it is made when one is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, key: CompiledKey) -> bool:
        """Whether one was kept for it; ``read`` tells whether it is sound."""
        return self._recorded(key) is not None

    def read(self, key: CompiledKey) -> bytes | None:
        """What is kept, or None: it is not there, not for this, or not what was written."""
        path, content = self._folder / key.file, self._recorded(key)
        try:
            data = b"" if content is None else read_regular(path, MOST_BYTES)
        except OSError:
            return None
        if hashlib.sha256(data).hexdigest() != content:
            return None
        with suppress(OSError):
            os.utime(path)  # used now: others go first
        return data

    def write(self, key: CompiledKey, data: bytes) -> None:
        """Keep it, for its owner's eyes only. A full disk is no fault: it is made anew next time."""
        if len(data) > MOST_BYTES:
            return
        path = self._folder / key.file
        record = asdict(key) | {"content": hashlib.sha256(data).hexdigest()}
        with suppress(OSError), deferred():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(len(data))
            _write(path, data)
            _write(_record(path), json.dumps(record, indent=1).encode())

    def remove(self, key: CompiledKey) -> None:
        """Remove what did not work after all."""
        for path in (self._folder / key.file, _record(self._folder / key.file)):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _recorded(self, key: CompiledKey) -> str | None:
        """The SHA-256 of what was kept; None if nothing was, or for something else, whatever its file is called."""
        try:
            record = json.loads(read_regular(_record(self._folder / key.file), _LONGEST_RECORD))
        except (OSError, ValueError, RecursionError):
            return None
        content = record.pop("content", None) if isinstance(record, dict) else None
        return content if isinstance(content, str) and record == asdict(key) else None

    def _make_room(self, size: int) -> None:
        found = [(path.stat().st_mtime, path.stat().st_size, path) for path in self._folder.glob("*.blob")]
        for _, length, path in sorted(found):
            if sum(one for _, one, other in found if other.exists()) + size <= MOST_BYTES:
                return
            del length
            path.unlink()
            _record(path).unlink(missing_ok=True)


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _write(path: Path, data: bytes) -> None:
    part = Temporary(path, 0o600)
    try:
        part.path.write_bytes(data)
        part.path.replace(path)
    finally:
        part.remove()
