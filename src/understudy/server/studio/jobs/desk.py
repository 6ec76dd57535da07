"""The jobs as pages show them: looked at once a second, and done beside. All pages share it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from understudy.app import Understudy
from understudy.errors import UnderstudyError
from understudy.jobs.job import Job, JobFailure, JobState
from understudy.jobs.jobs import Jobs
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.jobs.kept import Kept
from understudy.server.studio.jobs.pace import Pace
from understudy.server.studio.jobs.runner import Runner
from understudy.text import printable

PLACE: Final = "/jobs/results"
#: Seconds between two looks, and before the first: what the page itself needs comes first.
_EVERY, _FIRST = 1.0, 1.5
#: Jobs that are done, as many as are shown.
_DONE: Final = 40
_NOT_DONE: Final[tuple[JobState, ...]] = ("running", "waiting", "paused", "failed", "cancelled")
#: What can be done to a job.
Action = Literal["pause", "resume", "cancel", "retry", "remove"]
#: What a browser is told that a file is; of anything else it is not shown in the page.
_TYPES: Final = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".gif": "image/gif",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}


@dataclass(frozen=True)
class Verdict:
    """What ``inspect`` says of a result.

    Attributes:
        ours: Whether it is known to be made by this tool, and as it was.
        label: The visible label's text; empty if it is not known.
        marked: Whether the invisible mark was read.
        signed: Whether it is signed, and as it was then.
    """

    ours: bool
    label: str
    marked: bool
    signed: bool


@dataclass(frozen=True)
class Shown:
    """A job as a page shows it.

    Attributes:
        job: As it is in the store, with the newest progress.
        fps: Frames a second; 0 while it is not known.
        left: Seconds until it is done; None while it is not known.
        stopping: Whether it is to stop.
        verdict: Of the result; None if there is none, or it was not looked at yet.
        here: Whether the result is where it was written.
    """

    job: Job
    fps: float = 0.0
    left: float | None = None
    stopping: bool = False
    verdict: Verdict | None = None
    here: bool = False

    @property
    def kind(self) -> str:
        """``video`` or ``image``, as a browser shows the result; empty if it can't."""
        suffix = self.job.order.output.suffix.lower()
        return _TYPES.get(suffix, "").split("/")[0] if suffix not in (".mkv", ".mov") else ""


class JobsDesk:
    """What one does in the room. Methods are called in threads.

    Args:
        app: With the jobs.

    Attributes:
        jobs: As they were a moment ago: what runs first, then what goes next.
        fault: What went wrong with what was asked last; None for nothing.
        kept: The inputs of jobs that pages added.
        runner: Does the jobs.
    """

    def __init__(self, app: Understudy) -> None:
        self._app = app
        self._store: Jobs | None = None
        self.runner = Runner(app.resources.home.root)
        self.kept = Kept(app.resources.home.folder("studio", "kept"))
        self.jobs: tuple[Shown, ...] = ()
        self.fault: Fault | None = None
        self._paces: dict[tuple[int, int], Pace] = {}
        self._verdicts: dict[int, Verdict] = {}
        self._looked: set[int] = set()
        self._stopping: set[int] = set()
        self._swept: frozenset[tuple[int, JobState]] = frozenset()
        self._wake, self._ended, self._looking = threading.Event(), threading.Event(), threading.Lock()
        self._inspecting = ThreadPoolExecutor(1, "inspect")
        self._thread = threading.Thread(target=self._run, name="jobs desk", daemon=True)

    @property
    def store(self) -> Jobs:
        """The jobs themselves."""
        if self._store is None:
            self._store = self._app.jobs
        return self._store

    @property
    def routes(self) -> list[BaseRoute]:
        """What pages ask for: results, by the number of their job."""
        return [Route(f"{PLACE}/{{number:int}}", self._result)]

    @property
    def runner_failed(self) -> JobFailure | None:
        """Why jobs are not done just now; None if they are."""
        return None if self.runner.at_work else self.runner.failed

    def forget_failure(self) -> None:
        """The user has read why jobs are not done."""
        self.runner.failed = None

    def begin(self) -> None:
        """Take up what was left, and do what comes, from now on."""
        self._thread.start()

    def do(self, action: Action, number: int) -> None:
        """Do something to a job; what is wrong with that is ``fault`` then."""
        does: dict[Action, Callable[[int], object]] = {
            "pause": self.store.pause,
            "resume": self.store.resume,
            "cancel": self.store.cancel,
            "retry": self.store.retry,
            "remove": self.store.remove,
        }
        if action in ("pause", "cancel") and self.runner.told.job == number:
            self._stopping.add(number)
            with self.runner.parked():  # at once: told by the store, it would stop within seconds
                self._attempt(lambda: does[action](number))
        else:
            self._attempt(lambda: does[action](number))
        self.look()

    def move(self, number: int, *, up: bool) -> None:
        """Have a job that waits go before the one that is before it, or behind the one behind it."""
        waiting = [one.job.number for one in self._in("waiting")]
        if number not in waiting:
            return
        place = waiting.index(number)
        other = place - 1 if up else place + 1
        if 0 <= other < len(waiting):
            waiting[place], waiting[other] = waiting[other], waiting[place]
            self._attempt(lambda: self.store.arrange(waiting))
            self.look()

    def look(self) -> None:
        """Look at the jobs now."""
        with self._looking:
            try:
                jobs = [*self.store.list(_NOT_DONE), *self.store.list(("done",), _DONE)]
            except UnderstudyError as fault:
                self.fault = fault_of(fault)
                return
            running = {job.number for job in jobs if job.state == "running"}
            self._stopping = {one for one in self._stopping if one in running}
            self.jobs = tuple(self._shown(job) for job in jobs)
            states = frozenset((job.number, job.state) for job in jobs)
            if states != self._swept:
                self._swept = states
                self.kept.sweep(lambda: self.store.list(_NOT_DONE))
            if any(job.state == "waiting" and not job.waits_for for job in jobs):
                self.runner.begin()
        self._inspect()

    def shown(self, number: int) -> Shown | None:
        """One job; None if it is not there any more."""
        return next((one for one in self.jobs if one.job.number == number), None)

    def close(self) -> None:
        """End, and have what runs parked."""
        self._ended.set()
        self._wake.set()
        self.runner.close()
        self._inspecting.shutdown(wait=False, cancel_futures=True)
        if self._thread.is_alive():
            self._thread.join()

    def _in(self, state: JobState) -> Sequence[Shown]:
        return [one for one in self.jobs if one.job.state == state]

    def _attempt(self, work: Callable[[], object]) -> None:
        self.fault = None
        try:
            work()
        except UnderstudyError as fault:
            self.fault = fault_of(fault)

    def _run(self) -> None:
        self._ended.wait(_FIRST)
        while not self._ended.is_set():
            self.look()
            busy = bool(self._in("running"))
            self._wake.wait(_EVERY / 2 if busy else _EVERY)
            self._wake.clear()

    def _shown(self, job: Job) -> Shown:
        output = job.order.output
        if job.state == "done":
            return Shown(job, verdict=self._verdicts.get(job.number), here=output.is_file())
        if job.state != "running":
            return Shown(job)
        told = self.runner.told
        if told.job == job.number and told.frames:
            job = replace(job, frames_done=told.done, frames=told.frames)
        attempt = (job.number, job.attempts)
        self._paces = {key: pace for key, pace in self._paces.items() if key[0] != job.number or key == attempt}
        pace = self._paces.setdefault(attempt, Pace())
        pace.note(time.monotonic(), job.frames_done)
        return Shown(job, pace.fps, pace.left(job.frames_done, job.frames), job.number in self._stopping)

    def _inspect(self) -> None:
        """Have results looked at that were not yet."""
        for one in self.jobs:
            number = one.job.number
            if one.here and number not in self._looked and not self._ended.is_set():
                self._looked.add(number)
                self._inspecting.submit(self._look_at, number, one.job.order.output)

    def _look_at(self, number: int, output: Path) -> None:
        try:
            found = self._app.inspect(output)
        except UnderstudyError:
            return  # gone, or being moved: the page says that it is not there
        self._verdicts[number] = Verdict(
            found.verdict == "made by this tool",
            "" if found.record is None else found.record.label,
            found.mark is not None,
            found.credentials.state == "valid",
        )

    async def _result(self, request: Request) -> Response:
        """A finished file, to be shown or (``?save``) kept; none but a job's own."""
        found = self.shown(request.path_params["number"])
        if found is None or found.job.state != "done" or not found.job.order.output.is_file():
            return Response(status_code=404)
        output = found.job.order.output
        kind = _TYPES.get(output.suffix.lower(), "application/octet-stream")
        way: Literal["attachment", "inline"] = "attachment" if "save" in request.query_params else "inline"
        return FileResponse(output, media_type=kind, filename=printable(output.name), content_disposition_type=way)
