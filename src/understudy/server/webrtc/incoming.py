"""The pictures of a browser's camera as a live source: connections come and go, the newest picture counts."""

from __future__ import annotations

import threading
import time
from fractions import Fraction
from typing import Final, Protocol

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from understudy.errors import InputError
from understudy.media.live.base import PATIENCE, LiveInfo, Picture, Sound, SourceEnded

#: Largest and smallest picture that is taken, in pixels.
MOST_PIXELS: Final = 1920 * 1088
LEAST_SIDE: Final = 64
#: Seconds within which a browser that begins with small pictures sends them in their full size.
_GROWING: Final = 0.5


class TakesPictures(Protocol):
    """Whoever pictures are handed over to as they come."""

    def hand_over(self, frame: VideoFrame, at: float) -> None:
        """See ``IncomingPictures``."""
        ...


class IncomingPictures:
    """A live source of pictures that arrive from a browser.

    They are handed over in one thread and read in another. One that was not read yet gives way to the next.
    """

    def __init__(self) -> None:
        self._next: tuple[VideoFrame, float] | None = None
        self._changed = threading.Condition()
        self._over = False
        #: When a picture came last (``time.monotonic``); None if none did.
        self.last_at: float | None = None

    def hand_over(self, frame: VideoFrame, at: float) -> None:
        """Have a picture swapped.

        Args:
            frame: As it was decoded.
            at: When it came (``time.monotonic``).

        Raises:
            InputError: it is larger than is taken, or has hardly any pixels.
        """
        if frame.width * frame.height > MOST_PIXELS or min(frame.width, frame.height) < LEAST_SIDE:
            raise InputError(
                f"a camera's picture of {frame.width}x{frame.height} is not taken",
                f"Send {LEAST_SIDE}x{LEAST_SIDE} to as many pixels as 1920x1080 has.",
            )
        with self._changed:
            self._next, self.last_at = (frame, at), at
            self._changed.notify_all()

    @property
    def over(self) -> bool:
        """Whether no more will come."""
        return self._over

    def end(self) -> None:
        """No more will come."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def open(self) -> LiveInfo:
        """See ``LiveSource``. The largest of the first pictures says how large all are.

        Raises:
            InputError: there is none.
        """
        until, width, height = time.monotonic() + _GROWING, 0, 0
        with self._changed:
            while not self._over and (left := until - time.monotonic()) > 0:
                if self._next is not None:
                    frame = self._next[0]
                    if frame.width * frame.height > width * height:
                        width, height = frame.width, frame.height
                self._changed.wait(left)
        if not width:
            raise InputError("no picture comes", "Send one, then begin.")
        return LiveInfo("a browser", width, height, Fraction(30))

    def read(self) -> Picture | Sound | None:
        """See ``LiveSource``."""
        with self._changed:
            if self._next is None and not self._over:
                self._changed.wait(PATIENCE)
            if self._over:
                raise SourceEnded
            if self._next is None:
                return None
            (frame, at), self._next = self._next, None
        picture = frame.to_ndarray(format="bgr24", src_colorspace=_matrix(frame), src_color_range=_range(frame))
        return Picture(np.ascontiguousarray(picture, np.uint8), at)

    def close(self) -> None:
        """See ``LiveSource``."""

    def abandon(self) -> None:
        """See ``LiveSource``."""
        self.end()


def _matrix(frame: VideoFrame) -> int:
    """The colours of a picture: browsers code a camera's in BT.601 where they do not say otherwise."""
    return Colorspace.ITU709 if frame.colorspace == Colorspace.ITU709 else Colorspace.ITU601


def _range(frame: VideoFrame) -> int:
    return ColorRange.JPEG if frame.color_range == ColorRange.JPEG else ColorRange.MPEG
