"""Whether live frames take so long that what can be spared should be, before one comes late."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Final

#: Of the time between two frames: where all stages take more than so much there is more haste, and less where they take
#: less than so much. What is spared makes them quicker, so the second is well below the first.
_BUSY, _EASY = 0.65, 0.4
#: Frames over which that time is taken.
_FRAMES: Final = 15
#: The most haste: meshes are fitted in every third frame then. Of a face's size they are off by 0.1 to 0.25% (mean over
#: its points, four clips; every second frame: 0.05 to 0.2%).
_MOST: Final = 2


class Haste:
    """Of one live session.

    Attributes:
        period: Seconds between two frames of the source.
    """

    def __init__(self) -> None:
        self.period = 1 / 30
        self._spent: deque[float] = deque(maxlen=_FRAMES)
        self._haste = 0

    def __call__(self, seconds: float) -> int:
        """A frame went through all stages, in so many seconds: how much haste there is from the next one on, 0 to 2."""
        self._spent.append(seconds)
        if len(self._spent) == _FRAMES:
            spent, before = median(self._spent), self._haste
            if spent > _BUSY * self.period:
                self._haste = min(self._haste + 1, _MOST)
            elif spent < _EASY * self.period:
                self._haste = max(self._haste - 1, 0)
            if self._haste != before:  # what comes next is quicker, or slower
                self._spent.clear()
        return self._haste
