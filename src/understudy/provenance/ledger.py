"""The ledger: one record of every output, each bound to the one before by its hash.

A record that was edited, or removed from anywhere, breaks the chain or leaves the head (a file of its own, written
after each record) pointing at nothing. Records older than six months are dropped from the beginning; the hash that
the rest hangs on is kept. The chain shows tampering by whoever edits the database; it can't stop someone who has the
whole folder from writing another history.

What is in a record: digests, hashes of whole pictures, names of engines and consents. Nothing of any face.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from understudy.errors import RecordsError
from understudy.provenance.home import Home, database, write_private

#: How long records are kept at least: six months (China's labelling measures, article 10).
KEEP_DAYS: Final = 184
_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY, body TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS origin (number INTEGER NOT NULL, hash TEXT NOT NULL)
"""
_BEGINNING = (0, "0" * 64)


@dataclass(frozen=True)
class Record:
    """One output.

    Attributes:
        identifier: Its id, 12 hexadecimal digits: the mark's, the manifest's and the AIGC label's.
        time: When it was released: UTC, ISO 8601.
        kind: ``image``, ``animation``, ``video`` or ``live``.
        engine: Name of the engine.
        version: Of this program.
        sources: SHA-256 of the photos.
        target: SHA-256 of the file that was swapped; empty for live.
        output: SHA-256 of the file as it was released; empty for live without a recording.
        consents: Ids of the consent records that were relied on.
        label: The visible label's text.
        hashes: Perceptual hashes of the output, one a second at most (see ``fingerprint``).
    """

    identifier: str
    time: str
    kind: str
    engine: str
    version: str
    sources: tuple[str, ...]
    target: str
    output: str
    consents: tuple[str, ...]
    label: str
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """What a look at the whole chain found.

    Attributes:
        records: How many there are.
        dropped: How many were dropped for their age.
        problems: What does not hold, in words; empty if all does.
    """

    records: int
    dropped: int
    problems: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was edited or removed."""
        return not self.problems


class Ledger:
    """One user's ledger.

    Args:
        home: Where it is kept.
        keep_days: How long.

    Raises:
        ValueError: shorter than the law asks.
    """

    def __init__(self, home: Home, keep_days: int = KEEP_DAYS) -> None:
        if keep_days < KEEP_DAYS:
            raise ValueError(f"records are kept for {KEEP_DAYS} days at least, not {keep_days}")
        self._keep = dt.timedelta(days=keep_days)
        self._path = home.folder() / "ledger.sqlite"
        self._head = home.folder() / "ledger.head"

    def append(self, record: Record) -> None:
        """Add a record. It is on the disk when this returns.

        Raises:
            RecordsError: the ledger is damaged or busy.
        """
        with database(self._path, _SCHEMA) as connection:
            number, previous = _last(connection)
            self._refuse_if_tampered(connection, number)
            body = json.dumps(asdict(record), sort_keys=True)
            entry = (number + 1, body, _link(previous, body))
            connection.execute("INSERT INTO records VALUES (?, ?, ?)", entry)
            self._drop_old(connection)
        # After the database: a kill in between leaves a head that is behind, which is no fault. Two processes may
        # write it in either order, which is none either.
        write_private(self._head, json.dumps({"number": entry[0], "hash": entry[2]}).encode())

    def _refuse_if_tampered(self, connection: sqlite3.Connection, last: int) -> None:
        """A new record must not paper over a head that does not fit."""
        if not self._head.exists():
            return
        rows = connection.execute("SELECT number, hash FROM records").fetchall()
        dropped = _origin(connection)[0]
        problems = self._check_head({0: _BEGINNING[1], **dict([_origin(connection)]), **dict(rows)}, dropped)
        if problems:
            raise RecordsError(
                f"the ledger was tampered with after record {last}: {problems[0]}",
                "`understudy ledger verify` says more. To begin anew, move ledger.sqlite and ledger.head aside.",
            )

    def records(self) -> Iterator[Record]:
        """All records, the oldest first.

        Raises:
            RecordsError: the ledger is damaged.
        """
        for _, body, _ in self._rows():
            yield _record(body)

    def find(self, identifier: int) -> Record | None:
        """The newest record of an id; None if there is none."""
        wanted = f"{identifier:012x}"
        return next((record for record in reversed(list(self.records())) if record.identifier == wanted), None)

    def find_output(self, digest: str) -> Record | None:
        """The newest record of a file with this SHA-256; None if there is none."""
        return next((record for record in reversed(list(self.records())) if record.output == digest), None)

    def verify(self) -> Check:
        """Look at the whole chain.

        Raises:
            RecordsError: the database can't be read at all.
        """
        if not self._path.exists():
            head = ("the ledger is gone, its head is there",) if self._head.exists() else ()
            return Check(0, 0, head)
        with database(self._path, _SCHEMA) as connection:
            number, link = first = _origin(connection)
            rows = connection.execute("SELECT number, body, hash FROM records ORDER BY number").fetchall()
        problems, links = [], {first[0]: first[1]}
        for row, body, claimed in rows:
            if row != number + 1:
                problems.append(
                    f"records {number + 1} to {row - 1} were removed" if row > number + 1 else f"record {row}?"
                )
            elif _link(link, body) != claimed:
                problems.append(f"record {row} was edited")
            number, link = row, claimed
            links[row] = claimed
        problems += self._check_head(links, first[0])
        return Check(len(rows), first[0], tuple(problems))

    def _check_head(self, links: Mapping[int, str], dropped: int) -> list[str]:
        try:
            head = json.loads(self._head.read_bytes())
            number, link = int(head["number"]), str(head["hash"])
        except FileNotFoundError:
            return ["the head is missing"] if len(links) > 1 else []
        except (ValueError, KeyError, TypeError):
            return ["the head is damaged"]
        if number not in links:
            return [] if number < dropped else [f"the newest records, up to {number}, were removed"]
        return [] if links[number] == link else [f"record {number} is not the one that was written"]

    def _rows(self) -> list[tuple[int, str, str]]:
        if not self._path.exists():
            return []
        with database(self._path, _SCHEMA) as connection:
            return connection.execute("SELECT number, body, hash FROM records ORDER BY number").fetchall()

    def _drop_old(self, connection: sqlite3.Connection) -> None:
        """Drop records from the beginning that are older than what is kept; the newest stays in any case."""
        limit = (dt.datetime.now(dt.timezone.utc) - self._keep).isoformat()
        last = None
        rows = connection.execute("SELECT number, body, hash FROM records ORDER BY number").fetchall()
        for number, body, link in rows[:-1]:
            if json.loads(body)["time"] >= limit:
                break
            last = (number, link)
        if last is not None:
            connection.execute("DELETE FROM records WHERE number <= ?", (last[0],))
            connection.execute("DELETE FROM origin")
            connection.execute("INSERT INTO origin VALUES (?, ?)", last)


def now() -> str:
    """The time, as records have it."""
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds")


def _origin(connection: sqlite3.Connection) -> tuple[int, str]:
    """Number and hash that the first record hangs on."""
    row = connection.execute("SELECT number, hash FROM origin").fetchone()
    return (int(row[0]), str(row[1])) if row else _BEGINNING


def _last(connection: sqlite3.Connection) -> tuple[int, str]:
    row = connection.execute("SELECT number, hash FROM records ORDER BY number DESC LIMIT 1").fetchone()
    return (int(row[0]), str(row[1])) if row else _origin(connection)


def _link(previous: str, body: str) -> str:
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


def _record(body: str) -> Record:
    try:
        values: dict[str, Any] = json.loads(body)
        known: dict[str, Any] = {field.name: values[field.name] for field in fields(Record)}
    except (ValueError, KeyError, TypeError) as fault:
        raise RecordsError(
            f"a record of the ledger can't be read ({fault})", "`understudy ledger verify` says which."
        ) from fault
    for name, value in known.items():
        known[name] = tuple(value) if isinstance(value, list) else value
    return Record(**known)
