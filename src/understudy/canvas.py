"""A canvas: the right to write into a frame. What only looks takes a ``Frame``; what writes takes a ``Canvas``."""

from __future__ import annotations

from typing import final

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.frames import Change, Frame, PixelBox


@final
class Canvas:
    """A frame that may be written to.

    Only the guard gives one out: live once it has looked at the frame and covered what must not be seen
    (``Guard.cover``), for files, which have no guard, by ``guard.unguarded``. So nobody writes before the guard looked.

    Args:
        frame: What is written to.
    """

    __slots__ = ("_frame",)

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    @property
    def frame(self) -> Frame:
        """The frame as it is now, to be read."""
        return self._frame

    @property
    def width(self) -> int:
        """Pixels across."""
        return self._frame.width

    @property
    def height(self) -> int:
        """Pixels down."""
        return self._frame.height

    def change(self, box: PixelBox) -> UInt8Array:
        """A writable view of the part of the frame's picture in ``box``: uint8 BGR (h, w, 3).

        What is there now is noted in ``Frame.changes`` first, so that a sink knows what was not written.

        Args:
            box: In pixels of the frame; what lies outside it is left out.
        """
        box, frame = box.clipped(self.width, self.height), self._frame
        view = frame.part(box)
        frame.changes.append(Change(box, None if frame.origin is None else view.copy()))
        return view

    def enlarge(self, picture: UInt8Array) -> None:
        """Put a larger picture in the frame's place.

        Nothing of what the frame was decoded from is of use to a sink then, so all of it is coded anew.

        Args:
            picture: uint8 BGR (H, W, 3), as many times as high as the frame as it is times as wide.

        Raises:
            ValueError: it is not.
        """
        frame, (height, width) = self._frame, picture.shape[:2]
        if height * self.width != width * self.height or height < self.height:
            raise ValueError(f"a frame of {self.width}x{self.height} can't become one of {width}x{height}")
        if frame.alpha is not None:
            frame.alpha = np.asarray(cv2.resize(frame.alpha, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        frame.picture, frame.origin = picture, None
        frame.changes.clear()
