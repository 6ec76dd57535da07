"""A camera that shows what it is given, at its own pace, to one program at a time, and can be unplugged."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction

from understudy.arrays import UInt8Array
from understudy.errors import InputError
from understudy.media.live.base import PATIENCE, LiveInfo, Picture, Sound, SourceEnded, SourceLostError


class FakeCamera:
    """Shows pictures over and over.

    Attributes:
        shown: Pictures that it has given.
        plugged: Set while it is plugged in.
        busy: Whether a program has it open.
        opened, closed: How often that was done.

    Args:
        pictures: uint8 BGR (H, W, 3); of different sizes, if that is what is tried.
        fps: Pictures a second.
        count: After how many it ends; None for never.
    """

    def __init__(self, pictures: Sequence[UInt8Array], fps: int = 30, count: int | None = None) -> None:
        self.pictures, self._fps, self._count = pictures, fps, count
        self._order: Iterator[int] = iter(())
        self._due = 0.0
        self.shown = 0
        self.plugged = threading.Event()
        self.plugged.set()
        self.busy = False
        self.opened = 0
        self.closed = 0

    def open(self) -> LiveInfo:
        """See ``media.live.base.LiveSource``."""
        if not self.plugged.is_set():
            raise InputError("the camera is not there", "Plug it in.")
        if self.busy:
            raise InputError("the camera is busy", "Is another program using it?")
        self.busy = True
        self.opened += 1
        self._order = itertools.cycle(range(len(self.pictures)))
        self._due = time.monotonic()
        height, width = self.pictures[0].shape[:2]
        return LiveInfo("fake camera", width, height, Fraction(self._fps))

    def read(self) -> Picture | Sound | None:
        """See ``media.live.base.LiveSource``."""
        if not self.plugged.is_set():
            raise SourceLostError("the camera was unplugged", "Plug it in.")
        if self._count is not None and self.shown >= self._count:
            raise SourceEnded
        wait = self._due - time.monotonic()
        if wait > 0:
            time.sleep(min(wait, PATIENCE))
            if wait > PATIENCE:
                return None
        at, self._due = self._due, max(self._due + 1 / self._fps, time.monotonic() - 1)
        self.shown += 1
        return Picture(self.pictures[next(self._order)].copy(), at)

    def hang(self, seconds: float) -> None:
        """Give nothing for so long, from the next picture on."""
        self._due += seconds

    def abandon(self) -> None:
        """See ``media.live.base.LiveSource``: it waits for a moment only."""

    def close(self) -> None:
        """See ``media.live.base.LiveSource``."""
        self.busy = False
        self.closed += 1
