"""Does jobs, one after the other."""

from __future__ import annotations

import errno
import subprocess
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Final

from understudy.errors import (
    CorruptMediaError,
    EncodingError,
    InputError,
    NoMemoryError,
    NoSpaceError,
    RecordsBusyError,
    RecordsError,
    RefusedError,
    RunError,
    UnderstudyError,
    of_the_system,
    out_of_memory,
)
from understudy.jobs.job import TO_BE_MADE, Claim, Job, JobFailure, Order
from understudy.jobs.kept import StoppedError
from understudy.jobs.leftovers import sweep
from understudy.jobs.store import JobStore, Wish
from understudy.provenance import Ledger
from understudy.release import file_digest
from understudy.tasks.progress import Progress
from understudy.text import printable

#: Seconds between two signs of life, and between two looks for a job where there is none.
EVERY: Final = 5.0
#: Makes what an order says, telling its progress, and returns the report.
Make = Callable[[Claim, Progress], dict[str, Any]]
#: Told of every job that was begun, and of what came of it.
Told = Callable[[Job], None]


@dataclass(frozen=True)
class Runner:
    """Takes jobs from a store and does them.

    Args:
        store: Where they are.
        make: Does one.
        told: Told of each when it is begun and when it has ended; called in the runner's thread.
    """

    store: JobStore
    make: Make
    told: Told = lambda _: None

    def run(self, *, until: Callable[[], bool] = lambda: False, wait: bool = False) -> int:
        """Do jobs until none is left that can go: how many were done.

        Args:
            until: Asked between two jobs whether to end.
            wait: Whether to wait for jobs that are added later; it ends by ``until`` alone then.

        Raises:
            RecordsError, NoSpaceError: the store can't be used, or a disk or the records failed a job as they would
                fail the others: it waits again.
        """
        done, pause = 0, threading.Event()
        with self.store.runner() as name:
            sweep(self.store)  # what killed runs have left
            while not until():
                while (left := self.store.take_command(name)) is not None:
                    self._run_command(*left)
                    self._tell(left[0])
                claim = self.store.claim(name)
                if claim is not None:
                    self.told(self.store.job(claim.number))
                    done += self._do(claim)
                    sweep(self.store)
                    self._tell(claim.number)
                elif wait:
                    pause.wait(EVERY)
                else:
                    return done
        return done

    def _do(self, claim: Claim) -> bool:
        """Do one job; whether it is done."""
        with _Signs(self.store, claim) as signs:
            try:
                claim = self._with_its_inputs(claim)
                report = self.make(claim, signs.progress)
            except StoppedError:
                self.store.end(claim, None)  # it may have been taken back, or another thing been asked for, meanwhile
                return False
            except Exception as fault:  # it is told with the job, and the others go on
                if _fails_all(fault):
                    with suppress(RunError):  # if the store is full, too: it waits when this runner has ended
                        self.store.end(claim, "waiting")
                    self._tell(claim.number)
                    raise
                # The inputs are others, or may not be used; or what there was of the clip is written.
                spoilt = isinstance(fault, (InputError, RefusedError, CorruptMediaError, EncodingError))
                self.store.end(claim, "failed", why=_failure(fault), kept=not spoilt)
                return False
            except BaseException:  # an interruption: the job waits for the next runner
                self.store.end(claim, "waiting")
                raise
        if not self.store.end(claim, "done", report=report):
            return False
        if claim.order.when_done:
            self._run_command(claim.number, claim.order)
        return True

    def _with_its_inputs(self, claim: Claim) -> Claim:
        """The same job, once it is sure that the inputs are what they were when it was added.

        What another job was to make is what the ledger says was made here; from then on it must stay as it is.

        Raises:
            InputError: one is gone, or another.
        """
        order, digests = claim.order, dict(claim.digests)
        for path in (order.target, *order.photos, *(() if order.cast is None else (order.cast,))):
            try:
                digest = file_digest(path)
            except OSError as fault:
                reason = fault.strerror or str(fault)
                raise InputError(f"can't read {path}: {reason}", "Put it back, then: understudy jobs retry") from fault
            if digests.get(str(path)) == TO_BE_MADE and Ledger(self.store.home).find_output(digest) is not None:
                digests[str(path)] = digest
            if digests.get(str(path)) != digest:
                raise InputError(f"{path} is another file than when the job was added", "Add the job anew.")
        if digests != claim.digests:
            self.store.learn(claim, digests)
        return replace(claim, digests=digests)

    def _tell(self, number: int) -> None:
        with suppress(UnderstudyError):  # it may have been removed
            self.told(self.store.job(number))

    def _run_command(self, number: int, order: Order) -> None:
        """Run what is to follow a job, and note what it ended with."""
        command = [*order.when_done, str(order.output)]
        try:
            code: int | str = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
        except OSError as fault:
            code = fault.strerror or str(fault)
        self.store.end_command(number, code)


class _Signs(AbstractContextManager["_Signs"]):
    """Gives signs of life from a thread of its own while a job is done."""

    def __init__(self, store: JobStore, claim: Claim) -> None:
        self.wish: Wish = ""
        self._store, self._claim = store, claim
        self._done, self._frames = 0, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="signs of life", daemon=True)

    def progress(self, done: int, frames: int | None) -> None:
        """Note how far the job is.

        Raises:
            StoppedError: it is to be done no more here.
        """
        self._done, self._frames = done, frames or 0
        if self.wish:
            raise StoppedError

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            with suppress(RunError):  # a disk that is full for a moment: the job's own writing tells
                self.wish = self._store.sign(self._claim, self._done, self._frames)

    def __enter__(self) -> _Signs:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()


def _fails_all(fault: Exception) -> bool:
    """Whether other jobs would fail by it, too: a disk is full, or the records can't be used."""
    if isinstance(fault, NoSpaceError):
        return (
            getattr(fault.__cause__, "errno", None) != errno.EFBIG
        )  # a file that is too large for its disk is the job's
    full = isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or (isinstance(fault, RecordsError) and not isinstance(fault, RecordsBusyError))


def _failure(fault: Exception) -> JobFailure:
    known = fault if isinstance(fault, UnderstudyError) else of_the_system(fault)
    if known is None and out_of_memory(fault):
        known = NoMemoryError(f"({fault})")
    if known is None:
        said = f"unexpected {type(fault).__name__}: {printable(fault)}"
        return JobFailure(said, "Do it with `understudy swap --debug`, and report what it says.", 6)
    return JobFailure.of(known)
