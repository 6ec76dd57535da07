"""Times and counts in the reader's language."""

from __future__ import annotations

from typing import Final

from understudy.jobs.job import JobState
from understudy.server.texts import Texts

#: What a state is called.
STATES: Final[dict[JobState, str]] = {
    "waiting": "jobs.waiting",
    "running": "jobs.running",
    "paused": "jobs.paused",
    "done": "jobs.done",
    "failed": "jobs.failed",
    "cancelled": "jobs.cancelled",
}
#: What is said of a failure, by the exit code of its error.
_FAILURES: Final = {
    2: "jobs.bad_order",
    3: "jobs.bad_input",
    4: "jobs.refused",
    5: "jobs.no_model",
    6: "jobs.broke",
}


def failure(texts: Texts, code: int) -> str:
    """What is wrong, in a sentence."""
    return texts(_FAILURES.get(code, "jobs.broke"))


def span(texts: Texts, seconds: float) -> str:
    """A time that something takes, as people say it."""
    whole = round(seconds)
    if whole < 60:
        return texts("jobs.seconds", seconds=max(whole, 1))
    if whole < 3600:
        return texts("jobs.minutes", minutes=whole // 60, seconds=whole % 60)
    return texts("jobs.hours", hours=whole // 3600, minutes=whole % 3600 // 60)
