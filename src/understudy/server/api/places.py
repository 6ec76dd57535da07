"""How many live sessions there may be at a time: as many as was said, or as this machine was seen to carry."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any, Final

from understudy.errors import RefusedError

#: Share of the processors that live sessions may take: the rest is for everything else that the server does.
_SHARE: Final = 0.85
#: Processors that one session takes before that was measured: the embedded engine at 1280x720 and 30 frames a second,
#: with what comes and goes by WebRTC (``python -m benchmarks.glass``).
_GUESS: Final = 2.0
#: Pictures that browsers are asked for; and where a machine does not carry one session of them.
_USUAL, _SMALL = (1280, 720), (640, 360)
#: Frames that are counted at least, for seconds at least, before a measurement is believed.
_FRAMES, _SECONDS = 60, 3.0
_FPS: Final = 30.0
#: Pixels of the smallest pictures that say what a session costs.
LEAST_PIXELS: Final = 1280 * 720
#: Most sessions, whatever was measured.
_MOST: Final = 64
#: Seconds after which it may be worth asking again.
_AGAIN: Final = 30


class FullError(RefusedError):
    """There are as many sessions as the server carries.

    Attributes:
        seconds: When to come back, in seconds from now.
    """

    def __init__(self, message: str) -> None:
        self.seconds = _AGAIN
        super().__init__(message, f"Come back when one has ended: try again in {_AGAIN} s.")


def cores_of_this_process() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(eq=False)
class Places:
    """The places for live sessions. Used in the server's loop.

    Args:
        said: How many there are; None for as many as this machine carries.
        cores: Processors that this process may use.

    Attributes:
        taken: How many are taken.
    """

    said: int | None = None
    cores: int = field(default_factory=cores_of_this_process)
    taken: int = field(default=0, init=False)
    _begun: tuple[float, float, float] | None = field(default=None, init=False)
    _cost: float | None = field(default=None, init=False)

    @property
    def most(self) -> int:
        """How many there are."""
        if self.said is not None:
            return self.said
        return min(max(int(_SHARE * self.cores / (self._cost or _GUESS)), 1), _MOST)

    @property
    def picture(self) -> tuple[int, int]:
        """Width and height of the pictures that a browser had best send, in pixels."""
        return _USUAL if _SHARE * self.cores >= (self._cost or _GUESS) else _SMALL

    def take(self) -> None:
        """Take one.

        Raises:
            FullError: all are taken.
        """
        if self.taken >= self.most:
            raise FullError(f"this server carries {self.most} live sessions at a time, and has them")
        self.taken += 1

    def give_back(self) -> None:
        """One is free again."""
        self.taken -= 1
        self._begun = None

    def as_json(self) -> dict[str, Any]:
        """How many there are and are taken, and how that is known."""
        by = "--live" if self.said is not None else "a guess" if self._cost is None else "measured"
        cost = None if self._cost is None else round(self._cost, 2)
        said = {"most": self.most, "taken": self.taken, "by": by, "cores": self.cores, "cores_a_session": cost}
        return {**said, "picture": list(self.picture)}

    def look(self, frames: int) -> None:
        """Measure what a session costs: what the whole process works meanwhile, for each frame.

        Args:
            frames: That were swapped so far by all sessions which run.
        """
        now, worked = time.monotonic(), time.process_time()
        if self._begun is None:
            self._begun = (now, worked, frames)
            return
        since, before, had = self._begun
        done = frames - had
        if done < 0:  # a session has ended meanwhile
            self._begun = None
        elif now - since >= _SECONDS and done >= _FRAMES:
            cost = _FPS * (worked - before) / done
            self._cost = cost if self._cost is None else 0.7 * self._cost + 0.3 * cost
            self._begun = (now, worked, frames)
