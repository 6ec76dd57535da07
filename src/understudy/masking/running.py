"""When the models of masks run: in the frame that is at hand, or beside it, as often as they can."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

Result = TypeVar("Result")

#: Seconds of each live frame that may be waited for models of masks, all together.
BUDGET: Final = 0.008


class Runner(Protocol):
    """Does what models have to do."""

    def start(self, job: Callable[[], Result]) -> Future[Result]:
        """Begin a job."""
        ...

    def result(self, job: Future[Result], others: int) -> Result | None:
        """What a job gave; None if it is not done yet.

        Args:
            job: Which.
            others: How many more there are that the same frame waits for.

        Raises:
            Exception: what the job raised.
        """
        ...

    def close(self) -> None:
        """End what runs beside."""
        ...


class AtOnce:
    """Every job is done before anything else: of files no frame is left out."""

    def start(self, job: Callable[[], Result]) -> Future[Result]:
        """See ``Runner.start``."""
        done: Future[Result] = Future()
        done.set_result(job())
        return done

    def result(self, job: Future[Result], others: int) -> Result | None:  # noqa: ARG002
        """See ``Runner.result``."""
        return job.result()

    def close(self) -> None:
        """See ``Runner.close``."""


class Beside:
    """Jobs are done one after the other in a thread beside; a frame waits for its share of a budget, and no longer.

    Args:
        budget: Seconds a frame.
    """

    def __init__(self, budget: float = BUDGET) -> None:
        self._budget = budget
        self._thread: ThreadPoolExecutor | None = None

    def start(self, job: Callable[[], Result]) -> Future[Result]:
        """See ``Runner.start``."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "masks")
        return self._thread.submit(job)

    def result(self, job: Future[Result], others: int) -> Result | None:
        """See ``Runner.result``."""
        try:
            return job.result(self._budget / (1 + others))
        except NotYetError:
            return job.result() if job.done() else None  # done just now, or it was the job that raised it

    def close(self) -> None:
        """See ``Runner.close``."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Answer(Generic[Result]):
    """What was answered.

    Attributes:
        found: It.
        seconds: The time of the frame that it is about.
    """

    found: Result
    seconds: float


class Asking(Generic[Result]):
    """One question that is asked again and again, never twice at a time.

    What is not answered in its own frame is slow: then as long passes again before it is asked anew, so that half of
    the time is left to everything else.

    Args:
        runner: Does what has to be done.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._waiting: Future[Result] | None = None
        #: When it was last asked, and is to be asked again.
        self._asked, self._again = 0.0, -float("inf")

    def __call__(self, job: Callable[[], Callable[[], Result]], seconds: float, others: int) -> Answer[Result] | None:
        """Ask, if it is time to.

        Args:
            job: Makes the job, from what must be looked at now.
            seconds: The frame's time.
            others: See ``Runner.result``.

        Returns:
            The answer, if one has come.
        """
        if seconds < self._asked:
            self._waiting, self._again = None, seconds
        if self._waiting is None:
            if seconds < self._again:
                return None
            self._waiting, self._asked = self._runner.start(job()), seconds
        found = self._runner.result(self._waiting, others)
        if found is None:
            return None
        self._waiting, self._again = None, seconds + (seconds - self._asked)
        return Answer(found, self._asked)
