"""What the guard sees in a frame by itself: where people are, in any light and through bars."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.detection.base import PersonSegmentation
from understudy.geometry.boxes import rounded_box
from understudy.guard.changes import AllKnown, Changes, coarse
from understudy.guard.thumbnail import Thumbnail, thumbnail

#: Least difference of dark and bright (of the 2nd and 98th hundredth, in grey levels) in a picture in which somebody
#: could be seen; with less than the second it is stretched first: the segmentation was made for well lit pictures.
_READABLE, _FLAT = 10, 140
#: How sure the segmentation must be (0-1) that a pixel is a person's: of the whole picture, and of a corner of it.
_PERSON, _SURE_PERSON = 0.5, 0.8
#: Side of the picture's corners that are looked at closer, over the picture's; and their longer side in pixels then.
_CORNER, _CLOSER = 0.6, 320
#: Grey levels by which brightness may differ within three cells of an even area.
_EVEN: Final = 12
#: Length of the bars that are looked through, in pixels of the small picture (320 along its longer side).
_BAR: Final = 9


class Sight(NamedTuple):
    """What is seen in one frame.

    Attributes:
        readable: Whether there is light and contrast enough for somebody to be seen.
        persons: bool (h, w), the whole frame: where people are, as far as is known.
        fresh: Whether any of it was looked at in this very frame: not if nothing changed.
        through: The same as seen through bars that would lie across the picture in one of ``WAYS`` ways.
        color: uint8 BGR, the small picture in which they were seen.
    """

    readable: bool
    persons: BoolArray
    fresh: bool
    through: BoolArray | None
    color: UInt8Array

    def detail(self) -> BoolArray:
        """Where there is anything to be seen, bool (h, w): where brightness differs within three cells."""
        small_color = cv2.resize(self.color, self.persons.shape[::-1], interpolation=cv2.INTER_AREA)
        grey, kernel = cv2.cvtColor(small_color, cv2.COLOR_BGR2GRAY), np.ones((3, 3), np.uint8)
        return np.asarray(cv2.subtract(cv2.dilate(grey, kernel), cv2.erode(grey, kernel)) > _EVEN)


def _kernel(*, across: bool) -> UInt8Array:
    return np.ones((1, _BAR) if across else (_BAR, 1), np.uint8)


#: Upright bars and level ones, darker than what is behind them and brighter.
_BARS: Final = tuple((operation, across) for operation in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN) for across in (True, False))
#: So many looks, one a frame, until all kinds of bars were looked through, and until both corners were looked at.
WAYS: Final = len(_BARS)
CORNERS: Final = 2


class PeopleFinder:
    """Finds people in one clip's frames. Not for several threads at once.

    Args:
        segmenter: Tells people from what is around them.
    """

    def __init__(self, segmenter: PersonSegmentation) -> None:
        self._segmenter = segmenter
        self._way = self._corner = 0
        self._changes = Changes()
        self._coarse: UInt8Array | None = None
        self._persons: BoolArray | None = None

    def find(
        self, picture: UInt8Array, small: Thumbnail, *, through_bars: bool, closer: bool, known: AllKnown | None = None
    ) -> Sight:
        """Look once.

        Args:
            picture: The frame's, uint8 BGR (H, W, 3).
            small: The same made small.
            through_bars: Look a second time, as if bars were before the people: another kind of bars each time.
            closer: Look at one of the picture's upper corners, too, left and right in turn: beside somebody large the
                segmentation overlooks who is small.
            known: Who was there in the frame before, if everybody was accounted for: then only what changed elsewhere
                is worth a look.
        """
        color, readable = _well_lit(small)
        grey = self._coarse = coarse(np.asarray(cv2.cvtColor(color, cv2.COLOR_BGR2GRAY), np.uint8))
        fresh = self._changes.worth_a_look("whole", grey, known)
        if fresh or self._persons is None:
            self._persons = np.asarray(self._segmenter.segment(color) > _PERSON)
        persons = self._persons
        if closer:
            self._corner = 1 - self._corner
            if self._changes.worth_a_look(f"corner {self._corner}", grey, known, self._corner_of(grey.shape)):
                persons, fresh = persons | self._in_a_corner(picture, persons.shape), True
        through: BoolArray | None = None
        if through_bars:
            self._way = (self._way + 1) % WAYS
            if self._changes.worth_a_look(f"bars {self._way}", grey, known):
                operation, across = _BARS[self._way]
                barless = np.asarray(cv2.morphologyEx(color, operation, _kernel(across=across)), np.uint8)
                through = np.asarray(self._segmenter.segment(barless) > _PERSON)
        return Sight(readable, persons, fresh, through, color)

    def may_be_new(self, known: AllKnown | None) -> bool:
        """Whether somebody may be in the frame that was looked at last who was not in one that this was answered of."""
        return self._coarse is None or self._changes.worth_a_look("faces", self._coarse, known)

    def _corner_of(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Rows and columns of the upper corner whose turn it is, in a grid of ``shape`` (h, w)."""
        down, across = round(_CORNER * shape[0]), round(_CORNER * shape[1])
        left = (shape[1] - across) * self._corner
        return slice(down), slice(left, left + across)

    def _in_a_corner(self, picture: UInt8Array, shape: tuple[int, ...]) -> BoolArray:
        """Where people are in one upper corner of the picture, bool of ``shape``; nobody elsewhere."""
        (height, width), (rows, columns) = picture.shape[:2], shape
        # Whole cells, so that what is seen lies where it is.
        corner = self._corner_of(shape)
        (_, down), (left, right) = ((side.start or 0, side.stop) for side in corner)
        part = picture[: down * height // rows, left * width // columns : right * width // columns]
        color, _ = _well_lit(thumbnail(part, min(_CLOSER / max(part.shape[:2]), 1.0)))
        mask = cv2.resize(self._segmenter.segment(color), (right - left, down), interpolation=cv2.INTER_LINEAR)
        found = np.zeros(shape, bool)
        found[corner] = mask > _SURE_PERSON
        return found


def _well_lit(small: Thumbnail) -> tuple[UInt8Array, bool]:
    """The colours with dark and bright stretched where they lie close, and whether anything could be seen there."""
    counts = cv2.calcHist([small.grey], [0], None, [256], [0, 256])[:, 0].cumsum()
    low, high = (int(np.searchsorted(counts, share * counts[-1])) for share in (0.02, 0.98))
    if high - low >= _FLAT:
        return small.color, True
    table = np.clip((np.arange(256) - low) * (255 / max(high - low, 1)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(small.color, table), np.uint8), high - low >= _READABLE


def share(seen: BoolArray, box: FloatArray) -> float:
    """How much of a box (xyxy, in cells) is covered by ``seen``: 0-1; 0 where it lies outside."""
    inside = rounded_box(box).clipped(seen.shape[1], seen.shape[0])
    return 0.0 if inside.empty else float(seen[inside.y0 : inside.y1, inside.x0 : inside.x1].mean())
