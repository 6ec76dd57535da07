"""Jobs as the store's rows have them, read: one, or thousands at once."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from understudy.errors import RecordsError, UsageError
from understudy.jobs.job import ENDED, Job, JobFailure, Order

#: A job, with how many of its segments are finished, of how many.
JOBS: Final = """
SELECT *, (SELECT count(*) FROM segments WHERE job = number) AS segments_done,
(SELECT segments FROM plans WHERE job = number) AS segments FROM jobs
"""
#: What jobs wait for: the jobs before them that are not done.
OPEN: Final = """
SELECT needs.job, needs.needed FROM needs LEFT JOIN jobs AS other ON other.number = needs.needed
WHERE (other.state IS NULL OR other.state != 'done')
"""
#: Jobs from which on one question for what all wait for is less work than one for each.
_MANY: Final = 50


def row_of(store: sqlite3.Connection, number: int) -> sqlite3.Row:
    """The row of one job.

    Raises:
        UsageError: there is none of that number.
    """
    row: sqlite3.Row | None = store.execute(f"{JOBS} WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise no_job(number)
    return row


def jobs_of(store: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> list[Job]:
    """The jobs of rows that ``JOBS`` gave.

    Raises:
        RecordsError: one can't be read.
    """
    before = _open(store, [row["number"] for row in rows if row["state"] not in ENDED])
    path = cache(Path)  # many jobs share photos
    return [_job(row, before.get(row["number"], ()), path) for row in rows]


def job_of(store: sqlite3.Connection, row: sqlite3.Row) -> Job:
    """The job of one row that ``JOBS`` gave.

    Raises:
        RecordsError: it can't be read.
    """
    return jobs_of(store, [row])[0]


def order_of(row: sqlite3.Row, path: Callable[[str], Path] = Path) -> Order:
    """What a row's job is to do.

    Args:
        row: Of the table of jobs.
        path: Makes paths.

    Raises:
        RecordsError: it can't be read.
    """
    try:
        return Order.from_json(values_of(row["work"]), path)
    except (KeyError, TypeError, ValueError) as fault:
        raise RecordsError(f"job {row['number']} can't be read: {fault}", "Remove it.") from fault


def values_of(text: str) -> dict[str, Any]:
    """Plain values that ``text_of`` wrote.

    Raises:
        RecordsError: they are none.
    """
    try:
        values = json.loads(text)
    except ValueError as fault:
        raise RecordsError("the store of jobs is damaged", "Move jobs/jobs.db in the private folder aside.") from fault
    if not isinstance(values, dict):
        raise RecordsError("the store of jobs is damaged", "Move jobs/jobs.db in the private folder aside.")
    return values


def text_of(values: Mapping[str, Any]) -> str:
    """Plain values as a row has them."""
    return json.dumps(dict(values), separators=(",", ":"))


def no_job(number: int) -> UsageError:
    """The error of a number that no job has."""
    return UsageError(f"there is no job {number}", "`understudy jobs list` shows all.")


def _open(store: sqlite3.Connection, numbers: Sequence[int]) -> Mapping[int, tuple[int, ...]]:
    """What each of these jobs waits for, those that wait for something."""
    order = "ORDER BY needs.job, needs.needed"
    if len(numbers) < _MANY:
        marks = ",".join("?" * len(numbers))
        rows = store.execute(f"{OPEN} AND needs.job IN ({marks}) {order}", tuple(numbers))
    else:
        rows = store.execute(f"{OPEN} {order}")
    found = defaultdict[int, tuple[int, ...]](tuple)
    for job, needed in rows:
        found[job] += (needed,)
    return found


def _job(row: sqlite3.Row, waits_for: tuple[int, ...], path: Callable[[str], Path]) -> Job:
    return Job(
        number=row["number"],
        order=order_of(row, path),
        digests=values_of(row["digests"]),
        state=row["state"],
        attempts=row["attempts"],
        frames_done=row["frames_done"],
        frames=row["frames"],
        waits_for=waits_for,
        added=row["added"],
        begun=row["begun"],
        ended=row["ended"],
        report=values_of(row["report"]),
        failure=JobFailure(**values_of(row["failure"])) if row["failure"] else None,
        segments_done=row["segments_done"],
        segments=row["segments"] or 0,
    )
