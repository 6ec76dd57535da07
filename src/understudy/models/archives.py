"""Files out of archives: only what was asked for, no longer than it may be, and nothing outside the archive."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from understudy.errors import ModelError, ModelFileError, UnfitFileError
from understudy.regular import open_regular

_CHUNK: Final = 1 << 20
#: Most bytes of an archive: all models of the catalogue together have a tenth.
_LONGEST: Final = 64_000_000_000
#: Most bytes of its list of files.
_LONGEST_LIST: Final = 4_000_000
#: How many bytes may come out of one. Weights hardly pack at all; what packs better is made to fill a disk.
_RATIO: Final = 100
#: How models are packed. Other ways take as much memory as the archive asks for.
_PACKED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: Most files of an archive.
_MOST: Final = 10_000


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose every name is a place inside of it.

    Raises:
        ModelFileError: it is no such archive.
    """
    try:
        file = _Steps(path)
    except UnfitFileError as fault:
        raise _unusable(path, fault.reason) from fault
    except OSError as fault:
        raise ModelError(f"can't read {path}: {fault.strerror or fault}", "Check its permissions.") from fault
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, OSError) as fault:
            raise _unusable(path, "it is no zip archive, or not a whole one") from fault
        archive.filename = str(path)
        if len(archive.infolist()) > _MOST:
            raise _unusable(path, "it holds too many files")
        if sum(info.compress_size for info in archive.infolist()) > file.size:
            raise _unusable(path, "its files lie over each other")
        for info in archive.infolist():
            place = PurePosixPath(info.filename.replace("\\", "/"))
            if not place.parts:
                raise _unusable(path, f"it holds a file without a name: {info.filename!r}")
            if place.is_absolute() or ".." in place.parts or ":" in place.parts[0]:
                raise _unusable(path, f"{info.filename!r} would lie outside of it")
            if stat.S_ISLNK(info.external_attr >> 16):
                raise _unusable(path, f"{info.filename!r} is a link")
        yield archive


def is_archive(path: Path) -> bool:
    """Whether a file ends as a zip archive does.

    Raises:
        OSError: it can't be read, or is no file (see ``regular``).
    """
    with _Steps(path) as file:
        try:
            return zipfile.is_zipfile(file)
        except zipfile.BadZipFile:
            return True  # but no good one


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
    path, done, info = Path(archive.filename or "archive"), 0, archive.getinfo(name)
    if info.file_size > most:
        raise _unusable(path, f"{name} has more than the {most:,} bytes that it may have")
    if info.compress_type not in _PACKED:
        raise _unusable(path, f"{name} is packed in a way that models are not")
    if info.file_size > max(_RATIO * info.compress_size, _CHUNK):
        raise _unusable(path, f"{name} unpacks to {info.file_size:,} bytes, which no model packs so well")
    target.unlink(missing_ok=True)
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
    except OSError as fault:  # of the archive: not to, or from, the disk that is written to
        raise zipfile.BadZipFile(str(fault)) from fault


class _Steps(io.BufferedReader):
    """A file of which no more than a list's bytes are read at a time, whatever it says of its own list."""

    def __init__(self, path: Path) -> None:
        whole = open_regular(path, _LONGEST)
        self.size = whole.seek(0, io.SEEK_END)
        whole.seek(0)
        super().__init__(whole.detach())  # type: ignore[attr-defined]

    def read(self, size: int | None = -1) -> bytes:
        count = self.size - self.tell() if size is None or size < 0 else size
        if count > _LONGEST_LIST:
            raise zipfile.BadZipFile("its list of files is too long")
        return super().read(count)


def _unusable(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(f"can't use {path.name}: {reason}", "Fetch it again, from its authors' own place.")
