"""The audit log: who did what with the API, in a chain (see ``provenance.records.chain``) that shows what was edited.

It holds names, addresses and digests, nothing of any face. What is kept, and for how long, is as with the ledger.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from understudy.errors import RecordsError
from understudy.provenance.records.chain import KEEP_DAYS, Chain, Check, now
from understudy.provenance.records.home import Home
from understudy.provenance.records.rows import body_of, parse

#: Most entries that one write takes, and seconds for which one waits for it.
_TOGETHER: Final = 500
_PATIENCE: Final = 60.0


@dataclass(frozen=True)
class Entry:
    """One thing that was done, or refused.

    Attributes:
        time: When: UTC, ISO 8601.
        address: Of whom it came from, as the server saw it.
        token: The token's name; empty where there was none.
        user: Whose things.
        action: What was asked, such as ``POST /api/v1/swaps``.
        outcome: The answer's status, such as ``201``.
        subject: Ids of what it was done to, separated by blanks.
        digests: SHA-256 of files that were handed over or given out.
    """

    time: str
    address: str
    token: str
    user: str
    action: str
    outcome: str
    subject: str = ""
    digests: tuple[str, ...] = ()


@dataclass(eq=False)
class _Waiting:
    """An entry that is on its way to the disk."""

    body: str
    written: threading.Event = field(default_factory=threading.Event)
    fault: Exception | None = None


class AuditLog:
    """One server's log. For several threads: those that come together are written together.

    Args:
        home: Where it is kept.
        keep_days: How long: six months at least.
        clock: Tells the time.
    """

    def __init__(self, home: Home, keep_days: int = KEEP_DAYS, clock: Callable[[], dt.datetime] | None = None) -> None:
        self._chain = Chain(home, "audit log", keep_days, clock, whole=False)
        self._waiting: list[_Waiting] = []
        self._guard, self._writing = threading.Lock(), threading.Lock()

    def note(self, entry: Entry) -> None:
        """Add an entry. It is on the disk when this returns.

        Raises:
            RecordsError: the log is damaged, was tampered with, or is busy.
            NoSpaceError: the disk is full.
        """
        own = _Waiting(body_of(entry))
        with self._guard:
            self._waiting.append(own)
        # Whoever gets to write takes along all that came meanwhile; the others find theirs written.
        while not own.written.is_set():
            if not self._writing.acquire(timeout=_PATIENCE):
                raise RecordsError("the audit log can't be written: another write does not end", "Check the disk.")
            try:
                if not own.written.is_set():
                    self._write()
            finally:
                self._writing.release()
        if own.fault is not None:
            raise own.fault

    def _write(self) -> None:
        with self._guard:
            batch, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
        try:
            self._chain.append([one.body for one in batch])
        except Exception as fault:  # noqa: BLE001 - raised where each of them waits
            for one in batch:
                one.fault = fault
        finally:
            for one in batch:
                one.written.set()

    def entries(self) -> Iterator[Entry]:
        """All entries, the oldest first.

        Raises:
            RecordsError: the log is damaged.
        """
        for body in self._chain.bodies():
            yield parse(Entry, body)

    def verify(self) -> Check:
        """Look at the whole chain.

        Raises:
            RecordsError: the database can't be read at all.
        """
        return self._chain.verify()


def entry(address: str, token: str, user: str, action: str, outcome: int, subject: str = "") -> Entry:
    """An entry of now."""
    return Entry(now(), address, token, user, action, str(outcome), subject)
