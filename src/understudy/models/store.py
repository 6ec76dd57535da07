"""The store: model files on this machine, each with a record of what it was when it came.

A file is used only if it is still that: its bytes are read once, checked, and what was checked is what runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Final, Literal

from filelock import FileLock, Timeout

from understudy.errors import (
    ModelError,
    ModelFileError,
    ModelMissingError,
    NoSpaceError,
    UnfitFileError,
    out_of_space,
)
from understudy.interruptions import deferred
from understudy.models.catalogue import Catalogue
from understudy.models.compiled import FOLDER as COMPILED
from understudy.models.engines import FOLDER as ENGINES
from understudy.models.engines import Engines
from understudy.models.entries import Download, Entry, Strict
from understudy.models.graphs import check_graph
from understudy.regular import open_regular, read_regular, too_long
from understudy.temporaries import Temporary

State = Literal["there", "begun", "missing", "altered"]
#: The folder of the store in the private folder.
FOLDER: Final = "models"
#: The folder of variants in it.
VARIANTS: Final = "variants"
_NOT_MEANT: Final = "It was altered, or is another version: fetch it from its authors' own place."
_SAY_SIZE: Final = "If it is meant to be so large, say its size in models.toml (docs/models.md)."
_CHUNK: Final = 1 << 20
#: No model of which the catalogue does not say the size is longer. To look at a graph takes twice its bytes.
MOST_BYTES: Final = 640_000_000
#: Bytes of a record that are read.
_LONGEST_RECORD: Final = 10_000


class Record(Strict):
    """What is known of a file in the store.

    Attributes:
        sha256: Its digest when it came.
        size: Bytes.
        source: Where it came from.
        added: When, ISO 8601.
        known: Whether the catalogue knew the digest before; if not, the file was trusted when it first came.
    """

    sha256: str
    size: int
    source: str
    added: str
    known: bool


class Store:
    """Models on this machine.

    Args:
        root: The folder. It is made when something is put into it.
        catalogue: What there could be.
    """

    def __init__(self, root: Path, catalogue: Catalogue) -> None:
        self.root, self.catalogue = root, catalogue

    def path(self, entry: Entry) -> Path:
        """Where a model's file is, or would be."""
        return self.root / entry.file.name

    def partial(self, name: str) -> Path:
        """Where a file of that name grows while it is fetched."""
        return self.root / "partial" / f"{name}.part"

    def archive(self, download: Download) -> Path:
        """Where the archive that a file is in grows while it is fetched."""
        return self.partial(f"archive-{hashlib.sha256(download.url.encode()).hexdigest()[:16]}.zip")

    def state(self, entry: Entry) -> State:
        """What is there, at a glance: sizes are compared, digests are not (see ``read``)."""
        path = self.path(entry)
        try:
            if not path.exists():
                return "begun" if self.partial(entry.file.name).exists() else "missing"
            record, size = self.record(entry), path.stat().st_size
        except OSError as fault:
            raise _unreadable(path, fault) from fault
        return "there" if record is not None and size == record.size and _as_known(entry, record) else "altered"

    def record(self, entry: Entry) -> Record | None:
        """What was recorded when the file came; None if nothing was, or it can't be read."""
        try:
            return Record.model_validate_json(read_regular(self._record_path(entry), _LONGEST_RECORD))
        except (OSError, ValueError):
            return None

    def read(self, entry: Entry) -> bytes:
        """The file, checked: these very bytes are what was fetched.

        Raises:
            ModelMissingError: it is not there.
            ModelFileError: it is not what came, or not what the catalogue says.
        """
        path, record = self._known(entry)
        try:
            data = read_regular(path, record.size)
        except OSError as fault:
            raise _unfit(entry, path, fault) from fault
        if hashlib.sha256(data).hexdigest() != record.sha256:
            raise _altered(entry, "is not what it was when it came")
        return data

    def digest(self, entry: Entry) -> str:
        """SHA-256 that the file must have; whether it has is seen when it is read.

        Raises:
            ModelMissingError, ModelFileError: see ``read``.
        """
        return self._known(entry)[1].sha256

    def _known(self, entry: Entry) -> tuple[Path, Record]:
        """Where a file is and what it should be, if both fit together at a glance.

        Raises:
            ModelMissingError, ModelFileError: see ``read``.
        """
        path = self.path(entry)
        if path.is_symlink():
            raise _altered(entry, "is a link to another file")
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            raise ModelMissingError(entry.name) from None
        except OSError as fault:
            raise _unreadable(path, fault) from fault
        record = self.record(entry)
        if record is None:
            raise _altered(entry, "was put there by other means")
        if size != record.size:
            raise _altered(entry, "is not what it was when it came")
        if not _as_known(entry, record):
            raise _altered(entry, "is not what the catalogue says")
        return path, record

    def verify(self, entry: Entry) -> State:
        """What is there, after reading all of it."""
        state = self.state(entry)
        if state in ("missing", "begun"):
            return state
        try:
            path, record = self._known(entry)
            same = digest_of(path, record.size) == record.sha256
        except (ModelFileError, UnfitFileError):
            return "altered"
        except OSError as fault:
            raise _unreadable(path, fault) from fault
        return "there" if same else "altered"

    def add(self, entry: Entry, part: Path, source: str) -> Record:
        """Check a file and take it in under its own name, whole or not at all. ``part`` is moved.

        Args:
            entry: What it should be.
            part: The file, on the store's own disk.
            source: Where it came from.

        Raises:
            ModelFileError: it is not that. ``part`` stays where it is.
        """
        size, known, most = part.stat().st_size, entry.file.sha256, entry.file.size or MOST_BYTES
        if entry.file.size is not None and size != entry.file.size:
            raise ModelFileError(f"{entry.file.name} has {size:,} bytes instead of {entry.file.size:,}", _NOT_MEANT)
        try:
            data = read_regular(part, most)
        except UnfitFileError as fault:
            raise ModelFileError(f"{entry.file.name} can't be taken in: {fault.strerror}", _SAY_SIZE) from fault
        digest = hashlib.sha256(data).hexdigest()
        if known is not None and digest != known:
            raise ModelFileError(
                f"{entry.file.name} is not the file that the catalogue means: its SHA-256 is {digest}",
                _NOT_MEANT,
            )
        check_graph(data, entry.file.name)
        added = datetime.now(timezone.utc).isoformat(timespec="seconds")
        record = Record(sha256=digest, size=len(data), source=source, added=added, known=entry.file.sha256 is not None)
        self._write(self._record_path(entry), record.model_dump())
        part.replace(self.path(entry))
        return record

    def remove(self, entry: Entry) -> bool:
        """Remove a model, what was begun of it and what was made of it; whether there was anything.

        Raises:
            ModelError: it is being fetched or written just now, or can't be removed.
        """
        part = self.partial(entry.file.name)
        paths = [self.path(entry), self._record_path(entry), part, notes_of(part)]
        archives = [self.archive(download) for download in entry.file.sources if download.member is not None]
        # What was made of it on this machine.
        stem = Path(entry.file.name).stem
        made = [*((VARIANTS, f"{stem}.{one}.onnx*") for one in ("int8", "half")), (COMPILED, f"{entry.name}.*.blob*")]
        paths += [path for folder, pattern in made for path in (self.root / folder).glob(pattern)]
        engines = Engines(self.root / ENGINES)
        try:
            found = any(path.exists() or path.is_symlink() for path in [*paths, *archives])
            if not found:
                path = self.root / ENGINES
                return engines.remove(entry.name)
            with self._at_rest(entry.file.name) as rests:
                if not rests:
                    raise ModelError(
                        f"{entry.name} is being fetched or written just now", "Once that has ended, try again."
                    )
                for path in paths:
                    if path.is_dir() and not path.is_symlink():
                        raise ModelError(
                            f"{path} is a folder: it is left alone", "Remove it yourself, or move it away."
                        )
                    path.unlink(missing_ok=True)
                path = self.root / ENGINES
                engines.remove(entry.name)
            for path in archives:
                with self._at_rest(path.name) as rests:
                    if rests:  # or another model is just being taken from it
                        path.unlink(missing_ok=True)
                        notes_of(path).unlink(missing_ok=True)
        except OSError as fault:
            raise _unwritable(path, fault) from fault
        return found

    def accepted(self, entry: Entry) -> bool:
        """Whether a model's terms were accepted here."""
        return self.catalogue.terms(entry) in self._accepted()

    def accept(self, entries: Sequence[Entry]) -> None:
        """Note that the terms of models were accepted, and when."""
        with self.lock("licences"):
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            terms = dict.fromkeys((self.catalogue.terms(entry) for entry in entries), now)
            self._write(self._licences_path, {**terms, **self._accepted()})

    def lock(self, name: str) -> FileLock:
        """Only one process at a time does something under that name: others wait."""
        path = self.folder("partial") / f"{name}.lock"
        try:
            path.touch(mode=0o600)
        except OSError as fault:
            raise _unwritable(path, fault) from fault
        return FileLock(path)

    @contextmanager
    def _at_rest(self, name: str) -> Iterator[bool]:
        """Whether nobody else does something under that name; nobody does while the block runs, then."""
        lock = self.lock(name)
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        with held:
            yield True

    def folder(self, *parts: str) -> Path:
        """A folder of the store, made if it is missing.

        Raises:
            ModelError: it can't be made.
        """
        path = self.root.joinpath(*parts)
        try:
            # One by one: of folders on the way ``mkdir`` makes private only the last.
            for folder in [*reversed(path.parents), path]:
                if not folder.exists():
                    folder.mkdir(mode=0o700, exist_ok=True)
            path.mkdir(exist_ok=True)
        except OSError as fault:
            raise _unwritable(path, fault) from fault
        return path

    @contextmanager
    def writing(self, path: Path) -> Iterator[None]:
        """While a file of the store is written: no signal ends the block half-way.

        Raises:
            ModelError, NoSpaceError: it can't be written.
        """
        with deferred():
            try:
                yield
            except OSError as fault:
                raise _unwritable(path, fault) from fault

    @property
    def _licences_path(self) -> Path:
        return self.root / "licences.json"

    def _record_path(self, entry: Entry) -> Path:
        return self.root / f"{entry.file.name}.json"

    def _accepted(self) -> dict[str, str]:
        try:
            found = json.loads(read_regular(self._licences_path, _LONGEST_RECORD))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, path: Path, values: dict[str, object] | dict[str, str]) -> None:
        self.folder()
        with self.writing(path):
            part = Temporary(path)
            try:
                part.path.write_text(json.dumps(values, indent=1))
                part.path.replace(path)
            finally:
                part.remove()


def notes_of(part: Path) -> Path:
    """Where it is noted what a growing file will be."""
    return part.with_name(part.name + ".json")


def digest_of(path: Path, most: int) -> str:
    """SHA-256 of a file of at most so many bytes, without holding all of it.

    Raises:
        OSError: it can't be read, or is no such file (see ``regular``).
    """
    digest, done = hashlib.sha256(), 0
    with open_regular(path, most) as file:
        while chunk := file.read(_CHUNK):
            done += len(chunk)
            if done > most:
                raise too_long(path, most)
            digest.update(chunk)
    return digest.hexdigest()


def _as_known(entry: Entry, record: Record) -> bool:
    """Whether the catalogue means the file that came."""
    return entry.file.sha256 in (None, record.sha256) and entry.file.size in (None, record.size)


def _altered(entry: Entry, how: str) -> ModelFileError:
    return ModelFileError(
        f"the file of {entry.name} {how}: it is not used",
        f"Fetch it again: understudy models remove {entry.name}, then understudy models pull {entry.name}",
    )


def _unfit(entry: Entry, path: Path, fault: OSError) -> ModelError:
    if isinstance(fault, UnfitFileError):
        return _altered(entry, f"can't be used ({fault.strerror})")
    return _unreadable(path, fault)


def _unreadable(path: Path, fault: OSError) -> ModelError:
    return ModelError(f"can't read {path}: {fault.strerror or fault}", "Check its permissions and the disk.")


def _unwritable(path: Path, fault: OSError) -> ModelError | NoSpaceError:
    if out_of_space(fault):
        return NoSpaceError(path, "Free some space, or keep models on another disk: --home. Nothing was left behind.")
    return ModelError(f"can't write {path}: {fault.strerror or fault}", "Check the folder's permissions, or --home.")
