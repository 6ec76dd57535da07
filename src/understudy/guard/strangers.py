"""People in the picture of whom no face is known, and who may be somebody to be swapped: where they are covered."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.arrays import BoolArray, FloatArray
from understudy.face import FaceChoice
from understudy.guard.choice import part_may_be_chosen
from understudy.guard.sight import CORNERS, WAYS, Sight
from understudy.guard.unexplained import Known, behind, covering, is_even, unexplained

#: Seconds for which a place stays covered where somebody unexplained was, and where that was seen through bars.
_LINGERS, _LINGERS_THROUGH = 0.3, 0.6
#: Longest time between two frames that counts, in seconds.
_SLOWEST: Final = 1.0
#: Seconds for which somebody who came alone is told from whom they then touch.
_REMEMBERED: Final = 2.0
#: Around an arm.
_ARMS: Final = np.ones((9, 9), np.uint8)


class Lingering:
    """Remembers for a while where somebody unexplained was: a segmentation may miss them in one frame."""

    def __init__(self) -> None:
        self._until: NDArray[np.float64] | None = None

    def forget(self) -> None:
        """Nothing is known any more."""
        self._until = None

    def where(self, shape: tuple[int, ...], now: float) -> BoolArray:
        """Bool of ``shape`` (h, w): where somebody is remembered."""
        if self._until is None or self._until.shape != shape:
            self._until = np.full(shape, -np.inf)
        return np.asarray(self._until >= now)

    def clear(self, explained: BoolArray) -> None:
        """Others are where ``explained``, bool (h, w), says so: nobody unexplained is remembered there."""
        if self._until is not None and self._until.shape == explained.shape:
            self._until[explained] = -np.inf

    def update(self, seen: BoolArray, explained: BoolArray, now: float, seconds: float) -> BoolArray:
        """Bool (h, w): where somebody unexplained is, or was less than ``seconds`` ago.

        Args:
            seen: bool (h, w): where they are now.
            explained: bool (h, w): where others are, who are known.
            now: The frame's time in seconds.
            seconds: How long a place is remembered.
        """
        self.where(seen.shape, now)
        assert self._until is not None
        self.clear(explained)
        self._until[seen] = now + seconds
        return self.where(seen.shape, now)


class Strangers:
    """Those of one clip. Frames come in order.

    Attributes:
        accounted: bool (h, w): where people were who are known, or could not be chosen, when it was looked at last;
            None at first.
    """

    def __init__(self) -> None:
        self.accounted: BoolArray | None = None
        self._now: float | None = None
        self._plain, self._through, self._alone = Lingering(), Lingering(), Lingering()

    def forget(self) -> None:
        """Nothing is known any more: after a cut."""
        self.accounted = None
        for memory in (self._plain, self._through, self._alone):
            memory.forget()

    def update(
        self, sight: Sight, known: Known, present: FloatArray, choice: FaceChoice, now: float
    ) -> BoolArray | None:
        """Where they are to be covered: bool (h, w), in cells that share out the frame; None for nowhere.

        Args:
            sight: What is seen.
            known: Who is accounted for.
            present: float32 (N, 4): the faces that are swapped, in cells.
            choice: Which faces are chosen.
            now: The frame's time in seconds.
        """
        shape = sight.persons.shape
        # Of few pictures a second each kind of look comes late.
        step = 0.0 if self._now is None else min(max(now - self._now, 0.0), _SLOWEST)
        self._now = now
        before, alone, covered = self._alone.where(shape, now), *(np.zeros(shape, bool) for _ in range(2))
        detail: BoolArray | None = None
        for seen, lingering, seconds in (
            (sight.persons if sight.fresh else None, self._plain, _LINGERS),
            (sight.through, self._through, _LINGERS_THROUGH),
        ):
            there, explained = np.zeros(shape, bool), np.zeros(shape, bool)
            if seen is not None:
                found = unexplained(seen, known, before)
                explained |= found.explained
                doubtful = found.doubtful if choice == "all" else []
                chosen = [part for part in found.parts if part_may_be_chosen(part, choice, present)]
                for part in [*chosen, *doubtful]:
                    detail = sight.detail() if detail is None else detail
                    if is_even(part, detail):
                        continue
                    there |= part.cells if part.alone else behind(part, seen, known.boxes)
                    alone |= part.cells & part.alone
                for part in [*found.parts, *found.doubtful]:
                    explained |= part.cells & ~there
                if lingering is self._plain:
                    self.accounted = explained
                for memory in (self._plain, self._through):  # a hand is known a few frames late
                    memory.clear(cv2.dilate(found.arms.astype(np.uint8), _ARMS) > 0)
            looks = WAYS + 1 if lingering is self._through else CORNERS + 1
            covered |= lingering.update(there, explained, now, max(seconds, looks * step))
        self._alone.update(alone, np.zeros(shape, bool), now, _REMEMBERED)
        if not covered.any():
            return None
        shown = covering(covered, known.boxes)
        return shown if shown.any() else None
