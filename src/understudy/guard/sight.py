"""What the guard sees in a frame by itself: where people are, in any light and through bars."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.frames import PixelBox
from understudy.guard.places import Small, small

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


class SegmentsPersons(Protocol):
    """A person segmentation (see ``detection.PersonSegmenter``)."""

    def segment(self, picture: UInt8Array) -> FloatArray: ...  # noqa: D102


class Sight(NamedTuple):
    """What is seen in one frame.

    Attributes:
        readable: Whether there is light and contrast enough for somebody to be seen.
        persons: bool (h, w), the whole frame: where people are.
        through: The same as seen through bars that would lie across the picture in one of ``WAYS`` ways.
        detail: bool (h, w): where there is anything to be seen: no even area.
    """

    readable: bool
    persons: BoolArray
    through: BoolArray | None
    detail: BoolArray


def _kernel(*, across: bool) -> UInt8Array:
    return np.ones((1, _BAR) if across else (_BAR, 1), np.uint8)


#: Upright bars and level ones, darker than what is behind them and brighter.
_BARS: Final = tuple((operation, across) for operation in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN) for across in (True, False))
#: So many looks, one a frame, until all kinds of bars were looked through.
WAYS: Final = len(_BARS)


class Eyes:
    """Looks at one clip's frames. Not for several threads at once.

    Args:
        segmenter: Tells people from what is around them.
    """

    def __init__(self, segmenter: SegmentsPersons) -> None:
        self._segmenter = segmenter
        self._way = self._corner = 0

    def look(self, picture: UInt8Array, tiny: Small, *, through_bars: bool, closer: bool) -> Sight:
        """Look once.

        Args:
            picture: The frame's, uint8 BGR (H, W, 3).
            tiny: The same made small.
            through_bars: Look a second time, as if bars were before the people: another kind of bars each time.
            closer: Look at one of the picture's upper corners, too, left and right in turn: beside somebody large the
                segmentation overlooks who is small.
        """
        color, readable = _well_lit(tiny)
        persons = self._segmenter.segment(color) > _PERSON
        if closer:
            persons |= self._in_a_corner(picture, persons.shape)
        detail = _detail(color, persons.shape)
        if not through_bars:
            return Sight(readable, persons, None, detail)
        operation, across = _BARS[self._way]
        self._way = (self._way + 1) % WAYS
        barless = np.asarray(cv2.morphologyEx(color, operation, _kernel(across=across)), np.uint8)
        return Sight(readable, persons, self._segmenter.segment(barless) > _PERSON, detail)

    def _in_a_corner(self, picture: UInt8Array, shape: tuple[int, ...]) -> BoolArray:
        """Where people are in one upper corner of the picture, bool of ``shape``; nobody elsewhere."""
        right, self._corner = self._corner, 1 - self._corner
        (height, width), (rows, columns) = picture.shape[:2], shape
        # Whole cells, so that what is seen lies where it is.
        down, across = round(_CORNER * rows), round(_CORNER * columns)
        top, left = 0, (columns - across) * right
        part = picture[
            top * height // rows : (top + down) * height // rows,
            left * width // columns : (left + across) * width // columns,
        ]
        color, _ = _well_lit(small(part, min(_CLOSER / max(part.shape[:2]), 1.0)))
        mask = cv2.resize(self._segmenter.segment(color), (across, down), interpolation=cv2.INTER_LINEAR)
        found = np.zeros(shape, bool)
        found[top : top + down, left : left + across] = mask > _SURE_PERSON
        return found


def _well_lit(tiny: Small) -> tuple[UInt8Array, bool]:
    """The colours with dark and bright stretched where they lie close, and whether anything could be seen there."""
    counts = cv2.calcHist([tiny.grey], [0], None, [256], [0, 256])[:, 0].cumsum()
    low, high = (int(np.searchsorted(counts, share * counts[-1])) for share in (0.02, 0.98))
    if high - low >= _FLAT:
        return tiny.color, True
    table = np.clip((np.arange(256) - low) * (255 / max(high - low, 1)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(tiny.color, table), np.uint8), high - low >= _READABLE


def _detail(color: UInt8Array, shape: tuple[int, ...]) -> BoolArray:
    """Where brightness differs within three cells of a picture that is shared out into ``shape``."""
    grey = cv2.cvtColor(cv2.resize(color, shape[::-1], interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.subtract(cv2.dilate(grey, kernel), cv2.erode(grey, kernel)) > _EVEN)


def share(seen: BoolArray, box: FloatArray) -> float:
    """How much of a box (xyxy, in cells) is covered by ``seen``: 0-1; 0 where it lies outside."""
    inside = PixelBox(*np.rint(box).astype(int)).clipped(seen.shape[1], seen.shape[0])
    return 0.0 if inside.empty else float(seen[inside.y0 : inside.y1, inside.x0 : inside.x1].mean())
