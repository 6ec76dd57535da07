"""What comes into a session: pictures into a slot that holds the newest, sound to whoever hears it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import InputError, UnderstudyError
from understudy.media.live.base import LiveInfo, LiveSource, Picture, Remark, Sound, SourceEnded, SourceLostError
from understudy.media.live.microphone import SoundSource
from understudy.sessions.slots import Slot
from understudy.sessions.statistics import BEHIND, Recorder

#: Seconds between two tries to open what was lost.
_REOPEN: Final = 1.0
#: Seconds that a source's last picture has to be worked off once it has ended, at most; and what was, to arrive.
_LAST, _ARRIVAL = 5.0, 0.2
#: Seconds between two questions to a device that has nothing, at least.
_MOMENT: Final = 0.005
#: Seconds without a picture that are worth a word.
SILENCE: Final = 10.0
#: Most pixels of a picture: 8K.
_MOST_PIXELS: Final = 7680 * 4320
_OWN_FAULT: Final = "That is the source's own fault: restart the device or program that it comes from."


class Intake:
    """Takes in a source's pictures, and its sound or a microphone's.

    Args:
        source: Of pictures, and perhaps sound.
        microphone: Its sound counts, if there is one.
        stop: Ends the work.
        over: Set when the source has ended.
    """

    def __init__(
        self, source: LiveSource, microphone: SoundSource | None, stop: threading.Event, over: threading.Event
    ) -> None:
        self._source, self._microphone, self._stop, self._over = source, microphone, stop, over
        self._other_size = False
        #: What the user should know of what came in, once it has ended.
        self.remarks: list[str] = []
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
            self._info = _known(self._source.open())
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
        self._last: float | None = time.monotonic()
        try:
            while not self._stop.is_set():
                asked = time.monotonic()
                try:
                    item = self._source.read()
                except SourceEnded:
                    self._recorder.event("the source ended")
                    self._wait_for_the_last()
                    time.sleep(_ARRIVAL)
                    self._over.set()
                    return
                except SourceLostError as fault:
                    self._reopen(self._source, "the source", fault)
                    continue
                if isinstance(item, Picture):
                    _check(item)
                    self._last = asked
                    self._recorder.captured(item.at)
                    # A camera's library may hand out the same memory again and again, and write to it meanwhile.
                    picture = self._in_one_size(item.picture.copy())
                    self._recorder.dropped(BEHIND, self.pictures.put(Picture(picture, item.at)))
                elif item is None:
                    self._rest(asked)
                    self._say_silence(asked)
                elif isinstance(item, Remark):
                    self._remark(item.text)
                elif not isinstance(item, Sound):
                    raise InputError(f"the source gave {type(item).__name__}, which is no picture", _OWN_FAULT)
                elif self._microphone is None:
                    self._hear(item._replace(samples=item.samples.copy()))
        finally:
            self._source.close()

    def _listen(self) -> None:
        microphone = self._microphone
        assert microphone is not None
        try:
            while not self._stop.is_set():
                asked = time.monotonic()
                try:
                    sound = microphone.read()
                except SourceLostError as fault:
                    self._reopen(microphone, "the microphone", fault)
                    continue
                if sound is not None:
                    self._hear(sound._replace(samples=sound.samples.copy()))
                else:
                    self._rest(asked)
        finally:
            microphone.close()

    def _in_one_size(self, picture: UInt8Array) -> UInt8Array:
        """A picture as large as the first ones; one of another size lies whole in the middle."""
        size, (height, width) = (self._info.width, self._info.height), picture.shape[:2]
        if (width, height) != size and not self._other_size:
            self._other_size = True
            self._remark(
                f"pictures come as {width}x{height} instead of {size[0]}x{size[1]}: fitted in with their own shape"
            )
        return _fitted(picture, *size)

    def _remark(self, text: str) -> None:
        """Tell, once, what the user should know."""
        if text not in self.remarks:
            self.remarks.append(text)
            self._recorder.event(text)

    def _wait_for_the_last(self) -> None:
        until = time.monotonic() + _LAST
        while not self._recorder.caught_up and time.monotonic() < until:
            if self._stop.wait(_MOMENT):
                return

    def _rest(self, asked: float) -> None:
        """Wait a moment, where a device did not: asked again at once, it would take all of a processor."""
        if time.monotonic() - asked < _MOMENT:
            self._stop.wait(_MOMENT)

    def _say_silence(self, now: float) -> None:
        """Say once that nothing comes: some sources have nothing for a while, others never again."""
        if self._last is not None and now - self._last > SILENCE:
            self._recorder.event(f"the source has given no picture for {SILENCE:.0f} seconds")
            self._last = None

    def _reopen(self, lost: LiveSource | SoundSource, name: str, fault: SourceLostError) -> None:
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


def _known(info: LiveInfo) -> LiveInfo:
    """What a source says of itself, if that can be.

    Raises:
        InputError: it can't.
    """
    fits = isinstance(info, LiveInfo) and min(info.width, info.height) > 0 and info.fps > 0
    if not fits or info.width * info.height > _MOST_PIXELS:
        raise InputError(f"the source reports a size or rate that can't be: {info}", _OWN_FAULT)
    return info


def _check(item: Picture) -> None:
    """Make sure that what a source gave is a picture.

    Raises:
        InputError: it is not.
    """
    picture: object = item.picture
    shape: tuple[int, ...] = getattr(picture, "shape", ())
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3:
        kind = getattr(picture, "dtype", type(picture).__name__)
        raise InputError(f"the source gave {kind} of shape {shape}, which is no uint8 picture (H, W, 3)", _OWN_FAULT)
    if not picture.size or shape[0] * shape[1] > _MOST_PIXELS:
        raise InputError(f"the source gave a picture of {shape[1]}x{shape[0]}", _OWN_FAULT)
    if not isinstance(item.at, (int, float)) or not math.isfinite(item.at):
        raise InputError("the source gave a picture of no time", _OWN_FAULT)


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
