"""The private folder: keys, consent records, the ledger. For its owner's eyes only."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from understudy.errors import NoSpaceError, PrivacyError, UsageError, out_of_space, remedy
from understudy.interruptions import deferred
from understudy.temporaries import Temporary, clean
from understudy.text import printable

#: Names the private folder, for the command and in Python.
VARIABLE: Final = "UNDERSTUDY_HOME"
#: Folder of what was learned of photos, in a folder each.
FACES: Final = "cache/faces"
#: Folder of the notes of where runs are at work.
_WORKING: Final = "working"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Home:
    """Where one user's private files are.

    Attributes:
        root: The folder. It is made on first use, open to its owner only.

    Raises:
        UsageError: there can be no folder of that name.
    """

    root: Path

    def __post_init__(self) -> None:
        if "\0" in str(self.root):  # which systems refuse with a bare ValueError, wherever it is used first
            raise UsageError(
                f"there can be no private folder {printable(self.root)}: a NUL byte is in its name",
                "Name another with --home.",
            )

    @classmethod
    def default(cls) -> Home:
        """What ``UNDERSTUDY_HOME`` names; else the platform's folder for data: ``~/.local/share/understudy``."""
        named = os.environ.get(VARIABLE, "")
        return cls(Path(named).absolute() if named else platformdirs.user_data_path("understudy", appauthor=False))

    def folder(self, *parts: str) -> Path:
        """A folder in it, made if it is missing.

        Raises:
            PrivacyError: it can't be made, or others may enter it.
        """
        path = self.root.joinpath(*parts)
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for depth in range(len(parts)):  # "parents" of mkdir would be open to others
                self.root.joinpath(*parts[: depth + 1]).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise unusable(path, fault) from fault
        check_private(self.root)
        check_private(path)
        return path

    def tidy(self) -> list[Path]:
        """Remove what killed runs left in it, and where they were at work; nothing of a run that lives."""
        elsewhere: list[Path] = []

        def read(note: Path) -> None:
            with suppress(OSError, ValueError):
                if said := note.read_bytes():
                    elsewhere.append(Path(os.fsdecode(said)))

        removed = clean(self.root / _WORKING, read)
        models = ("models", "models/partial", "models/variants", "models/compiled", "models/engines")
        parts = [self.root / part for part in ("", "keys", "jobs", "server", *models, FACES)]
        parts += (self.root / FACES).glob("[!.]*")
        return removed + [path for folder in (*parts, *elsewhere) for path in clean(folder)]

    @contextmanager
    def working_in(self, folder: Path) -> Iterator[None]:
        """Note where a run is at work, so that it is tidied up there after a kill. The note goes with the run.

        Raises:
            PrivacyError, NoSpaceError: it can't be written.
        """
        place = self.folder(_WORKING) / "folder"
        try:
            note = Temporary(place, 0o600)
            note.path.write_bytes(os.fsencode(folder.absolute()))
        except OSError as fault:
            raise unusable(place, fault) from fault
        try:
            yield
        finally:
            note.remove()


def check_private(path: Path) -> None:
    """Make sure that nobody but its owner can get at a file or folder, and that its owner is the user.

    Raises:
        PrivacyError: others can.
    """
    if os.name != "posix":
        return  # access lists of Windows: the user's profile is private already
    status = path.stat()
    if status.st_mode & _OTHERS:
        mode = "700" if path.is_dir() else "600"
        raise PrivacyError(f"others can get at {path}", f"If that was not meant: chmod {mode} {path}")
    if status.st_uid != os.geteuid():
        raise PrivacyError(f"{path} belongs to another user", "Name a folder of your own with --home.")


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all; another of that name is replaced.

    Raises:
        PrivacyError, NoSpaceError: it can't be written.
    """
    with deferred():
        try:
            part = Temporary(path, 0o600)
            try:
                with part.path.open("r+b") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                part.path.replace(path)
            finally:
                part.remove()
        except OSError as fault:
            raise unusable(path, fault) from fault


def unusable(path: Path, fault: OSError) -> PrivacyError | NoSpaceError:
    """What the system says of a file or folder that can't be made or written, as an error of this package."""
    if out_of_space(fault):
        return NoSpaceError(path)
    if isinstance(fault, FileExistsError):
        return PrivacyError(f"the private folder is no folder: {path}", "Name another with --home.")
    reason = fault.strerror or str(fault)
    hint = remedy(fault, "Check its folder's permissions, or name another with --home.")
    return PrivacyError(f"can't write {path}: {reason}", hint)
