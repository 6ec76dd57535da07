"""Whether live frames take so long that what can be spared should be, before one comes late."""

from __future__ import annotations

from collections import deque
from math import inf
from statistics import fmean, median
from typing import Final

#: Of the time between two frames: where a frame takes more than so much on the average there is more haste; and less
#: where with less haste it would still take less than so much.
_BUSY, _EASY = 0.65, 0.5
#: Frames of each kind over which their time is taken, and how many there must be.
_FRAMES, _ENOUGH = 15, 8
#: Frames for which there is no less haste after it grew: at first, and as it doubles each time it grows, at most.
_WAIT, _LONGEST = 30, 960
#: The most haste: meshes are fitted in every third frame then. Of a face's size they are off by 0.1 to 0.25% (mean over
#: its points, four clips; every second frame: 0.05 to 0.2%).
_MOST: Final = 2


class Haste:
    """Of one live session.

    Frames in which a mesh was fitted take longer than the others, whatever the haste: what frames would take with more
    or less of it is told by both. Where their times wander about what is too long it does not swing to and fro: the
    oftener it grew the longer it stays.

    Attributes:
        period: Seconds between two frames of the source; while that is not known there is no haste.
    """

    def __init__(self) -> None:
        self.period = inf
        self._whole: deque[float] = deque(maxlen=_FRAMES)
        self._spared: deque[float] = deque(maxlen=_FRAMES)
        self._latest: deque[float] = deque(maxlen=_MOST + 1)
        self._haste = 0
        #: Frames for which there is no less haste yet, and for how many when it grows the next time.
        self._held, self._wait = 0, _WAIT

    def __call__(self, seconds: float, *, fitted: bool) -> int:
        """A frame went through all stages: how much haste there is from the next one on, 0 to 2.

        Args:
            seconds: What it took.
            fitted: Whether a mesh was fitted in it.
        """
        self._latest.append(seconds)
        (self._whole if fitted else self._spared).append(seconds)
        self._held = max(self._held - 1, 0)
        if len(self._whole) >= _ENOUGH:
            if self._haste < _MOST and self._expected(self._haste) > _BUSY * self.period:
                self._turn(self._haste + 1)
                self._held, self._wait = self._wait, min(2 * self._wait, _LONGEST)
            elif self._haste > 0 and not self._held and self._expected(self._haste - 1) < _EASY * self.period:
                self._turn(self._haste - 1)
        return self._haste

    @property
    def lately(self) -> float:
        """Seconds that the latest frames took on the average: as many as are one turn of whole and spared ones."""
        return fmean(list(self._latest)[-self._haste - 1 :])

    def _expected(self, haste: int) -> float:
        """Seconds that a frame takes on the average at so much haste."""
        whole = median(self._whole)
        spared = median(self._spared) if len(self._spared) >= _ENOUGH else whole
        return (whole + haste * spared) / (haste + 1)

    def _turn(self, haste: int) -> None:
        self._haste = haste
        self._whole.clear()
        self._spared.clear()
