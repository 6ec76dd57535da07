"""What comes into a session: pictures into a slot that holds the newest, sound to whoever hears it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import InputError, UnderstudyError
from understudy.live.slots import Slot
from understudy.live.statistics import Recorder
from understudy.media.live import LiveInfo, LiveSource, Picture, Sound, SourceEnded, SourceLostError
from understudy.media.microphone import Microphone

#: Seconds between two tries to open what was lost.
_REOPEN: Final = 1.0
#: Seconds that what is on its way has to arrive once a source has ended.
_ARRIVAL: Final = 0.2


class Intake:
    """Takes in a source's pictures, and its sound or a microphone's.

    Args:
        source: Of pictures, and perhaps sound.
        microphone: Its sound counts, if there is one.
        stop: Ends the work.
        over: Set when the source has ended.
    """

    def __init__(
        self, source: LiveSource, microphone: Microphone | None, stop: threading.Event, over: threading.Event
    ) -> None:
        self._source, self._microphone, self._stop, self._over = source, microphone, stop, over
        #: The newest pictures, all of one size.
        self.pictures: Slot[Picture] = Slot()

    def open(self) -> LiveInfo:
        """Open everything.

        Raises:
            UnderstudyError: something is not there, or busy; nothing is open then.
        """
        try:
            # First the microphone, which may take seconds: pictures would grow old meanwhile.
            if self._microphone is not None:
                self._microphone.open()
            self._info = self._source.open()
            if self._microphone is not None:
                self._info = replace(self._info, sound=True)
        except SourceLostError as fault:
            self.close()
            raise InputError(fault.message, fault.hint) from fault
        except BaseException:
            self.close()
            raise
        return self._info

    def close(self) -> None:
        """Give the devices back, where the work has not begun."""
        self._source.close()
        if self._microphone is not None:
            self._microphone.close()

    def abandon(self) -> None:
        """From another thread: nothing is worth waiting for any more."""
        self._source.abandon()
        if self._microphone is not None:
            self._microphone.abandon()

    def work(self, recorder: Recorder, hear: Callable[[Sound], None]) -> list[tuple[str, Callable[[], None]]]:
        """What has to run, each in a thread of its own: it closes what it reads."""
        self._recorder, self._hear = recorder, hear
        capture = [("capture", self._capture)]
        return capture if self._microphone is None else [*capture, ("microphone", self._listen)]

    def _capture(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    item = self._source.read()
                except SourceEnded:
                    self._recorder.event("the source ended")
                    time.sleep(_ARRIVAL)
                    self._over.set()
                    return
                except SourceLostError as fault:
                    self._reopen(self._source, "the source", fault)
                    continue
                if isinstance(item, Picture):
                    self._recorder.captured(item.at)
                    # A camera's library may hand out the same memory again and again, and write to it meanwhile.
                    picture = _fitted(item.picture.copy(), self._info.width, self._info.height)
                    self._recorder.dropped("processing behind", self.pictures.put(Picture(picture, item.at)))
                elif item is not None and self._microphone is None:
                    self._hear(item._replace(samples=item.samples.copy()))
        finally:
            self._source.close()

    def _listen(self) -> None:
        microphone = self._microphone
        assert microphone is not None
        try:
            while not self._stop.is_set():
                try:
                    sound = microphone.read()
                except SourceLostError as fault:
                    self._reopen(microphone, "the microphone", fault)
                    continue
                if sound is not None:
                    self._hear(sound._replace(samples=sound.samples.copy()))
        finally:
            microphone.close()

    def _reopen(self, lost: LiveSource | Microphone, name: str, fault: SourceLostError) -> None:
        self._recorder.event(fault.message)
        lost.close()
        while not self._stop.wait(_REOPEN):
            try:
                lost.open()
            except UnderstudyError:
                lost.close()
                continue
            self._recorder.event(f"{name} is back")
            return


def _fitted(picture: UInt8Array, width: int, height: int) -> UInt8Array:
    """A picture of another size, whole, in the middle of one of ``width`` x ``height``: uint8 BGR."""
    if (picture.shape[1], picture.shape[0]) == (width, height):
        return picture
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1)
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return canvas
