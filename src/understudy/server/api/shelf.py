"""What each user handed over and had made: files with ids of the server's own, kept apart, gone after a time."""

from __future__ import annotations

import json
import os
import re
import secrets
import sqlite3
import time
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from understudy.errors import InputError, NotMediaError
from understudy.provenance.records.home import Home
from understudy.provenance.records.kept_open import Opened, opened_anew
from understudy.server.access.quotas import QuotaError
from understudy.server.coming import Coming
from understudy.server.receiving import received
from understudy.text import printable

Kind = Literal["photo", "media", "person", "swap"]
#: Suffixes of files that are taken, and most bytes of one.
SUFFIXES: Final[Mapping[Kind, tuple[str, ...]]] = {
    "photo": (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif"),
    "media": (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".gif", ".jpg", ".jpeg", ".png", ".webp"),
}
MOST_BYTES: Final[Mapping[Kind, int]] = {"photo": 64_000_000, "media": 8_000_000_000}
_ID: Final = re.compile(r"[0-9a-f]{32}")
#: A file of a thing's, as messages name it.
_FILE: Final = re.compile(r"\b([0-9a-f]{32})(?:\.[A-Za-z0-9]{1,8})?\b")
#: Longest name that is kept.
_SHOWN: Final = 80
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS things (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, suffix TEXT NOT NULL,
    bytes INTEGER NOT NULL, digest TEXT NOT NULL, made REAL NOT NULL, expires REAL NOT NULL, said TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS of_users ON things (user, kind, made)
"""
DAY: Final = 86400.0
#: Seconds without a byte after which nobody writes a file any more: an upload that stops for 30 is ended, by whichever
#: of several servers takes it in, and what was taken in is looked at after that.
_STILL: Final = 1800.0


class NotHereError(InputError, LookupError):
    """There is no such thing, or it is another user's."""

    def __init__(self, kind: str, number: str) -> None:
        super().__init__(
            f"there is no {kind} {printable(number[:32])}", "It was removed, its time is over, or it is not yours."
        )


class _FullShelfError(QuotaError):
    """A user has as many bytes as they may."""

    def __init__(self, room: float) -> None:
        super().__init__(
            f"there are {room / 1e9:g} GB of yours here already", DAY, "Remove some of your media, photos or swaps."
        )


@dataclass(frozen=True)
class Thing:
    """One thing.

    Attributes:
        id: 32 hexadecimal digits.
        user: Whose it is.
        kind: What it is.
        name: What the user calls it: to be shown, never opened.
        suffix: Of its file; empty where it has none.
        bytes: Of its file.
        digest: SHA-256 of its file; empty where it has none, or it is not written yet.
        made, expires: Unix times in seconds.
        said: What else is known of it, plain values.
    """

    id: str
    user: str
    kind: Kind
    name: str
    suffix: str
    bytes: int
    digest: str
    made: float
    expires: float
    said: Mapping[str, Any]


@dataclass(frozen=True)
class Shelf:
    """The things of all users. For several threads and processes.

    Args:
        home: The private folder.
        days: For how many days things are kept.
        clock: Tells the Unix time.
        opened: Begins a transaction on their file.
        coming: What is being received.
    """

    home: Home
    days: float
    clock: Callable[[], float] = time.time
    opened: Opened = opened_anew
    coming: Coming = field(default_factory=Coming)

    def path(self, thing: Thing) -> Path:
        """Where a thing's file is."""
        return self._folder / f"{thing.id}{thing.suffix}"

    def beside(self, thing: Thing, suffix: str) -> Path:
        """Where something is that belongs to a thing and goes with it."""
        return self._folder / f"{thing.id}.{suffix}"

    async def take(
        self, user: str, kind: Kind, name: str, pieces: AsyncIterable[bytes], room: float, announced: int = 0
    ) -> Thing:
        """Take a file in.

        Args:
            user: Whose it is.
            kind: ``photo`` or ``media``.
            name: What the user calls it. Its suffix says what it may be.
            pieces: Its bytes.
            room: Bytes that the user may have at a time.
            announced: How many are said to come; 0 where nobody said it.

        Raises:
            NotMediaError: it is of a kind that is not taken, or empty.
            TooLargeError: it is larger than is taken.
            QuotaError: the user has as much as they may.
            NoSpaceError: the disk is full, or nearly.
        """
        shown = printable(PurePosixPath(name.replace("\\", "/")).name)[-_SHOWN:] or "?"
        suffix = PurePosixPath(shown).suffix.lower()
        if suffix not in SUFFIXES[kind]:
            raise NotMediaError(f"{shown} is no {kind}", f"These are taken: {', '.join(SUFFIXES[kind])}.")
        self.check_room(user, room)
        left = int(room - self.bytes_of(user))
        number = secrets.token_hex(16)
        path = self._folder / f"{number}{suffix}"
        with self.coming.file(user, left) as coming:
            count, digest = await received(path, pieces, min(left, MOST_BYTES[kind]), shown, announced, coming)
            try:
                # Others of theirs may have come meanwhile.
                return self._enter(Thing(number, user, kind, shown, suffix, count, digest, *self._times(), {}), room)
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def check_room(self, user: str, room: float) -> None:
        """Make sure that a user may have more.

        Args:
            user: Who.
            room: Bytes that they may have at a time.

        Raises:
            QuotaError: they have as much as they may.
        """
        if self.bytes_of(user) >= room:
            raise _FullShelfError(room)

    def add(self, user: str, kind: Kind, name: str, suffix: str = "", said: Mapping[str, Any] | None = None) -> Thing:
        """Add a thing without a file, or whose file is written later."""
        shown = printable(name)[:_SHOWN]
        return self._enter(Thing(secrets.token_hex(16), user, kind, shown, suffix, 0, "", *self._times(), said or {}))

    def get(self, user: str, kind: Kind, number: str) -> Thing:
        """A user's thing.

        Raises:
            NotHereError: there is none, or it is another user's.
        """
        found = self._of(user, kind, number) if _ID.fullmatch(number) else []
        if not found:
            raise NotHereError(kind, number)
        return found[0]

    def missing(self, user: str, numbers: Iterable[str]) -> Sequence[str]:
        """Which of these are not, or no longer, things of a user's."""
        with self._open() as connection:
            here = {number for (number,) in connection.execute("SELECT id FROM things WHERE user = ?", (user,))}
        return [number for number in numbers if number not in here]

    def all(self, user: str, kind: Kind) -> Sequence[Thing]:
        """A user's things of a kind, the oldest first."""
        return self._of(user, kind)

    def say(self, thing: Thing, **said: Any) -> Thing:  # noqa: ANN401 - plain values of any kind
        """Note more of a thing."""
        with self._open() as connection:
            row = connection.execute("SELECT said FROM things WHERE id = ?", (thing.id,)).fetchone()
            if row is None:
                raise NotHereError(thing.kind, thing.id)
            connection.execute(
                "UPDATE things SET said = ? WHERE id = ?", (json.dumps(json.loads(row[0]) | said), thing.id)
            )
        return self.get(thing.user, thing.kind, thing.id)

    def wrote(self, thing: Thing, digest: str) -> None:
        """Note that a thing's file was written."""
        with self._open() as connection:
            values = (self.path(thing).stat().st_size, digest, thing.id)
            connection.execute("UPDATE things SET bytes = ?, digest = ? WHERE id = ?", values)

    def remove(self, thing: Thing) -> None:
        """Remove a thing and all that belongs to it."""
        with self._open() as connection:
            connection.execute("DELETE FROM things WHERE id = ?", (thing.id,))
        for path in self._folder.glob(f"{thing.id}*"):
            with suppress(FileNotFoundError):
                path.unlink()

    def old(self) -> Sequence[Thing]:
        """Things whose time is over."""
        with self._open() as connection:
            return _read(connection, "expires <= ?", (self.clock(),))

    def bytes_of(self, user: str) -> int:
        """How many bytes a user's files have; of those, too, that were made and never fetched."""
        with self._open() as connection:
            return self._bytes_of(connection, user)

    def _bytes_of(self, connection: sqlite3.Connection, user: str) -> int:
        total = 0
        for number, suffix, known in connection.execute("SELECT id, suffix, bytes FROM things WHERE user = ?", (user,)):
            total += int(known)
            if suffix and not known:
                with suppress(FileNotFoundError):  # not made yet
                    total += (self._folder / f"{number}{suffix}").stat().st_size
        return total

    def in_their_words(self, user: str, said: str, *, ids: bool = True) -> str:
        """A message of the program's with what a user calls their files in place of the server's names of them.

        Args:
            user: Who.
            said: The message.
            ids: Whether a name without a suffix is a file's, too; else it is an id that the user is to have.
        """

        def named(found: re.Match[str]) -> str:
            if not ids and found[0] == found[1]:
                return found[0]
            with self._open() as connection:
                query = "SELECT name FROM things WHERE id = ? AND user = ?"
                row = connection.execute(query, (found[1], user)).fetchone()
            return found[0] if row is None else str(row[0])

        return _FILE.sub(named, said.replace(f"{self._folder}{os.sep}", ""))

    def strays(self) -> Iterator[Path]:
        """Files that belong to nothing, and that nobody writes: what a kill left of an upload."""
        files = [path for path in self._folder.iterdir() if _ID.match(path.name)]
        with self._open() as connection:
            known = {number for (number,) in connection.execute("SELECT id FROM things")}
        for path in files:
            with suppress(FileNotFoundError):
                if path.name[:32] not in known and time.time() - path.stat().st_mtime > _STILL:
                    yield path

    @property
    def _folder(self) -> Path:
        return self.home.folder("server", "things")

    def _times(self) -> tuple[float, float]:
        now = self.clock()
        return now, now + self.days * DAY

    def _enter(self, thing: Thing, room: float = inf) -> Thing:
        """Enter a thing where its user has so many bytes of room.

        Raises:
            QuotaError: they have less.
        """
        values = tuple(vars(thing).values())[:-1]
        with self._open() as connection:
            if room < inf and self._bytes_of(connection, thing.user) + thing.bytes > room:
                raise _FullShelfError(room)
            connection.execute(
                "INSERT INTO things VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, json.dumps(thing.said))
            )
        return thing

    def _of(self, user: str, kind: Kind, number: str = "") -> list[Thing]:
        where, values = ("user = ? AND kind = ?", (user, kind))
        with self._open() as connection:
            if number:
                return _read(connection, f"{where} AND id = ?", (*values, number))
            return _read(connection, where, values)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self.opened(self.home, "server/things.sqlite", _SCHEMA) as connection:
            yield connection


def _read(connection: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> list[Thing]:
    rows = connection.execute(f"SELECT * FROM things WHERE {where} ORDER BY made, id", values)
    return [Thing(*(json.loads(value) if place == 9 else value for place, value in enumerate(row))) for row in rows]
