"""The head of a cluster: it has the jobs, the records, the key and the ledger, and hands segments out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from understudy.errors import RunError, UnderstudyError
from understudy.jobs.cluster.board import Board, Say
from understudy.jobs.cluster.crew import ClusterOptions, Crew
from understudy.jobs.cluster.crossing import packed, unpacked
from understudy.jobs.cluster.fitness import needs
from understudy.jobs.cluster.parcels import parcel_of
from understudy.jobs.cluster.rays import RayCluster, joined
from understudy.jobs.job import Claim
from understudy.jobs.runner import Runner, Told
from understudy.jobs.store import JobStore
from understudy.jobs.workshop import ClipWork, FramesDone, Workshop
from understudy.media.files import open_source
from understudy.provenance import Home
from understudy.tasks.progress import Progress

#: Makes what an order says: with what it is made where clips can be worked in segments.
MakeWith = Callable[[Claim, Progress, Workshop], dict[str, Any]]
#: Jobs that are begun at most before others are done.
_MOST: Final = 256
#: Seconds between two looks at what happens.
_LOOKS: Final = 0.1
#: Seconds to wait before it is looked again whether there is another job.
_AGAIN: Final = 3.0


class WorkedByCluster:
    """Has segments worked by the workers of a board: see ``Workshop``.

    Args:
        board: The board.
        home: The head's private folder: its own models.
        put: Lays a piece of a clip where workers find it.
        coming: How many workers were begun and have not said yet what they are.
        patience: Seconds to wait for a worker that can do it.
        begun: Told when a clip is open.
    """

    def __init__(
        self,
        board: Board,
        home: Home,
        put: Callable[[bytes], Any],
        coming: Callable[[], int],
        patience: float,
        begun: Callable[[], None] = lambda: None,
    ) -> None:
        self._board, self._home, self.put = board, home, put
        self._coming, self._patience, self._begun = coming, patience, begun

    def work(self, clip: ClipWork, done: FramesDone) -> None:
        """See ``Workshop.work``."""
        with open_source(clip.target, clip.settings.max_pixels) as source:
            info = source.info
        needed = needs(clip.cast, info, clip.settings, self._home, clip.target.stat().st_size)
        key = f"{clip.plan.identifier:012x}"
        opened = self._board.open(key, clip, needed, parcel_of(key, clip, self.put))
        self._begun()
        left, hopeless = set(clip.missing), 0.0
        try:
            while left:
                found = self._board.next(opened, _LOOKS)
                if found is not None:
                    path, report = found
                    clip.finished(path, report)
                    left.discard(report.index)
                done(self._board.frames(opened))
                refused = self._board.refusal(opened) if found is None and not self._coming() else None
                hopeless = 0.0 if refused is None else hopeless or time.monotonic() + self._patience
                if refused is not None and time.monotonic() > hopeless:
                    raise _nobody(refused)
        finally:
            self._board.close(opened)


class Head:
    """Does the jobs of a store on a cluster.

    Args:
        store: Where they are.
        home: The private folder.
        make: Does one.
        told: Told of each job when it is begun and when it has ended.
        say: Told what a user should know of the workers.
        options: How workers are begun and watched.
    """

    def __init__(
        self,
        store: JobStore,
        home: Home,
        make: MakeWith,
        *,
        told: Told,
        say: Say,
        options: ClusterOptions | None = None,
    ) -> None:
        self._store, self._home, self._make, self._told = store, home, make, told
        self._options = options or ClusterOptions()
        self._board = Board(say)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        #: Threads that wait for a reason to begin a job, and those whose job has no segments on the board yet.
        self._idle, self._beginning = set[int](), set[int]()
        self._done, self._faults = 0, list[BaseException]()

    def run(self, address: str, *, until: Callable[[], bool], wait: bool) -> int:
        """Do jobs until none is left that can go: how many were done.

        Args:
            address: Of the cluster: see ``rays.joined``.
            until: Asked now and then whether to begin no more.
            wait: Whether to wait for jobs that are added later.

        Raises:
            UsageError: no such cluster, or no Ray.
            RecordsError, NoSpaceError: as of ``Runner.run``.
            RunError: the cluster has no worker (any more).
        """
        with joined(address) as ray, Crew(RayCluster(ray), self._board, self._options) as crew:
            workshop = WorkedByCluster(
                self._board, self._home, ray.put, lambda: crew.coming, self._options.patience, self._has_begun
            )
            self._run(workshop, crew, until, wait=wait)
        return self._done

    def _run(self, workshop: Workshop, crew: Crew, until: Callable[[], bool], *, wait: bool) -> None:
        threads: list[threading.Thread] = []

        def begin() -> None:
            thread = threading.Thread(target=self._jobs, args=(workshop, until), kwargs={"wait": wait}, daemon=True)
            threads.append(thread)
            thread.start()

        try:
            begin()
            ended, alone = 0.0, time.monotonic()
            while any(thread.is_alive() for thread in threads) and not self._faults:
                time.sleep(_LOOKS)
                living = [thread for thread in threads if thread.is_alive()]
                if len(living) < len(threads):  # there was nothing left for one to begin
                    ended, threads[:] = time.monotonic(), living
                alone = time.monotonic() if self._board.workers or crew.coming else alone
                if time.monotonic() - alone > self._options.patience:
                    raise RunError("the cluster has no worker", "`ray status` shows what it has. The jobs wait.")
                busy = not self._idle and self._hungry() and time.monotonic() - ended > _AGAIN
                if busy and 0 < len(threads) < _MOST:
                    begin()
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()
        if self._faults:
            raise self._faults[0]

    def _jobs(self, workshop: Workshop, until: Callable[[], bool], *, wait: bool) -> None:
        """Do jobs, one after the other, each when there are workers for it."""

        def make(claim: Claim, signs: Progress) -> dict[str, Any]:
            def told(done: int, frames: int | None) -> None:
                if self._stopping.is_set():
                    raise KeyboardInterrupt
                signs(done, frames)

            return self._make(claim, told, workshop)

        try:
            done = Runner(self._store, make, self._told).run(until=lambda: self._held(until), wait=wait)
            with self._lock:
                self._done += done
        except KeyboardInterrupt:
            pass  # the main thread's, passed on
        except BaseException as fault:  # noqa: BLE001 - raised by the main thread
            self._faults.append(fault)
        finally:
            self._has_begun()

    def _held(self, until: Callable[[], bool]) -> bool:
        """Hold a thread until workers want for more; whether it is to begin no more jobs."""
        me = threading.get_ident()
        self._has_begun()
        self._idle.add(me)
        try:
            while not (over := self._stopping.is_set() or until()):
                with self._lock:
                    if self._hungry():
                        self._beginning.add(me)
                        return False
                self._stopping.wait(_LOOKS)
            return over
        finally:
            self._idle.discard(me)

    def _hungry(self) -> bool:
        """Whether workers may soon have nothing to do."""
        return self._board.waiting + len(self._beginning) <= self._board.workers

    def _has_begun(self) -> None:
        """The job of this thread has its segments on the board, or ended without."""
        self._beginning.discard(threading.get_ident())


def _nobody(refused: UnderstudyError) -> UnderstudyError:
    """The error of a job that no worker can do: of the kind of the reason."""
    return unpacked(packed(refused) | {"message": f"no worker of the cluster can do this: {refused.message}"})
