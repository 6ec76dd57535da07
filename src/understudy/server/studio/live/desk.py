"""The live room's desk: what is chosen, what runs, and how it fares. All pages share it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from understudy.app import Understudy
from understudy.errors import (
    ConsentError,
    InputError,
    NoFaceError,
    OutputError,
    RefusedError,
    UnderstudyError,
    UsageError,
)
from understudy.media.endpoints import SourceEndpoint
from understudy.media.live.base import CaptureOptions, LiveSource
from understudy.media.live.cameras import Camera
from understudy.media.live.capture import open_capture
from understudy.media.live.delayed import MOST_SECONDS, DelayedSource
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.live.browser_camera import BrowserCamera, BrowserCameraError
from understudy.server.studio.live.cards import SAMPLE, Cards
from understudy.server.studio.live.choices import Origin, Outputs, SinkKind, SourceKind, stream_source
from understudy.server.studio.live.preview import Preview, PreviewSink, Shown
from understudy.server.studio.samples import SampleClip, Samples
from understudy.server.uploads import Uploads
from understudy.sessions import LiveReport, LiveSession, LiveStatistics
from understudy.sessions.outlet import SinkState, unexpected
from understudy.sessions.session import CHANGEABLE
from understudy.settings import Settings, changed

Phase = Literal["idle", "starting", "live", "changing", "stopping"]
Place = Literal["session", "faces", "source", "outputs", "settings"]
#: What is said of a source that can't be used, by its kind.
_SOURCE_FAULTS: Final[Mapping[SourceKind, str]] = {
    "camera": "fault.camera",
    "browser": "fault.browser_none",
    "stream": "fault.stream",
    "clip": "fault.no_clip",
    "sample": "fault.input",
}
#: Seconds without a picture that are worth a word.
_SILENCE: Final = 2.0
RECORDINGS: Final = "/live/recordings"


@dataclass(frozen=True)
class Recording:
    """A file that was recorded: known by a number, so that no page names a path."""

    number: int
    path: Path


@dataclass(frozen=True)
class _Begun:
    """What a session began with."""

    session: LiveSession
    cards: tuple[str, ...]
    origin: Origin
    outputs: Outputs
    kinds: tuple[SinkKind, ...]
    settings: Settings
    delayed: DelayedSource
    recording: Path | None

    def set(self, settings: Settings) -> None:
        """Have those of the settings hold at once that can change while it runs.

        Raises:
            UsageError: they can't be that while it runs.
        """
        now = {name: getattr(settings, name) for name in CHANGEABLE}
        self.session.settings = replace(self.session.settings, **now)

    def holds(self, settings: Settings) -> bool:
        """Whether those of the settings hold that can change while it runs."""
        return all(getattr(self.session.settings, name) == getattr(settings, name) for name in CHANGEABLE)


class Desk:
    """What one does in the room. Methods that take their time say so; they are called in threads, one at a time.

    Args:
        app: What does the work.
        uploads: Files that were handed over.
        samples: The face that is there at the first start.
        clip: The clip that is there at the first start.
        recordings: The folder for recordings.

    Attributes:
        cards: The faces.
        preview: What is seen in the pages.
        camera: The camera of the browser that looks at a page.
        card: The id of the face that is chosen; empty for none.
        origin, outputs: Where pictures come from and go.
        settings: How it is done.
        mirror: Whether left and right are exchanged.
        delay: Seconds by which all is late.
        covered: Whether nobody is to be seen.
        phase: What the session does.
        faults: What went wrong, by where a page shows it.
        recorded: What was recorded in this run, the newest last.
    """

    def __init__(self, app: Understudy, uploads: Uploads, samples: Samples, clip: SampleClip, recordings: Path) -> None:
        self._app, self._uploads, self._folder = app, uploads, recordings
        self.samples, self._clip = samples, clip
        self.cards, self.preview, self.camera = Cards(app, uploads), Preview(), BrowserCamera()
        self.card, self.origin, self.outputs = SAMPLE, Origin(), Outputs()
        self.settings = app.settings
        self.mirror, self.delay, self.covered = False, 0.0, False
        self.phase: Phase = "idle"
        self.faults: dict[Place, Fault] = {}
        self.recorded: list[Recording] = []
        #: The cameras that were found when it was looked last; None before that.
        self.known_cameras: list[Camera] | None = None
        self._begun: _Begun | None = None
        self._busy = threading.Lock()
        #: Held while something is noted and passed on to the session, so that none of it passes a session that begins.
        self._passing_on = threading.Lock()
        self.cards.when_removed(self._without)

    @property
    def folder(self) -> Path:
        """Where recordings are written to."""
        return self._folder

    @property
    def routes(self) -> list[BaseRoute]:
        """What pages ask for."""
        recordings = Route(f"{RECORDINGS}/{{number:int}}", self._recording)
        return [self.preview.route, self.cards.route, *self.camera.routes, recordings]

    @property
    def origin_used(self) -> Origin:
        """Where pictures come from, or would if it started now."""
        return self.origin if self._begun is None else self._begun.origin

    @property
    def ready(self) -> bool:
        """Whether it could start."""
        return any(card.id == self.card and card.allowed for card in self.cards.all())

    @property
    def stale(self) -> bool:
        """Whether something was chosen that a running session only has after a new start."""
        begun = self._begun
        if begun is None or self.phase != "live":
            return False
        kept = {name: getattr(self.settings, name) for name in CHANGEABLE}
        same = replace(begun.settings, **kept) == self.settings and begun.holds(self.settings)
        return not same or begun.origin != self.origin or begun.outputs != self.outputs

    def begin(self) -> None:
        """Add the sample face."""
        with self._told("faces"):
            self.cards.add_sample(self.samples)

    def warm_up(self) -> None:
        """Have the models opened that a session will want. Takes a second."""
        with suppress(UnderstudyError):  # who starts is told
            self.cards.portrait(self.samples.photo)

    def start(self) -> None:
        """Begin a session. Takes seconds."""
        with self._alone() as free:
            if free and self._begun is None:
                self.phase = "starting"
                self._start()

    def stop(self) -> None:
        """End the session; a recording is signed. Takes seconds."""
        with self._alone(wait=True):
            self._stop("stopping")
            self.preview.clear()

    def restart(self) -> None:
        """End the session and begin another with what is chosen now; pages show the last picture meanwhile."""
        with self._alone() as free:
            if free and self._begun is not None:
                self._stop("changing")
                self._start()

    def choose(self, number: str) -> None:
        """Take another face: at once, if the session knows it, else by another session. May take seconds."""
        card = self.cards[number]
        if not card.allowed:
            return
        self.card = number
        if self.phase == "idle" or self._put_on():
            return
        with self._alone(wait=True):  # a session that is just being made may not know it, either
            if self._begun is not None and not self._put_on():
                self._stop("changing")
                self._start()

    def _put_on(self) -> bool:
        """Have the session show the face that is chosen; whether it knows it."""
        begun, card = self._begun, self.card
        if begun is None or card not in begun.cards:
            return False
        with self._told("faces"):
            begun.session.identity = begun.cards.index(card)
        return True

    def _without(self, number: str) -> None:
        """A face was taken away, in whatever room."""
        if number == self.card:
            self.card = SAMPLE
            if not self._put_on() and self._begun is not None:
                self.cover(True)  # whoever is shown now was taken away

    def cover(self, covered: bool) -> None:
        """Have nobody seen, or take that back: in all outputs, at once."""
        with self._passing_on:
            self.covered = covered
            if self._begun is not None:
                self._begun.session.covered = covered

    def check_clip(self, number: str) -> None:
        """Make sure that a clip that was handed over can be played; it is removed if not.

        Raises:
            UnderstudyError: it can't.
        """
        source = open_capture(SourceEndpoint("file", str(self._uploads[number].path)), CaptureOptions())
        try:
            source.open()
        except BaseException:
            self._uploads.remove(number)
            raise
        finally:
            source.close()

    def turn(self, mirror: bool) -> None:
        """Show the picture as a mirror does, or not."""
        with self._passing_on:
            self.mirror = mirror
            if self._begun is not None:
                self._begun.session.mirror = mirror

    def wait(self, seconds: float) -> None:
        """Have all be late by so many seconds."""
        with self._passing_on:
            self.delay = min(max(seconds, 0.0), MOST_SECONDS)
            if self._begun is not None:
                self._begun.delayed.seconds = self.delay

    def set(self, values: Mapping[str, object]) -> None:
        """Change settings, by their full names; what can't be changed is told at the place for settings."""
        with self._told("settings"), self._passing_on:
            wanted = changed(self.settings, values)
            if self._begun is not None:
                self._begun.set(wanted)
            self.settings = wanted

    def sinks(self) -> dict[SinkKind, SinkState]:
        """How the outputs fare."""
        begun = self._begun
        return {} if begun is None else dict(zip(begun.kinds, begun.session.sinks[1:], strict=False))

    def statistics(self) -> LiveStatistics | None:
        """What the session did so far; None if none runs."""
        begun = self._begun
        if begun is None or self.phase != "live":
            return None
        with suppress(UsageError):
            return begun.session.statistics()
        return None

    @property
    def seconds(self) -> float | None:
        """For how long the session has been running; None if none does."""
        begun = self._begun
        if begun is None or self.phase != "live":
            return None
        with suppress(UsageError):
            return time.monotonic() - begun.session.begun
        return None

    @property
    def silent(self) -> bool:
        """Whether a session runs and no picture comes: the source was lost, and is waited for."""
        last, seconds = self.preview.last_at, self.seconds
        if seconds is None or seconds < _SILENCE + self.delay:
            return False
        return last is None or time.monotonic() - last > _SILENCE

    @property
    def device(self) -> str:
        """Where the engine of the session really runs."""
        begun = self._begun
        return "" if begun is None else self._app.resources.models.running_on(begun.settings.engine)

    def shown(self) -> Shown:
        """How the pages keep up."""
        return self.preview.shown()

    def _start(self) -> None:
        """Begin a session; the phase tells how that went."""
        self.faults.clear()
        origin = self.origin  # another may be chosen meanwhile
        try:
            begun = self._made(origin)
            with self._passing_on:
                self._begun = begun  # from here on what is pressed reaches it; and what was pressed before:
                begun.session.covered, begun.session.mirror = self.covered, self.mirror
                begun.delayed.seconds = self.delay
                with suppress(UsageError):  # what it can't have any more waits for another
                    begun.set(self.settings)
            self._put_on()
            begun.session.start()
        except _PlacedError as placed:
            self._failed(placed.place, placed.fault, origin)
            return
        except UnderstudyError as fault:
            self._failed(_place_of(fault), fault, origin)
            return
        except Exception as fault:  # noqa: BLE001 - of any library: the page must not wait for ever
            self._failed("session", unexpected(fault), origin)
            return
        self.phase = "live"
        threading.Thread(target=self._follow, args=(begun,), name="follow", daemon=True).start()

    def _failed(self, place: Place, fault: UnderstudyError, origin: Origin) -> None:
        """Nothing runs, and that is why."""
        self._begun, self.phase, self.covered = None, "idle", False
        self.preview.clear()
        self._note(place, fault, origin)

    def _note(self, place: Place, fault: UnderstudyError, origin: Origin) -> None:
        """Have a fault of a session shown that took its pictures from there."""
        found = fault_of(fault)
        if place == "source" and isinstance(fault, (InputError, UsageError)):
            found = Fault(_SOURCE_FAULTS[origin.kind], f"{fault.message}. {fault.hint}")
        if isinstance(fault, BrowserCameraError):
            found = Fault(fault.text)
        self.faults[place] = found

    def _made(self, origin: Origin) -> _Begun:
        """A session that has not begun.

        Raises:
            UnderstudyError: something that is chosen can't be.
        """
        wanted, settings = self.outputs, self.settings  # what is chosen while it is made is for the next one
        with _at("faces"):
            self.cards.look()
            if not self.ready:
                raise ConsentError("no face is chosen that may be used", "Press its card and say whose it is.")
        cards = [card for card in self.cards.all() if card.allowed]
        # Whoever is chosen comes first, and so is used first.
        cards.sort(key=lambda card: card.id != self.card)
        with _at("source"):
            delayed = DelayedSource(self._opened(origin), self.delay)
        with _at("outputs"):
            outputs = wanted.endpoints(self._folder)
            if "recording" in outputs:
                self._make_folder()
        session: LiveSession
        session = self._app.live(
            [self.cards.person(card) for card in cards],
            delayed,
            [lambda _: PreviewSink(self.preview, session.begun), *outputs.values()],
            settings=settings,
        )
        file = outputs.get("recording")
        return _Begun(
            session,
            tuple(card.id for card in cards),
            origin,
            wanted,
            tuple(outputs),
            settings,
            delayed,
            None if file is None else Path(file.place),
        )

    def _opened(self, origin: Origin) -> LiveSource:
        """What pictures come from."""
        if origin.kind == "browser":
            return self.camera.source()
        return open_capture(self._source(origin), CaptureOptions(loop=True))

    def _source(self, origin: Origin) -> SourceEndpoint:
        if origin.kind == "sample":
            return SourceEndpoint("file", str(self._clip.wait()))
        if origin.kind == "clip":
            return SourceEndpoint("file", str(self._uploads[origin.place].path))
        if origin.kind == "stream":
            return stream_source(origin.place)
        return SourceEndpoint("camera", origin.place)

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise OutputError(
                f"recordings can't be written to {self._folder}: {fault.strerror}", "Name another with --recordings."
            ) from fault

    def _stop(self, phase: Phase) -> LiveReport | None:
        """End the session, if there is one."""
        begun = self._begun
        if begun is None:
            return None
        self.phase = phase
        if phase == "stopping":
            self.covered = False
        try:
            return begun.session.stop()
        except UnderstudyError as fault:
            self._note(_place_of(fault), fault, begun.origin)
            return None
        except Exception as fault:  # noqa: BLE001 - the same
            self._note("session", unexpected(fault), begun.origin)
            return None
        finally:
            if begun.recording is not None and begun.recording.exists():
                self.recorded.append(Recording(len(self.recorded), begun.recording))
            self._begun = None
            self.phase = "changing" if phase == "changing" else "idle"

    def _follow(self, begun: _Begun) -> None:
        """Wait until a session is over by itself, and say why."""
        begun.session.wait()
        with self._alone(wait=True):
            if self._begun is begun:
                self._stop("stopping")
                self.preview.clear()

    @contextmanager
    def _alone(self, *, wait: bool = False) -> Iterator[bool]:
        """Keep others from starting and stopping; gives whether that was free, or has become so."""
        free = self._busy.acquire(blocking=wait)
        try:
            yield free
        finally:
            if free:
                self._busy.release()

    @contextmanager
    def _told(self, place: Place) -> Iterator[None]:
        """Errors of the block are shown at a place of the page."""
        self.faults.pop(place, None)
        try:
            yield
        except UnderstudyError as fault:
            self.faults[place] = fault_of(fault)

    async def _recording(self, request: Request) -> Response:
        number = request.path_params["number"]
        if number >= len(self.recorded) or not self.recorded[number].path.is_file():
            return Response(status_code=404)
        path = self.recorded[number].path
        return FileResponse(path, filename=path.name, content_disposition_type="attachment")


class _PlacedError(Exception):
    """An error, and where a page shows it."""

    def __init__(self, place: Place, fault: UnderstudyError) -> None:
        super().__init__(fault.message)
        self.place, self.fault = place, fault


@contextmanager
def _at(place: Place) -> Iterator[None]:
    """Note where a page shows the errors of a block.

    Raises:
        _PlacedError: in place of them.
    """
    try:
        yield
    except UnderstudyError as fault:
        raise _PlacedError(place, fault) from fault


def _place_of(fault: UnderstudyError) -> Place:
    """Where a page shows what a session fails with."""
    if isinstance(fault, (RefusedError, NoFaceError)):
        return "faces"
    if isinstance(fault, InputError):
        return "source"
    return "outputs" if isinstance(fault, OutputError) else "session"
