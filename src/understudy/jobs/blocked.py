"""Jobs that wait for one that does not go on by itself: nothing becomes of them until somebody does something."""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

from understudy.jobs.job import JobState

_BLOCKED: Final = """
WITH RECURSIVE held(job, by) AS (
    SELECT needs.job, needs.needed FROM needs JOIN jobs ON jobs.number = needs.needed
    WHERE jobs.state IN ('failed', 'cancelled', 'paused')
    UNION SELECT needs.job, held.by FROM needs JOIN held ON held.job = needs.needed
    JOIN jobs ON jobs.number = held.job WHERE jobs.state = 'waiting')
SELECT waits.number, by.number, by.state FROM jobs AS waits JOIN jobs AS by
ON by.number = (SELECT min(held.by) FROM held WHERE held.job = waits.number)
WHERE waits.state = 'waiting' ORDER BY by.number, waits.number
"""


class BlockedJob(NamedTuple):
    """A job that waits for one that does not go on by itself.

    Attributes:
        number: Its own.
        by: The number of the one that it waits for, maybe by way of others.
        state: Of that one: ``failed``, ``cancelled`` or ``paused``.
    """

    number: int
    by: int
    state: JobState


def blocked_of(store: sqlite3.Connection) -> list[BlockedJob]:
    """All of them, those that wait for the same one behind each other."""
    return [BlockedJob(*row) for row in store.execute(_BLOCKED)]
