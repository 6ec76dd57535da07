"""What is to be done on a cluster, and by whom: clips that are open, their segments, and the workers that take them.

Any number of threads use it. It knows neither Ray nor files: it says who gets what, and what becomes of a segment whose
worker failed or was lost.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from understudy.errors import RefusedError, RunError, UnderstudyError
from understudy.jobs.cluster.fitness import Description, Needs, why_not
from understudy.jobs.workshop import ClipWork
from understudy.tasks.segments.report import SegmentReport

#: The same error so often, or any so often, is the job's own.
_SAME, _ANY = 2, 3
#: Workers that a segment has ended, after which it is not handed out any more.
MOST_LOST: Final = 5
#: Told what a user should know, in a line.
Say = Callable[[str], None]


@dataclass(eq=False)
class Joined:
    """A worker that has said what it is.

    Attributes:
        name: For messages.
        description: What it is.
        has: Keys of the clips that were sent to it.
    """

    name: str
    description: Description
    has: set[str] = field(default_factory=set)


@dataclass(eq=False)
class OpenClip:
    """A clip that is worked on. Everything in it is the board's.

    Attributes:
        key: Its own.
        clip: What is to be done.
        needs: What a worker must have.
        parcel: What is sent to a worker first.
        waiting: Segments that nobody has.
        done: What came back, to be told: files and reports, or the error that ends the job.
        over: Whether nothing more of it is wanted.
    """

    key: str
    clip: ClipWork
    needs: Needs
    parcel: Any
    waiting: deque[int] = field(default_factory=deque)
    done: deque[tuple[Path, SegmentReport] | UnderstudyError] = field(default_factory=deque)
    over: bool = False
    frames: dict[int, int] = field(default_factory=dict)
    faults: dict[int, list[tuple[Joined, UnderstudyError]]] = field(default_factory=dict)
    lost: Counter[int] = field(default_factory=Counter)
    refused: dict[Joined, UnderstudyError | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One segment, in a worker's hands.

    Attributes:
        of: The clip.
        index: Which segment.
    """

    of: OpenClip
    index: int


class Board:
    """Of one run.

    Args:
        say: Told why a worker gets nothing of a job; each thing once.
    """

    def __init__(self, say: Say = lambda _: None) -> None:
        self._say, self._said = say, set[str]()
        self._changed = threading.Condition()
        self._clips: list[OpenClip] = []
        self._workers: list[Joined] = []

    def say(self, what: str) -> None:
        """Tell the user something, once."""
        with self._changed:
            new = what not in self._said
            self._said.add(what)
        if new:
            self._say(what)

    def open(self, key: str, clip: ClipWork, needs: Needs, parcel: object) -> OpenClip:
        """Have a clip's missing segments worked."""
        opened = OpenClip(key, clip, needs, parcel, deque(clip.missing))
        with self._changed:
            self._clips.append(opened)
            self._clips.sort(key=lambda one: -one.clip.priority)  # of equals the first stays first
            self._changed.notify_all()
        return opened

    def close(self, clip: OpenClip) -> None:
        """Nothing more of a clip is wanted."""
        with self._changed:
            clip.over = True
            clip.parcel = None  # its pieces are kept nowhere any more
            self._clips = [one for one in self._clips if one is not clip]
            self._changed.notify_all()

    def join(self, name: str, description: Description) -> Joined:
        """A worker is there."""
        worker = Joined(name, description)
        with self._changed:
            self._workers.append(worker)
            self._changed.notify_all()
        return worker

    def leave(self, worker: Joined) -> None:
        """A worker is there no more."""
        with self._changed:
            self._workers = [one for one in self._workers if one is not worker]
            self._changed.notify_all()

    @property
    def workers(self) -> int:
        """How many workers are there."""
        return len(self._workers)

    @property
    def keys(self) -> set[str]:
        """Of the clips that are open."""
        with self._changed:
            return {one.key for one in self._clips}

    @property
    def waiting(self) -> int:
        """How many segments nobody has."""
        with self._changed:
            return sum(len(one.waiting) for one in self._clips)

    @property
    def wants_gpu(self) -> bool:
        """Whether a clip needs workers with a GPU."""
        with self._changed:
            return any(one.needs.gpu for one in self._clips)

    def take(self, worker: Joined, seconds: float) -> Task | None:
        """The segment that a worker gets next; None if there was none for it for so long.

        The highest priority goes first; of equals a clip that the worker has already, then the one that was begun
        first. A segment that failed goes to another worker, if there is one that may have it.
        """
        until = time.monotonic() + seconds
        with self._changed:
            while True:
                clips = sorted(self._clips, key=lambda one: (-one.clip.priority, one.key not in worker.has))
                for clip in clips:
                    index = self._fitting(clip, worker)
                    if index is not None:
                        clip.waiting.remove(index)
                        return Task(clip, index)
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return None

    def tell(self, task: Task, frames: int) -> None:
        """So many frames of a segment are done."""
        with self._changed:
            task.of.frames[task.index] = frames

    def finish(self, task: Task, path: Path, report: SegmentReport) -> None:
        """A segment is made."""
        with self._changed:
            task.of.frames[task.index] = report.frames
            task.of.done.append((path, report))
            self._changed.notify_all()

    def fail(self, task: Task, worker: Joined, fault: UnderstudyError) -> None:
        """A worker could not do a segment: another may try, unless it is plain that the job itself is at fault."""
        clip, index = task.of, task.index
        with self._changed:
            faults = clip.faults.setdefault(index, [])
            faults.append((worker, fault))
            same = sum((type(one), one.message) == (type(fault), fault.message) for _, one in faults)
            if isinstance(fault, RefusedError) or same >= _SAME or len(faults) >= _ANY:
                clip.done.append(fault)
            else:
                clip.waiting.appendleft(index)
            clip.frames.pop(index, None)
            self._changed.notify_all()

    def give_back(self, task: Task, *, lost: bool) -> None:
        """A segment was not done: its worker was lost, or has ended in good order."""
        clip, index = task.of, task.index
        with self._changed:
            clip.lost[index] += lost
            clip.frames.pop(index, None)
            if clip.lost[index] >= MOST_LOST:
                clip.done.append(
                    RunError(
                        f"segment {index} of {clip.clip.target.name} has ended its worker {MOST_LOST} times",
                        "Look at the workers' memory; or do it here: understudy jobs run",
                    )
                )
            else:
                clip.waiting.appendleft(index)
            self._changed.notify_all()

    def next(self, clip: OpenClip, seconds: float) -> tuple[Path, SegmentReport] | None:
        """What came back of a clip; None if nothing did for so long.

        Raises:
            UnderstudyError: the job can't be done.
        """
        with self._changed:
            if not clip.done:
                self._changed.wait(seconds)
            found = clip.done.popleft() if clip.done else None
        if isinstance(found, UnderstudyError):
            raise found
        return found

    def frames(self, clip: OpenClip) -> int:
        """How many of its missing frames are done."""
        with self._changed:
            return sum(clip.frames.values())

    def refusal(self, clip: OpenClip) -> UnderstudyError | None:
        """Why no worker that is there can do a clip; None if one can, or none is there."""
        with self._changed:
            reasons = [self._refused(clip, worker) for worker in self._workers]
        return None if None in reasons or not reasons else reasons[0]

    def _fitting(self, clip: OpenClip, worker: Joined) -> int | None:
        if not clip.waiting or self._refused(clip, worker) is not None:
            return None
        for index in clip.waiting:
            tried = {one for one, _ in clip.faults.get(index, ())}
            others = [one for one in self._workers if one not in tried and self._refused(clip, one) is None]
            if worker not in tried or not others:
                return index
        return None

    def _refused(self, clip: OpenClip, worker: Joined) -> UnderstudyError | None:
        if worker not in clip.refused:
            clip.refused[worker] = fault = why_not(worker.description, clip.needs)
            if fault is not None:
                self._tell_refusal(worker, fault)
        return clip.refused[worker]

    def _tell_refusal(self, worker: Joined, fault: UnderstudyError) -> None:
        said = f"{worker.name} does not work on such a job: {fault.message}. {fault.hint}"
        if said not in self._said:
            self._said.add(said)
            self._say(said)
