"""How one segment of a clip goes over into the next: its last frames change, little by little, to how that draws them.

Two segments have not seen the same frames, so they do not draw a face quite alike: a segment knows its shape from
longer ago than the next one does. Left alone, that is a small jump in a face that holds still.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from understudy.arrays import UInt8Array
from understudy.canvas import Canvas
from understudy.frames import Frame, PixelBox
from understudy.pipeline.tally import Swapped


class _Drawn(NamedTuple):
    """A frame as the next segment draws it.

    Attributes:
        faces: How many faces were swapped.
        parts: What was written, uint8 BGR (h, w, 3), and where.
    """

    faces: int
    parts: list[tuple[PixelBox, UInt8Array]]


class Handover:
    """Of one segment to the next.

    Args:
        drawn: The segment's last frames, in order, as the next one draws them, and what was done to each.
    """

    def __init__(self, drawn: Iterable[tuple[Frame, Swapped]] = ()) -> None:
        self._drawn: dict[int, _Drawn] = {}
        for frame, done in drawn:
            if done.scale == 1:
                parts = [(change.box, frame.part(change.box).copy()) for change in frame.changes]
                self._drawn[frame.pts] = _Drawn(len(done.patches), parts)
        count = len(self._drawn) + 1
        #: How much of each is the next segment's, 0-1.
        self._shares = {pts: place / count for place, pts in enumerate(self._drawn, 1)}

    def original(self, frame: Frame) -> UInt8Array | None:
        """What ``compose`` needs to know of a frame before it is swapped; None if it is none of the last."""
        return frame.picture.copy() if frame.pts in self._drawn else None

    def compose(self, canvas: Canvas, done: Swapped, original: UInt8Array | None) -> None:
        """Change a frame over, as far as it is its turn; not where the two did not swap the same faces.

        Args:
            canvas: The frame, swapped.
            done: What was done to it.
            original: What ``original`` gave for it.
        """
        frame = canvas.frame
        drawn = self._drawn.get(frame.pts)
        if (
            drawn is None
            or original is None
            or drawn.faces != len(done.patches)
            or original.shape != frame.picture.shape
        ):
            return
        for box, pixels in drawn.parts:
            original[box.y0 : box.y1, box.x0 : box.x1] = pixels
        boxes = [
            PixelBox(*map(int, box)) for box in (*(one.box for one in frame.changes), *(one for one, _ in drawn.parts))
        ]
        boxes = [box for box in boxes if not box.empty]
        if not boxes:
            return
        around = PixelBox(
            min(box.x0 for box in boxes),
            min(box.y0 for box in boxes),
            max(box.x1 for box in boxes),
            max(box.y1 for box in boxes),
        ).clipped(frame.width, frame.height)
        view, other = canvas.change(around), original[around.y0 : around.y1, around.x0 : around.x1]
        share = np.float32(self._shares[frame.pts])
        view[:] = np.rint(view + (other.astype(np.float32) - view) * share).astype(np.uint8)
