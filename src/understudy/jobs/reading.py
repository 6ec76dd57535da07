"""Jobs as the store's rows have them, read: one, or thousands at once."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from understudy.errors import RecordsError, UsageError
from understudy.jobs.job import ENDED, TO_BE_MADE, Job, JobFailure, Order, Undone

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
#: What of a job's row is taken as it is.
_PLAIN: Final = (
    *("number", "state", "attempts", "frames_done", "frames", "added", "begun", "ended", "failure"),
    *("segments_done", "segments"),
)


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
    if not rows:
        return []
    # Column by column: that takes half the time of row by row.
    columns = dict(zip(rows[0].keys(), zip(*rows, strict=True), strict=True))
    pairs = zip(columns["number"], columns["state"], strict=True)
    before = _open(store, [number for number, state in pairs if state not in ENDED])
    path = cache(Path)  # many jobs share photos
    numbers = columns["number"]
    works = zip(numbers, _all_values(numbers, columns["work"]), strict=True)
    return [
        Job(
            number=number,
            order=order,
            digests=digests,
            state=state,
            attempts=attempts,
            frames_done=frames_done,
            frames=frames,
            waits_for=before.get(number, ()),
            added=added,
            begun=begun,
            ended=ended,
            report=report,
            failure=_failure(number, failure),
            segments_done=segments_done,
            segments=segments or 0,
        )
        for (
            (number, state, attempts, frames_done, frames, added, begun, ended, failure, segments_done, segments),
            order,
            digests,
            report,
        ) in zip(
            zip(*(columns[name] for name in _PLAIN), strict=True),
            [_order(number, work, path) for number, work in works],
            _all_values(numbers, columns["digests"]),
            _all_values(numbers, columns["report"]),
            strict=True,
        )
    ]


def job_of(store: sqlite3.Connection, row: sqlite3.Row) -> Job:
    """The job of one row that ``JOBS`` gave.

    Raises:
        RecordsError: it can't be read.
    """
    return jobs_of(store, [row])[0]


def work_of(row: sqlite3.Row) -> tuple[Order, dict[str, Any]]:
    """What a row's job is to do, and the digests of what it does it to.

    Raises:
        RecordsError: it can't be read.
    """
    number = row["number"]
    return _order(number, _values(number, row["work"]), Path), _values(number, row["digests"])


def report_of(row: sqlite3.Row) -> dict[str, Any]:
    """What came of a row's job.

    Raises:
        RecordsError: it can't be read.
    """
    return _values(row["number"], row["report"])


def undone_of(store: sqlite3.Connection, known: Collection[Undone] = ()) -> list[Undone]:
    """The jobs that are neither done nor cancelled, in the order in which they came; none that can't be read.

    Args:
        store: Where they are.
        known: Those that are not given again, but for one that has failed since, or had failed and was retried.
    """
    before = {(job.number, job.failed) for job in known}
    rows = store.execute(
        "SELECT number, state = 'failed', work, digests FROM jobs WHERE state NOT IN ('done', 'cancelled') "
        "ORDER BY number"
    ).fetchall()
    found = []
    for number, failed, work, digests in rows:
        if (number, bool(failed)) not in before:
            with suppress(RecordsError, KeyError, TypeError):
                output = Path(_values(number, work)["output"])
                inputs = tuple(Path(path) for path, one in _values(number, digests).items() if one != TO_BE_MADE)
                found.append(Undone(number, bool(failed), output, inputs))
    return found


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


def _order(number: int, work: Mapping[str, Any], path: Callable[[str], Path]) -> Order:
    try:
        return Order.from_json(work, path)
    except (KeyError, TypeError, ValueError) as fault:
        raise _unreadable(number, f": {fault}") from fault


def _failure(number: int, text: str) -> JobFailure | None:
    try:
        return JobFailure(**_values(number, text)) if text else None
    except TypeError as fault:
        raise _unreadable(number) from fault


def _values(number: int, text: str) -> dict[str, Any]:
    """Plain values that ``text_of`` wrote into a job's row.

    Raises:
        RecordsError: they are none.
    """
    try:
        values = json.loads(text)
    except (ValueError, TypeError) as fault:
        raise _unreadable(number) from fault
    if not isinstance(values, dict):
        raise _unreadable(number)
    return values


def _all_values(numbers: Sequence[int], texts: Sequence[str]) -> list[dict[str, Any]]:
    """What ``_values`` gives of each of these."""
    with suppress(ValueError, TypeError):  # TypeError: one is no text
        whole = all(text.startswith("{") and text.endswith("}") for text in texts)
        found = json.loads(f"[{','.join(texts)}]")
        if whole and len(found) == len(texts) and all(isinstance(one, dict) for one in found):
            return list(found)
    return [_values(*one) for one in zip(numbers, texts, strict=True)]  # which says what is wrong


def _unreadable(number: int, why: str = "") -> RecordsError:
    return RecordsError(
        f"job {number} can't be read{why}", f"Remove it, and add it anew: understudy jobs remove {number}"
    )
