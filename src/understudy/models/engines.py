"""What TensorRT built of models for this very GPU, kept in the private folder: building takes minutes.

TensorRT reads and writes these files itself, by folder. ONNX Runtime names them after the graph's shape, not its
weights (microsoft/onnxruntime#6455, #32254): two models, or two sizes of one, would take each other's. So each has a
folder of its own. Nothing that is kept is believed unless all fits: the model's own digest, the precision, the versions
of ONNX Runtime and TensorRT, the GPU and its driver, and the digest of every file. Else it is built anew, in a new
folder: another process may be using the old one.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from understudy.interruptions import deferred
from understudy.models.compiled import CompiledKey
from understudy.regular import read_regular
from understudy.temporaries import Temporary

#: The folder in the store.
FOLDER: Final = "engines"
#: Most bytes that are kept of all models: those that were used longest ago go first.
MOST_BYTES: Final = 4_000_000_000
#: Seconds after which a folder that was never finished belongs to nobody: no engine takes that long to build.
ABANDONED: Final = 86_400.0
#: Of the timing cache, by which another build of similar layers is quicker. It begins like no model's name.
_TIMINGS: Final = ".timings"
_SUFFIX: Final = ".engine"
_LONGEST_RECORD: Final = 100_000


class Engines:
    """Engines of one store.

    Args:
        folder: Where they are; it is made when one is built.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def kept(self, key: CompiledKey) -> Path | None:
        """The folder of a finished engine; None: there is none, or it is not what was finished."""
        record = self._recorded(key)
        if record is None:
            return None
        folder = self._folder / str(record["folder"])
        if folder.is_symlink() or digests(folder) != record["files"]:
            return None
        with suppress(OSError):
            self._record(key).touch()  # used now: others go first
        return folder

    def has(self, key: CompiledKey) -> bool:
        """Whether one was finished for it; ``kept`` tells whether it is sound."""
        return self._recorded(key) is not None

    def begin(self, key: CompiledKey) -> Path | None:
        """A new, empty folder to build one in, for its owner's eyes only; None where none can be made."""
        folder = self._folder / f"{_stem(key)}.{secrets.token_hex(4)}{_SUFFIX}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700)
        except OSError:
            return None
        return folder

    def timings(self, key: CompiledKey) -> Path | None:
        """The folder of the timing cache for its versions and GPU; None where none can be made."""
        known = hashlib.sha256(f"{key.program}\n{key.processor}".encode()).hexdigest()[:16]
        folder = self._folder / _TIMINGS / known
        try:
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            return None
        return folder

    def finish(self, key: CompiledKey, folder: Path) -> None:
        """Note that what was built works. A full disk is no fault: it is built anew next time."""
        files = digests(folder)
        if not files:
            with suppress(OSError):
                folder.rmdir()  # nothing of the graph is TensorRT's
            return
        record = {**asdict(key), "folder": folder.name, "files": files}
        with suppress(OSError), deferred():
            for path in folder.iterdir():
                path.chmod(0o600)
            part = Temporary(self._record(key), 0o600)
            try:
                part.path.write_text(json.dumps(record, indent=1), encoding="utf-8")
                part.path.replace(self._record(key))
            finally:
                part.remove()
            self._make_room(folder)

    def drop(self, key: CompiledKey) -> None:
        """Remove what did not work after all, and the timings, which may be why."""
        record = self._recorded(key)
        with suppress(OSError):
            self._record(key).unlink(missing_ok=True)
        if record is not None:
            shutil.rmtree(self._folder / record["folder"], ignore_errors=True)
        if (timings := self.timings(key)) is not None:
            shutil.rmtree(timings, ignore_errors=True)

    def remove(self, name: str) -> bool:
        """Remove all engines of a model; whether there were any.

        Raises:
            OSError: one can't be removed.
        """
        found = list(self._folder.glob(f"{name}.{'[0-9a-f]' * 16}.*"))
        for path in found:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        return bool(found)

    def _record(self, key: CompiledKey) -> Path:
        return self._folder / f"{_stem(key)}.json"

    def _recorded(self, key: CompiledKey) -> dict[str, Any] | None:
        """The record of a finished engine; None if there is none, or it is of something else."""
        try:
            record = json.loads(read_regular(self._record(key), _LONGEST_RECORD))
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(record, dict) or {**asdict(key), **record} != record:
            return None
        name = str(record.get("folder"))
        fits = name.startswith(f"{_stem(key)}.") and name.endswith(_SUFFIX) and Path(name).name == name
        return record if fits and isinstance(record.get("files"), dict) else None

    def _make_room(self, newest: Path) -> None:
        """Remove folders that were never finished, and finished ones until all take no more than they may."""
        records: dict[str, Path] = {}
        for path in self._folder.glob("*.json"):
            with suppress(OSError, ValueError, TypeError, KeyError):
                records[json.loads(read_regular(path, _LONGEST_RECORD))["folder"]] = path
        found = []
        for folder in self._folder.glob(f"*{_SUFFIX}"):
            record = records.get(folder.name)
            used = (folder if record is None else record).stat().st_mtime
            if record is not None:
                found.append((used, _size(folder), folder, record))
            elif folder != newest and time.time() - used > ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)
        total = sum(size for _, size, _, _ in found)
        for _, size, folder, record in sorted(found, key=lambda one: one[0]):
            if total <= MOST_BYTES or (folder == newest and size <= MOST_BYTES):
                return
            record.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            total -= size


def _stem(key: CompiledKey) -> str:
    return key.file.rpartition(".")[0]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file in a folder, by name; empty where one of them is no plain file."""
    found: dict[str, str] = {}
    try:
        for path in sorted(folder.iterdir()):
            found[path.name] = hashlib.sha256(read_regular(path, MOST_BYTES)).hexdigest()
    except OSError:
        return {}
    return found
