"""Commands that follow jobs, as the store has them: each is run to its end, also where the runner dies that began it.

A job that is done keeps the name of its runner until the command has ended.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import suppress

from understudy.errors import RecordsError
from understudy.jobs.job import PENDING_AGAIN, Order
from understudy.jobs.reading import report_of, text_of, work_of


def take_command(store: sqlite3.Connection, runner: str, living: Collection[str]) -> tuple[int, Order] | None:
    """Give a runner the command of a job whose own runner died before it had ended; None if there is none.

    A second time it is not given: it may be what ends the runners.

    Args:
        store: Where the jobs are.
        runner: Whoever is to run it.
        living: The runners that live.
    """
    for row in store.execute("SELECT * FROM jobs WHERE state = 'done' AND runner != ''").fetchall():
        if row["runner"] in living:
            continue
        with suppress(RecordsError):  # it can't be read, which the list says
            order, report = work_of(row)[0], report_of(row)
            again = report.get("when_done") == PENDING_AGAIN
            report["when_done"] = "its runner died twice before it had ended" if again else PENDING_AGAIN
            store.execute(
                "UPDATE jobs SET runner = ?, report = ? WHERE number = ?",
                ("" if again else runner, text_of(report), row["number"]),
            )
            if not again:
                return row["number"], order
    return None


def end_command(store: sqlite3.Connection, number: int, ended: int | str) -> None:
    """Note what a job's command has ended with; nothing happens if the job was removed."""
    row = store.execute("SELECT * FROM jobs WHERE number = ?", (number,)).fetchone()
    if row is not None:
        report = text_of({**report_of(row), "when_done": ended})
        store.execute("UPDATE jobs SET runner = '', report = ? WHERE number = ?", (report, number))
