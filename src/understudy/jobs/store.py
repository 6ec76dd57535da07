"""The store of jobs: one SQLite file in the private folder, which several runners may share.

**Who has a job.** A runner takes a job by writing its own name into it, in a transaction of its own, so two never take
the same; it has it as long as it is at work (see ``at_work``). Whoever lost a job is told at its next sign of life, and
stops: what it has made is not given the output's name.

What is finished of a job that is worked in segments is noted here, too (see ``kept``).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from typing import Any, Final, Literal, cast

from understudy.errors import RecordsError, UsageError
from understudy.jobs.at_work import AtWork
from understudy.jobs.blocked import BlockedJob, blocked_of
from understudy.jobs.commands import end_command, take_command
from understudy.jobs.database import KEPT, Database, forget_segments, mine
from understudy.jobs.job import ENDED, PENDING, STATES, Claim, Job, JobFailure, JobState, Order, Undone
from understudy.jobs.reading import JOBS, OPEN, job_of, jobs_of, no_job, row_of, text_of, undone_of, work_of
from understudy.names import RealNames
from understudy.provenance.records.home import Home
from understudy.provenance.records.kept_open import Opened, opened_anew

#: Seconds between two looks at who is at work, for those who ask all the time.
_LOOK: Final = 1.0
Wish = Literal["", "pause", "cancel", "lost"]
#: What becomes of a job that stopped, by what the store says that it was asked for.
_ASKED: Final[Mapping[str, JobState]] = {"": "waiting", "pause": "paused", "cancel": "cancelled"}


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
        self._home, self.database, self._at_work = home, Database(home, open_with), AtWork(home)
        self._looked = -_LOOK

    def add(
        self,
        orders: Sequence[tuple[Order, Mapping[str, str]]],
        among: Sequence[Sequence[int]] = (),
        *,
        known: Collection[Undone] = (),
        check: Callable[[list[Undone]], None] | None = None,
    ) -> list[int]:
        """Write jobs down, all or none: their numbers.

        Args:
            orders: With the SHA-256 of each input, by path.
            among: Of each, those of ``orders``, by their places, that must be done before, besides its ``after``.
            known: What ``undone`` gave when they were looked at.
            check: Called with those that are undone by now and were not among ``known``, if there are any: whoever adds
                jobs at the same moment waits. Nothing is added if it raises.

        Raises:
            UsageError: one is to wait for a job that is not there.
        """
        numbers = []
        with self.database.opened() as store:
            if check is not None and (newer := undone_of(store, known)):
                check(newer)
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
        with self._looked_at() as store:
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
        with self._looked_at() as store:
            return job_of(store, row_of(store, number))

    def several(self, numbers: Iterable[int]) -> dict[int, Job]:
        """Jobs by their numbers; those that are there. One whose runner just died may be said to run for a second."""
        with self.database.opened() as store:
            if time.monotonic() - self._looked >= _LOOK:
                self._at_work.take_up(store)
                self._looked = time.monotonic()
            rows = [store.execute(f"{JOBS} WHERE number = ?", (number,)).fetchone() for number in numbers]
            return {job.number: job for job in jobs_of(store, [row for row in rows if row is not None])}

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state."""
        with self._looked_at() as store:
            found = dict(store.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
        return {state: int(found.get(state, 0)) for state in STATES}

    def blocked(self) -> list[BlockedJob]:
        """Jobs that wait for one that does not go on by itself."""
        with self._looked_at() as store:
            return blocked_of(store)

    def claim(self, runner: str) -> Claim | None:
        """Take the job that goes next; None if there is none that can go now. One that can't be read has failed."""
        with self.database.opened() as store:
            self._at_work.take_up(store)
            for row in store.execute("SELECT * FROM jobs WHERE state = 'waiting' ORDER BY priority DESC, number"):
                if store.execute(f"{OPEN} AND needs.job = ?", (row["number"],)).fetchone() is None:
                    work = _work_of(store, row)
                    if work is None:
                        continue
                    attempt = row["attempts"] + 1
                    store.execute(
                        "UPDATE jobs SET state = 'running', wish = '', runner = ?, signs = 0, attempts = ?, begun = ?, "
                        f"ended = 0, frames_done = {KEPT}, failure = '' WHERE number = ?",
                        (runner, attempt, time.time(), row["number"]),
                    )
                    return Claim(row["number"], *work, attempt, runner)
        return None

    def undone(self) -> list[Undone]:
        """The jobs that are neither done nor cancelled, in the order in which they came; none that can't be read."""
        with self.database.opened() as store:
            return undone_of(store)

    def learn(self, claim: Claim, digests: Mapping[str, str]) -> None:
        """Note what a job's inputs are, now that those that other jobs make are there."""
        with self.database.opened() as store:
            if mine(store, claim) is not None:
                store.execute("UPDATE jobs SET digests = ? WHERE number = ?", (text_of(digests), claim.number))

    def note_output(self, claim: Claim, identifier: str) -> bool:
        """Note the id of what a job has made, before that gets its name. False if another runner has the job by now."""
        with self.database.opened() as store:
            if mine(store, claim) is None:
                return False
            store.execute("INSERT OR REPLACE INTO outputs VALUES (?, ?)", (claim.number, identifier))
            return True

    def output_of(self, number: int) -> str | None:
        """The id that ``note_output`` noted of a job last; None if its output was never to get its name."""
        with self.database.opened() as store:
            row = store.execute("SELECT identifier FROM outputs WHERE job = ?", (number,)).fetchone()
        return None if row is None else str(row[0])

    def sign(self, claim: Claim, frames_done: int, frames: int) -> Wish:
        """Give a sign of life, and say how far the job is: what its runner is to do with it."""
        with self.database.opened() as store:
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
        state: JobState | None,
        *,
        report: Mapping[str, Any] | None = None,
        why: JobFailure | None = None,
        kept: bool = True,
    ) -> bool:
        """Give a job back: in which state, and what came of it. False if another runner has it by now.

        Args:
            claim: The job.
            state: In which it is now; None for what was asked for while it ran: paused, cancelled, or waiting again if
                that was taken back.
            report: What was done. Where a command follows, the runner is to run it, and tell by ``end_command``.
            why: Why it failed, if it did.
            kept: Whether what is finished of it is of use if it goes on; nothing is of what is done or cancelled.
        """
        with self.database.opened() as store:
            if (row := mine(store, claim)) is None:
                return False
            state = state or _ASKED[row["wish"]]
            if not kept or state in ("done", "cancelled"):
                forget_segments(store, claim.number)
            if state != "done":
                store.execute(f"UPDATE jobs SET frames_done = {KEPT} WHERE number = ?", (claim.number,))
            elif frames := (report or {}).get("frames"):  # the last sign of life came some frames earlier
                store.execute(
                    "UPDATE jobs SET frames_done = ?, frames = ? WHERE number = ?", (frames, frames, claim.number)
                )
            ended, said, runner = time.time() if state in ENDED else 0.0, dict(report or {}), ""
            if state == "done" and claim.order.when_done:
                said, runner = {**said, "when_done": PENDING}, claim.runner
            store.execute(
                "UPDATE jobs SET state = ?, wish = '', runner = ?, ended = ?, report = ?, failure = ? WHERE number = ?",
                (state, runner, ended, text_of(said), "" if why is None else text_of(vars(why)), claim.number),
            )
            return True

    def take_command(self, runner: str) -> tuple[int, Order] | None:
        """Take the command of a job whose runner died before it had ended, once; None if there is none."""
        with self.database.opened() as store:
            return take_command(store, runner, self._at_work.living())

    def end_command(self, number: int, ended: int | str) -> None:
        """Note what a job's command has ended with; nothing happens if the job was removed."""
        with self.database.opened() as store:
            end_command(store, number, ended)

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
        with self.database.opened() as store:
            self._check_only_writer(store, number)
            return _changed(store, number, moves, "retry", None)

    def remove(self, number: int) -> Job | None:
        """Remove a job that does not run: what it was, or None if it can't be read. Files stay.

        Raises:
            UsageError: there is none of that number, it runs, or others wait for it.
        """
        with self.database.opened() as store:
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
            store.execute("DELETE FROM outputs WHERE job = ?", (number,))
            forget_segments(store, number)
            return job

    def arrange(self, numbers: Sequence[int]) -> None:
        """Have jobs go in this order, before all others that wait. Those that do not wait are passed over.

        Args:
            numbers: Of the jobs, the first to go first.
        """
        with self.database.opened() as store:
            waiting = store.execute("SELECT * FROM jobs WHERE state IN ('waiting', 'paused')").fetchall()
            rows = {row["number"]: row for row in waiting}
            others = [row["priority"] for number, row in rows.items() if number not in numbers]
            above = max([*others, 0])
            wanted = [number for number in dict.fromkeys(numbers) if number in rows]
            for place, number in enumerate(reversed(wanted), 1):
                order = replace(work_of(rows[number])[0], priority=above + place)
                changed = (text_of(order.as_json()), order.priority, number)
                store.execute("UPDATE jobs SET work = ?, priority = ? WHERE number = ?", changed)

    def runner(self) -> AbstractContextManager[str]:
        """The name of a new runner, which is at work as long as the block.

        Raises:
            PrivacyError: its file can't be made.
        """
        return self._at_work.runner()

    @property
    def home(self) -> Home:
        """The private folder."""
        return self._home

    @contextmanager
    def _looked_at(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which jobs are looked at: what nobody does any more is not said to run.

        Where nothing can be written the jobs are as they were told last.
        """
        if self.database.only_read:
            with self.database.read() as store:
                yield store
            return
        with self.database.opened() as store:
            self._at_work.take_up(store)
            yield store

    def _change(self, number: int, moves: Mapping[JobState, JobState], what: str, wish: str) -> JobState:
        with self.database.opened() as store:
            return _changed(store, number, moves, what, wish)

    @staticmethod
    def _check_only_writer(store: sqlite3.Connection, number: int) -> None:
        """Make sure that no other job that goes on by itself writes what one writes.

        Raises:
            UsageError: one does, or there is no job of that number.
        """
        real, row = RealNames(), row_of(store, number)
        with suppress(RecordsError):  # told when its turn comes
            output = real(work_of(row)[0].output)
            for other in undone_of(store):
                if other.number != number and not other.failed and real(other.output) == output:
                    raise UsageError(
                        f"can't retry job {number}: job {other.number} is to write the same file",
                        f"Give that one up first: understudy jobs cancel {other.number}",
                    )


def _changed(
    store: sqlite3.Connection, number: int, moves: Mapping[JobState, JobState], what: str, wish: str | None
) -> JobState:
    """Move a job from its state into the one that ``moves`` says, or ask its runner; its state now."""
    state = cast("JobState", row_of(store, number)["state"])
    if state == "running" and wish is not None:
        store.execute("UPDATE jobs SET wish = ? WHERE number = ?", (wish, number))
        return state
    if state not in moves:
        raise UsageError(f"can't {what} job {number}: it is {state}", "`understudy jobs list` shows all.")
    if moves[state] == "cancelled":
        forget_segments(store, number)
    ended = time.time() if moves[state] in ENDED else 0.0
    # Once it is to be done again, or given up, it has not failed.
    store.execute("UPDATE jobs SET state = ?, ended = ?, failure = '' WHERE number = ?", (moves[state], ended, number))
    return moves[state]


def _work_of(store: sqlite3.Connection, row: sqlite3.Row) -> tuple[Order, dict[str, Any]] | None:
    """What ``work_of`` gives; None, and the job has failed, if it can't be read: the others go on."""
    try:
        return work_of(row)
    except RecordsError as fault:
        why = JobFailure.of(fault)
        store.execute(
            "UPDATE jobs SET state = 'failed', ended = ?, failure = ? WHERE number = ?",
            (time.time(), text_of(vars(why)), row["number"]),
        )
        return None


def _limit(most: int | None) -> int:
    return -1 if most is None else most
