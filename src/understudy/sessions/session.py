"""A live session: capture, swap, label and hand over, each in a thread of its own, newest frame only."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.casting.assignment import OnePerson
from understudy.casting.cast import PartList
from understudy.casting.likeness import embedded_photos
from understudy.casting.live_roles import LiveRoles, live_roles
from understudy.casting.person import People, Person
from understudy.errors import ConsentError, ContentRefusedError, UnderstudyError, UsageError, beside
from understudy.frames import Frame, LabelledFrame
from understudy.interruptions import deferred, once
from understudy.media.live.base import LiveInfo, LiveSink, LiveSource
from understudy.media.live.microphone import SoundSource
from understudy.pipeline.library_threads import one_library_thread
from understudy.pipeline.live import LivePipeline
from understudy.release import Release
from understudy.resources import Resources
from understudy.sessions import collector
from understudy.sessions.consent_watch import watch_consents
from understudy.sessions.faces_shown import FacesShown
from understudy.sessions.fitting_settings import changed_while_running, check_settings
from understudy.sessions.intake import Intake
from understudy.sessions.opening import Opened
from understudy.sessions.outlet import SinkState, unexpected
from understudy.sessions.outlets import PATIENCE, Outlets
from understudy.sessions.statistics import LiveReport, LiveStatistics, Recorder, StatisticsFile
from understudy.settings import Settings
from understudy.swapping import Identity

#: Unit of the frames' times.
_UNIT = Fraction(1, 1_000_000)
#: The mean time a frame takes follows each frame's by this share; below this share of a frame's length, we keep up.
_LEARNING, _KEEPS_UP = 0.1, 0.85
#: Seconds between two writes of the statistics file.
_SAVE_EVERY = 1.0

#: Makes a sink once the session knows how its files are signed.
MakeSink = Callable[[Release], LiveSink]


class LiveSession:
    """Puts a face onto whoever is in front of a source, as it happens. A context manager.

    Args:
        cast: Whose faces may be used, of whom the first is used first, see ``identity``; or who gets whose.
        source: Where pictures come from.
        sinks: Where they go: functions from the session's release to a sink.
        settings: Everything else.
        resources: What is opened.
        known: Whose faces are known already.
        mirror: Turn the picture as a mirror does.
        stats_file: Where statistics are written every second; None for nowhere.
        overwrite_stats: Whether a file that is there already may be replaced by them.
        microphone: Where sound comes from, in place of the source's own.

    Raises:
        UsageError, InputError: no photo or sink, or the source can't be opened.
        RefusedError: the photos may not be used.
    """

    def __init__(
        self,
        cast: Sequence[Person] | PartList,
        source: LiveSource,
        sinks: Sequence[MakeSink],
        settings: Settings,
        *,
        resources: Resources,
        known: People,
        mirror: bool = False,
        stats_file: Path | None = None,
        overwrite_stats: bool = False,
        microphone: SoundSource | None = None,
    ) -> None:
        people = cast.persons if isinstance(cast, PartList) else list(cast)
        if not people or not sinks:
            raise UsageError("a live session needs a photo and an output", "Name one of each at least.")
        self._settings = settings
        self._resources, self._known = resources, known
        check_settings(settings, cast if isinstance(cast, PartList) else None)
        self._make_sinks = list(sinks)
        self._people, self._parts = people, cast if isinstance(cast, PartList) else None
        self.mirror = mirror
        self._stats_file = None if stats_file is None else StatisticsFile(stats_file, overwrite=overwrite_stats)
        self._first = self._changed = settings  # those it begins with, and those that are asked for now
        self._stop, self._over = threading.Event(), threading.Event()
        self._intake = Intake(source, microphone, self._stop, self._over)
        self._outlets = Outlets(self._end_for)
        self._threads: list[threading.Thread] = []
        self._error: UnderstudyError | None = None
        self._ending = threading.RLock()
        self._outcome: LiveReport | UnderstudyError | None = None
        self._notes: list[str] = []
        self._news: list[str] = []
        self._shown = FacesShown()
        self._covered = False
        self._recorder: Recorder | None = None
        self._afterwards = contextlib.ExitStack()

    def afterwards(self, call: Callable[[], None]) -> None:
        """Have something done once this has ended, or could not begin: closing what was opened for it alone."""
        self._afterwards.callback(call)

    def start(self) -> None:
        """Open everything and begin. A session runs once.

        Raises:
            UsageError: it has begun before.
            UnderstudyError: see the class; nothing runs then.
        """
        if self._recorder is not None:
            raise UsageError("this session was started before", "A session runs once: make another one.")
        try:
            self._start()
        except BaseException:
            self._afterwards.close()
            raise

    def _start(self) -> None:
        self._afterwards.enter_context(one_library_thread())
        opened = Opened.of(self._parts or self._people, self._settings, self._resources, self._known, self.afterwards)
        self._opened = opened
        self._notes += opened.notes
        self._assignment = self._assigned(opened.settings)
        self._pipeline = LivePipeline(opened.parts, self._assignment, opened.guard)
        self._info = self._intake.open()
        self._pipeline.expect(float(self._info.fps))
        opened.parts.content.target = self._info.name
        # From here on frames are counted, and every session leaves a record, however it ends.
        self._recorder = Recorder()
        try:
            self._opened.output.release.enter()
            self._opened.output.sealer.check(self._info.width, self._info.height)
            self._begin()
        except BaseException:
            if not self._threads:  # whoever reads it closes it
                self._intake.close()
            with contextlib.suppress(UnderstudyError):
                self.stop()
            raise

    def _assigned(self, settings: Settings) -> OnePerson | LiveRoles:
        """Who gets whose face."""
        if self._parts is None:
            return OnePerson(self._identity(), settings.blend.strength)
        models = self._resources.models
        likeness = embedded_photos(self._parts, settings, models)
        return live_roles(self._parts, models.embedder(settings), likeness, self._opened.faces.assigned)

    def _identity(self) -> Identity:
        """What the chosen person's photos give the engine."""
        return self._opened.faces.uses[self._people[self._shown.chosen], None].identity

    def _begin(self) -> None:
        assert self._recorder is not None
        self._pipeline.covered = self._covered
        if isinstance(self._assignment, OnePerson):
            self._shown.begin()
            self._assignment.identity = self._identity()  # another may have been chosen meanwhile
        sinks = [make(self._opened.output.release) for make in self._make_sinks]
        self._outlets.open(sinks, self._info, self._recorder)
        collector.set_aside(self)
        self._outlets.start()
        own = (("swap", self._work), ("stats", self._save), ("consents", self._watch_consents))
        for name, run in (*self._intake.work(self._recorder, self._outlets.hear), *own):
            thread = threading.Thread(target=self._watched, args=(run,), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    @property
    def info(self) -> LiveInfo:
        """What the source delivers.

        Raises:
            UsageError: it has not begun.
        """
        self._check_begun()
        return self._info

    @property
    def identity(self) -> int:
        """Whose face is used, as a number into ``people``. Set before it begins, or for the next frame.

        Raises:
            UsageError: there is no such person, or who gets whose face is settled by the cast.
            ConsentError: that face may not be used any more.
        """
        return self._shown.chosen

    @identity.setter
    def identity(self, number: int) -> None:
        if isinstance(number, bool) or not isinstance(number, int):
            raise TypeError(f"a person is chosen by number, not by {type(number).__name__}")
        if not 0 <= number < len(self._people):
            raise UsageError(f"there is no person {number}", f"There are {len(self._people)}, counted from 0.")
        if self._parts is not None:
            raise UsageError("who gets whose face is settled by the cast", "Start another session for another cast.")
        if self._recorder is not None:
            self._opened.trust.check_consents(self._consents_of((number,)))
        self._shown.chosen = number

    @property
    def covered(self) -> bool:
        """Whether all of every frame is blurred in all outputs, from the frame on that is being worked on.

        While no picture comes, the last one is blurred; it is taken back with the next one.
        """
        return self._covered

    @covered.setter
    def covered(self, covered: bool) -> None:
        self._covered = covered
        if self._recorder is not None:
            self._pipeline.covered = covered

    @property
    def settings(self) -> Settings:
        """How the swap is done. What is set takes effect with the next frame.

        Raises:
            UsageError: on setting what can't be changed while it runs (all but the fields of ``CHANGEABLE``).
        """
        return self._changed

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._changed = changed_while_running(self._first, settings, self._parts)

    @property
    def people(self) -> int:
        """How many people there are to choose from; none where a cast says who gets whose face."""
        return len(self._people) if self._parts is None else 0

    @property
    def stopped(self) -> bool:
        """Whether it was stopped, or has not begun."""
        return self._recorder is None or self._stop.is_set()

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return bool(self._threads) and not self._over.is_set()

    @property
    def begun(self) -> float:
        """When it began (``time.monotonic``): the frames' times count from there.

        Raises:
            UsageError: it has not.
        """
        self._check_begun()
        assert self._recorder is not None
        return self._recorder.begun

    @property
    def sinks(self) -> tuple[SinkState, ...]:
        """How its sinks fare, in the order in which they were given; none before it has begun."""
        return self._outlets.states

    def statistics(self) -> LiveStatistics:
        """What it did so far.

        Raises:
            UsageError: it has not begun.
        """
        self._check_begun()
        assert self._recorder is not None
        tally = self._pipeline.tally
        return self._recorder.summary(tally, self._pipeline.neural_rate)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of what came in so far."""
        return tuple(self._intake.remarks)

    @property
    def news(self) -> tuple[str, ...]:
        """What the user should know of how it fared so far."""
        return tuple(self._news)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known once it has ended, by a failure, too, such as what was recorded."""
        return tuple(dict.fromkeys([*self._notes, *self._outlets.notes]))

    def tell(self, what: str) -> None:
        """Have those who watch the session know something: it is among its events, and its news.

        Args:
            what: A sentence.
        """
        if self._recorder is not None:
            self._recorder.event(what)
        self._news.append(what)

    def events_after(self, number: int) -> list[str]:
        """What happened since the first ``number`` events."""
        return self._recorder.events_after(number) if self._recorder is not None else []

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is over (the source ended, a sink was closed or all failed); whether it is.

        Raises:
            UsageError: it has not begun, and would never be over.
        """
        self._check_begun()
        return self._over.wait(seconds)

    def stop(self) -> LiveReport:
        """End: devices are given back, recordings signed. Asked again, it says the same again.

        Raises:
            UnderstudyError: what ended it, if that was a failure; or it never began.
        """
        self._check_begun()
        with self._ending, once():
            if self._outcome is None:
                try:
                    self._outcome = self._ended()
                except UnderstudyError as fault:
                    self._outcome = fault
                except BaseException:
                    self._cut_short()
                    raise
                finally:
                    self._afterwards.close()
            if isinstance(self._outcome, UnderstudyError):
                raise self._outcome
            return self._outcome

    def _check_begun(self) -> None:
        if self._recorder is None:
            raise UsageError("this session has not begun", "Start it first.")

    def _cut_short(self) -> None:
        """Interrupted while it ended: nobody is waited for any more, but what signs is to have let go."""
        with deferred():
            self._outlets.abandon()
            self._pipeline.close()

    def _ended(self) -> LiveReport:
        self._stop.set()
        self._over.set()
        collector.put_back(self)
        self._intake.pictures.close()
        self._outlets.end_pictures()
        until = time.monotonic() + PATIENCE
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))
        if any(thread.is_alive() for thread in self._threads):
            self._intake.abandon()
            for thread in self._threads:
                thread.join(PATIENCE)
        self._watched(self._pipeline.settle)  # a recording is not signed before its last look
        self._outlets.finish()
        self._notes += [*self._outlets.notes, *self._news, *self._intake.remarks]
        self._pipeline.close()
        statistics = self.statistics()
        failure = self._error or self._outlets.failure
        try:
            self._opened.output.release.enter()
            if self._stats_file is not None:
                self._stats_file.save(statistics)
        except UnderstudyError as fault:
            failure = failure or fault
        if failure is not None:
            raise failure
        identifier = f"{self._opened.output.sealer.identifier:012x}"
        notes = tuple(dict.fromkeys([*self._notes, self._opened.parts.content.note]))
        return LiveReport(identifier, self._opened.faces.consents, statistics, notes)

    def __enter__(self) -> LiveSession:
        if self._recorder is None or self._stop.is_set():
            self.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if not self._stop.is_set():
            with beside(error):  # ``stop`` says it again, whenever it is asked
                self.stop()

    def _watched(self, run: Callable[[], None]) -> None:
        """Run a thread's function: whatever it fails with ends the session, and is told."""
        try:
            run()
        except UnderstudyError as fault:
            self._end_for(fault)
        except BaseException as fault:  # noqa: BLE001 - of any library: a thread must not die in silence
            self._end_for(unexpected(fault))

    def _work(self) -> None:
        assert self._recorder is not None
        last, usual = -1, 0.0
        period = float(1 / self._info.fps)
        while not self._stop.is_set():
            item = self._intake.pictures.get(0.2)
            begin = time.monotonic()
            last = max(last + 1, round(((begin if item is None else item.at) - self._recorder.begun) / _UNIT))
            if item is None:
                if (covered := self._pipeline.cover_last(last, _UNIT)) is not None:
                    self._outlets.put(covered)
                continue
            self._outlets.put(self._made(item.picture, last))
            self._shown.handed_over(float(last * _UNIT), self._settings.guard.hold_seconds)
            # A frame that waited for a slow one is worth showing as long as we catch up; else only the newest is.
            usual += _LEARNING * (time.monotonic() - begin - usual)
            self._intake.pictures.depth = 2 if usual < _KEEPS_UP * period else 1

    def _made(self, picture: UInt8Array, pts: int) -> LabelledFrame:
        """A picture, swapped and labelled: with the face and the settings that are asked for now."""
        assert self._recorder is not None
        changed = self._changed
        if changed is not self._settings:
            self._settings = changed
            self._pipeline.adopt(changed)
        if isinstance(self._assignment, OnePerson):
            self._assignment.strength = changed.blend.strength
            if self._shown.changed(float(pts * _UNIT)):
                self._assignment.identity = self._identity()
                self._pipeline.forget_shown()
        if self.mirror:
            picture = np.asarray(cv2.flip(picture, 1), np.uint8)
        labelled = self._pipeline.process(Frame(picture, pts=pts, time_base=_UNIT))
        self._recorder.made()
        for what in self._pipeline.news():
            self.tell(what)
        return labelled

    def _save(self) -> None:
        assert self._recorder is not None
        while self._stats_file is not None and not self._stop.wait(_SAVE_EVERY):
            try:
                self._stats_file.save(self.statistics())
            except UnderstudyError as fault:
                self._recorder.event(f"statistics not written: {fault.message}")
                return

    def _watch_consents(self) -> None:
        watch_consents(self._opened.trust, lambda: self._consents_of(self._shown.numbers), self._stop)

    def _consents_of(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """The records that allow showing some of several people; of a cast those of everybody."""
        faces = self._opened.faces
        if self._parts is not None:
            return faces.consents
        return tuple(record for number in numbers for record in faces.uses[self._people[number], None].consents)

    def _end_for(self, fault: UnderstudyError | None) -> None:
        """End, for a failure or because a user closed a sink.

        What failed first is told, for others follow from it; a refusal is told whenever it came.
        """
        if fault is not None and (self._error is None or _gravity(fault) > _gravity(self._error)):
            self._error = fault
        # At once, not when somebody stops the session: the last frame would be shown again and again.
        if isinstance(fault, ContentRefusedError):
            self._outlets.refuse()
        elif isinstance(fault, ConsentError):  # a recording of what was allowed is kept, and signed after the last look
            self._outlets.end_pictures()
        self._over.set()


def _gravity(fault: UnderstudyError) -> int:
    """Which of two failures is told: a refusal for the content before one for want of consent before all others."""
    return 2 if isinstance(fault, ContentRefusedError) else int(isinstance(fault, ConsentError))
