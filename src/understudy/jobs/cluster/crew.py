"""The workers of a cluster: begun where there is room, watched, and replaced when they are lost."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from understudy.errors import OutputError, RunError, UnderstudyError
from understudy.jobs.cluster.board import Board, Joined, Task
from understudy.jobs.cluster.crossing import unpacked
from understudy.jobs.cluster.fitness import Description, other_versions, versions
from understudy.jobs.cluster.parcels import keep, lay_down
from understudy.jobs.cluster.worker import Place
from understudy.tasks.segments.report import SegmentReport
from understudy.temporaries import Temporary

#: Bytes of memory that a worker has at least, where a machine has more than one.
_LEAST: Final = 1_000_000_000
#: Times that workers of a machine fail to begin, after which it is let alone, and seconds between two.
_MOST_BEGUN, AGAIN = 3, 5.0
#: Seconds between two looks at an idle worker.
_IDLE: Final = 10.0
#: Workers that are asked within a second how far they are.
_ASKED: Final = 200


class LostError(Exception):
    """A worker is lost: it died, its machine is gone, or nothing is heard of it."""


@dataclass(frozen=True)
class ClusterOptions:
    """How workers are begun and watched.

    Attributes:
        cores: Of each worker.
        stalled: Seconds without a sign of progress after which a worker is replaced.
        starting: Seconds that a worker has to begin.
        patience: Seconds to wait for workers where there is none, or none that can do a job.
        every: Seconds between two questions how far a worker is, and between two looks at which machines there are.

    Raises:
        ValueError: no core, or a time that is not above zero.
    """

    cores: int = 1
    stalled: float = 180.0
    starting: float = 180.0
    patience: float = 30.0
    every: float = 1.0

    def __post_init__(self) -> None:
        if self.cores < 1 or min(self.stalled, self.starting, self.patience, self.every) <= 0:
            raise ValueError("a worker has a core or more, and times are above zero")


@dataclass(frozen=True)
class Node:
    """A machine of the cluster.

    Attributes:
        id: Its own.
        name: For messages.
        cores, memory, gpus: What it has for workers; memory in bytes.
        leaving: Whether it is about to leave the cluster.
    """

    id: str
    name: str
    cores: float
    memory: float
    gpus: float
    leaving: bool = False


class Hand(Protocol):
    """One worker, as the head holds it."""

    def begin(self, method: str, *values: Any) -> Any:  # noqa: ANN401 - whatever the method takes
        """Call a method of ``ClusterWorker``; what to ``wait`` for.

        Raises:
            LostError: the worker is lost.
        """
        ...

    def wait(self, call: Any, seconds: float) -> tuple[bool, Any]:  # noqa: ANN401 - whatever it returns
        """Whether a call has ended within so long, and what it gave.

        Raises:
            LostError: the worker is lost.
        """
        ...

    def kill(self) -> None:
        """End it at once, if it lives."""
        ...


class Cluster(Protocol):
    """Machines on which workers can be begun."""

    def nodes(self) -> Sequence[Node]:
        """Those that live."""
        ...

    def hire(self, node: Node, place: Place) -> Hand:
        """Begin a worker."""
        ...


@dataclass(eq=False)
class _Post:
    """A worker and where it stands."""

    node: Node
    place: Place
    hand: Hand
    name: str
    thread: threading.Thread | None = None
    ready: bool = False
    #: Whether it is to end in good order, and whether its machine is gone.
    retire: bool = False
    gone: bool = False


class Crew:
    """All workers of one run. A context manager; each worker has a thread here.

    Args:
        cluster: Where they are.
        board: What is to be done.
        options: How they are watched.
    """

    def __init__(self, cluster: Cluster, board: Board, options: ClusterOptions) -> None:
        self._cluster, self._board, self._options = cluster, board, options
        self._versions = versions()
        self._posts: list[_Post] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._begun: Counter[str] = Counter()
        self._again: dict[str, float] = {}
        self._count, self._gpu = 0, False
        self._thread = threading.Thread(target=self._look_around, name="crew", daemon=True)

    @property
    def coming(self) -> int:
        """How many workers were begun and have not said yet what they are."""
        with self._lock:
            return sum(not post.ready for post in self._posts)

    def look(self) -> None:
        """Begin workers where there is room for them, and note those whose machine is gone or about to go."""
        nodes = {node.id: node for node in self._cluster.nodes()}
        self._gpu = gpu = self._gpu or self._board.wants_gpu
        with self._lock:
            posts = list(self._posts)
        for post in posts:
            post.gone |= post.node.id not in nodes
            post.retire |= not post.gone and nodes[post.node.id].leaving
        for node in nodes.values():
            here = [post for post in posts if post.node.id == node.id]
            there = places(node, self._options.cores, gpu=gpu)
            if node.leaving or self._begun[node.id] >= _MOST_BEGUN or self._again.get(node.id, 0) > time.monotonic():
                continue
            wanted = Counter(there)
            for post in here:
                if wanted[post.place] > 0:
                    wanted[post.place] -= 1
                else:
                    post.retire = True
            for place in list(wanted.elements())[: max(len(there) - len(here), 0)]:
                self._hire(node, place)

    def __enter__(self) -> Crew:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._over.set()
        self._thread.join()
        with self._lock:
            posts = list(self._posts)
        for post in posts:
            if post.thread is not None:
                post.thread.join()

    def _look_around(self) -> None:
        while not self._over.is_set():
            try:
                self.look()
            except LostError as fault:
                self._board.say(f"the cluster does not say which machines there are: {fault}")
            self._over.wait(self._options.every)

    def _hire(self, node: Node, place: Place) -> None:
        self._count += 1
        post = _Post(node, place, self._cluster.hire(node, place), f"worker {self._count} on {node.name}")
        post.thread = threading.Thread(target=self._serve, args=(post,), name=post.name, daemon=True)
        with self._lock:
            self._posts.append(post)
        post.thread.start()

    def _serve(self, post: _Post) -> None:
        """All that a worker does, from its first word on."""
        worker = None
        try:
            worker = self._joined(post)
            if worker is not None:
                self._work(post, worker)
        except LostError as fault:
            if not self._over.is_set():
                what = "is lost" if worker is not None else "could not begin"
                self._board.say(f"{post.name} {what}: {fault}")
            if worker is None:
                self._failed_to_begin(post)
        finally:
            if worker is not None:
                self._board.leave(worker)
            self._end(post, tidy=worker is not None)

    def _joined(self, post: _Post) -> Joined | None:
        """A worker that has said what it is; None if it is of no use."""
        call = post.hand.begin("describe")
        until = time.monotonic() + self._options.starting
        while not self._over.is_set():
            ended, said = post.hand.wait(call, self._options.every)
            if ended:
                description = Description(**said)
                other = other_versions(description, self._versions)
                if other:
                    self._begun[post.node.id] = _MOST_BEGUN  # nothing changes that until Ray is begun anew there
                    self._board.say(f"{post.node.name} gets no work, for there is another version: {other}")
                    return None
                self._begun[post.node.id] = 0
                post.ready = True
                return self._board.join(post.name, description)
            if post.gone or time.monotonic() > until:
                raise LostError("its machine is gone" if post.gone else "nothing is heard of it; is its machine busy?")
        return None

    def _failed_to_begin(self, post: _Post) -> None:
        self._begun[post.node.id] += 1
        self._again[post.node.id] = time.monotonic() + AGAIN
        if self._begun[post.node.id] == _MOST_BEGUN:
            self._board.say(f"{post.node.name} gets no work: no worker begins there. Is Understudy installed?")

    def _work(self, post: _Post, worker: Joined) -> None:
        looked = time.monotonic()
        while not (self._over.is_set() or post.retire):
            if post.gone:
                raise LostError("its machine is gone")
            task = self._board.take(worker, self._options.every / 2)
            if task is not None:
                self._do(post, worker, task)
                looked = time.monotonic()
            elif time.monotonic() - looked > _IDLE:
                self._watched(post, post.hand.begin("signs"), None)
                looked = time.monotonic()

    def _do(self, post: _Post, worker: Joined, task: Task) -> None:
        """One segment, from handing it out to its file."""
        try:
            path = self._made(post, worker, task)
        except LostError:
            self._board.give_back(task, lost=not self._over.is_set())
            raise
        except UnderstudyError as fault:
            self._board.fail(task, worker, fault)
        else:
            if path is None:
                self._board.give_back(task, lost=False)

    def _made(self, post: _Post, worker: Joined, task: Task) -> Path | None:
        """A segment's file, finished and told; None if it was stopped.

        Raises:
            LostError: the worker is lost.
            UnderstudyError: the worker could not do it.
        """
        hand, clip = post.hand, task.of
        self._forget(post, worker)
        parcel = clip.parcel
        if clip.key not in worker.has:
            worker.has.add(clip.key)
            fault = self._watched(post, hand.begin("receive", parcel), task) if parcel is not None else None
            if fault is not None:
                worker.has.discard(clip.key)
                raise unpacked(fault)
        if clip.over:
            return None
        answer = self._watched(post, hand.begin("work", clip.key, task.index), task)
        if "error" in answer:
            raise unpacked(answer["error"])
        if "report" not in answer or clip.over:
            return None
        report, path = SegmentReport.from_json(answer["report"]), clip.clip.path(task.index)
        self._fetch(post, task, path, answer["pieces"], report.sha256)
        self._board.finish(task, path, report)
        return path

    def _fetch(self, post: _Post, task: Task, path: Path, pieces: int, digest: str) -> None:
        """Have a segment's file here, on the disk, whole or not at all."""
        part = Temporary(path, 0o600)
        try:
            arriving = (self._watched(post, post.hand.begin("piece", place), task) for place in range(pieces))
            lay_down(part.path, arriving, digest)
            keep(part.path, path)
        except UnderstudyError as fault:
            raise RunError(f"segment {task.index} did not arrive whole", "Try again: it is made anew.") from fault
        except OSError as fault:
            raise OutputError(f"can't write {path}: {fault.strerror}", "Check the disk.") from fault
        finally:
            part.remove()

    def _watched(self, post: _Post, call: Any, task: Task | None) -> Any:  # noqa: ANN401 - what the call gives
        """What a call gives, as long as the worker is heard of.

        Raises:
            LostError: it is not, or is lost.
        """
        hand, heard, seen, asked, stopped = post.hand, time.monotonic(), None, None, False
        every = max(self._options.every, self._board.workers / _ASKED)
        while True:
            ended, value = hand.wait(call, every)
            if ended:
                return value
            asked = hand.begin("signs") if asked is None else asked
            told, signs = hand.wait(asked, 0)
            if told:
                asked = None
                if signs != seen:
                    heard, seen = time.monotonic(), signs
                    if task is not None:
                        self._board.tell(task, signs[1])
            if not stopped and task is not None and (task.of.over or self._over.is_set()):
                hand.begin("stop")
                stopped = True
            if post.gone or self._over.is_set():
                raise LostError("its machine is gone" if post.gone else "the run ends")
            if time.monotonic() - heard > self._options.stalled:
                raise LostError(f"no progress for {self._options.stalled:.0f} s")

    def _forget(self, post: _Post, worker: Joined) -> None:
        """Have a worker remove clips of which nothing more is wanted."""
        over = worker.has - self._board.keys
        if over:
            worker.has -= over
            post.hand.begin("forget", *over)

    def _end(self, post: _Post, *, tidy: bool) -> None:
        with suppress(LostError):
            if tidy and not post.gone:
                post.hand.wait(post.hand.begin("close"), 2.0)
        post.hand.kill()
        with self._lock:
            self._posts = [one for one in self._posts if one is not post]


def places(node: Node, cores: int, *, gpu: bool) -> list[Place]:
    """The workers that a machine has room for.

    Args:
        node: The machine.
        cores: Of each worker.
        gpu: Whether some of them should have a GPU to themselves.
    """
    count = int(node.cores // cores)
    count = min(count, max(1, int(node.memory // _LEAST))) if count else 0
    with_gpu = min(int(node.gpus), count) if gpu else 0
    return [Place(cores, int(node.memory / count), int(k < with_gpu)) for k in range(count)]
