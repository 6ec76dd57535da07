"""Files out of archives: only what was asked for, no longer than it may be, and nothing outside the archive."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from understudy.errors import ModelError, ModelFileError

_CHUNK: Final = 1 << 20
#: Most files of an archive.
_MOST: Final = 10_000


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose every name is a place inside of it.

    Raises:
        ModelFileError: it is no such archive.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as fault:
        raise _unusable(path, "it is no zip archive, or not a whole one") from fault
    except OSError as fault:
        raise ModelError(f"can't read {path}: {fault.strerror or fault}", "Check its permissions.") from fault
    with archive:
        if len(archive.infolist()) > _MOST:
            raise _unusable(path, "it holds too many files")
        for info in archive.infolist():
            place = PurePosixPath(info.filename.replace("\\", "/"))
            if not place.parts:
                raise _unusable(path, f"it holds a file without a name: {info.filename!r}")
            if place.is_absolute() or ".." in place.parts or ":" in place.parts[0]:
                raise _unusable(path, f"{info.filename!r} would lie outside of it")
            if stat.S_ISLNK(info.external_attr >> 16):
                raise _unusable(path, f"{info.filename!r} is a link")
        yield archive


def extract_member(path: Path, member: str, target: Path, most: int) -> None:
    """Write one file of an archive to ``target``.

    Args:
        path: The archive.
        member: The file's path in it; a file of that name in a folder of the archive will do, if there is one only.
        target: Replaced.
        most: Most bytes.

    Raises:
        ModelFileError: it is not there, damaged, or longer.
    """
    with opened(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        found = [name for name in names if name == member] or [n for n in names if n.split("/")[-1] == member]
        if len(found) != 1:
            raise _unusable(path, f"it holds no {member}" if not found else f"it holds {member} several times")
        copy_member(archive, found[0], target, most)


def copy_member(archive: zipfile.ZipFile, name: str, target: Path, most: int) -> None:
    """Write a file of an open archive, as ``extract_member``."""
    path, done = Path(archive.filename or "archive"), 0
    if archive.getinfo(name).file_size > most:
        raise _unusable(path, f"{name} has more than the {most:,} bytes that it may have")
    try:
        with open_member(archive, name) as source, target.open("wb") as file:
            while chunk := _read(source):
                done += len(chunk)
                if done > most:
                    raise _unusable(path, f"{name} has more than the {most:,} bytes that it may have")
                file.write(chunk)
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, zlib.error) as fault:
        if isinstance(fault, ModelError):
            raise
        raise _unusable(path, f"{name} is damaged or locked") from fault


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A file of an open archive, for reading.

    Raises:
        zipfile.BadZipFile: it is not where the archive says.
    """
    try:
        return archive.open(name)
    except OSError as fault:  # a place before the file's beginning
        raise zipfile.BadZipFile(str(fault)) from fault


def _read(source: IO[bytes]) -> bytes:
    try:
        return source.read(_CHUNK)
    except (OSError, lzma.LZMAError) as fault:  # of damaged data, whatever packed it
        raise zipfile.BadZipFile(str(fault)) from fault


def _unusable(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(f"can't use {path.name}: {reason}", "Fetch it again, from its authors' own place.")
