"""Which runners are at work, and the jobs of those that are not any more.

A job is held to be at work as long as

- its runner's file is locked: the system gives the lock back however the runner ends, so what was killed, or stood in
  a machine that went down, is taken up at once; and
- it gives signs of life: a number that it raises every few seconds. Another runner that sees the same number for
  ``LEASE`` seconds *of its own clock that only goes forward* takes the job up, so no clock that jumps takes a job away.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from understudy.jobs.database import KEPT, forget_segments
from understudy.jobs.job import ENDED, JobFailure, JobState
from understudy.jobs.reading import text_of
from understudy.provenance.records.home import Home
from understudy.temporaries import Temporary, clean

#: Seconds without a sign of life after which a job is taken up by another runner.
LEASE: Final = 60.0
#: Attempts without anything finished after which a job that ends its runner each time is let alone.
MOST_ATTEMPTS: Final = 5


class AtWork:
    """Who is at work, as one program sees it.

    Args:
        home: The private folder, with a file for each runner.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        #: Of each running job: its runner, the last number that it gave, and since when that was seen.
        self._seen: dict[int, tuple[str, int, float]] = {}

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

    def take_up(self, store: sqlite3.Connection) -> None:
        """Let jobs wait again whose runners died, or gave no sign of life for too long."""
        # Within the transaction: whoever has taken a job by now has had a file before.
        now, seen, at_work = time.monotonic(), {}, self.living()
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
                f"frames_done = {KEPT} WHERE number = ?",
                (
                    state,
                    time.time() if state in ENDED else 0.0,
                    text_of(vars(why)) if state == "failed" else "",
                    row["number"],
                ),
            )
        self._seen = seen

    def living(self) -> set[str]:
        """The names of the runners that live."""
        clean(self._runners)  # of those that died
        return set(os.listdir(self._runners))  # noqa: PTH208 - names are all that is looked at

    @property
    def _runners(self) -> Path:
        return self._home.folder("jobs", "runners")


def _fruitful(store: sqlite3.Connection, number: int) -> int:
    """The last attempt at a job of which something is kept; 0 if nothing is."""
    found = store.execute("SELECT max(attempt) FROM segments WHERE job = ?", (number,)).fetchone()[0]
    return int(found or 0)
