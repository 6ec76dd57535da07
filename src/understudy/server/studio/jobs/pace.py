"""How fast a job is, and when it will be done."""

from __future__ import annotations

from collections import deque
from typing import Final

#: Seconds that the speed is taken over.
_WINDOW: Final = 8.0
#: Seconds of which it must be known before a time is named.
_LEAST: Final = 1.0


class Pace:
    """Of one attempt at a job."""

    def __init__(self) -> None:
        self._noted: deque[tuple[float, int]] = deque()

    def note(self, now: float, done: int) -> None:
        """Note how far it is.

        Args:
            now: Seconds of a clock that only goes forward.
            done: Frames finished. Fewer than before: it was begun anew.
        """
        if self._noted and done < self._noted[-1][1]:
            self._noted.clear()
        if not self._noted or done > self._noted[-1][1]:
            self._noted.append((now, done))
        while len(self._noted) > 2 and now - self._noted[0][0] > _WINDOW:
            self._noted.popleft()

    @property
    def fps(self) -> float:
        """Frames a second; 0 while it is not known."""
        if len(self._noted) < 2:
            return 0.0
        (first, less), (last, more) = self._noted[0], self._noted[-1]
        return (more - less) / (last - first) if last - first >= _LEAST else 0.0

    def left(self, done: int, frames: int) -> float | None:
        """Seconds until it is done; None while it is not known.

        Args:
            done: Frames finished.
            frames: Of how many; 0 if it is not known.
        """
        return max(frames - done, 0) / self.fps if frames and self.fps else None
