"""All outputs of a session: what they get, when that ends, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from understudy.errors import RunError, UnderstudyError
from understudy.frames import LabelledFrame
from understudy.media.live.base import LiveInfo, LiveSink, Sound
from understudy.sessions.outlet import Outlet, SinkState
from understudy.sessions.statistics import Recorder

#: Seconds that each thread has to end.
PATIENCE: Final = 0.8
#: Seconds that a recording which is being signed has to stop that.
_LETTING_GO: Final = 20.0
#: Seconds that a recording has to be put in order and signed.
_SIGNING: Final = 600.0


class Outlets:
    """Those of one session.

    Args:
        over: Called when the session is to end: with the failure, or None if a user closed a sink.
    """

    def __init__(self, over: Callable[[UnderstudyError | None], None]) -> None:
        self._over = over
        self._all: list[Outlet] = []
        #: What is to be known of them once they have ended.
        self.notes: list[str] = []

    def open(self, sinks: Sequence[LiveSink], info: LiveInfo, recorder: Recorder) -> None:
        """Make an outlet for each sink.

        Args:
            sinks: Where frames go.
            info: What comes.
            recorder: Told what happens.
        """
        self._recorder, names = recorder, [sink.name for sink in sinks]
        for place, sink in enumerate(sinks):
            number = names[: place + 1].count(sink.name)
            self._all.append(Outlet(sink, info, recorder, self._ended, number))

    def start(self) -> None:
        """Begin."""
        for outlet in self._all:
            outlet.start()

    def put(self, labelled: LabelledFrame) -> None:
        """Leave a frame to all of them; never waits."""
        for outlet in self._all:
            outlet.put(labelled)

    def hear(self, sound: Sound) -> None:
        """Leave some sound to all of them; never waits."""
        for outlet in self._all:
            outlet.hear(sound)

    @property
    def states(self) -> tuple[SinkState, ...]:
        """How they fare, in order."""
        return tuple(outlet.state for outlet in self._all)

    @property
    def failure(self) -> UnderstudyError | None:
        """Why the session has failed by them, once they have ended; None if it has not."""
        failed = next((outlet.failure for outlet in self._all if outlet.failed_file), None)
        if failed is None and self._all and all(outlet.in_vain for outlet in self._all):
            return RunError("no output was ever reached: nothing was shown or sent", "Is its address right?")
        return failed

    def refuse(self) -> None:
        """Tell them to end, and to keep no file. Does not wait."""
        for outlet in self._all:
            outlet.refuse()

    def end_pictures(self) -> None:
        """None gets or shows another picture; recordings of what came are not signed yet. Does not wait."""
        for outlet in self._all:
            if outlet.sink.keeps:
                outlet.pause()
            else:
                outlet.finish()

    def finish(self) -> None:
        """Have them end, recordings signed; wait for it."""
        for outlet in self._all:
            outlet.finish()
        # What is merely shown or sent first: a recording may take its time to be signed.
        for outlet in sorted(self._all, key=lambda outlet: outlet.sink.keeps):
            if not outlet.ended(_SIGNING if outlet.sink.keeps else PATIENCE):
                outlet.abandon()
                if not outlet.ended(PATIENCE):
                    self.notes.append(f"{outlet.name} did not end in time")
            self.notes += outlet.notes

    def abandon(self) -> None:
        """Nothing is waited for any more, but what signs is to have let go."""
        for outlet in self._all:
            outlet.abandon()
        for outlet in self._all:
            outlet.ended(_LETTING_GO if outlet.sink.keeps else PATIENCE)

    def _ended(self, outlet: Outlet, failure: UnderstudyError | None) -> None:
        """A sink takes no more: its user closed it, which ends the session, or it failed, and the others go on."""
        if failure is None:
            self._over(None)
            return
        self._recorder.event(f"{outlet.name} failed: {failure.message}")
        if not any(other.alive for other in self._all if other is not outlet):
            self._over(failure)
