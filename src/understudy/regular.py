"""The one way to open a file that is not the medium itself: certificates, keys, fonts, lists, databases, models.

Such a file is named by somebody, or lies where somebody else could put it. A pipe or a socket in its place would be
waited for without end, a device could be read without end, and some devices do something when they are merely opened.
So only regular files are opened, none that is longer than its reader says it may be, and no more of it is ever read,
whatever its size was said to be.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from understudy.errors import UnfitFileError

#: Bytes that are read at a time.
STEP: Final = 1 << 20
#: What a path may be in place of a file, by what ``stat`` says of it.
_KINDS: Final = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
#: Nothing waits for whoever is at the other end, no program that is started inherits it, no terminal takes us over,
#: and Windows changes no line ends. Not every system has all of these.
_FLAGS: Final = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"))


def open_regular(path: Path, most: int) -> BinaryIO:
    """Open a regular file for reading. A link is followed.

    Args:
        path: The file.
        most: Most bytes that it may have.

    Raises:
        UnfitFileError: it is something else, or longer.
        OSError: it is not there, or may not be read.
    """
    # Before it is opened: with a device that alone may do something. After it: it may be another file by then.
    _check(path, path.stat(), most)
    descriptor = os.open(path, os.O_RDONLY | _FLAGS)
    try:
        _check(path, os.fstat(descriptor), most)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most: int) -> bytes:
    """All of a regular file.

    Args:
        path: The file.
        most: Most bytes that it may have.

    Raises:
        UnfitFileError: it is something else, or longer, or there is more in it than its size says.
        OSError: it is not there, or can't be read.
    """
    with open_regular(path, most) as file:
        return read_most(file, path, most)


def read_most(file: BinaryIO, path: Path, most: int) -> bytes:
    """What is left of an open file, step by step: a file may grow while it is read, or not know how long it is.

    Raises:
        UnfitFileError: there are more than ``most`` bytes, or it has none to give yet.
    """
    content = io.BytesIO()
    while chunk := _read(file, path, min(STEP, most + 1 - content.tell())):
        content.write(chunk)
        if content.tell() > most:
            raise too_long(path, most)
    return content.getvalue()


def check_regular(path: Path, most: int) -> None:
    """As ``open_regular``, for libraries that open a path themselves.

    Raises:
        UnfitFileError: it is something else, or longer.
        OSError: it is not there, or may not be read.
    """
    open_regular(path, most).close()


def check_kind(path: Path, most: int) -> None:
    """As ``check_regular``, without opening it.

    Raises:
        UnfitFileError: it is something else, or longer.
        OSError: it is not there, or may not be read.
    """
    _check(path, path.stat(), most)
    if not os.access(path, os.R_OK):
        path.stat()  # nor is one read that has just gone, as what SQLite keeps beside a database comes and goes
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def too_long(path: Path, most: int) -> UnfitFileError:
    """The error about a file with more bytes than it may have."""
    return UnfitFileError(path, f"it is longer than the {most:,} bytes that such a file may have")


def _read(file: BinaryIO, path: Path, count: int) -> bytes:
    # Some files of the system's own are regular by name, and wait for what has yet to happen.
    try:
        chunk: bytes | None = file.read(count)
    except BlockingIOError:
        chunk = None
    if chunk is None:
        raise UnfitFileError(path, "it can't be read like a file")
    return chunk


def _check(path: Path, status: os.stat_result, most: int) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise UnfitFileError(path, f"it is {_KINDS.get(kind, 'something else')}, not a file")
    if status.st_size > most:
        raise too_long(path, most)
