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
import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from understudy.errors import RecordsError
from understudy.provenance.records.home import Home, check_private, database, write_private
from understudy.provenance.records.retention import Drop, Passed
from understudy.regular import read_regular

#: How long records are kept at least: six months (China's labelling measures, article 10).
KEEP_DAYS: Final = 184
_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY, body TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS origin (number INTEGER NOT NULL, hash TEXT NOT NULL, mac TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS passed (body TEXT NOT NULL, mac TEXT NOT NULL)
"""
_BEGINNING = (0, "0" * 64)
#: Most bytes of the head and of the key.
_LONGEST = 4096


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


class Row(NamedTuple):
    """One row: its JSON, and whether its link holds."""

    body: str
    sound: bool


class _Read(NamedTuple):
    """What was read of a chain.

    Attributes:
        rows: The oldest first; the last one alone where no more was asked for.
        origin, last: Number and link that the first record hangs on, and of the newest record.
        problems: What does not hold, in words.
        passed: What was seen of time passing; None where nothing was noted yet.
    """

    rows: tuple[Row, ...]
    origin: tuple[int, str]
    last: tuple[int, str]
    problems: tuple[str, ...]
    passed: Passed | None = None


class Chain:
    """Records of text, each bound to the one before. For several processes at once.

    Args:
        home: Where they are kept.
        name: Of its files, and what it is called in messages: ``ledger``, ``audit log``.
        keep_days: How long.
        clock: Tells the time; the computer's if None.
        whole: Whether all of it is looked at before a record is added, not the newest record and the head alone: what
            was edited is told sooner then, and adding takes the longer the more there are.

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
        self._path, self._head, self._secret = (folder / f"{stem}.{end}" for end in ("sqlite", "head", "key"))

    def append(self, bodies: Sequence[str]) -> None:
        """Add records. They are on the disk when this returns.

        Args:
            bodies: JSON objects, each with its ``time`` (UTC, ISO 8601).

        Raises:
            RecordsError: the chain is damaged, was tampered with, or is busy.
        """
        if problems := self._lost():
            raise self._tampered(problems)
        with database(self._path, _SCHEMA) as connection:
            chain = self._chain(connection) if self._whole else self._end(connection)
            if chain.problems:
                raise self._tampered(chain.problems)
            if chain.last == _BEGINNING:
                # Inside the transaction: of two processes that begin together one makes them.
                if not self._secret.exists():
                    write_private(self._secret, secrets.token_bytes(32))
                if not self._head.exists():
                    self._say_head(*_BEGINNING)
            number, link = chain.last
            for body in bodies:
                number, link = number + 1, self._link(link, body)
                connection.execute("INSERT INTO records VALUES (?, ?, ?)", (number, body, link))
            self._keep_time(connection, chain, number)
        # After the database: a kill in between leaves a head that is behind, which is no fault, as the new record's
        # link can't be made without the key. Two processes may write it in either order, which is none either.
        self._say_head(number, link)

    def rows(self) -> tuple[Row, ...]:
        """All records, the oldest first.

        Raises:
            RecordsError: the database is damaged.
        """
        return self._read().rows

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
        return Check(len(chain.rows), chain.origin[0], chain.problems, tuple(drops))

    def ensure_sound(self) -> None:
        """Look before any work is done that would have to be entered.

        Raises:
            RecordsError: it was tampered with or can't be read.
        """
        check = self.verify()
        if not check.intact:
            raise self._tampered(check.problems)

    def _lost(self) -> tuple[str, ...]:
        """What shows that there was such a chain and there is none."""
        if self._path.exists():
            return ()
        there = [path.name for path in (self._head, self._secret) if path.exists()]
        return (f"the {self._name} is gone, {' and '.join(there)} are there",) if there else ()

    def _read(self) -> _Read:
        if not self._path.exists() or (self._path.is_file() and not self._path.stat().st_size):
            # Reading makes nothing.
            return _Read((), _BEGINNING, _BEGINNING, tuple(self._check_head({0: _BEGINNING[1]}, _BEGINNING)))
        with database(self._path, _SCHEMA) as connection:
            return self._chain(connection)

    def _chain(self, connection: sqlite3.Connection) -> _Read:
        """All rows, each with whether it hangs on the one before, and what is wrong with the whole."""
        found = connection.execute("SELECT number, body, hash FROM records ORDER BY number").fetchall()
        row = connection.execute("SELECT number, hash, mac FROM origin").fetchone()
        if not self._secret.exists() and (found or row):
            # Nothing can be said of any record then.
            rows = tuple(Row(str(body), False) for _, body, _ in found)
            return _Read(rows, _BEGINNING, _BEGINNING, ("its key is gone",))
        origin, problems = _BEGINNING, []
        if row is not None:
            try:
                origin = (int(row[0]), str(row[1]))
            except ValueError:
                problems.append("what the oldest record hangs on is damaged")
            if not _same(self._mac("origin", origin), row[2]):
                problems.append(f"the oldest records, up to {origin[0]}, were removed")
        last, rows_seen = origin, []
        for number, body, claimed in found:
            sound = _same(self._link(last[1], str(body)), claimed)
            if number != last[0] + 1:
                problems.append(_gone(last[0] + 1, number - 1))
            elif not sound:
                problems.append(f"record {number} was edited")
            rows_seen.append(Row(str(body), sound))
            last = (number, str(claimed))
        passed, edited = self._passed(connection)
        problems += edited
        links = {origin[0]: origin[1]} | {number: claimed for number, _, claimed in found}
        problems += self._check_head(links, origin)
        return _Read(tuple(rows_seen), origin, last, tuple(problems), passed)

    def _end(self, connection: sqlite3.Connection) -> _Read:
        """The newest row, and whether it, the head and the notes of time hold: what is added hangs on nothing else."""
        found = connection.execute("SELECT number, body, hash FROM records ORDER BY number DESC LIMIT 2").fetchall()
        if len(found) < 2:
            return self._chain(connection)
        (number, body, claimed), (before, _, link) = found
        problems: list[str] = []
        if not self._secret.exists():
            return _Read((), _BEGINNING, _BEGINNING, ("its key is gone",))
        sound = number == before + 1 and _same(self._link(str(link), str(body)), claimed)
        if not sound:
            problems.append(f"record {number} was edited")
        passed, edited = self._passed(connection)
        # A head that is behind is none of the two: then it is all looked at.
        behind = self._check_head({before: str(link), number: str(claimed)}, _BEGINNING)
        if behind:
            return self._chain(connection)
        row = connection.execute("SELECT number, hash FROM origin").fetchone()
        origin = _BEGINNING if row is None else (int(row[0]), str(row[1]))
        return _Read((Row(str(body), sound),), origin, (number, str(claimed)), (*problems, *edited), passed)

    def _check_head(self, links: Mapping[int, str], origin: tuple[int, str]) -> list[str]:
        try:
            said = read_regular(self._head, _LONGEST)
        except FileNotFoundError:
            return ["the head is missing"] if links.keys() - {0} else []
        except OSError as fault:
            return [f"the head can't be read: {fault.strerror}"]
        try:
            head = json.loads(said)
            number, link, mac = (head[name] for name in ("number", "hash", "mac"))
        except (ValueError, KeyError, TypeError, RecursionError):
            return ["the head is damaged"]
        if not self._secret.exists():
            return ["its key is gone"]
        if not _same(self._mac("head", (number, link)), mac):
            return ["the head was edited"]
        if number not in links:
            return [] if number < origin[0] else [f"the newest records, up to {number}, were removed"]
        return [] if links[number] == link else [f"record {number} is not the one that was written"]

    def _say_head(self, number: int, link: str) -> None:
        mac = self._mac("head", (number, link))
        write_private(self._head, json.dumps({"number": number, "hash": link, "mac": mac}).encode())

    def _mac(self, what: str, values: tuple[object, ...]) -> str:
        return self._link(what, json.dumps(values))

    def _link(self, previous: str, body: str) -> str:
        check_private(self._secret)
        return hmac.new(
            read_regular(self._secret, _LONGEST), f"{previous}\n{body}".encode(), hashlib.sha256
        ).hexdigest()

    def _passed(self, connection: sqlite3.Connection) -> tuple[Passed | None, list[str]]:
        """What was noted of time, and what is wrong with it."""
        row = connection.execute("SELECT body, mac FROM passed").fetchone()
        if row is None:
            return None, []
        if not _same(self._mac("passed", (str(row[0]),)), row[1]):
            return None, ["what was noted of the records' age was edited"]
        return Passed.parse(str(row[0])), []

    def _keep_time(self, connection: sqlite3.Connection, chain: _Read, number: int) -> None:
        """Note what was seen of time with a new record, and drop those that have been kept for long enough."""
        today = self._clock()
        passed = chain.passed
        if passed is None:
            # Records of an earlier version: they age from now on.
            times = [today, *(_instant(row.body) for row in chain.rows[-1:])]
            passed = Passed(min(times).timestamp()).noted(chain.last[0])
        passed = passed.at(today.timestamp()).noted(number)
        passed = self._drop_old(connection, passed, today)
        body = passed.as_text()
        connection.execute("DELETE FROM passed")
        connection.execute("INSERT INTO passed VALUES (?, ?)", (body, self._mac("passed", (body,))))

    def _drop_old(self, connection: sqlite3.Connection, passed: Passed, today: dt.datetime) -> Passed:
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
        connection.execute("INSERT INTO origin VALUES (?, ?, ?)", (number, link, self._mac("origin", (number, link))))
        return passed.dropped(Drop(number, made, today.isoformat(timespec="milliseconds"), days))

    def _tampered(self, problems: Sequence[str]) -> RecordsError:
        files = ", ".join(path.name for path in (self._path, self._head))
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


def _same(made: str, claimed: object) -> bool:
    return hmac.compare_digest(made.encode(), str(claimed).encode("utf-8", "replace"))


def _gone(first: int, last: int) -> str:
    return f"record {first} was removed" if first == last else f"records {first} to {last} were removed"
