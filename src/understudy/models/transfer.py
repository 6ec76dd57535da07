"""Models by hand: taken in from files, folders and archives, and out as one archive for a machine without a network."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from understudy import names
from understudy.errors import (
    InputNotFoundError,
    InputUnreadableError,
    LicenceError,
    ModelFileError,
    NoSpaceError,
    UnderstudyError,
    UnfitFileError,
    UsageError,
    out_of_space,
)
from understudy.interruptions import deferred
from understudy.models.archives import copy_member, is_archive, open_member, opened
from understudy.models.entries import Entry
from understudy.models.leftovers import tidy
from understudy.models.store import MOST_BYTES, Store, digest_of
from understudy.outputs import Draft, output_errors, settled
from understudy.regular import STEP, open_regular, too_long
from understudy.temporaries import Temporary

#: What an exported archive says of its files.
MANIFEST: Final = "models.json"
#: Most files of a folder.
MOST_FILES: Final = 100_000
#: Bytes of it that are read.
_LONGEST_LIST: Final = 1_000_000
_PARTS: Final = re.compile(r"(?P<name>.+\.onnx)\.part(?P<number>\d+)$", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A file that can be taken in.

    Attributes:
        name: Its name, without folders.
        place: Where it is, for messages and the record.
        size: Bytes, as is said of it.
        copy: Writes it to a path, no more than so many bytes.
        sha256: What the archive that it lies in says of it; None if that says nothing.
    """

    name: str
    place: str
    size: int
    copy: Callable[[Path, int], None]
    sha256: str | None = None


@dataclass(frozen=True)
class Imported:
    """What became of an import.

    Attributes:
        models: Names of the models that were taken in.
        there: Names of those that were there already.
        left: Files that were left alone, each with the reason.
        refused: Of those whose terms were not accepted, the first one's error.
    """

    models: tuple[str, ...]
    there: tuple[str, ...]
    left: tuple[tuple[str, str], ...]
    refused: LicenceError | None = None


def import_models(store: Store, path: Path, accept: Callable[[Entry], None]) -> Imported:
    """Take in what the catalogue knows of a file, a folder or a zip archive.

    A file is known by its digest or by its name. Files in parts (``NAME.onnx.part0``, ``.part1`` …) are put together.
    One that is not what the list in its archive says is left alone. What is given stays as it is.

    Args:
        store: Where they go.
        path: A file, a folder (with all in it), or an archive such as ``buffalo_l.zip``.
        accept: Called with each model before it is taken in. A ``LicenceError`` of its leaves that one out; all else
            that it raises stops the import.

    Raises:
        InputError: it is not there, or can't be read.
        UsageError: nothing in it is a model that the catalogue knows.
        ModelFileError: the one file given is not what its name says; the archive is none.
        LicenceError: there was nothing else to take in than what was left out.
    """
    taken: list[str] = []
    there: list[str] = []
    left: list[tuple[str, str]] = []
    hints = []
    refused: LicenceError | None = None
    tidy(store.folder("partial"))
    with _found(path) as files:
        for file in files:
            try:
                entry, new = _take(store, file, accept)
                (taken if new else there).append(entry.name)
            except LicenceError as fault:
                refused = refused or fault
                left.append((file.place, fault.message))
                hints.append(fault.hint)
            except ModelFileError as fault:
                left.append((file.place, fault.message))
                hints.append(fault.hint)
            except OSError as fault:
                if out_of_space(fault):
                    raise NoSpaceError(store.root) from fault
                if not isinstance(fault, UnfitFileError):
                    raise
                left.append((file.place, fault.reason))
                hints.append("Name the model's own file.")
    if not taken and not there:
        if refused is not None:
            raise refused
        reason = left[0][1] if len(left) == 1 else "nothing in it is a model that the catalogue knows"
        if path.is_file() and len(left) == 1 and _by_name(store, path.name) is not None:
            raise ModelFileError(f"can't take in {path}: {reason}", hints[0])
        raise UsageError(
            f"can't take in {path}: {reason}", "Name the file as the catalogue does: understudy models list"
        )
    return Imported(tuple(taken), tuple(there), tuple(left), refused)


def _take(store: Store, file: Found, accept: Callable[[Entry], None]) -> tuple[Entry, bool]:
    """Take in one file: the model that it is, and whether it is new here.

    Raises:
        ModelFileError: it is none, or not what its name or its archive says, or another one is here.
        OSError: it can't be read or written.
    """
    most = _most(store, file)
    if most is None:
        raise _unknown()
    temporary = Temporary(store.folder("partial") / "import.part", 0o600)
    part = temporary.path
    try:
        file.copy(part, most)
        digest = digest_of(part, most)
        if file.sha256 is not None and digest != file.sha256:
            raise ModelFileError(f"{file.name} is not the file that its archive lists", "Export it anew.")
        entry = _by_digest(store, digest) or _by_name(store, file.name)
        if entry is None:
            raise _unknown()
        accept(entry)
        with store.lock(entry.file.name):
            if store.verify(entry) == "there":
                if digest == store.digest(entry):
                    return entry, False
                if entry.file.sha256 is None:
                    hint = f"Remove that one first: understudy models remove {entry.name}"
                    raise ModelFileError(f"{entry.name} is here already, and is another file", hint)
            store.add(entry, part, file.place)
            return entry, True
    finally:
        temporary.remove()


def _unknown() -> ModelFileError:
    return ModelFileError(
        "no model of the catalogue has such a file", "Name the file as the catalogue does: understudy models list"
    )


def export_models(store: Store, entries: list[Entry], target: Path) -> None:
    """Write models as one archive that ``import_models`` takes, whole or not at all.

    Raises:
        ModelError: one of them is not there, or altered.
        OutputExistsError: the target is there already.
        OutputError, NoSpaceError: it can't be written.
    """
    draft = Draft(settled(target, overwrite=False, hint="Name another file."))
    try:
        with output_errors(target), zipfile.ZipFile(draft.path, "w", zipfile.ZIP_STORED) as archive:
            manifest = []
            for entry in entries:
                data = store.read(entry)
                archive.writestr(_dateless(entry.file.name), data)
                record = store.record(entry)
                licence = store.catalogue.licence_of(entry)
                manifest.append(
                    {
                        "name": entry.name,
                        "file": entry.file.name,
                        "sha256": record.sha256 if record is not None else None,
                        "licence": licence.name,
                        "commercial_use": licence.commercial_use,
                    }
                )
            archive.writestr(_dateless(MANIFEST), json.dumps({"models": manifest}, indent=1))
        with output_errors(target), deferred():
            draft.name()
    finally:
        draft.discard()


def _dateless(name: str) -> zipfile.ZipInfo:
    """A file of an archive without a date: zip archives know none before 1980 or after 2107, and clocks are wrong."""
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o600 << 16
    return info


@contextmanager
def _found(path: Path) -> Iterator[list[Found]]:
    """The files that may be models."""
    if not names.exists(path):
        raise InputNotFoundError(path, "model")
    try:
        if path.is_dir():
            files = sorted(p for p in _all_in(path) if p.is_file() and _lies_in(p, path))
            yield [*_whole(files), *_in_parts(files)]
        elif is_archive(path) or path.suffix.lower() == ".zip":  # what is cut off is to be called so
            with opened(path) as archive:
                said = _said(archive, path)
                yield [
                    Found(
                        info.filename.split("/")[-1],
                        f"{path}/{info.filename}",
                        info.file_size,
                        _member(archive, info.filename),
                        said.get(info.filename),
                    )
                    for info in archive.infolist()
                    if info.filename.lower().endswith(".onnx")
                ]
        else:
            siblings = [p for p in sorted(path.parent.iterdir()) if p.is_file()] if _PARTS.match(path.name) else []
            wanted = _PARTS.match(path.name)
            parts = [one for one in _in_parts(siblings) if wanted is not None and one.name == wanted["name"]]
            yield parts or _whole([path], any_suffix=True)
    except PermissionError as fault:
        if isinstance(fault, UnderstudyError):
            raise
        raise InputUnreadableError(f"can't read {fault.filename or path}", "Check its permissions.") from fault


def _said(archive: zipfile.ZipFile, path: Path) -> dict[str, str]:
    """The digests that an archive made by ``export_models`` names, by file.

    Raises:
        ModelFileError: its list can't be read.
    """
    if MANIFEST not in archive.namelist():
        return {}
    try:
        with open_member(archive, MANIFEST) as file:
            listed = json.loads(file.read(_LONGEST_LIST))["models"]
        return {str(one["file"]): str(one["sha256"]) for one in listed if one["sha256"] is not None}
    except (
        *(ValueError, KeyError, TypeError, RuntimeError, RecursionError, OSError, EOFError),
        *(zipfile.BadZipFile, zlib.error),
    ) as fault:
        raise ModelFileError(f"the list in {path} can't be read", "Export it anew.") from fault


def _all_in(folder: Path) -> Iterator[Path]:
    """Everything in a folder and those in it.

    Raises:
        UsageError: that is more than anyone's folder of models holds.
    """
    for number, path in enumerate(folder.rglob("*")):
        if number >= MOST_FILES:
            raise UsageError(f"there are too many files in {folder}", "Name the folder that the models are in.")
        yield path


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a file is none that a link brings in from elsewhere; caches of downloads link to their own files."""
    return not path.is_symlink() or path.resolve().is_relative_to(folder.resolve())


def _most(store: Store, file: Found) -> int | None:
    """How many bytes a file may have that could be a model; None if it is none, by its name and its size."""
    sizes = [file.size for entry in store.catalogue.entries.values() if entry.file.size == file.size]
    named = _by_name(store, file.name)
    if named is not None:
        sizes.append(named.file.size or MOST_BYTES)
    entries = store.catalogue.entries.values()
    if file.size <= MOST_BYTES and any(entry.file.size is None and entry.file.sha256 for entry in entries):
        sizes.append(MOST_BYTES)
    return max(sizes, default=None)


def _whole(files: list[Path], *, any_suffix: bool = False) -> list[Found]:
    return [
        Found(path.name, str(path), path.stat().st_size, partial(copy_files, [path]))
        for path in files
        if any_suffix or path.suffix.lower() == ".onnx"
    ]


def _in_parts(files: list[Path]) -> list[Found]:
    """Files in numbered parts, of which none may be missing."""
    groups: dict[tuple[Path, str], dict[int, Path]] = defaultdict(dict)
    for path in files:
        match = _PARTS.match(path.name)
        if match is not None:
            groups[path.parent, match["name"]][int(match["number"])] = path
    found = []
    for (folder, name), parts in groups.items():
        numbers = sorted(parts)
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))) or numbers[0] not in (0, 1):
            found.append(Found(name, str(folder / name), 0, _missing(name, folder)))
            continue
        ordered = [parts[number] for number in numbers]
        size = sum(part.stat().st_size for part in ordered)
        found.append(Found(name, str(folder / name), size, partial(copy_files, ordered)))
    return found


def _missing(name: str, folder: Path) -> Callable[[Path, int], None]:
    def refuse(_: Path, __: int) -> None:
        raise ModelFileError(f"a part of {name} is missing in {folder}", "Fetch all of its parts.")

    return refuse


def _by_digest(store: Store, digest: str) -> Entry | None:
    return next((entry for entry in store.catalogue.entries.values() if entry.file.sha256 == digest), None)


def _by_name(store: Store, name: str) -> Entry | None:
    """The model whose file is called so: by the catalogue, by itself, or where it comes from, if only one is there."""
    wanted, entries = name.lower(), store.catalogue.entries.values()
    stem = wanted.removesuffix(".onnx")
    own = next((entry for entry in entries if wanted == entry.file.name.lower() or stem == entry.name.lower()), None)
    there = [
        entry for entry in entries if any(place.url.lower().endswith(f"/{wanted}") for place in entry.file.sources)
    ]
    return own or (there[0] if len(there) == 1 else None)


def _member(archive: zipfile.ZipFile, name: str) -> Callable[[Path, int], None]:
    return lambda target, most: copy_member(archive, name, target, most)


def copy_files(paths: list[Path], target: Path, most: int) -> None:
    """Write files one behind the other.

    Raises:
        UnfitFileError: together they have more than ``most`` bytes, or one is no regular file.
    """
    left = most
    with target.open("wb") as file:
        for path in paths:
            with open_regular(path, left) as source:
                while chunk := source.read(STEP):
                    left -= len(chunk)
                    if left < 0:
                        raise too_long(path, most)
                    file.write(chunk)
