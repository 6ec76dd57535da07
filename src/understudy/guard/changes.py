"""Whether a picture changed since it was looked at: where nothing did, a look sees the same again."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.face import FaceChoice

#: Cells along the longer side in which brightness is compared, and by how many grey levels it must differ: the noise of
#: a sensor is far below that in the mean of a cell.
_ALONG, _DIFFERENT = 80, 6
#: What changes in so many cells around those who are known is their hair and sleeves.
_AROUND: Final = 1
#: So many cells are a change.
_LEAST: Final = 2
#: Every fourth frame is looked at whatever changed.
_OFTEN: Final = 4
#: Over its breadth: whoever moved further since then may have uncovered somebody.
_MOVED: Final = 0.15
#: The whole of a picture, as rows and columns.
EVERYWHERE: Final = (slice(None), slice(None))


def coarse(grey: UInt8Array) -> UInt8Array:
    """The mean brightness of the cells in which changes are looked for: uint8 (h, w) of a picture, uint8 (H, W)."""
    height, width = grey.shape
    scale = _ALONG / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


class AllKnown(NamedTuple):
    """A moment in which everybody in the picture was accounted for.

    Attributes:
        people: bool (h, w), cells that share out the frame: where they are.
        boxes: float32 (N, 4), xyxy in these cells: their faces.
        choice: Which faces were chosen then.
    """

    people: BoolArray
    boxes: FloatArray
    choice: FaceChoice

    def holds(self, boxes: FloatArray, choice: FaceChoice) -> bool:
        """Whether the faces are the same and about where they were, and the same ones are chosen."""
        if choice != self.choice or boxes.shape != self.boxes.shape:
            return False
        breadth = (self.boxes[:, 2:3] - self.boxes[:, :1]).clip(1)
        return bool((np.abs(boxes - self.boxes) <= _MOVED * breadth).all())


class Changes:
    """Remembers what a picture was like at the last look of each kind."""

    def __init__(self) -> None:
        self._seen: dict[str, UInt8Array] = {}
        self._since: dict[str, int] = {}

    def worth_a_look(
        self, kind: str, now: UInt8Array, known: AllKnown | None, area: tuple[slice, slice] = EVERYWHERE
    ) -> bool:
        """Whether a look of this kind may see something new; if so, the picture is noted as looked at.

        Args:
            kind: What tells this look from others.
            now: uint8 (h, w): the picture's brightness, see ``coarse``.
            known: Who was in it when it was looked at last, if everybody was accounted for: what changes there is
                theirs. None if a look is needed anyway.
            area: Rows and columns of ``now`` that such a look sees: what changes elsewhere is no matter.
        """
        before, frames = self._seen.get(kind), self._since.get(kind, 0) + 1
        self._since[kind] = frames
        if before is not None and known is not None and before.shape == now.shape and frames < _OFTEN:
            changed = np.asarray(cv2.absdiff(before, now) > _DIFFERENT)
            people = cv2.resize(known.people.astype(np.uint8), now.shape[::-1], interpolation=cv2.INTER_NEAREST)
            elsewhere = cv2.dilate(people, np.ones((2 * _AROUND + 1, 2 * _AROUND + 1), np.uint8)) == 0
            if np.count_nonzero((changed & elsewhere)[area]) < _LEAST:
                return False
        self._seen[kind], self._since[kind] = now, 0
        return True
