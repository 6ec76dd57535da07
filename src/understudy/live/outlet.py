"""One sink's thread: it takes the newest frame, keeps the cadence, and comes back when the sink was lost."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from understudy.errors import UnderstudyError
from understudy.frames import LabelledFrame
from understudy.live.slots import Slot
from understudy.live.statistics import Recorder
from understudy.media.live import LiveInfo, LiveSink, SinkClosed, SinkLostError, Sound

#: Seconds between two tries to reach a sink that was lost: twice as long each time, up to the last.
FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
#: Frame lengths without a new frame after which the last one is repeated.
_LATE = 1.6
#: Pieces of sound that may wait.
_SOUNDS = 200


class Outlet:
    """Feeds one sink.

    Args:
        sink: The sink.
        info: What comes.
        recorder: Told what happens.
        ended: Called once, from the outlet's thread, when the sink takes no more: with its error, or None if the
            user closed it.
    """

    def __init__(
        self,
        sink: LiveSink,
        info: LiveInfo,
        recorder: Recorder,
        ended: Callable[[Outlet, UnderstudyError | None], None],
    ) -> None:
        self.sink, self._info, self._recorder, self._ended = sink, info, recorder, ended
        self.notes: list[str] = []
        self._slot: Slot[LabelledFrame] = Slot(sink.depth)
        self._sounds: deque[Sound] = deque(maxlen=_SOUNDS)
        self._stop = threading.Event()
        self._last: tuple[LabelledFrame, float] | None = None
        self._done = False
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it still takes frames."""
        return self._thread.is_alive() and not self._done

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, labelled: LabelledFrame) -> None:
        """Leave a frame; never waits."""
        self._recorder.dropped(f"{self.sink.name} behind", self._slot.put(labelled))

    def hear(self, sound: Sound) -> None:
        """Leave some sound; never waits."""
        self._sounds.append(sound)

    def stop(self, patience: float) -> bool:
        """End; whether it did within ``patience`` seconds."""
        self._stop.set()
        self._slot.close()
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failure: UnderstudyError | None = None
        told = False
        try:
            if self._connected(first=True):
                while not self._stop.is_set():
                    self._step()
        except SinkClosed:
            told = True
        except UnderstudyError as fault:
            failure = fault
            told = True
        self._done = True
        try:
            self.notes += self.sink.close()
        except UnderstudyError as fault:
            failure = failure or fault
            self.notes.append(f"{self.sink.name}: {fault.message}")
        if told or failure is not None:
            self._ended(self, failure)

    def _step(self) -> None:
        """Hand over one frame, new or repeated, and the sound until then."""
        period = float(1 / self._info.fps)
        labelled = self._slot.get(period * _LATE if self.sink.steady else 0.2)
        try:
            while self._sounds:
                sound = self._sounds.popleft()
                self.sink.hear(sound, sound.at - self._recorder.begun)
            if labelled is not None:
                seconds = labelled.frame.seconds
                self._recorder.handed(self.sink.name, time.monotonic() - self._recorder.begun - seconds)
                self.sink.write(labelled, seconds)
                self._last = labelled, seconds
            elif self.sink.steady and self._last is not None and not self._stop.is_set():
                frame, seconds = self._last[0], self._last[1] + period
                self._last = frame, seconds
                self._recorder.repeated(self.sink.name)
                self.sink.write(frame, seconds)
        except SinkLostError as fault:
            self._recorder.event(f"{self.sink.name} lost: {fault.message}")
            self._connected(first=False)

    def _connected(self, *, first: bool) -> bool:
        """Open the sink, however often it takes; False if told to stop meanwhile."""
        wait = FIRST_WAIT
        while not self._stop.is_set():
            try:
                self.sink.open(self._info)
            except SinkLostError as fault:
                if first:
                    self._recorder.event(f"{self.sink.name} not reached: {fault.message}")
                    first = False
                self._discard_for(wait)
                wait = min(2 * wait, LONGEST_WAIT)
                continue
            if not first:
                self._recorder.event(f"{self.sink.name} is there")
            return True
        return False

    def _discard_for(self, seconds: float) -> None:
        """Let pass what comes while the sink is not there."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._stop.is_set():
            if self._slot.get(0.1) is not None:
                self._recorder.dropped(f"{self.sink.name} not there")
            self._sounds.clear()
