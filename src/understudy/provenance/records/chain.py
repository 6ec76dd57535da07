"""Records in a chain, each bound to the one before by a keyed hash: the ledger, and the audit log.

A record that was edited, or removed from anywhere, breaks the chain or leaves the head (a file of its own, written
after each record) pointing at nothing. Records are kept for six months at least, by time that was seen to pass (see
``retention``), and then dropped from the beginning; the hash that the rest hangs on is kept, and it is noted what went
and why. All of this, links, head, that hash and those notes, is made with a key of the chain's own, so that editing the
database, or a copy of it, is not enough to write another history. Whoever has the whole private folder has that key as
well: against its owner a chain on the owner's own disk is no proof. Nor does it show that an older copy of database and
head was put back, or that all its files are gone.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final, NamedTuple

from understudy.errors import RecordsError
from understudy.provenance.records.head import Head
from understudy.provenance.records.home import Home, write_private
from understudy.provenance.records.retention import Drop, Passed
from understudy.provenance.records.seal import Seal, same
from understudy.provenance.records.sqlite_file import PATIENCE, database

#: How long records are kept at least: six months (China's labelling measures, article 10).
KEEP_DAYS: Final = 184
_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY, body TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS origin (number INTEGER NOT NULL, hash TEXT NOT NULL, mac TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS passed (body TEXT NOT NULL, mac TEXT NOT NULL)
"""
_BEGINNING = (0, "0" * 64)
#: Records that are read at a time: nobody who writes waits for who reads them slowly.
_PAGE: Final = 500
#: Before all numbers that a record may have.
_BEFORE_ALL: Final = -(2**63)


@dataclass(frozen=True)
class Check:
    """What a look at the whole chain found.

    Attributes:
        records: How many there are.
        dropped: How many were dropped for their age.
        problems: What does not hold, in words; empty if all does.
        drops: What was dropped when, and why, in words.
    """

    records: int
    dropped: int
    problems: tuple[str, ...]
    drops: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether nothing was edited or removed."""
        return not self.problems


class _Read(NamedTuple):
    """What was found of a chain.

    Attributes:
        records: How many there are, of those that were looked at.
        origin, last: Number and link that the first record hangs on, and of the newest record.
        problems: What does not hold, in words.
        newest: The newest record's JSON; empty if there is none.
        passed: What was seen of time passing; None where nothing was noted yet.
    """

    records: int
    origin: tuple[int, str]
    last: tuple[int, str]
    problems: tuple[str, ...]
    newest: str = ""
    passed: Passed | None = None


class Chain:
    """Records of text, each bound to the one before. For several processes at once.

    Args:
        home: Where they are kept.
        name: Of its files, and what it is called in messages: ``ledger``, ``audit log``.
        keep_days: How long.
        clock: Tells the time; the computer's if None.
        whole: Whether all of it is looked at before a record is added, not the newest record and the head alone: what
            was edited is told sooner then, and adding takes the longer the more there are. Where ``ensure_sound`` has
            just looked, only what came since is looked at: one look counts for one time of adding.

    Raises:
        ValueError: shorter than the law asks.
        PrivacyError: others can read its key.
    """

    def __init__(
        self,
        home: Home,
        name: str,
        keep_days: int = KEEP_DAYS,
        clock: Callable[[], dt.datetime] | None = None,
        *,
        whole: bool = True,
    ) -> None:
        if keep_days < KEEP_DAYS:
            raise ValueError(f"records are kept for {KEEP_DAYS} days at least, not {keep_days}")
        self._keep, self._clock, self._whole, self._name = dt.timedelta(days=keep_days), clock or _today, whole, name
        folder, stem = home.folder(), name.replace(" ", "-")
        self._path, self._secret = folder / f"{stem}.sqlite", folder / f"{stem}.key"
        self._head = Head(folder / f"{stem}.head")
        #: Number and link of the newest record when all was last looked at, until one is added.
        self._looked: tuple[int, str] | None = None

    def append(self, bodies: Sequence[str], patience: float = PATIENCE) -> None:
        """Add records. They are on the disk when this returns.

        Args:
            bodies: JSON objects, each with its ``time`` (UTC, ISO 8601).
            patience: Seconds that it waits for others that write.

        Raises:
            RecordsError: the chain is damaged, was tampered with, or is busy.
        """
        if problems := self._lost():
            raise self._tampered(problems)
        if self._whole and self._looked is None:
            self.ensure_sound()  # before the transaction, in which everybody else waits
        looked, self._looked = self._looked, None
        with database(self._path, _SCHEMA, from_nothing=True, patience=patience) as connection:
            chain = self._since(connection, looked)
            if chain.problems:
                raise self._tampered(chain.problems)
            if chain.last == _BEGINNING:
                # Inside the transaction: of two processes that begin together one makes them.
                if not self._secret.exists():
                    write_private(self._secret, secrets.token_bytes(32))
                if not self._head.path.exists():
                    self._head.say(self._seal(), *_BEGINNING)
            seal = self._seal()
            number, link = chain.last
            for body in bodies:
                number, link = number + 1, seal.link(link, body)
                connection.execute("INSERT INTO records VALUES (?, ?, ?)", (number, body, link))
            self._keep_time(connection, seal, chain, number)
        # After the database: a kill in between leaves a head that is behind, which is no fault, as the new record's
        # link can't be made without the key. Two processes may write it in either order, which is none either.
        self._head.say(seal, number, link)

    def bodies(self) -> Iterator[str]:
        """All records, the oldest first, whether their links hold or not.

        Raises:
            RecordsError: the database is damaged.
        """
        number: object = _BEFORE_ALL
        while not self._is_empty():
            with database(self._path, _SCHEMA, reading=True) as connection:
                page = connection.execute(
                    "SELECT number, body FROM records WHERE number > ? ORDER BY number LIMIT ?", (number, _PAGE)
                ).fetchall()
            yield from (str(body) for _, body in page)
            if len(page) < _PAGE:
                return
            number = page[-1][0]

    def sound_with(self, text: str) -> Iterator[str]:
        """Records that have a text in them and whose link holds, the newest first: an edited one speaks for nothing.

        Raises:
            RecordsError: the database is damaged.
        """
        seal = Seal.read(self._secret)
        if seal is None or self._is_empty():
            return
        with database(self._path, _SCHEMA, reading=True) as connection:
            found = connection.execute(
                "SELECT number, body, hash FROM records WHERE instr(body, ?) ORDER BY number DESC", (text,)
            )
            with closing(found):
                for number, body, claimed in found:
                    before = connection.execute(
                        "SELECT hash FROM records WHERE number < ? ORDER BY number DESC LIMIT 1", (number,)
                    ).fetchone()
                    before = before or connection.execute("SELECT hash FROM origin").fetchone() or _BEGINNING[1:]
                    if same(seal.link(str(before[0]), str(body)), claimed):
                        yield str(body)

    def verify(self) -> Check:
        """Look at the whole chain.

        Raises:
            RecordsError: the database can't be read at all.
        """
        if problems := self._lost():
            return Check(0, 0, problems)
        chain = self._read()
        drops = [drop.why for drop in chain.passed.drops] if chain.passed is not None else []
        if chain.origin[0] and not drops:
            drops.append(f"up to number {chain.origin[0]}: an earlier version of this program did not note why")
        return Check(chain.records, chain.origin[0], chain.problems, tuple(drops))

    def ensure_sound(self) -> None:
        """Look before any work is done that would have to be entered.

        Raises:
            RecordsError: it was tampered with or can't be read.
        """
        self._looked = None
        if problems := self._lost():
            raise self._tampered(problems)
        chain = self._read()
        if chain.problems:
            raise self._tampered(chain.problems)
        self._looked = chain.last

    def _lost(self) -> tuple[str, ...]:
        """What shows that there was such a chain and there is none."""
        if self._path.exists():
            return ()
        there = [path.name for path in (self._head.path, self._secret) if path.exists()]
        return (f"the {self._name} is gone, {' and '.join(there)} are there",) if there else ()

    def _is_empty(self) -> bool:
        """Whether nothing was written yet, so that there is nothing to read either: reading makes nothing."""
        return not self._path.exists() or (self._path.is_file() and not self._path.stat().st_size)

    def _read(self) -> _Read:
        if self._is_empty():
            return self._nothing(Seal.read(self._secret))
        with database(self._path, _SCHEMA, reading=True) as connection:
            return self._chain(connection)

    def _nothing(self, seal: Seal | None) -> _Read:
        """No record at all: the head may know of some."""
        problems = self._head.problems(seal, lambda _number: None, _BEGINNING, any_record=False)
        return _Read(0, _BEGINNING, _BEGINNING, tuple(problems))

    def _chain(self, connection: sqlite3.Connection) -> _Read:
        """All records: whether each hangs on the one before, and what is wrong with the whole."""
        records = connection.execute("SELECT count(*) FROM records").fetchone()[0]
        row = connection.execute("SELECT number, hash, mac FROM origin").fetchone()
        seal = Seal.read(self._secret)
        origin, problems = _BEGINNING, []
        if seal is None:
            if records or row:  # nothing can be said of any record then
                return _Read(records, _BEGINNING, _BEGINNING, ("its key is gone",))
            return self._nothing(seal)
        if row is not None:
            try:
                origin = (int(row[0]), str(row[1]))
            except ValueError:
                problems.append("what the oldest record hangs on is damaged")
            if not same(seal.mac("origin", origin), row[2]):
                problems.append(f"the oldest records, up to {origin[0]}, were removed")
        found = connection.execute("SELECT number, body, hash FROM records ORDER BY number")
        last, newest, broken = _followed(seal, found, origin)
        passed, edited = self._passed(connection, seal)
        head = self._head.problems(seal, _links_in(connection), origin, any_record=bool(records))
        return _Read(records, origin, last, (*problems, *broken, *edited, *head), newest, passed)

    def _since(self, connection: sqlite3.Connection, looked: tuple[int, str] | None) -> _Read:
        """What came since all was looked at, or the newest record; and whether head and notes of time hold.

        What is added hangs on nothing else. Wherever that does not do, all is looked at.
        """
        seal, link_of = Seal.read(self._secret), _links_in(connection)
        if looked is None:
            row = connection.execute(
                "SELECT number, hash FROM records ORDER BY number DESC LIMIT 1 OFFSET 1"
            ).fetchone()
            before = None if row is None else (int(row[0]), str(row[1]))
        else:
            before = looked if link_of(looked[0]) == looked[1] else None
        if seal is None or before is None or self._head.problems(seal, link_of, _BEGINNING, any_record=True):
            return self._chain(connection)
        found = connection.execute(
            "SELECT number, body, hash FROM records WHERE number > ? ORDER BY number", before[:1]
        )
        last, newest, broken = _followed(seal, found, before)
        passed, edited = self._passed(connection, seal)
        return _Read(last[0] - before[0], _BEGINNING, last, (*broken, *edited), newest, passed)

    def _seal(self) -> Seal:
        """Made with the key, which must be there.

        Raises:
            RecordsError: it is gone.
        """
        seal = Seal.read(self._secret)
        if seal is None:
            raise self._tampered(("its key is gone",))
        return seal

    def _passed(self, connection: sqlite3.Connection, seal: Seal) -> tuple[Passed | None, list[str]]:
        """What was noted of time, and what is wrong with it."""
        row = connection.execute("SELECT body, mac FROM passed").fetchone()
        if row is None:
            return None, []
        if not same(seal.mac("passed", (str(row[0]),)), row[1]):
            return None, ["what was noted of the records' age was edited"]
        return Passed.parse(str(row[0])), []

    def _keep_time(self, connection: sqlite3.Connection, seal: Seal, chain: _Read, number: int) -> None:
        """Note what was seen of time with a new record, and drop those that have been kept for long enough."""
        today = self._clock()
        passed = chain.passed
        if passed is None:
            # Records of an earlier version: they age from now on.
            times = [today, *(_instant(body) for body in (chain.newest,) if body)]
            passed = Passed(min(times).timestamp()).noted(chain.last[0])
        passed = passed.at(today.timestamp()).noted(number)
        passed = self._drop_old(connection, seal, passed, today)
        body = passed.as_text()
        connection.execute("DELETE FROM passed")
        connection.execute("INSERT INTO passed VALUES (?, ?)", (body, seal.mac("passed", (body,))))

    def _drop_old(self, connection: sqlite3.Connection, seal: Seal, passed: Passed, today: dt.datetime) -> Passed:
        """Drop records from the beginning that were seen to age, and are too old by the clock as well."""
        aged, days = passed.aged(self._keep)
        oldest = today - self._keep
        gone: tuple[int, str, str] | None = None
        for number, body, link in connection.execute(
            "SELECT number, body, hash FROM records WHERE number <= ? ORDER BY number", (aged,)
        ):
            # What the clock now takes for the future was made by one that was wrong: its age is what was seen of it.
            if oldest <= _instant(body) <= today:
                break
            gone = (number, link, str(json.loads(body)["time"]))
        if gone is None:
            return passed
        number, link, made = gone
        connection.execute("DELETE FROM records WHERE number <= ?", (number,))
        connection.execute("DELETE FROM origin")
        connection.execute("INSERT INTO origin VALUES (?, ?, ?)", (number, link, seal.mac("origin", (number, link))))
        return passed.dropped(Drop(number, made, today.isoformat(timespec="milliseconds"), days))

    def _tampered(self, problems: Sequence[str]) -> RecordsError:
        files = ", ".join(path.name for path in (self._path, self._head.path))
        return RecordsError(
            f"the {self._name} was tampered with: {'; '.join(problems)}",
            f"`understudy {self._name.split()[0]} verify` says more. To begin anew, move {files} and "
            f"{self._secret.name} aside.",
        )


def now() -> str:
    """The time, as records have it."""
    return _today().isoformat(timespec="milliseconds")


def _today() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def _instant(body: str) -> dt.datetime:
    """A record's time; one that can't be read counts as just made."""
    try:
        found = dt.datetime.fromisoformat(str(json.loads(body)["time"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return _today()
    return found if found.tzinfo is not None else found.replace(tzinfo=dt.timezone.utc)


def _followed(
    seal: Seal, records: Iterable[tuple[int, object, object]], last: tuple[int, str]
) -> tuple[tuple[int, str], str, list[str]]:
    """Follow records from one to the next.

    Args:
        seal: What their links were made with.
        records: Number, JSON and link of each, the oldest first.
        last: Number and link that the first of them hangs on.

    Returns:
        Number and link of the newest, its JSON, and what does not hold, in words.
    """
    newest, problems = "", []
    for number, body, claimed in records:
        if number != last[0] + 1:
            problems.append(_gone(last[0] + 1, number - 1))
        elif not same(seal.link(last[1], str(body)), claimed):
            problems.append(f"record {number} was edited")
        last, newest = (number, str(claimed)), str(body)
    return last, newest, problems


def _links_in(connection: sqlite3.Connection) -> Callable[[int], str | None]:
    """What tells the link of a record, by its number; None where there is no such record."""

    def link_of(number: int) -> str | None:
        row = connection.execute("SELECT hash FROM records WHERE number = ?", (number,)).fetchone()
        return None if row is None else str(row[0])

    return link_of


def _gone(first: int, last: int) -> str:
    return f"record {first} was removed" if first == last else f"records {first} to {last} were removed"
