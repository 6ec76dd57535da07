"""Clips on which somebody was at work when a studio ended: the next studio can go on with them.

Each has a folder in the private folder: the clip (a second name for it, where the disk can do that), the photos, and a
file that says what was decided. That of a clip that is open is locked, so of two studios with one private folder none
goes on with, or forgets, what the other is at work on.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from understudy.casting.clip_person import ClipPerson
from understudy.errors import InputNotFoundError
from understudy.provenance.records.home import write_private
from understudy.server.keeping import keep
from understudy.server.studio.clips.edit_file import (
    CLIP,
    Decided,
    EditFile,
    name_of,
    photos_of,
    read_edit,
    written_edit,
)
from understudy.server.studio.live.card import Card
from understudy.temporaries import clean, lock_file

_FILE, _LOCK = "edit.json", "lock"
_TRIES: Final = 5


@dataclass(frozen=True)
class KeptEdit:
    """Something that can be gone on with.

    Attributes:
        id: 32 hexadecimal digits.
        name: What the user calls the clip; empty if what is kept can't be read.
        when: When it was changed last, in seconds since 1970.
        given: How many of its people get something.
        stretches: How many stretches have settings of their own.
    """

    id: str
    name: str
    when: float
    given: int = 0
    stretches: int = 0


class Holding:
    """One that is open here: nobody else has it.

    Args:
        folder: Where it lies.
        descriptor: Of the file whose lock keeps others away.
    """

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder, self._descriptor = folder, descriptor
        self._said = ""

    def read(self) -> EditFile:
        """What was decided.

        Raises:
            InputNotFoundError: it can't be read, or the clip is gone.
        """
        found = read_edit(self.folder / _FILE)
        if found is None or not (self.folder / found.file).is_file():
            raise InputNotFoundError(self.folder / _FILE, "edit")
        return found

    def keep(
        self,
        clip: Path,
        name: str,
        people: Iterable[ClipPerson],
        cards: Sequence[Card],
        decided: Decided,
        seconds: float,
    ) -> None:
        """Have what holds now kept; nothing is written if it is. Arguments as of ``written_edit``.

        Raises:
            PrivacyError, NoSpaceError, InputError: it can't be.
        """
        text = written_edit(clip, name, people, cards, decided, seconds)
        if text == self._said:
            return
        wanted = {CLIP + clip.suffix: clip}
        wanted |= {name_of(photo): photo.path for card in cards for photo in photos_of(card)}
        for file, path in wanted.items():
            if not (self.folder / file).exists():
                keep(path, file, self.folder, linked=True)
        write_private(self.folder / _FILE, text.encode())
        for path in self.folder.iterdir():  # photos of faces that nobody gets any more
            if path.name not in {*wanted, _FILE, _LOCK}:
                path.unlink(missing_ok=True)
        self._said = text

    def forget(self) -> None:
        """Remove it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.release()
        shutil.rmtree(self.folder, ignore_errors=True)  # Windows removes no file that is open

    def release(self) -> None:
        """Leave it to whoever goes on with it."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class KeptEdits:
    """All of them.

    Args:
        folder: Where. It is the user's only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[KeptEdit]:
        """Those that nobody has open, what was changed last first. What a killed studio only began is removed."""
        found = []
        for holding in self._free():
            clean(holding.folder)
            file = holding.folder / _FILE
            try:
                when = file.stat().st_mtime
            except OSError:
                holding.forget()
                continue
            try:
                said = holding.read()
            except InputNotFoundError:
                found.append(KeptEdit(holding.folder.name, "", when))
                continue
            edit = said.decided.edit
            found.append(KeptEdit(holding.folder.name, said.clip, when, len(edit.given), len(edit.stretches)))
        return sorted(found, key=lambda one: -one.when)

    def new(self) -> Holding:
        """A new one, with nothing in it.

        Raises:
            OSError: it can't be made.
        """
        for _ in range(_TRIES):
            folder = self._folder / secrets.token_hex(16)
            folder.mkdir(0o700)
            descriptor = _locked(folder, os.O_CREAT)
            if descriptor >= 0 and folder.exists():  # another studio that lists them may have come in between
                return Holding(folder, descriptor)
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(self._folder))

    def take(self, number: str) -> Holding:
        """One to go on with.

        Args:
            number: Its id.

        Raises:
            InputNotFoundError: it is gone, or another studio has it open.
        """
        folder = next((one for one in self._folders() if one.name == number), None)
        descriptor = -1 if folder is None else _locked(folder)
        if folder is None or descriptor < 0:
            raise InputNotFoundError(Path("edit"), "edit")
        return Holding(folder, descriptor)

    def forget(self, number: str) -> None:
        """Remove one; nothing happens if it is gone, or another studio has it open."""
        with suppress(InputNotFoundError):
            self.take(number).forget()

    def _folders(self) -> list[Path]:
        with suppress(OSError):
            return [one for one in self._folder.iterdir() if one.is_dir() and not one.is_symlink()]
        return []

    def _free(self) -> Iterator[Holding]:
        """Those that nobody has, each held until the next is asked for."""
        for folder in self._folders():
            descriptor = _locked(folder)
            if descriptor >= 0:
                holding = Holding(folder, descriptor)
                try:
                    yield holding
                finally:
                    holding.release()


def _locked(folder: Path, flags: int = 0) -> int:
    """Lock a folder: a descriptor, or -1 if somebody else has it, or nobody made it for this."""
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError:
        return -1
    if lock_file(descriptor) is False:
        os.close(descriptor)
        return -1
    return descriptor
