"""Pictures that a program hands over one by one and gets back labelled: a live source and a live sink of memory."""

from __future__ import annotations

import io
import struct
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Final

import cv2
import numpy as np
from PIL import Image

from understudy.arrays import UInt8Array
from understudy.errors import InputError, NotMediaError
from understudy.frames import LabelledFrame
from understudy.media.live.base import PATIENCE, LiveInfo, Picture, Sound, SourceEnded

#: Largest picture that is taken, in pixels, and in bytes.
MOST_PIXELS: Final = 1920 * 1080
MOST_BYTES: Final = 4_000_000
#: Shortest side of a picture that is taken, in pixels: on a smaller one no label can be read.
LEAST_SIDE: Final = 64
_SIZES: Final = f"Send {LEAST_SIDE}x{LEAST_SIDE} to as many pixels as 1920x1080 has."
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
#: How well pictures are coded that go back (JPEG).
_QUALITY: Final = 90


def decoded(data: bytes) -> UInt8Array:
    """A picture that came over the network.

    Args:
        data: JPEG, PNG or WebP.

    Returns:
        uint8 BGR (H, W, 3).

    Raises:
        NotMediaError: it is none of these, or damaged.
        InputError: it has more pixels than are taken, or hardly any.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as head:  # reads the head only
            width, height = head.size
    except Image.DecompressionBombError as fault:
        raise InputError("a picture as large as this one is not taken", _SIZES) from fault
    except (OSError, ValueError, SyntaxError) as fault:
        raise NotMediaError("this is no picture", "Send JPEG, PNG or WebP.") from fault
    if width * height > MOST_PIXELS or min(width, height) < LEAST_SIDE:
        raise InputError(f"a picture of {width}x{height} is not taken", _SIZES)
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if found is None or found.shape[:2] != (height, width):
        raise NotMediaError("this picture is damaged", "Send JPEG, PNG or WebP, upright.")
    return np.ascontiguousarray(found, np.uint8)


class HandedOver:
    """A live source of pictures that are handed over from another thread; the newest only.

    Args:
        first: The first one: all are of its size.
    """

    def __init__(self, first: UInt8Array) -> None:
        self._shape = first.shape
        self._next: tuple[UInt8Array, float] | None = (first, time.monotonic())
        self._changed = threading.Condition()
        self._over = False

    def hand_over(self, picture: UInt8Array) -> None:
        """Have a picture swapped, in place of one that waits.

        Raises:
            InputError: it is of another size than the first.
        """
        if picture.shape != self._shape:
            height, width = self._shape[:2]
            raise InputError(f"all pictures of a session are {width}x{height}", "Begin another session.")
        with self._changed:
            self._next = (picture, time.monotonic())
            self._changed.notify()

    def end(self) -> None:
        """No more will come."""
        with self._changed:
            self._over = True
            self._changed.notify()

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        return LiveInfo("a program", self._shape[1], self._shape[0], Fraction(30))

    def read(self) -> Picture | Sound | None:
        """See ``LiveSource``."""
        with self._changed:
            if self._next is None and not self._over:
                self._changed.wait(PATIENCE)
            if self._next is None:
                if self._over:
                    raise SourceEnded
                return None
            (picture, at), self._next = self._next, None
        return Picture(picture, at)

    def close(self) -> None:
        """See ``LiveSource``."""

    def abandon(self) -> None:
        """See ``LiveSource``."""
        self.end()


class HandedBack:
    """A live sink that codes each frame and gives it to a function. Like any sink it takes labelled frames only.

    Args:
        give: Takes when a frame was captured, in milliseconds since the session began, as four bytes (the most
            important first), and a JPEG.
    """

    depth, steady, keeps, name = 1, False, False, "program"

    def __init__(self, give: Callable[[bytes], None]) -> None:
        self._give = give
        self._size: tuple[int | None, int | None] = (None, None)

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        self._size = (info.width, info.height)

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        """See ``LiveSink``."""
        picture = LabelledFrame.opened(labelled, *self._size).picture
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        self._give(struct.pack(">I", round(1000 * max(seconds, 0)) % 2**32) + data.tobytes())

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``: pictures only."""

    def abandon(self) -> None:
        """See ``LiveSink``: it waits for nobody."""

    def discard(self) -> None:
        """See ``LiveSink``: it keeps nothing."""

    def close(self) -> list[str]:
        """See ``LiveSink``."""
        return []
