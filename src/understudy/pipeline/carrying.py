"""Runs a slow engine beside a live session, on the newest frame, as often as it can; and says whether it keeps up."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from functools import partial
from statistics import median
from typing import Final, NamedTuple

from understudy.idle import give_way
from understudy.patches import Patch
from understudy.pipeline.overlap import WaitedFor
from understudy.resources.made_with import MESH
from understudy.swapping.carried.running import KEPT, Counts

#: Runs over which an engine's time is taken, and how many there must be.
_RUNS, _ENOUGH = 9, 3
#: Of the time between two frames: so much may all stages take for an engine to draw every frame by itself, and beyond
#: so much it does not keep up. In between nothing changes.
_ROOM, _LATE = 0.7, 0.95
#: Where so many runs in a row each took more than so many times the time between two frames, and frames waited for
#: them, what is shown all but stands still: then it does not keep up, however quick the frames before were.
_RUNS_STILL, _STILL = 2, 5.0
#: Of the time between two frames: where all stages take more than so much the engine spares them, until they take less
#: than so much. It draws each face 17 times a second then, if it could more often: its runs take a core from the frames
#: that are shown, and the mesh carries a face for five frames with an error of a pixel, as a rule (docs/carried.md).
_BUSY, _EASY = 0.6, 0.45
_SPARING: Final = 1 / 17
#: How polite the thread is: what is shown comes first, but behind other polite programs it must not starve.
_PRIORITY: Final = 10
#: Seconds over which its rate is taken, and runs, of one that is slower.
_RECENT, _FEW = 5.0, 3
#: Frames over which the time of all stages is taken, and how many there must be.
_FRAMES, _SEVERAL = 15, 8
#: Seconds until an engine that fell behind may try to keep up again: at first, and as it doubles each time, at most.
_WAIT, _LONGEST = 2.0, 64.0
#: Failures in a row after which an engine is not asked any more; runs in a row that gave nothing, after which it is
#: said.
_MOST_FAILURES: Final = 3
#: A texture is shown for ``KEPT`` seconds more than so many times as long as its engine takes for all faces, and no
#: more than so many.
_TURNS, _LONGEST_KEPT = 3.0, 30.0
#: Seconds that a run which goes on is waited for at the end.
_PATIENCE: Final = 2.0
#: Seconds that a frame waits for a run at most, such as for a driver that hangs: then what was drawn last is carried.
_LONGEST_RUN: Final = 1.0


class Carrying:
    """A ``Runner`` for live frames: a thread beside that gives way to all others.

    Args:
        name: What the engine is called.
        may_keep_up: Whether it may draw every frame by itself, if it is quick enough.
        clock: Seconds since some moment.
        counts: Where runs are counted; of its own if None.

    Attributes:
        may_keep_up: See above.
        period: Seconds between two frames of the source.
        counts: See ``Runner``.
    """

    def __init__(
        self,
        name: str,
        *,
        may_keep_up: bool = True,
        clock: Callable[[], float] = time.monotonic,
        counts: Counts | None = None,
    ) -> None:
        self._name, self._clock = name, clock
        self.may_keep_up = may_keep_up
        self.period = 1 / 30
        self.counts = counts or Counts()
        self._waiting: dict[Hashable, _Job] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._times: deque[float] = deque(maxlen=_RUNS)
        self._ends: deque[float] = deque(maxlen=256)
        self._waited_for = WaitedFor("neural, waited for", _LONGEST_RUN)
        #: When the run beside began, while there is one.
        self._begun: float | None = None
        self._failures = self._nothing = 0
        self._news: list[str] = []
        self._said: set[str] = set()
        self._keeps_up, self._again, self._wait = False, 0.0, _WAIT
        #: Whether it leaves time to the other stages.
        self._sparing = False
        #: Seconds of the last frames: all stages, but for the engine itself where it runs beside.
        self._spent: deque[float] = deque(maxlen=_FRAMES)
        #: Faces of the last frame, and of this one so far.
        self._faces = self._counted = 0

    @property
    def waits(self) -> bool:
        """See ``Runner.waits``."""
        return False

    @property
    def keeps_up(self) -> bool:
        """See ``Runner.keeps_up``."""
        return self._keeps_up

    @property
    def kept(self) -> float:
        """See ``Runner.kept``."""
        times = list(self._times.copy())
        return KEPT + (min(_TURNS * median(times) * max(self._faces, 1), _LONGEST_KEPT) if times else 0.0)

    @property
    def rate(self) -> float:
        """Faces that it gave a second, over the last five seconds, or the last three runs of a slower one."""
        ends = list(self._ends.copy())
        recent = [end for number, end in enumerate(ends, 1) if ends[-1] - end <= _RECENT or len(ends) - number < _FEW]
        if len(recent) < 2:
            return 0.0
        span, waited = recent[-1] - recent[0], self._clock() - recent[-1]
        if waited > _RECENT + 2 * span / (len(recent) - 1):  # it has ended, or does not come back
            span += waited
        return (len(recent) - 1) / span if span > 0 else 0.0

    def now(self, run: Callable[[], Patch | None]) -> Patch | None:
        """See ``Runner.now``. Where it fails, or does not end in time, the frame is drawn as if it were too slow."""
        given: list[Patch] = []
        with self._changed:
            self._counted += 1
        if self._waited_for.overdue or not self._waited_for(partial(self._run, run, given.append)):
            return None
        return given[0] if given else None

    def offer(
        self, face: Hashable, need: float, run: Callable[[], Patch | None], take: Callable[[Patch], None]
    ) -> None:
        """See ``Runner.offer``."""
        with self._changed:
            self._counted += 1
            if self._closed or self._failures >= _MOST_FAILURES:
                return
            self._waiting[face] = _Job(need, run, take)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="neural", daemon=True)
                self._thread.start()
            self._changed.notify()

    def given_up(self) -> None:
        """See ``Runner.given_up``."""
        self._say("given up", f"{self._name} has given nothing for {self.kept:.1f} s: the {MESH} engine draws")

    def frame(self, seconds: float) -> None:
        """A frame went through all stages, in so many seconds: it is decided whether the engine keeps up from now on.

        An engine that is slower in a crowd falls back, and may try again later each time: it does not swing to and fro.
        """
        self._faces, self._counted = self._counted, 0
        self._spent.append(seconds)
        usual, now = self._usual, self._clock()
        if self._keeps_up and self._waited_for.overdue:
            self._fall_back(now)
        if self._keeps_up and self._stands_still:
            self._fall_back(now)
            for _ in range(len(self._times) - _RUNS_STILL):  # those before say nothing of how it is now
                self._times.popleft()
        if usual is None or not self._faces or len(self._spent) < _SEVERAL:
            return
        spent = median(self._spent)
        self._sparing = spent > (_EASY if self._sparing else _BUSY) * self.period
        if self._keeps_up:
            if spent > _LATE * self.period or self._failures:
                self._fall_back(now)
        elif self._may_try(now) and spent + usual * self._faces < _ROOM * self.period:
            self._turn(keeps_up=not self._failures)
        if not self._keeps_up and spent + usual * self._faces > _LATE * self.period:
            self._say(
                "late",
                f"{self._name} takes {1000 * usual:.0f} ms a face: the mesh carries its faces to the frames between",
            )

    def _fall_back(self, now: float) -> None:
        self._turn(keeps_up=False)
        self._again, self._wait = now + self._wait, min(2 * self._wait, _LONGEST)

    def _turn(self, *, keeps_up: bool) -> None:
        self._keeps_up = keeps_up
        self._spent.clear()
        with self._changed:
            self._waiting.clear()

    def news(self) -> list[str]:
        """What happened since the last time, to be told to the user."""
        with self._changed:
            found, self._news = self._news, []
        return found

    def forget(self) -> None:
        """What comes next is another shot: what waits is of the one before."""
        with self._changed:
            self._waiting.clear()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        self._waited_for.close()

    @property
    def _usual(self) -> float | None:
        """Seconds that a run takes as a rule; None where that is not known yet."""
        times = list(self._times.copy())
        return median(times) if len(times) >= _ENOUGH else None

    def _may_try(self, now: float) -> bool:
        """Whether it may draw every frame by itself, if it is quick enough: not while a run does not come back."""
        hangs = self._waited_for.overdue or (self._begun is not None and now - self._begun > _LONGEST_RUN)
        return self.may_keep_up and now >= self._again and not hangs

    @property
    def _stands_still(self) -> bool:
        """Whether the last runs each took so long that hardly anything is shown of what waits for them."""
        last = list(self._times.copy())[-_RUNS_STILL:]
        return len(last) == _RUNS_STILL and min(last) > _STILL * self.period

    def _say(self, what: str, message: str) -> None:
        """Tell something, once."""
        with self._changed:
            if what not in self._said:
                self._said.add(what)
                self._news.append(message)

    def _work(self) -> None:
        give_way(_PRIORITY)
        while True:
            with self._changed:
                while (not self._waiting or self._waited_for.overdue) and not self._closed:
                    self._changed.wait()  # each frame tells
                if self._closed:
                    return
                job = self._waiting.pop(max(self._waiting, key=lambda face: self._waiting[face].need))
                self._begun = begun = self._clock()
            self._run(job.run, job.take)
            self._begun = None
            self._rest(begun)

    def _rest(self, begun: float) -> None:
        """After a run that began at some time: wait until the next may begin."""
        with self._changed:
            if self._sparing:
                until = begun + _SPARING / max(self._faces, 1)
                self._changed.wait_for(lambda: self._closed, max(until - self._clock(), 0.0))

    def _run(self, run: Callable[[], Patch | None], take: Callable[[Patch], None]) -> None:
        """One run, timed. What it fails with ends no session."""
        if self._failures >= _MOST_FAILURES:
            return
        begin = self._clock()
        try:
            patch = run()
            end = self._clock()
            if patch is not None:
                take(patch)
        except Exception as fault:  # noqa: BLE001 - of any library, and told below
            self._failures += 1
            if self._failures >= _MOST_FAILURES:
                self._say(
                    "failed",
                    f"{self._name} fails ({fault}) and is not asked any more: its last faces are carried for "
                    f"{self.kept:.1f} s, then the {MESH} engine draws",
                )
            return
        self._failures = 0
        self._times.append(end - begin)
        if patch is not None:
            self._nothing = 0
            self.counts.runs += 1
            self._ends.append(end)
            return
        self._nothing += 1
        if self._nothing >= _MOST_FAILURES:
            self._say(
                "nothing",
                f"{self._name} gives no face: its last faces are carried for {self.kept:.1f} s, then the "
                f"{MESH} engine draws",
            )


class _Job(NamedTuple):
    """What waits: how much it is needed, what does it, and what takes what it gives."""

    need: float
    run: Callable[[], Patch | None]
    take: Callable[[Patch], None]
