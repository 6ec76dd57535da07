"""The picture or clip that is open in the room: who is in it, and what happens when."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Literal, NamedTuple

import cv2

from understudy.app import Understudy
from understudy.casting.clip_person import ClipPerson
from understudy.errors import CorruptMediaError
from understudy.media.files import MediaKind
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.clips.edits import Edit, Edits
from understudy.server.studio.clips.frames import Frames
from understudy.server.studio.clips.player import Player
from understudy.tasks.people import PeopleReport
from understudy.tasks.timeline import Timeline, timeline_of_file

#: What is looked for: its people first, then what happens when; after that nothing.
Phase = Literal["people", "timeline", "ready", "failed"]


class Earlier(NamedTuple):
    """What was decided in an earlier run.

    Attributes:
        edit: That.
        strangers: Of the people who are found now, says by number who was somebody else then.
    """

    edit: Edit
    strangers: Callable[[Iterable[ClipPerson]], Collection[int]]


class _ClosedError(Exception):
    """The clip was closed while it was looked at."""


class Clip:
    """One file. It is looked at in a thread of its own.

    Args:
        app: What does the work.
        path: The file.
        name: What the user calls it.
        faulty: Told what is wrong with it.
        earlier: What was decided of it in an earlier run, if anything was.

    Attributes:
        id: 16 hexadecimal digits: a page that still shows another clip asks for nothing of this one.
        path, name: See above.
        frames: Any of its frames.
        player: Plays it.
        edits: What was decided of it.
        phase: What is looked for just now.
        share: How much of it was looked at, 0-1.
        report: Its people; None until they are known.
        timeline: None until it is known; pictures have none.

    Raises:
        InputError: it can't be read.
    """

    def __init__(
        self,
        app: Understudy,
        path: Path,
        name: str,
        faulty: Callable[[Fault], object],
        earlier: Earlier | None = None,
    ) -> None:
        self._app, self._faulty, self._earlier = app, faulty, earlier
        self.id = secrets.token_hex(8)
        self.path, self.name = path, name
        self.frames = Frames(app, path)
        self.player = Player(app, path, self.frames.info)
        self.phase: Phase = "people"
        self.share = 0.0
        self.report: PeopleReport | None = None
        self.timeline: Timeline | None = None
        self.edits = Edits(self.seconds, self.step)
        if earlier is not None:
            self.edits.go_on(earlier.edit)
        self._closed = threading.Event()
        self._thumbnails: dict[int, bytes] = {}
        self._thread = threading.Thread(target=self._look, name="people", daemon=True)
        self._thread.start()

    @property
    def moves(self) -> bool:
        """Whether it is no still picture."""
        return self.frames.info.kind is not MediaKind.IMAGE

    @property
    def seconds(self) -> float:
        """How long it is, as far as is known."""
        if self.timeline is not None:
            return self.timeline.seconds
        info = self.frames.info
        if not self.moves:
            return 0.0
        return float(info.duration or (info.frames or 0) / float(info.rate or 25))

    @property
    def step(self) -> float:
        """Seconds from one frame to the next, as a rule."""
        return 1 / float(self.frames.info.rate or 25)

    def thumbnail(self, number: int) -> bytes | None:
        """A JPEG of one of its people; None if there is none."""
        return self._thumbnails.get(number)

    def close(self) -> None:
        """Stop looking at it, and let it go."""
        self._closed.set()
        self._thread.join()
        self.player.stop()
        self.frames.close()

    def _look(self) -> None:
        try:
            settings = self._app.settings
            report = self._app.people(self.path, progress=self._progress)
            for one in report.people:
                if one.thumbnail is not None:
                    self._thumbnails[one.number] = cv2.imencode(".jpg", one.thumbnail)[1].tobytes()
            if report.damage is not None:
                damage = CorruptMediaError(Path(self.name), report.damage.at_seconds, report.damage.reason)
                self._faulty(Fault("fault.damaged", damage.message))
            if self._earlier is not None and (strangers := self._earlier.strangers(report.people)):
                self.edits.forget(strangers)
                self._faulty(Fault("fault.other_people"))
            self.report, self.share = report, 0.0
            if self.moves and report.people:
                self.phase = "timeline"
                models = self._app.resources.models
                self.timeline = timeline_of_file(self.path, report.people, settings, models, self._progress)
                self.edits.seconds = self.seconds  # that is sure now
            self.phase = "ready"
        except _ClosedError:
            pass
        except Exception as fault:  # noqa: BLE001 - of any library: the page must not wait for ever
            self.phase = "failed"
            self._faulty(fault_of(fault, "target"))

    def _progress(self, done: int, frames: int | None) -> None:
        if self._closed.is_set():
            raise _ClosedError
        whole = frames or round(self.seconds / self.step)
        self.share = min(done / whole, 1.0) if whole else 0.0
