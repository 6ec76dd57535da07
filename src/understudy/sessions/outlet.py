"""One sink's thread: it takes the newest frame, keeps the cadence, and comes back when the sink was lost."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from understudy.errors import RunError, UnderstudyError, of_the_system
from understudy.frames import LabelledFrame
from understudy.media.live.base import LiveInfo, LiveSink, SinkClosed, SinkLostError, Sound
from understudy.sessions.slots import Slot
from understudy.sessions.statistics import Recorder

#: Seconds between two tries to reach a sink that was lost: twice as long each time, up to the last.
FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
#: Frame lengths without a new frame after which the last one is repeated.
_LATE = 1.6
#: Pieces of sound that may wait.
_SOUNDS = 200
#: Least seconds between two frames.
_LEAST = 0.001


def unexpected(fault: BaseException) -> RunError:
    """An error of some library, as one of this package's: also one that was meant to end the program."""
    known = of_the_system(fault) if isinstance(fault, Exception) else None
    if known is not None:
        known.__cause__ = fault
        return known
    text = " ".join(str(fault).split()) or "no message"
    error = RunError(f"unexpected {type(fault).__name__}: {text}", "Run it again with --debug and report what it says.")
    error.__cause__ = fault
    return error


@dataclass(frozen=True)
class SinkState:
    """How a sink fares.

    Attributes:
        name: For people and statistics.
        doing: ``opening``: it was not reached yet; ``open``; ``lost``: it is tried again; ``ended``: it takes no more.
        failure: Why it ended, if that was a failure.
        reached: Whether it was ever there.
        reason: Why the last try to reach it failed; empty while it is there, and before the first try has.
    """

    name: str
    doing: Literal["opening", "open", "lost", "ended"]
    failure: UnderstudyError | None
    reached: bool = True
    reason: str = ""


class Outlet:
    """Feeds one sink.

    Args:
        sink: The sink.
        info: What comes.
        recorder: Told what happens.
        ended: Called once, from the outlet's thread, when the sink takes no more: with its error, or None if the
            user closed it.
        number: Tells it from others of the same name.
    """

    def __init__(
        self,
        sink: LiveSink,
        info: LiveInfo,
        recorder: Recorder,
        ended: Callable[[Outlet, UnderstudyError | None], None],
        number: int = 1,
    ) -> None:
        self._number = number
        self.sink, self._info, self._recorder, self._ended = sink, info, recorder, ended
        self.notes: list[str] = []
        self._slot: Slot[LabelledFrame] = Slot(sink.depth)
        self._sounds: deque[Sound] = deque(maxlen=_SOUNDS)
        self._stop = threading.Event()
        #: The frame handed over last, its time, and when that was.
        self._last: tuple[LabelledFrame, float, float] | None = None
        self._done = self._paused = self._refused = self._there = self._missed = False
        #: Seconds until the next try, and when the last one succeeded.
        self._wait, self._reached = FIRST_WAIT, 0.0
        self._reason = ""
        self.failure: UnderstudyError | None = None
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)

    @property
    def name(self) -> str:
        """For people and statistics."""
        return self.sink.name if self._number == 1 else f"{self.sink.name} ({self._number})"

    @property
    def alive(self) -> bool:
        """Whether it still takes frames."""
        return not self._done

    @property
    def state(self) -> SinkState:
        """How it fares now."""
        reached = self._reached > 0
        if self._done:
            return SinkState(self.name, "ended", self.failure, reached, self._reason)
        if self._there:
            return SinkState(self.name, "open", None, reached)
        return SinkState(self.name, "lost" if reached else "opening", None, reached, self._reason)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, labelled: LabelledFrame) -> None:
        """Leave a frame; never waits."""
        if self._paused:
            return
        self._recorder.dropped(f"{self.name} behind", self._slot.put(labelled))

    def hear(self, sound: Sound) -> None:
        """Leave some sound; never waits."""
        if not self._paused:
            self._sounds.append(sound)

    def pause(self) -> None:
        """Nothing more comes, and nothing is shown again; but whether it keeps its file is not known yet."""
        self._paused = True

    def finish(self) -> None:
        """Tell it to end; does not wait."""
        self._stop.set()
        self._slot.close()

    def refuse(self) -> None:
        """Tell it to end, and to keep no file: what came is not to be shown. Does not wait."""
        self._refused = True
        self.sink.discard()
        self.finish()

    def ended(self, patience: float) -> bool:
        """Whether it has ended, within ``patience`` seconds."""
        if self._thread.ident is None:
            return True  # it never began
        self._thread.join(patience)
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """It waits for nothing any more."""
        self._stop.set()
        self.sink.abandon()

    @property
    def in_vain(self) -> bool:
        """Whether it was tried to reach, and never was."""
        return self._missed and not self._reached

    @property
    def failed_file(self) -> bool:
        """Whether it was to make a file and could not: that is a failure of the whole."""
        return self.failure is not None and self.sink.keeps

    def _run(self) -> None:
        closed = False
        try:
            if self._connected(first=True):
                while not self._stop.is_set():
                    self._step()
                while self.sink.keeps and not self._refused and (left := self._slot.get(0)) is not None:
                    self._hand(left)  # a file gets all that was made
        except SinkClosed:
            closed = True
        except UnderstudyError as fault:
            self.failure = fault
        except BaseException as fault:  # noqa: BLE001 - of any library: a thread must not die in silence
            self.failure = unexpected(fault)
        if self.failure is not None and self.sink.keeps and self._there:
            # Only its end tells what of the recording is kept.
            self.failure.hint = "What was recorded until then is finished when the session ends."
        self._done = True
        told = closed or self.failure is not None
        if told:
            self._ended(self, self.failure)
        self._close()
        if self.failure is not None:
            self.notes.append(f"{self.name} failed: {self.failure.message}")
        elif self.in_vain:
            self.notes.append(f"{self.name} was never reached: nothing was sent there")
        if not told and self.failure is not None:
            self._ended(self, self.failure)

    def _close(self) -> None:
        """Close the sink. A file, also one that failed, is not signed before the session's last look."""
        if self.sink.keeps:
            self._stop.wait()
        try:
            kept = self.sink.close()
            self.notes += kept
            self._failed_with(None, "; ".join(kept))
        except UnderstudyError as fault:
            self._failed_with(fault, fault.hint)
        except BaseException as fault:  # noqa: BLE001 - the same
            self._failed_with(unexpected(fault), "")

    def _failed_with(self, fault: UnderstudyError | None, kept: str) -> None:
        """Note why closing failed, if nothing failed before. What became of a file only its end knows: said with both.

        Args:
            fault: What closing failed with.
            kept: What is left of the file.
        """
        if self.failure is None:
            self.failure = fault
        elif self.sink.keeps and kept:
            self.failure.hint = kept
        elif self.sink.keeps:
            self.failure.hint = "Nothing was left of it that can be played."

    def _step(self) -> None:
        """Hand over one frame, new or repeated, and the sound until then."""
        period = float(1 / self._info.fps)
        labelled = self._slot.get(period * _LATE if self.sink.steady else 0.2)
        try:
            while self._sounds:
                sound = self._sounds.popleft()
                self.sink.hear(sound, sound.at - self._recorder.begun)
            if labelled is not None:
                self._hand(labelled)
            elif self.sink.steady and self._last is not None and not (self._paused or self._stop.is_set()):
                frame, last, handed = self._last
                seconds = max(last + time.monotonic() - handed, last + _LEAST)
                self._last = frame, seconds, time.monotonic()
                self._recorder.repeated(self.name)
                self.sink.write(frame, seconds)
        except SinkLostError as fault:
            self._recorder.event(f"{self.name} lost: {fault.message}")
            self._there, self._reason = False, fault.message
            if time.monotonic() - self._reached < LONGEST_WAIT:
                # It takes the connection and breaks it off, as for a wrong key: that is not to be had at once again.
                self._discard_for(self._wait)
                self._wait = min(2 * self._wait, LONGEST_WAIT)
            else:
                self._wait = FIRST_WAIT
            self._connected(first=False)

    def _hand(self, labelled: LabelledFrame) -> None:
        """Hand over a new frame. Its time rises: a repeated one may have run ahead of it."""
        captured = labelled.frame.seconds
        self._recorder.handed(self.name, time.monotonic() - self._recorder.begun - captured)
        seconds = captured if self._last is None else max(captured, self._last[1] + _LEAST)
        self._last = labelled, seconds, time.monotonic()
        self.sink.write(labelled, seconds)

    def _connected(self, *, first: bool) -> bool:
        """Open the sink, however often it takes; False if told to stop meanwhile."""
        self._there = False
        while not self._stop.is_set():
            try:
                self.sink.open(self._info)
            except SinkLostError as fault:
                self._reason = fault.message
                if first:
                    self._missed = True
                    self._recorder.event(f"{self.name} not reached: {fault.message}")
                    first = False
                self._discard_for(self._wait)
                self._wait = min(2 * self._wait, LONGEST_WAIT)
                continue
            self._reached = time.monotonic()
            self._there, self._reason = True, ""
            if not first:
                self._recorder.event(f"{self.name} is there")
            return True
        return False

    def _discard_for(self, seconds: float) -> None:
        """Let pass what comes while the sink is not there; once it is back, nothing older is shown again."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._stop.is_set():
            if (passed := self._slot.get(0.1)) is not None:
                if self._last is not None:
                    self._last = passed, *self._last[1:]
                self._recorder.dropped(f"{self.name} not there")
            self._sounds.clear()
