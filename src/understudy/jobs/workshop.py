"""Who works the segments of a clip: this process, or others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from understudy.casting.cast import PartList
from understudy.casting.person import People, Person
from understudy.resources import Resources
from understudy.settings import Settings
from understudy.tasks.progress import Progress
from understudy.tasks.segments.edges import SegmentOptions
from understudy.tasks.segments.plan import ClipPlan
from understudy.tasks.segments.report import SegmentReport
from understudy.tasks.segments.working import SegmentWorker

#: Told how many frames of the missing segments are done; what it raises ends the work.
FramesDone = Callable[[int], None]


@dataclass(frozen=True)
class ClipWork:
    """What is to be done of one clip.

    Attributes:
        cast: Whose face; or who gets whose.
        target: The clip.
        digest: SHA-256 of it.
        suffix: Of the output.
        settings: How.
        plan: Of the clip.
        options: How segments are warmed.
        priority: The highest goes first.
        missing: Places of the segments that are missing in the plan.
        path: Where a segment's file is to lie.
        finished: Called with each segment that is finished, one at a time: its file and what came of it.
    """

    cast: Person | PartList
    target: Path
    digest: str
    suffix: str
    settings: Settings
    plan: ClipPlan
    options: SegmentOptions
    priority: int
    missing: Sequence[int]
    path: Callable[[int], Path]
    finished: Callable[[Path, SegmentReport], None]


class Workshop(Protocol):
    """Works segments."""

    def work(self, clip: ClipWork, done: FramesDone) -> None:
        """Work those that are missing, in any order.

        Args:
            clip: What is to be done.
            done: Told every now and then.

        Raises:
            UsageError, InputError, RefusedError, ModelError, RunError: it can't be done. What was finished by then was
                told.
        """
        ...


class WorkedHere:
    """By this process, one after the other.

    Args:
        resources: What is opened.
        people: Whose faces are known.
    """

    def __init__(self, resources: Resources, people: People) -> None:
        self._resources, self._people = resources, people

    def work(self, clip: ClipWork, done: FramesDone) -> None:
        """See ``Workshop.work``; told about every frame."""
        before = 0
        with SegmentWorker(
            clip.cast,
            clip.target,
            clip.suffix,
            clip.settings,
            clip.plan,
            resources=self._resources,
            people=self._people,
            options=clip.options,
        ) as worker:
            for index in clip.missing:

                def told(frames: int, _: int | None, before: int = before) -> None:
                    done(before + frames)

                path = clip.path(index)
                report = worker.work(index, path, told)
                clip.finished(path, report)
                before += report.frames


class FramesOfAll:
    """Counts the frames of several jobs that are done at a time together. For several threads.

    Args:
        progress: Told about them; None for nobody.
    """

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._lock = progress, threading.Lock()
        self._jobs: dict[int, tuple[int, int]] = {}

    def of(self, number: int, signs: Progress) -> Progress:
        """What one job tells: it goes on to its own ``signs``, too."""

        def told(done: int, frames: int | None) -> None:
            signs(done, frames)
            if self._progress is not None:
                with self._lock:
                    self._jobs[number] = (done, frames or 0)
                    counts = list(self._jobs.values())
                    self._progress(sum(done for done, _ in counts), sum(frames for _, frames in counts))

        return told
