"""Files that a browser hands over: named by the server, streamed to disk under caps, gone when the server ends."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from understudy.errors import InputNotFoundError, NotMediaError
from understudy.server.keeping import keep
from understudy.server.receiving import TooLargeError, received
from understudy.temporaries import FOLDER, Temporary, clean
from understudy.text import printable

#: What a file is handed over as. ``target`` is a picture or a clip; ``file`` is one of any kind, to be looked at; and
#: ``model`` is one, or an archive of some.
Kind = Literal["photo", "clip", "target", "file", "model"]
#: Suffixes of files that are taken (none: all), and most bytes of one.
SUFFIXES: Final[Mapping[Kind, tuple[str, ...]]] = {
    "photo": (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif"),
    "clip": (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"),
    "target": (
        *(".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".gif"),
        *(".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif"),
    ),
    "file": (),
    "model": (".onnx", ".zip"),
}
MOST_BYTES: Final[Mapping[Kind, int]] = {
    "photo": 64_000_000,
    "clip": 8_000_000_000,
    "target": 8_000_000_000,
    "file": 8_000_000_000,
    "model": 4_000_000_000,
}
#: Most files that are kept.
MOST_FILES: Final = 500
#: Longest name that is shown.
_SHOWN: Final = 80


@dataclass(frozen=True)
class Upload:
    """A file that was handed over.

    Attributes:
        id: 32 hexadecimal digits that the server chose. Nothing else names it.
        kind: What it was handed over as.
        name: What the user calls it: to be shown, never opened.
        path: Where it lies.
    """

    id: str
    kind: Kind
    name: str
    path: Path

    def named(self, said: str) -> str:
        """What is said of the file, with the user's own name for it."""
        return said.replace(str(self.path), self.name).replace(self.path.name, self.name)


class Uploads:
    """The files of one run, in a folder that only the user can enter, and that is removed at the end.

    Args:
        folder: Where that folder is made. What killed runs left there is removed.
    """

    def __init__(self, folder: Path) -> None:
        clean(folder)
        self._mark = Temporary(folder / "uploads", 0o600)
        self._folder = self._mark.beside(folder / "uploads", FOLDER)
        self._folder.mkdir(0o700)
        self._files: dict[str, Upload] = {}

    async def take(self, name: str, kind: Kind, pieces: AsyncIterator[bytes]) -> Upload:
        """Write a file to disk as it comes.

        Args:
            name: What the user calls it. Its suffix says what it may be.
            kind: What it is to be used as.
            pieces: Its bytes.

        Raises:
            NotMediaError: it is of a kind that is not taken.
            TooLargeError: it is larger than is taken, or there are too many.
            NoSpaceError: the disk is full, or nearly.
        """
        upload = self._new(name, kind)
        await received(upload.path, pieces, MOST_BYTES[kind], upload.name)
        self._files[upload.id] = upload
        return upload

    def take_kept(self, file: Path, name: str, kind: Kind) -> Upload:
        """Take a file that was handed over in an earlier run, and kept.

        Args:
            file: Where it lies, and stays.
            name: What the user calls it.
            kind: What it is to be used as.

        Raises:
            NotMediaError, TooLargeError: as ``take``.
            NoSpaceError: the disk is full.
            InputError: it can't be read.
        """
        upload = self._new(name, kind)
        keep(file, upload.path.name, self._folder, linked=True)
        self._files[upload.id] = upload
        return upload

    def __getitem__(self, number: str) -> Upload:
        """The file with an id.

        Raises:
            InputNotFoundError: there is none.
        """
        found = self._files.get(number)
        if found is None:
            raise InputNotFoundError(Path(printable(number[:32])), "file")
        return found

    def all(self, kind: Kind) -> list[Upload]:
        """The files of a kind, in the order in which they came."""
        return [upload for upload in list(self._files.values()) if upload.kind == kind]

    def remove(self, number: str) -> None:
        """Remove a file; nothing happens if it is gone."""
        upload = self._files.pop(number, None)
        if upload is not None:
            upload.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove all of them."""
        self._files.clear()
        self._mark.remove()

    def _new(self, name: str, kind: Kind) -> Upload:
        """A name for a file that is still to come."""
        shown = _shortened(printable(PurePosixPath(name.replace("\\", "/")).name)) or "?"
        suffix = PurePosixPath(shown).suffix.lower()
        if SUFFIXES[kind] and suffix not in SUFFIXES[kind]:
            raise NotMediaError(f"{shown} is no {kind}", f"These are taken: {', '.join(SUFFIXES[kind])}.")
        if len(self._files) >= MOST_FILES:
            raise TooLargeError("too many files were handed over", "Remove some, or start the studio anew.")
        plain = suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else ""
        return Upload(secrets.token_hex(16), kind, shown, self._folder / f"{secrets.token_hex(16)}{plain}")


def _shortened(name: str) -> str:
    """A name as it is shown: of a long one the beginning and the end, which has the suffix."""
    half = _SHOWN // 2
    return name if len(name) <= _SHOWN else f"{name[: half - 1]}…{name[-half:]}"
