"""Files for the user: what may be written where, and how a file appears whole, replacing nothing that it should not.

A link is followed: what it leads to is written, and the link stays. What is replaced keeps who may read and write it,
and, where the system allows, its owner; other names (hard links) of it keep the old content. Pipes, sockets, devices
and folders are never written to or replaced.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from understudy import names
from understudy.errors import (
    NoSpaceError,
    OutputError,
    OutputExistsError,
    OutputIsInputError,
    UnderstudyError,
    out_of_space,
    remedy,
)
from understudy.interruptions import deferred
from understudy.temporaries import Temporary, clean
from understudy.text import pasted, printable

_NAME_ANOTHER = "Name another, or add --overwrite."
#: What has no mode worth keeping: the bits that run a program as somebody else.
_MODE = 0o777


def refuse_inputs(path: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output that is read, too, by whatever name.

    Raises:
        OutputIsInputError: it is one of ``inputs``.
    """
    if is_among(path, inputs):
        raise OutputIsInputError(f"the output is an input: {path}", "Name another output; inputs are never changed.")


def is_among(path: Path, inputs: Iterable[Path]) -> bool:
    """Whether an output, if it is there, is one of the inputs by whatever name."""
    there = status_of(real(path), path)
    return there is not None and any(names.exists(one) and os.path.samestat(one.stat(), there) for one in inputs)


def settled(path: Path, *, overwrite: bool, hint: str = _NAME_ANOTHER) -> Path:
    """Where a file of that name will really be: refused here, before any work, if it can't or must not be written.

    Args:
        path: The name that the user gave; links are followed.
        overwrite: Whether a file that is there may be replaced.
        hint: What to do where one is there and may not be.

    Raises:
        OutputExistsError: there is one, or something that is no file.
        OutputError: there is no such folder, or it can't be written to.
    """
    target = real(path)
    there = status_of(target, path)
    if there is not None and stat.S_ISDIR(there.st_mode):
        raise OutputExistsError(f"the output is a folder: {path}", "Name a file in it.")
    if there is not None and not stat.S_ISREG(there.st_mode):
        raise OutputExistsError(f"the output is not a file but {_kind(there)}: {path}", "Name another output.")
    if there is not None and not overwrite:
        raise OutputExistsError(f"the output exists: {path}", hint)
    if there is not None and not os.access(target, os.W_OK):
        raise OutputExistsError(f"the output is write-protected: {path}", "Name another, or lift the protection.")
    folder = target.parent
    if names.exists(folder) and not names.is_folder(folder):
        raise OutputError(f"a part of the output's path is a file, not a folder: {folder}", "Name another folder.")
    if not names.is_folder(folder):
        raise OutputError(f"the output's folder does not exist: {folder}", f"Make it first: mkdir -p {pasted(folder)}")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"the output's folder can't be written to: {folder}", "Name another folder.")
    return target


def made(folder: Path, hint: str) -> None:
    """Make a folder for outputs, and those above it, where they are missing.

    Args:
        folder: The folder.
        hint: What to do where it can't be made or written to.

    Raises:
        OutputError, NoSpaceError: it can't.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as fault:
        raise OutputError(f"can't make the folder {folder}: something else has that name", hint) from fault
    except (OSError, ValueError) as fault:
        if out_of_space(fault):
            raise NoSpaceError(folder) from fault
        reason = getattr(fault, "strerror", None) or str(fault)
        raise OutputError(f"can't make the folder {folder}: {reason}", remedy(fault, hint)) from fault
    if not os.access(folder, os.W_OK):
        raise OutputError(f"the folder can't be written to: {folder}", hint)


def status_of(path: Path, shown: Path | None = None) -> os.stat_result | None:
    """What has that name, links not followed; None for nothing.

    Args:
        path: The name.
        shown: What the user calls it.

    Raises:
        OutputError: the system refuses such a name.
    """
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as fault:
        raise _refused(shown or path, fault) from fault


def real(path: Path) -> Path:
    """What a name leads to, links followed.

    Raises:
        OutputError: no system has such a name: there is a NUL byte in it.
    """
    try:
        return Path(os.path.realpath(path))
    except ValueError as fault:
        raise _refused(path, fault) from fault


class Draft:
    """A file under a temporary name beside its target; it takes the target's name when it is whole.

    Where the target is replaced, nobody who could not read that can read the draft.

    Args:
        target: Where the file shall be; a link is followed. Its folder must exist.
        overwrite: Whether a file that is there then may be replaced.
        private: Whether a new file is for its owner only.

    Raises:
        OutputError, NoSpaceError: it can't be made.
    """

    def __init__(self, target: Path, *, overwrite: bool = False, private: bool = False) -> None:
        self.target, self._overwrite = real(target), overwrite
        clean(self.target.parent)
        replaced = status_of(self.target) if overwrite else None
        self._replaced = replaced if replaced is not None and stat.S_ISREG(replaced.st_mode) else None
        with output_errors(self.target):
            secret = private or self._replaced is not None
            self.temporary = Temporary(self.target, 0o600 if secret else 0o666)
        self.path = self.temporary.path
        self._mode = stat.S_IMODE(self.path.stat().st_mode if self._replaced is None else self._replaced.st_mode)

    def write(self, data: bytes | Iterable[bytes]) -> None:
        """Write all of it and give it its name.

        Args:
            data: What is to be in it, whole or part by part.

        Raises:
            OutputExistsError, OutputError, NoSpaceError: it can't be written; nothing is changed then.
        """
        try:
            with output_errors(self.target), deferred():
                with self.path.open("wb") as file:
                    file.writelines((data,) if isinstance(data, bytes) else data)
                self.name()
        finally:
            self.discard()

    def name(self, path: Path | None = None, target: Path | None = None) -> None:
        """Give a file its name; it is on the disk before it has it.

        Args:
            path: In place of the draft: a file in the same folder.
            target: In place of the draft's own: the name of a file beside it.

        Raises:
            OutputExistsError: something else has that name, and may not be replaced.
        """
        path, target = path or self.path, target or self.target
        self.prepare(path, target)
        there = status_of(target)
        if there is not None and not stat.S_ISREG(there.st_mode):
            raise OutputExistsError(f"another file got the output's name meanwhile: {target}", "Name another output.")
        if self._overwrite:
            path.replace(target)
            return
        try:
            # Unlike a rename, a hard link never replaces.
            os.link(path, target)
        except FileExistsError:
            raise _meanwhile(target) from None
        except (OSError, NotImplementedError):  # no links here
            if there is not None or os.path.lexists(target):
                raise _meanwhile(target) from None
            path.replace(target)
        else:
            path.unlink()

    def prepare(self, path: Path, target: Path) -> None:
        """Give a file the mode and owner that ``target`` shall have, and see it onto the disk."""
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        replaced = self._replaced if target == self.target else (status_of(target) if self._overwrite else None)
        mode = self._mode if replaced is None else stat.S_IMODE(replaced.st_mode)
        with suppress(PermissionError, NotImplementedError, AttributeError):  # a disk without modes, or Windows
            if replaced is not None and (replaced.st_uid, replaced.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(path, replaced.st_uid, replaced.st_gid)
        with suppress(PermissionError, NotImplementedError):
            path.chmod(mode & _MODE)

    def discard(self) -> None:
        """Remove what is left of it."""
        with deferred():
            self.temporary.remove()


@contextmanager
def output_errors(target: Path) -> Iterator[None]:
    """Turn what the system says while writing into this package's errors.

    Raises:
        NoSpaceError: the disk is full.
        OutputError: anything else the system refuses.
    """
    try:
        yield
    except UnderstudyError:
        raise
    except OSError as fault:
        raise output_error(target, fault) from fault


def output_error(target: Path, fault: Exception) -> UnderstudyError:
    """What a library or the system said while ``target`` was written, as an error of this package."""
    if out_of_space(fault):
        return NoSpaceError(target)
    if not names.exists(target.parent):
        return OutputError(
            f"the output's folder disappeared while it was being written to: {target.parent}",
            "Make it again, and leave it there.",
        )
    reason = getattr(fault, "strerror", None) or str(fault)
    hint = remedy(fault, "Check the folder and its permissions, or name another output.")
    return OutputError(f"can't write {target}: {reason}", hint)


def _meanwhile(target: Path) -> OutputExistsError:
    return OutputExistsError(f"the output exists now, which it did not at the start: {target}", _NAME_ANOTHER)


def _refused(path: Path, fault: Exception) -> OutputError:
    """The error of a name that the system refuses."""
    reason = getattr(fault, "strerror", None) or str(fault)
    too_long = getattr(fault, "errno", None) == errno.ENAMETOOLONG
    return OutputError(
        f"can't write {printable(path)}: {reason}", f"Name another output{', a shorter one' * too_long}."
    )


def _kind(status: os.stat_result) -> str:
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
    return kinds.get(stat.S_IFMT(status.st_mode), "a link that leads nowhere")
