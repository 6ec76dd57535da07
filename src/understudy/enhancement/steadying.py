"""What a restorer adds to one face, over time.

A restorer looks at each frame by itself, and what it makes up differs from one to the next: that flickers. So what it
added before is carried along the face's mesh and follows what it adds now with a time constant. Where a restorer is
slower than the frames, what it added last is carried on until the next is ready.
"""

from __future__ import annotations

from concurrent.futures import Future

import numpy as np

from understudy.enhancement.detail import Detail, carried

#: Seconds without a frame after which nothing is known any more.
_FORGOTTEN = 0.5
#: Time constants after which what is shown has caught up.
_CAUGHT_UP = 5.0


class Steadied:
    """One restorer's detail of one face.

    Attributes:
        waiting: What is being made of this face beside everything else; None for nothing.
    """

    def __init__(self) -> None:
        self.waiting: Future[Detail | None] | None = None
        self._latest: Detail | None = None
        self._shown: Detail | None = None
        self._seconds: float | None = None
        self._since = 0.0

    def begin(self, seconds: float) -> float:
        """A frame begins: the seconds since the last one.

        Args:
            seconds: Its time; a step back or a long gap forgets what was.
        """
        step = 0.0 if self._seconds is None else seconds - self._seconds
        if not 0 <= step < _FORGOTTEN:
            if self.waiting is not None:
                self.waiting.cancel()
            self._latest = self._shown = self.waiting = None
            step = 0.0
        self._seconds = seconds
        return step

    def take(self, detail: Detail, *, fading_in: bool = False) -> None:
        """Take what was just made.

        Args:
            detail: It.
            fading_in: Whether what comes first is to come little by little.
        """
        if self._shown is None:
            self._shown = Detail(np.zeros_like(detail.added), detail.mesh) if fading_in else detail
        elif self._shown.mesh is not detail.mesh:
            self._shown = Detail(carried(self._shown, detail), detail.mesh, detail.within)
        self._latest, self._since = detail, 0.0

    def let_go(self) -> None:
        """Nothing is added any more: what was goes as quickly as anything else that changes."""
        if self._latest is not None:
            self._latest, self._since = self._latest._replace(added=np.zeros_like(self._latest.added)), 0.0

    def shown(self, step: float, constant: float) -> Detail | None:
        """What is added in this frame; None for nothing yet.

        Args:
            step: Seconds since the last one.
            constant: Time constant with which it follows, in seconds; 0: at once.
        """
        if self._latest is None or self._shown is None:
            return None
        self._since += step
        if constant == 0 or self._since > _CAUGHT_UP * constant:
            self._shown = self._latest
        elif self._shown is not self._latest:
            follow = np.float32(1 - np.exp(-step / constant))
            before = self._shown.added
            added = before + (self._latest.added - before) * follow
            self._shown = Detail(added, self._latest.mesh, self._latest.within)
        return self._shown


class Following:
    """A strength that follows what is needed, so that nothing pumps."""

    #: Time constant in seconds.
    _CONSTANT = 0.5

    def __init__(self) -> None:
        self._value = 0.0
        self._seconds: float | None = None

    def __call__(self, wanted: float, seconds: float) -> float:
        """The strength in a frame.

        Args:
            wanted: What is needed in it.
            seconds: Its time; a step back or a long gap begins anew.
        """
        step = None if self._seconds is None else seconds - self._seconds
        if step is None or not 0 <= step < _FORGOTTEN:
            self._value = wanted
        else:
            self._value += (wanted - self._value) * float(1 - np.exp(-step / self._CONSTANT))
        self._seconds = seconds
        return self._value
