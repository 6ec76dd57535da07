"""What runs at the same time: decoding ahead, encoding behind, several faces of one frame beside each other.

FFmpeg, OpenCV, numba and the models all work without Python's lock, so three threads do keep two cores busy.
Queues are short: memory does not grow with the clip, and a stop takes a frame or two. Of very large frames none wait:
each goes through all stages before the next is decoded.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Generic, TypeVar

from understudy.interruptions import deferred

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Frames that may wait between two threads.
DEPTH = 4
#: How often a waiting thread looks whether it should stop, in seconds.
POLL = 0.1


class _End:
    """Marks the end of a stream, with the error that ended it."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetched(items: Iterable[Item], depth: int = DEPTH, name: str = "decode") -> Generator[Item, None, None]:
    """The same items, produced by a thread of that name that runs ahead by ``depth``; by none if that is 0.

    An error in the producer is raised here, after the items before it. Closing the generator stops the thread.
    """
    if not depth:
        yield from items
        return
    waiting: queue.Queue[Item | _End] = queue.Queue(depth)
    stop = threading.Event()

    def produce() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not _put(waiting, item, stop):
                    return
        except BaseException as fault:  # noqa: BLE001 - handed to the consumer, who raises it
            error = fault
        _put(waiting, _End(error), stop)

    thread = threading.Thread(target=produce, name=name, daemon=True)
    thread.start()
    try:
        while True:
            item = waiting.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        with deferred():  # whoever reads has ended before what it reads is closed
            stop.set()
            thread.join()


@contextmanager
def beside(function: Callable[[], object], name: str) -> Iterator[None]:
    """Calls a function in a thread of that name, while the block runs; its error is raised at the block's end."""
    with ThreadPoolExecutor(1, name) as other:
        done = other.submit(function)
        yield
        done.result()


class BackgroundWriter(Generic[Item]):
    """Calls a function for each item in a thread that runs behind by ``depth``, or at once if that is 0.

    A context manager.

    Leaving the block normally waits until all items are done; leaving it by an error drops what waits.
    An error in the function is raised at the next ``put`` or at the end of the block.
    """

    def __init__(self, consume: Callable[[Item], None], depth: int = DEPTH) -> None:
        self._consume, self._at_once = consume, not depth
        self._waiting: queue.Queue[Item | _End] = queue.Queue(depth)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="encode", daemon=True)

    def __enter__(self) -> BackgroundWriter[Item]:
        if not self._at_once:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if self._at_once:
            return
        if kind is not None:
            self._stop.set()
        try:
            _put(self._waiting, _End(None), self._stop)
            self._thread.join()
        except BaseException:
            with deferred():
                self._stop.set()
                self._thread.join()
            raise
        if kind is None and self._error is not None:
            raise self._error

    def put(self, item: Item) -> None:
        """Hand over an item; waits while the thread is too far behind."""
        if self._at_once:
            self._consume(item)
            return
        _put(self._waiting, item, self._stop)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                item = self._waiting.get(timeout=POLL)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                return
            try:
                self._consume(item)
            except BaseException as fault:  # noqa: BLE001 - raised in the producer's thread
                self._error = fault
                self._stop.set()
                return


def _put(waiting: queue.Queue[Item | _End], item: Item | _End, stop: threading.Event) -> bool:
    """Put unless told to stop meanwhile; whether it was put."""
    while not stop.is_set():
        try:
            waiting.put(item, timeout=POLL)
        except queue.Full:
            continue
        return True
    return False


class ParallelMap:
    """Calls a function with several items at once: the first in the caller's thread, the others in one beside it.

    An ``Each``. With one item no thread is asked, so nothing is lost where there is nothing to gain. What asks again
    while it is at work, from within, does it all in its own thread: both are busy.
    """

    def __init__(self) -> None:
        self._other: ThreadPoolExecutor | None = None
        self._free = threading.Lock()
        self._closed = False

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> list[Result]:
        """The results, in the items' order. An error of any is raised, after all are done."""
        listed = list(items)
        if len(listed) < 2 or self._closed or not self._free.acquire(blocking=False):
            return [function(item) for item in listed]
        try:
            return self._shared(function, listed)
        finally:
            self._free.release()

    def _shared(self, function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
        if self._other is None:
            self._other = ThreadPoolExecutor(1, "beside")
        try:
            waiting = [self._other.submit(function, item) for item in items[1:]]
        except RuntimeError:  # closed meanwhile: whoever is still at work ends it by himself
            return [function(item) for item in items]
        try:
            result = function(items[0])
        finally:
            wait(waiting)
        return [result, *(future.result() for future in waiting)]

    def close(self) -> None:
        """End the thread. What is asked for later is done in the caller's."""
        self._closed = True
        if self._other is not None:
            self._other.shutdown()


class WaitedFor:
    """Calls functions in threads of its own, and waits for each of them, though not for ever.

    What does not come back, such as a driver that hangs, keeps its thread, which is told to end when it does. It holds
    up neither the caller nor the end of the program.

    Args:
        name: Of the threads: as many as there are calls at the same time.
        seconds: How long a call is waited for.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self._name, self._seconds = name, seconds
        self._idle: list[queue.SimpleQueue[Callable[[], None] | None]] = []
        self._overdue: set[threading.Event] = set()
        self._lock = threading.Lock()

    @property
    def overdue(self) -> bool:
        """Whether something goes on that was waited for long enough."""
        return bool(self._overdue)

    def __call__(self, job: Callable[[], None]) -> bool:
        """Have a function called that raises nothing; whether it ended in time."""
        done = threading.Event()

        def watched() -> None:
            job()
            with self._lock:
                done.set()
                self._overdue.discard(done)

        with self._lock:
            jobs = self._idle.pop() if self._idle else self._new()
        jobs.put(watched)
        done.wait(self._seconds)
        with self._lock:
            if done.is_set():
                self._idle.append(jobs)
                return True
            self._overdue.add(done)
        jobs.put(None)
        return False

    def close(self) -> None:
        """End the threads that have nothing to do."""
        with self._lock:
            while self._idle:
                self._idle.pop().put(None)

    def _new(self) -> queue.SimpleQueue[Callable[[], None] | None]:
        jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

        def work() -> None:
            while (job := jobs.get()) is not None:
                job()

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return jobs
