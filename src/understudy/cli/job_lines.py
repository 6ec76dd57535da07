"""Jobs in words: a line for each, how many there are, and which can't go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from understudy.text import counted, printable

if TYPE_CHECKING:
    from understudy.jobs.blocked import BlockedJob
    from understudy.jobs.job import Job, JobState


def line_of(job: Job) -> str:
    """A job in one line, whatever its files are called."""
    return printable(_said(job))


def _said(job: Job) -> str:
    from understudy.jobs.job import PENDING, PENDING_AGAIN

    what = f"{job.number:5d}  {job.state:9s}  {job.order.target.name} -> {job.order.output}"
    if job.failure is not None:
        return f"{what}: {job.failure.message}"
    ended = job.report.get("when_done", 0)
    if ended in (PENDING, PENDING_AGAIN):
        return f"{what}; the command that is to follow has not ended"
    if ended != 0:
        return f"{what}; the command that was to follow failed: {_why(ended)}"
    if job.state == "running" or (job.segments_done and job.state in ("waiting", "paused")):
        return f"{what}  {job.share:.0%}"
    if job.waits_for:
        return f"{what}  after {', '.join(str(number) for number in job.waits_for)}"
    return what


def in_states(counts: Mapping[JobState, int]) -> str:
    """How many jobs are in each state."""
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def held_up(blocked: Sequence[BlockedJob]) -> list[str]:
    """Which jobs wait for one that does not go on by itself, a line for each of those."""
    why = {"failed": "failed", "cancelled": "was cancelled", "paused": "is paused"}
    times = Counter((one.by, one.state) for one in blocked)
    return [
        f"{counted(count, 'job')} wait{'s' * (count == 1)} for job {by}, which {why[state]}"
        for (by, state), count in times.items()
    ]


def _why(ended: int | str) -> str:
    """Why a command failed, by what it ended with, as ``subprocess`` and the system say it."""
    if isinstance(ended, str):
        return ended
    return f"exit code {ended}" if ended > 0 else f"signal {-ended}"
