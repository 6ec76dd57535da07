"""The store of jobs: one SQLite file in the private folder, which several runners may share.

**Who has a job.** A runner takes a job by writing its own name into it, in a transaction of its own, so two never take
the same. It is held to be at work as long as

- its file among the runners' is locked: the system gives the lock back however the runner ends, so what was killed, or
  stood in a machine that went down, is taken up at once; and
- it gives signs of life: a number that it raises every few seconds. Another runner that sees the same number for
  ``LEASE`` seconds *of its own clock that only goes forward* takes the job up, so no clock that jumps takes a job away.

Whoever lost a job so is told at its next sign of life, and stops; what it has made is not given the output's name.

What is finished of a job that is worked in segments is noted here, too (see ``kept``).
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, cast

from understudy.errors import RecordsError, UsageError
from understudy.jobs.job import ENDED, STATES, TO_BE_MADE, Job, JobFailure, JobState, Order
from understudy.jobs.reading import JOBS, OPEN, job_of, jobs_of, no_job, row_of, text_of, work_of
from understudy.provenance.records.home import Home
from understudy.provenance.records.kept_open import Opened, opened_anew
from understudy.temporaries import Temporary, clean

#: Seconds without a sign of life after which a job is taken up by another runner.
LEASE: Final = 60.0
#: Attempts without anything finished after which a job that ends its runner each time is let alone.
MOST_ATTEMPTS: Final = 5
#: Of the store's tables: a program that knows a lower one leaves the store alone.
VERSION: Final = 2
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS version (number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, work TEXT NOT NULL, digests TEXT NOT NULL, priority INTEGER NOT NULL,
    state TEXT NOT NULL, wish TEXT NOT NULL DEFAULT '', runner TEXT NOT NULL DEFAULT '',
    signs INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, frames_done INTEGER NOT NULL DEFAULT 0,
    frames INTEGER NOT NULL DEFAULT 0, added REAL NOT NULL, begun REAL NOT NULL DEFAULT 0,
    ended REAL NOT NULL DEFAULT 0, report TEXT NOT NULL DEFAULT '{}', failure TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS needs (job INTEGER NOT NULL, needed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS plans (job INTEGER PRIMARY KEY, digest TEXT NOT NULL, segments INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS segments (
    job INTEGER NOT NULL, place INTEGER NOT NULL, file TEXT NOT NULL, attempt INTEGER NOT NULL, frames INTEGER NOT NULL,
    report TEXT NOT NULL, PRIMARY KEY (job, place));
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, priority DESC, number);
CREATE INDEX IF NOT EXISTS needs_by_job ON needs (job)
"""
#: Frames of what is finished of a job, as far as it is kept when its runner stops.
_KEPT: Final = "(SELECT coalesce(sum(frames), 0) FROM segments WHERE job = jobs.number)"
#: Another job that is to write what one writes.
_OTHER_WRITER: Final = """
SELECT number FROM jobs WHERE number != ? AND state IN ('waiting', 'paused', 'running')
AND CASE WHEN json_valid(work) THEN json_extract(work, '$.output') = (
    SELECT CASE WHEN json_valid(work) THEN json_extract(work, '$.output') END FROM jobs WHERE number = ?) END
"""
#: Where the store is, in the private folder.
_FILE: Final = "jobs/jobs.db"
#: Seconds between two looks at who is at work, for those who ask all the time.
_LOOK: Final = 1.0
Wish = Literal["", "pause", "cancel", "lost"]


@dataclass(frozen=True)
class Claim:
    """A job that a runner has taken.

    Attributes:
        number: The job's.
        order: What it is to do.
        digests: SHA-256 of its inputs when it was added; ``TO_BE_MADE`` of what another job has made since.
        attempt: Which attempt this is, from 1.
        runner: Who has it.
    """

    number: int
    order: Order
    digests: Mapping[str, str]
    attempt: int
    runner: str


class Undone(NamedTuple):
    """Which files a job that is neither done nor cancelled is about.

    Attributes:
        number: The job's.
        failed: Whether it failed: it goes on only if somebody says so.
        output: What it writes.
        inputs: What it reads, without what other jobs have yet to make.
    """

    number: int
    failed: bool
    output: Path
    inputs: tuple[Path, ...]


class JobStore:
    """Jobs on disk. Every call is a transaction of its own.

    Args:
        home: The private folder.
        open_with: Begins a transaction on its file.

    Raises:
        RecordsError: of every call: the store is damaged, of a newer program, or held by another for too long.
        NoSpaceError: of every call that writes: the disk is full.
    """

    def __init__(self, home: Home, open_with: Opened = opened_anew) -> None:
        self._home, self._open = home, open_with
        self._seen: dict[int, tuple[str, int, float]] = {}
        self._looked = -_LOOK

    def add(self, orders: Sequence[tuple[Order, Mapping[str, str]]], among: Sequence[Sequence[int]] = ()) -> list[int]:
        """Write jobs down, all or none: their numbers.

        Args:
            orders: With the SHA-256 of each input, by path.
            among: Of each, those of ``orders``, by their places, that must be done before, besides its ``after``.

        Raises:
            UsageError: one is to wait for a job that is not there.
        """
        numbers = []
        with self.opened() as store:
            for order, digests in orders:
                for needed in order.after:
                    if not store.execute("SELECT 1 FROM jobs WHERE number = ?", (needed,)).fetchone():
                        raise no_job(needed)
                row = (text_of(order.as_json()), text_of(digests), order.priority, time.time())
                number = store.execute(
                    "INSERT INTO jobs (work, digests, priority, state, added) VALUES (?, ?, ?, 'waiting', ?)", row
                ).lastrowid
                assert number is not None
                store.executemany("INSERT INTO needs VALUES (?, ?)", [(number, needed) for needed in order.after])
                numbers.append(number)
            pairs = [(numbers[place], numbers[one]) for place, before in enumerate(among) for one in before]
            store.executemany("INSERT INTO needs VALUES (?, ?)", pairs)
        return numbers

    def jobs(self, states: Iterable[JobState] = STATES, most: int | None = None) -> list[Job]:
        """Jobs in these states: those that run first, then what goes next first, and what ended last.

        Args:
            states: Of which states.
            most: How many at most; None for all.
        """
        with self.opened() as store:
            self._take_up(store)  # what nobody does any more is not said to run
            found: list[sqlite3.Row] = []
            for state in (one for one in STATES if one in set(states)):
                order = "ended DESC, number DESC" if state in ENDED else "priority DESC, number"
                rows = store.execute(f"{JOBS} WHERE state = ? ORDER BY {order} LIMIT ?", (state, _limit(most)))
                found += rows.fetchall()
            return jobs_of(store, found if most is None else found[:most])

    def job(self, number: int) -> Job:
        """One job.

        Raises:
            UsageError: there is none of that number.
        """
        with self.opened() as store:
            self._take_up(store)
            return job_of(store, row_of(store, number))

    def several(self, numbers: Iterable[int]) -> dict[int, Job]:
        """Jobs by their numbers; those that are there. One whose runner just died may be said to run for a second."""
        with self.opened() as store:
            if time.monotonic() - self._looked >= _LOOK:
                self._take_up(store)
                self._looked = time.monotonic()
            rows = [store.execute(f"{JOBS} WHERE number = ?", (number,)).fetchone() for number in numbers]
            return {job.number: job for job in jobs_of(store, [row for row in rows if row is not None])}

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state."""
        with self.opened() as store:
            self._take_up(store)
            found = dict(store.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
        return {state: int(found.get(state, 0)) for state in STATES}

    @contextmanager
    def runner(self) -> Iterator[str]:
        """The name of a new runner, which is at work as long as the block.

        Raises:
            PrivacyError: its file can't be made.
        """
        mine = Temporary(self._runners / "runner", 0o600)
        try:
            yield mine.path.name
        finally:
            mine.remove()

    def claim(self, runner: str) -> Claim | None:
        """Take the job that goes next; None if there is none that can go now. One that can't be read has failed."""
        with self.opened() as store:
            self._take_up(store)
            for row in store.execute("SELECT * FROM jobs WHERE state = 'waiting' ORDER BY priority DESC, number"):
                if store.execute(f"{OPEN} AND needs.job = ?", (row["number"],)).fetchone() is None:
                    work = _work_of(store, row)
                    if work is None:
                        continue
                    attempt = row["attempts"] + 1
                    store.execute(
                        "UPDATE jobs SET state = 'running', wish = '', runner = ?, signs = 0, attempts = ?, begun = ?, "
                        f"ended = 0, frames_done = {_KEPT}, failure = '' WHERE number = ?",
                        (runner, attempt, time.time(), row["number"]),
                    )
                    return Claim(row["number"], *work, attempt, runner)
        return None

    def undone(self) -> list[Undone]:
        """The jobs that are neither done nor cancelled, in the order in which they came; none that can't be read."""
        with self.opened() as store:
            rows = store.execute(
                "SELECT number, state, work, digests FROM jobs "
                "WHERE state NOT IN ('done', 'cancelled') AND CASE WHEN json_valid(work) AND json_valid(digests) "
                "THEN json_type(work, '$.output') = 'text' AND json_type(digests) = 'object' END ORDER BY number"
            ).fetchall()
        return [
            Undone(
                number,
                state == "failed",
                Path(json.loads(work)["output"]),  # not by SQLite: there are names that are no UTF-8
                tuple(Path(path) for path, digest in json.loads(digests).items() if digest != TO_BE_MADE),
            )
            for number, state, work, digests in rows
        ]

    def learn(self, claim: Claim, digests: Mapping[str, str]) -> None:
        """Note what a job's inputs are, now that those that other jobs make are there."""
        with self.opened() as store:
            if mine(store, claim) is not None:
                store.execute("UPDATE jobs SET digests = ? WHERE number = ?", (text_of(digests), claim.number))

    def sign(self, claim: Claim, frames_done: int, frames: int) -> Wish:
        """Give a sign of life, and say how far the job is: what its runner is to do with it."""
        with self.opened() as store:
            row = mine(store, claim)
            if row is None:
                return "lost"
            store.execute(
                "UPDATE jobs SET signs = signs + 1, frames_done = ?, frames = ? WHERE number = ?",
                (frames_done, frames, claim.number),
            )
            return cast("Wish", row["wish"])

    def end(
        self,
        claim: Claim,
        state: JobState,
        *,
        report: Mapping[str, Any] | None = None,
        why: JobFailure | None = None,
        kept: bool = True,
    ) -> bool:
        """Give a job back: in which state, and what came of it. False if another runner has it by now.

        Args:
            claim: The job.
            state: In which it is now.
            report: What was done.
            why: Why it failed, if it did.
            kept: Whether what is finished of it is of use if it goes on; nothing is of what is done or cancelled.
        """
        with self.opened() as store:
            if mine(store, claim) is None:
                return False
            if not kept or state in ("done", "cancelled"):
                forget_segments(store, claim.number)
            if state != "done":
                store.execute(f"UPDATE jobs SET frames_done = {_KEPT} WHERE number = ?", (claim.number,))
            ended = time.time() if state in ENDED else 0.0
            store.execute(
                "UPDATE jobs SET state = ?, wish = '', runner = '', ended = ?, report = ?, failure = ? "
                "WHERE number = ?",
                (state, ended, text_of(report or {}), "" if why is None else text_of(vars(why)), claim.number),
            )
            return True

    def replace_report(self, number: int, report: Mapping[str, Any]) -> None:
        """Replace a job's report; nothing happens if it was removed."""
        with self.opened() as store:
            store.execute("UPDATE jobs SET report = ? WHERE number = ?", (text_of(report), number))

    def pause(self, number: int) -> JobState:
        """Keep a job from being begun; one that runs is asked to stop. Its state now.

        Raises:
            UsageError: there is none of that number, or it ended.
        """
        return self._change(number, {"waiting": "paused", "paused": "paused"}, "pause", "pause")

    def resume(self, number: int) -> JobState:
        """Let a paused job go on.

        Raises:
            UsageError: there is none of that number, or it ended.
        """
        return self._change(number, {"paused": "waiting", "waiting": "waiting"}, "resume", "")

    def cancel(self, number: int) -> JobState:
        """Give a job up; one that runs is asked to stop.

        Raises:
            UsageError: there is none of that number, or it is done.
        """
        moves: dict[JobState, JobState] = {"waiting": "cancelled", "paused": "cancelled", "failed": "cancelled"}
        return self._change(number, moves | {"cancelled": "cancelled"}, "cancel", "cancel")

    def retry(self, number: int) -> JobState:
        """Let a job that failed or was cancelled be done after all.

        Raises:
            UsageError: there is none of that number, it is done, or another one is to write its output.
        """
        moves: dict[JobState, JobState] = {"failed": "waiting", "cancelled": "waiting", "waiting": "waiting"}
        with self.opened() as store:
            other = store.execute(_OTHER_WRITER, (number, number)).fetchone()
        if other is not None:
            raise UsageError(
                f"can't retry job {number}: job {other[0]} is to write the same file",
                f"Give that one up first: understudy jobs cancel {other[0]}",
            )
        return self._change(number, moves, "retry", None)

    def remove(self, number: int) -> Job | None:
        """Remove a job that does not run: what it was, or None if it can't be read. Files stay.

        Raises:
            UsageError: there is none of that number, it runs, or others wait for it.
        """
        with self.opened() as store:
            row = row_of(store, number)
            if row["state"] == "running":
                raise UsageError(f"job {number} is running", f"Cancel it first: understudy jobs cancel {number}")
            waiting = store.execute(
                "SELECT job FROM needs JOIN jobs ON jobs.number = job "
                "WHERE needed = ? AND state IN ('waiting', 'paused')",
                (number,),
            ).fetchone()
            if waiting is not None and row["state"] != "done":
                raise UsageError(f"job {waiting[0]} waits for job {number}", f"Remove {waiting[0]} first.")
            job = None
            with suppress(RecordsError):
                job = job_of(store, row)
            store.execute("DELETE FROM needs WHERE job = ? OR needed = ?", (number, number))
            store.execute("DELETE FROM jobs WHERE number = ?", (number,))
            forget_segments(store, number)
            return job

    def arrange(self, numbers: Sequence[int]) -> None:
        """Have jobs go in this order, before all others that wait. Those that do not wait are passed over.

        Args:
            numbers: Of the jobs, the first to go first.
        """
        with self.opened() as store:
            waiting = store.execute("SELECT * FROM jobs WHERE state IN ('waiting', 'paused')").fetchall()
            rows = {row["number"]: row for row in waiting}
            others = [row["priority"] for number, row in rows.items() if number not in numbers]
            above = max([*others, 0])
            wanted = [number for number in dict.fromkeys(numbers) if number in rows]
            for place, number in enumerate(reversed(wanted), 1):
                order = replace(work_of(rows[number])[0], priority=above + place)
                changed = (text_of(order.as_json()), order.priority, number)
                store.execute("UPDATE jobs SET work = ?, priority = ? WHERE number = ?", changed)

    def _at_work(self) -> set[str]:
        """The names of the runners that live."""
        clean(self._runners)  # of those that died
        return set(os.listdir(self._runners))  # noqa: PTH208 - names are all that is looked at

    @property
    def home(self) -> Home:
        """The private folder."""
        return self._home

    @property
    def _runners(self) -> Path:
        return self._home.folder("jobs", "runners")

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """One transaction, undone if the block fails. For those who note more of jobs."""
        with self._open(self._home, _FILE, _SCHEMA) as store:
            store.row_factory = sqlite3.Row
            version = store.execute("SELECT max(number) FROM version").fetchone()[0]
            if version is not None and version > VERSION:
                raise RecordsError(
                    f"the jobs in {self._home.root / _FILE} are of a newer Understudy", "Update this one."
                )
            if version is None or version < VERSION:  # tables that it lacked were just made
                store.execute("INSERT INTO version VALUES (?)", (VERSION,))
            yield store

    def _take_up(self, store: sqlite3.Connection) -> None:
        """Let jobs wait again whose runners died, or gave no sign of life for too long."""
        # Within the transaction: whoever has taken a job by now has had a file before.
        now, seen, at_work = time.monotonic(), {}, self._at_work()
        for row in store.execute("SELECT * FROM jobs WHERE state = 'running'").fetchall():
            name, signs, wish = row["runner"], row["signs"], row["wish"]
            known = self._seen.get(row["number"])
            since = known[2] if known is not None and known[:2] == (name, signs) else now
            if name in at_work and now - since < LEASE:
                seen[row["number"]] = (name, signs, since)
                continue
            state: JobState = "waiting"
            if wish:  # asked for while it ran, and its runner did not live to do it
                state = "paused" if wish == "pause" else "cancelled"
            elif row["attempts"] - _fruitful(store, row["number"]) >= MOST_ATTEMPTS:
                state = "failed"
            why = JobFailure(
                f"its runner died or stood still {row['attempts']} times", "Look at what else this machine does.", 6
            )
            if state == "cancelled":
                forget_segments(store, row["number"])
            store.execute(
                "UPDATE jobs SET state = ?, wish = '', runner = '', ended = ?, failure = ?, "
                f"frames_done = {_KEPT} WHERE number = ?",
                (
                    state,
                    time.time() if state in ENDED else 0.0,
                    text_of(vars(why)) if state == "failed" else "",
                    row["number"],
                ),
            )
        self._seen = seen

    def _change(self, number: int, moves: Mapping[JobState, JobState], what: str, wish: str | None) -> JobState:
        with self.opened() as store:
            state = cast("JobState", row_of(store, number)["state"])
            if state == "running" and wish is not None:
                store.execute("UPDATE jobs SET wish = ? WHERE number = ?", (wish, number))
                return state
            if state not in moves:
                raise UsageError(f"can't {what} job {number}: it is {state}", "`understudy jobs list` shows all.")
            if moves[state] == "cancelled":
                forget_segments(store, number)
            ended = time.time() if moves[state] in ENDED else 0.0
            store.execute("UPDATE jobs SET state = ?, ended = ? WHERE number = ?", (moves[state], ended, number))
            return moves[state]


def mine(store: sqlite3.Connection, claim: Claim) -> sqlite3.Row | None:
    """A job as it is in the store, if whoever took it still has it."""
    row: sqlite3.Row | None = store.execute(
        "SELECT * FROM jobs WHERE number = ? AND state = 'running' AND runner = ? AND attempts = ?",
        (claim.number, claim.runner, claim.attempt),
    ).fetchone()
    return row


def _work_of(store: sqlite3.Connection, row: sqlite3.Row) -> tuple[Order, dict[str, Any]] | None:
    """What ``work_of`` gives; None, and the job has failed, if it can't be read: the others go on."""
    try:
        return work_of(row)
    except RecordsError as fault:
        why = JobFailure(fault.message, fault.hint, fault.exit_code)
        store.execute(
            "UPDATE jobs SET state = 'failed', ended = ?, failure = ? WHERE number = ?",
            (time.time(), text_of(vars(why)), row["number"]),
        )
        return None


def _fruitful(store: sqlite3.Connection, number: int) -> int:
    """The last attempt at a job of which something is kept; 0 if nothing is."""
    found = store.execute("SELECT max(attempt) FROM segments WHERE job = ?", (number,)).fetchone()[0]
    return int(found or 0)


def forget_segments(store: sqlite3.Connection, number: int) -> None:
    """Nothing is finished of a job any more. Its files go with the next ``sweep`` (see ``kept``)."""
    store.execute("DELETE FROM plans WHERE job = ?", (number,))
    store.execute("DELETE FROM segments WHERE job = ?", (number,))


def _limit(most: int | None) -> int:
    return -1 if most is None else most
