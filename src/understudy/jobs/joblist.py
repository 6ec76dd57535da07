"""Jobs as they are looked at and changed, which takes nothing of what does them: it is imported at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from understudy.jobs.blocked import BlockedJob
from understudy.jobs.job import STATES, Job, JobState
from understudy.jobs.leftovers import sweep
from understudy.jobs.store import JobStore
from understudy.provenance.records.home import Home


class JobList:
    """The jobs of one private folder, to be looked at and changed. For several threads, and several processes at once.

    Args:
        home: The private folder.
    """

    def __init__(self, home: Home) -> None:
        self._store = JobStore(home)

    def list(self, states: Iterable[JobState] = STATES, most: int | None = None) -> list[Job]:
        """Jobs in these states: what runs first, then what goes next, and what ended last of all.

        Args:
            states: Of which states.
            most: How many at most; None for all.
        """
        return self._store.jobs(states, most)

    def show(self, number: int) -> Job:
        """One job.

        Raises:
            UsageError: there is none of that number.
        """
        return self._store.job(number)

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state."""
        return self._store.counts()

    def blocked(self) -> Sequence[BlockedJob]:
        """Jobs that wait for one that failed, was cancelled or is paused, and of each which one."""
        return self._store.blocked()

    def pause(self, number: int) -> JobState:
        """Keep a job from being begun; one that runs stops within seconds. Its state now.

        Raises:
            UsageError: there is none of that number, or it ended.
        """
        return self._store.pause(number)

    def resume(self, number: int) -> JobState:
        """Let a paused job go on. Its state now.

        Raises:
            UsageError: there is none of that number, or it ended.
        """
        return self._store.resume(number)

    def cancel(self, number: int) -> JobState:
        """Give a job up; one that runs stops within seconds. Its state now.

        Raises:
            UsageError: there is none of that number, or it is done.
        """
        state = self._store.cancel(number)
        sweep(self._store)
        return state

    def retry(self, number: int) -> JobState:
        """Let a job that failed or was cancelled be done after all. Its state now.

        Raises:
            UsageError: there is none of that number, or it is done.
        """
        return self._store.retry(number)

    def remove(self, number: int) -> Job | None:
        """Remove a job that does not run: what it was, or None if it can't be read. Its files stay.

        Raises:
            UsageError: there is none of that number, it runs, or others wait for it.
        """
        job = self._store.remove(number)
        sweep(self._store)
        return job

    def arrange(self, numbers: Sequence[int]) -> None:
        """Have jobs go in this order, before all others that wait: their priorities are set anew.

        Args:
            numbers: Of the jobs, the first to go first. Those that do not wait are passed over.

        Raises:
            UsageError: a priority would be beyond what there is.
        """
        self._store.arrange(numbers)
