"""The live room's desk: what is chosen, what runs, and how it fares. All pages share it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from starlette.routing import BaseRoute

from understudy.app import Understudy
from understudy.errors import UnderstudyError, UsageError
from understudy.media.live.cameras import Camera
from understudy.media.live.delayed import MOST_SECONDS
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.live.beginning import Begun, SessionMaker
from understudy.server.studio.live.browser_camera import BrowserCamera
from understudy.server.studio.live.card import SAMPLE
from understudy.server.studio.live.cards import Cards
from understudy.server.studio.live.choices import CameraFormat, Choice, Origin, Outputs, SinkKind
from understudy.server.studio.live.placing import Place, PlacedError, place_of, said_of
from understudy.server.studio.live.preview import Preview, Shown
from understudy.server.studio.live.recordings import Recordings
from understudy.server.studio.live.several import Several, Who
from understudy.server.studio.samples import SampleClip, Samples
from understudy.server.uploads import Uploads
from understudy.sessions import LiveReport, LiveStatistics
from understudy.sessions.outlet import SinkState, unexpected
from understudy.settings import changed

Phase = Literal["idle", "starting", "live", "changing", "stopping"]
#: Seconds without a picture that are worth a word.
_SILENCE: Final = 2.0
#: Seconds between two looks at what there is to know of a session.
_LOOKS: Final = 0.5
#: What is said while nobody is seen, because the face that was shown is not to be seen any more.
_GONE: Final = Fault("fault.face_gone")


class Desk:
    """What one does in the room. Methods that take their time say so; they are called in threads, one at a time.

    Args:
        app: What does the work.
        uploads: Files that were handed over.
        samples: The face that is there at the first start.
        clip: The clip that is there at the first start.
        recordings: The folder for recordings.

    Attributes:
        samples: See above.
        cards: The faces.
        preview: What is seen in the pages.
        camera: The camera of the browser that looks at a page.
        card: The id of the face that is chosen; empty for none.
        several: Who gets which face; None where the chosen one is for whomever the settings choose.
        origin, outputs: Where pictures come from and go.
        camera_format: What a camera is asked for.
        microphone: The device that sound comes from; empty for the source's own.
        settings: How it is done.
        mirror: Whether left and right are exchanged.
        delay: Seconds by which all is late.
        covered: Whether nobody is to be seen.
        phase: What the session does.
        faults: What went wrong, by where a page shows it.
        recordings: What was recorded in this run.
        known_cameras: The cameras that were found when it was looked last; None before that.
    """

    def __init__(self, app: Understudy, uploads: Uploads, samples: Samples, clip: SampleClip, recordings: Path) -> None:
        self._app, self.samples = app, samples
        self.cards, self.preview, self.camera = Cards(app, uploads), Preview(), BrowserCamera()
        self.recordings = Recordings(recordings)
        self._maker = SessionMaker(app, uploads, clip, self.cards, self.camera, self.preview, self.recordings)
        self.card, self.origin, self.outputs = SAMPLE, Origin(), Outputs()
        self.several: Several | None = None
        self.camera_format, self.microphone = CameraFormat(), ""
        self.settings = app.settings
        self.mirror, self.delay, self.covered = False, 0.0, False
        self.phase: Phase = "idle"
        self.faults: dict[Place, Fault] = {}
        self.known_cameras: list[Camera] | None = None
        self._begun: Begun | None = None
        #: Whether the session shows what is not chosen any more, and so nobody is to be seen.
        self._hidden = False
        #: The ids of the cards whose faces it shows.
        self._on_air: tuple[str, ...] = ()
        #: Held by whoever starts or stops.
        self._busy = threading.Lock()
        #: Held while something is noted and passed on to the session, so that none of it passes a session that begins.
        self._passing_on = threading.Lock()
        self.cards.when_removed(self._without)

    @property
    def routes(self) -> list[BaseRoute]:
        """What pages ask for."""
        return [self.preview.route, self.cards.route, *self.camera.routes, self.recordings.route]

    @property
    def origin_used(self) -> Origin:
        """Where pictures come from, or would if it started now."""
        return self.origin if self._begun is None else self._begun.choice.origin

    @property
    def ready(self) -> bool:
        """Whether it could start."""
        used = self._choice().cards
        return bool(used) and set(used) <= {card.id for card in self.cards.all() if card.usable("live")}

    @property
    def used(self) -> tuple[str, ...]:
        """The ids of the cards that are put on somebody."""
        return self._choice().cards

    @property
    def stale(self) -> bool:
        """Whether something was chosen that a running session only has after a new start."""
        begun = self._begun
        if begun is None or self.phase != "live":
            return False
        choice = self._choice()
        return not begun.matches(choice) or choice.cards != self._on_air

    def begin(self) -> None:
        """Add the sample face, and those that were kept: of these the last is chosen. Say what was cut off before."""
        with self._told("faces"):
            self.cards.add_sample(self.samples)
            if usable := [card for card in self.cards.bring_back() if card.usable("live")]:
                self.card = usable[0].id
        self._say_cut_off()
        if wait := self.recordings.sure_after:
            later = threading.Timer(wait + _LOOKS, self._say_cut_off)
            later.daemon = True
            later.start()

    def _say_cut_off(self) -> None:
        if cut_off := self.recordings.cut_off:
            self.faults["outputs"] = Fault("fault.cut_off_recording", ", ".join(cut_off))

    def warm_up(self) -> None:
        """Have the models opened that a session will want. Takes a second."""
        with suppress(UnderstudyError):  # who starts is told
            self.cards.portrait(self.samples.photo)

    def start(self) -> None:
        """Begin a session. Takes seconds."""
        with self._busy:
            if self._begun is None:
                self.phase = "starting"
                self._start(self._choice())

    def stop(self) -> None:
        """End the session; a recording is signed. Takes seconds."""
        with self._busy:
            self._stop("stopping")
            self.preview.clear()

    def restart(self) -> None:
        """End the session and begin another with what is chosen now; pages show the last picture meanwhile.

        Where that can't be, what ran goes on.
        """
        with self._busy:
            if self._begun is not None and self.ready:
                self._begin_anew(self._begun, self._choice())

    def choose(self, number: str) -> None:
        """Take another face: at once, if the session knows it, else by another session. May take seconds."""
        if self.cards[number].usable("live"):
            self.card = number
            self.change_over()

    def share(self, several: Several | None) -> None:
        """Have each of several people get a face of their own, or all the one that is chosen. May take seconds."""
        with self._passing_on:
            self.several = None if several is None else several.only([card.id for card in self.cards.all()])
        self.change_over()

    def give(self, who: Who, gets: str) -> None:
        """Give one of several people a face, by its card's id, or something else. May take seconds."""
        blurs = False
        with self._passing_on:
            if (before := self.several) is not None:
                known = [card.id for card in self.cards.all()]
                self.several = before.given(who, gets).only(known)
                blurs = bool(self.several.blurred - before.blurred)
        self.change_over(blurs=blurs)

    def change_over(self, *, blurs: bool = False) -> None:
        """Have the faces shown that are chosen: by the session that runs, or by another one. May take seconds.

        One that is recorded, or sent somewhere, goes on with the faces that it has until it is restarted, unless
        somebody is to be blurred. What else was chosen waits for a restart, too.

        Args:
            blurs: Whether somebody was just chosen to be blurred.
        """
        if self.faults.get("faces") == _GONE:
            del self.faults["faces"]  # it comes back, if it still holds
        if self.phase == "idle" or self._put_on():
            return
        with self._busy:  # a session that is just being made may not know it, either
            begun = self._begun
            if begun is None or self._put_on():
                return
            shown = begun.choice.several
            if self.several is not None and shown is not None:
                blurs = bool(self.several.blurred - shown.blurred)
            if not self.ready:
                self._hide()
            elif not begun.kinds or self._hidden or blurs:
                faces = replace(begun.choice, card=self.card, several=self.several)
                if not self._begin_anew(begun, faces) and blurs and self._begun is not None:
                    self._hide()  # what goes on shows somebody who is to be blurred

    def _begin_anew(self, begun: Begun, choice: Choice) -> bool:
        """End the session and begin another; where that can't be, what ran goes on.

        Args:
            begun: The session.
            choice: What the other one begins with.

        Returns:
            Whether it was begun.
        """
        before, ran = dict(self.faults), begun.choice
        if ran.several is None and self._on_air:  # another face may have been put on since it began
            ran = replace(ran, card=self._on_air[0])
        self._stop("changing")
        ended = {place: fault for place, fault in self.faults.items() if before.get(place) != fault}
        if not (runs := self._start(choice, goes_on=True)):
            failed = dict(self.faults)
            self._start(ran, back=True)
            ended |= failed
        self.faults = ended | self.faults
        return runs

    def _hide(self) -> None:
        """Nobody is seen until another session shows what is chosen: this one shows what is not chosen any more."""
        self._hidden = True
        self.cover(True)
        self.faults["faces"] = _GONE

    def _put_on(self, choice: Choice | None = None) -> bool:
        """Have the session show the faces of a choice, or those that are chosen now; whether it knows them."""
        begun, choice = self._begun, choice or self._choice()
        if begun is None:
            return False
        try:
            known = begun.put_on(choice, {card.id: card for card in self.cards.all()})
        except UsageError:
            return False
        if known:
            self._on_air = choice.cards
        return known

    def _without(self, number: str) -> None:
        """A face was taken away, in whatever room."""
        seen = number in self._on_air
        if number == self.card:
            self.card = next((one for one in self._on_air if one != number), SAMPLE)
        if self.several is not None:
            self.several = self.several.without(number)
        if seen and self._begun is not None and not self._put_on():
            self._hide()

    def cover(self, covered: bool) -> None:
        """Have nobody seen, or take that back: in all outputs, at once."""
        if not covered and self._hidden and self._begun is not None and not self._put_on():
            return  # what it shows was taken away
        with self._passing_on:
            self.covered = covered
            if self._begun is not None:
                self._begun.session.covered = covered

    def check_clip(self, number: str) -> None:
        """See ``SessionMaker.check_clip``."""
        self._maker.check_clip(number)

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
                self._begun.delay(self.delay)

    def set(self, values: Mapping[str, object]) -> None:
        """Change settings, by their full names; what can't be changed is told at the place for settings."""
        with self._told("settings"), self._passing_on:
            wanted = changed(self.settings, values)
            models = self._app.resources.models.named
            models.check(wanted, [wanted.engine])
            models.check_places(wanted.runtime)
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
        return "" if begun is None else self._app.resources.models.running_on(begun.choice.settings.engine)

    def shown(self) -> Shown:
        """How the pages keep up."""
        return self.preview.shown()

    def _start(self, choice: Choice, *, goes_on: bool = False, back: bool = False) -> bool:
        """Begin a session; the phase tells how that went. What is chosen while it is made is for the next one.

        Args:
            choice: What it begins with.
            goes_on: Whether something else begins where this can't: the pages go on as they are then.
            back: Whether this is what ran before, and not what is chosen now.

        Returns:
            Whether it runs.
        """
        self.faults.clear()
        try:
            begun = self._maker.made(choice)
            with self._passing_on:
                self._begun = begun  # from here on what is pressed reaches it; and what was pressed before:
                begun.session.covered, begun.session.mirror = self.covered, self.mirror
                begun.delay(self.delay)
                self._hidden = False
                with suppress(UsageError):  # what it can't have any more waits for another
                    begun.set(self.settings)
            if not self._put_on(choice if back else None):  # it was taken away meanwhile
                self._hide()
            begun.session.start()
        except PlacedError as placed:
            self._failed(placed.place, placed.fault, choice.origin, goes_on=goes_on)
            return False
        except UnderstudyError as fault:
            self._failed(place_of(fault), fault, choice.origin, goes_on=goes_on)
            return False
        except Exception as fault:  # noqa: BLE001 - of any library: the page must not wait for ever
            self._failed("session", unexpected(fault), choice.origin, goes_on=goes_on)
            return False
        self.phase = "live"
        threading.Thread(target=self._follow, args=(begun,), name="follow", daemon=True).start()
        return True

    def _choice(self) -> Choice:
        """What is chosen now."""
        return Choice(
            self.card,
            self.origin,
            self.outputs,
            self.settings,
            self.delay,
            self.several,
            self.camera_format,
            self.microphone,
        )

    def _failed(self, place: Place, fault: UnderstudyError, origin: Origin, *, goes_on: bool) -> None:
        """Nothing runs, and that is why; or something else goes on, and what the pages show and cover stays."""
        self._begun, self._on_air = None, ()
        if not goes_on:
            self.phase, self.covered = "idle", False
            self.preview.clear()
        self._note(place, said_of(fault, place, origin), origin)

    def _note(self, place: Place, fault: Fault, origin: Origin) -> None:
        """Have a page show a fault of a session, with the user's own name for the clip that pictures came from."""
        self.faults[place] = fault._replace(detail=self._maker.named(origin, fault.detail))

    def _stop(self, phase: Phase) -> LiveReport | None:
        """End the session, if there is one."""
        begun = self._begun
        if begun is None:
            return None
        self.phase = phase
        if phase == "stopping":
            self.covered = False
        try:
            report = begun.session.stop()
            missed = [state for state in begun.session.sinks[1:] if state.reason and not state.reached]
            if missed:
                said = "; ".join(f"{state.name}: {state.reason}" for state in missed)
                self.faults["outputs"] = Fault("fault.never_reached", said)
            return report
        except UnderstudyError as fault:
            place, origin = place_of(fault), begun.choice.origin
            self._note(place, said_of(fault, place, origin), origin)
            return None
        except Exception as fault:  # noqa: BLE001 - the same
            self.faults["session"] = fault_of(unexpected(fault))
            return None
        finally:
            if begun.recording is not None:
                self.recordings.add(begun.recording)
            self._begun, self._on_air = None, ()
            self.phase = "changing" if phase == "changing" else "idle"

    def _follow(self, begun: Begun) -> None:
        """Say what there is to know of a session; wait until it is over by itself, and say why."""
        told: list[tuple[Place, Fault]] = []
        over = False
        while not over:
            over = begun.session.wait(_LOOKS)
            known: list[tuple[Place, Fault]] = [
                *(("source", Fault("fault.source_remark", said)) for said in begun.session.remarks),
                *(("session", Fault("fault.engine_news", said)) for said in begun.session.news),
            ]
            for place, fault in known:
                if (place, fault) not in told:
                    self._note(place, fault, begun.choice.origin)
            told = known
        with self._busy:
            if self._begun is begun:
                self.preview.clear()  # at once: until a recording is signed it may take long
                self._stop("stopping")
                self.preview.clear()

    @contextmanager
    def _told(self, place: Place) -> Iterator[None]:
        """Errors of the block are shown at a place of the page."""
        self.faults.pop(place, None)
        try:
            yield
        except UnderstudyError as fault:
            self.faults[place] = fault_of(fault)
