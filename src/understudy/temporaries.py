"""Temporary files, and whose they are: what a run that was killed left behind is removed by the next, and nothing else.

A file is removed only if all of this holds:

- its name is one that this module made: a check sum in it fits the rest;
- it was made on this machine, by this user, and is a plain file (or, of some, a folder), not a link;
- nobody holds its lock. Beside each temporary file lies an empty one, which whoever made both keeps locked for as long
  as he lives; the system gives the lock back however he ends, and a number that a later process has too (a pid) does
  not come into it. While files are looked at and removed the lock is ours, so of two that tidy up at once, or one that
  is just beginning, neither harms the other.

Where a disk knows no locks, or Python has none (Windows), nothing is removed: rather too much left than too little.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import socket
import stat
import time
import uuid
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

#: Whether a file can be locked without keeping others from reading and writing it.
_LOCKS: Final = os.name == "posix"
#: How names end of what belongs to a temporary file, and of what its owner keeps locked.
SIGNED, SIDECAR, KEPT, FOLDER, LOCK = ".signed", ".c2pa", ".kept", ".d", ".lock"
_TOKEN: Final = r"[0-9a-f]{8}-[0-9]{1,10}-[0-9a-f]{8}-[0-9a-f]{8}"
_NAME: Final = re.compile(rf"\.(?P<stem>.*)\.(?P<token>{_TOKEN})(?P<rest>(\..*)?)", re.DOTALL)
_BELONGING: Final = re.compile(r"\.(signed(\.[^.]*)?|c2pa|kept|d|lock)$", re.DOTALL)
#: Characters of the target's name that the temporary one begins with: a name may have 255 bytes.
_STEM: Final = 40
_MACHINE_ID: Final = Path("/etc/machine-id")
_TRIES: Final = 20
#: Seconds that two runs wait for each other at most while they name files.
_PATIENCE: Final = 5.0


class Temporary:
    """A file that is made, empty, and this process's until it is removed.

    What is not removed by hand is removed when nobody holds this object any more, or when Python ends.

    Args:
        target: What it is to become: it lies beside that, has its suffix and begins like it.
        mode: Who may read and write it, as far as the umask allows.

    Raises:
        OSError: it can't be made.
    """

    def __init__(self, target: Path, mode: int = 0o666) -> None:
        self.target, self.token = target, ""
        for _ in range(_TRIES):
            self.token = _new_token()
            name = f".{target.stem[:_STEM]}.{self.token}"
            self.path, lock = target.with_name(name + target.suffix), target.with_name(name + LOCK)
            descriptor = _made(lock, 0o600)
            # Whoever tidies up may have come between the two: he has removed it then.
            if lock_file(descriptor) is not False and os.fstat(descriptor).st_nlink:
                break
            os.close(descriptor)
        else:
            raise OSError(f"no temporary file stays in {target.parent}")
        if not _LOCKS:
            os.close(descriptor)  # an open file can't be removed there
            descriptor = -1
        self._end = weakref.finalize(self, _removed, self.path, self.token, descriptor, os.getpid())
        os.close(_made(self.path, mode))

    def beside(self, path: Path, what: str) -> Path:
        """A name for what ``path`` holds while that is replaced (``KEPT``), or for what will lie there (``SIDECAR``).

        ``clean`` knows by it what to put back and what to remove.
        """
        return path.with_name(f".{path.name}.{self.token}{what}")

    def remove(self) -> None:
        """Remove it and all that belongs to it; nothing happens if it has its name already, or is gone."""
        self._end()


def clean(folder: Path, seen: Callable[[Path], None] | None = None) -> list[Path]:
    """Remove what killed runs left in a folder (not in those below it).

    Args:
        folder: Where.
        seen: Called with each file before it goes.

    Returns:
        What was removed. What can't be looked at or removed is left, without a word.
    """
    removed: list[Path] = []
    for token, names in _listed(folder).items():
        descriptors = _taken(folder, names)
        if descriptors is None:
            continue
        try:
            # A list that is made while files come may lack the first of them, which alone is locked.
            if descriptors or sorted(_listed(folder).get(token, ())) == sorted(names):
                if seen is not None:
                    for name in names:
                        seen(folder / name)
                removed += _swept(folder, token, names)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
    return removed


def _listed(folder: Path) -> Mapping[str, list[str]]:
    """The names of temporary files that were made on this machine, by token."""
    groups: dict[str, list[str]] = defaultdict(list)
    with suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 - names are all that is looked at of most
            found = _NAME.fullmatch(name) if name.startswith(".") else None
            if found is not None and _made_here(found["token"]):
                groups[found["token"]].append(name)
    return groups


def _taken(folder: Path, names: Sequence[str]) -> list[int] | None:
    """Take over files that nobody owns any more: their locks' descriptors; None if that can't be told, or they live."""
    descriptors: list[int] = []
    try:
        left = _LOCKS and all(_is_plain(folder / name) for name in names)
        for path in [folder / name for name in names if left and name.endswith(LOCK)]:
            flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            descriptors.append(os.open(path, flags | getattr(os, "O_CLOEXEC", 0)))
            locked = lock_file(descriptors[-1])
            # It may have got its name since the list was made.
            left = left and locked is True and os.path.samestat(os.fstat(descriptors[-1]), path.lstat())
    except OSError:
        left = False
    if left:
        return descriptors
    for descriptor in descriptors:
        os.close(descriptor)
    return None


def _is_plain(path: Path) -> bool:
    """Whether a file is this user's and of the kind that this module makes."""
    status = path.lstat()
    mine = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
    folder = path.name.endswith(FOLDER) and stat.S_ISDIR(status.st_mode)
    return mine and (folder or stat.S_ISREG(status.st_mode))


def _swept(folder: Path, token: str, names: Sequence[str]) -> list[Path]:
    """Remove files of one token, those that belong to another first.

    As long as the file itself is there it has no name yet: what was named beside it goes, what was kept comes back.
    """
    removed = []
    unnamed = not all(_BELONGING.search(name) for name in names)
    for name in sorted(names, key=_order):
        path, beside = folder / name, folder / name[1:].rpartition(f".{token}")[0]
        with suppress(OSError):
            if unnamed and name.endswith(f".{token}{SIDECAR}") and path.samefile(beside):
                beside.unlink()
            if unnamed and name.endswith(f".{token}{KEPT}"):
                path.replace(beside)
            elif path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
            removed.append(path)
    return removed


def _order(name: str) -> int:
    """The file itself, which shows that it has no name yet, goes nearly last, and the lock last of all."""
    if _BELONGING.search(name) is None:
        return 2
    return {LOCK: 3, KEPT: 1}.get(f".{name.rpartition('.')[2]}", 0)


def _removed(path: Path, token: str, descriptor: int, owner: int) -> None:
    """The owner is done with it."""
    if os.getpid() == owner:  # and not a copy of it, as fork makes one
        with suppress(OSError):
            names = [name for name in os.listdir(path.parent) if f".{token}" in name]  # noqa: PTH208
            _swept(path.parent, token, names)
    if descriptor >= 0:
        with suppress(OSError):
            os.close(descriptor)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """While the block runs no other run names files in a folder: or one's sidecar would lie beside another's file.

    Whoever holds the folder for longer than naming takes is not waited for.
    """
    descriptor = -1
    with suppress(OSError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        until = time.monotonic() + _PATIENCE
        while descriptor >= 0 and lock_file(descriptor) is False and time.monotonic() < until:
            time.sleep(0.01)
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _made(path: Path, mode: int) -> int:
    """Make a file that is not there; its descriptor."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), mode)


def lock_file(descriptor: int) -> bool | None:
    """Whether the lock was to be had; None where there are no locks."""
    if not _LOCKS:
        return None
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _new_token() -> str:
    known = f"{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    return f"{known}-{_check(known)}"


def _made_here(token: str) -> bool:
    known, _, check = token.rpartition("-")
    return check == _check(known) and known.split("-")[0] == _machine()


def _check(known: str) -> str:
    return hashlib.sha256(f"temporary file of understudy {known}".encode()).hexdigest()[:8]


@cache
def _machine() -> str:
    """What tells this machine from others that use the same folder; it says nothing of it to a stranger."""
    try:
        known = _MACHINE_ID.read_bytes()[:100]
    except OSError:
        known = str(uuid.getnode()).encode()
    return hashlib.sha256(b"understudy " + known + socket.gethostname().encode()).hexdigest()[:8]
