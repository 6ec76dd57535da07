"""Raw BGR frames on pipes, from and to other programs."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from typing import IO

import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import OutputError, out_of_space
from understudy.frames import LabelledFrame
from understudy.media.live.base import (
    PATIENCE,
    CaptureOptions,
    LiveInfo,
    Picture,
    Remark,
    SinkClosed,
    Sound,
    SourceEnded,
)


class RawSource:
    """Raw BGR frames of a known size, from a pipe."""

    def __init__(self, pipe: IO[bytes], options: CaptureOptions) -> None:
        self._pipe, self._options = pipe, options
        self._part = bytearray()

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        options = self._options
        return LiveInfo("stdin", options.width, options.height, options.fps)

    def read(self) -> Picture | Sound | Remark | None:
        """See ``LiveSource``."""
        options = self._options
        size = options.width * options.height * 3
        while len(self._part) < size:
            if os.name == "posix" and not select.select([self._pipe], [], [], PATIENCE)[0]:
                return None
            part = os.read(self._pipe.fileno(), size - len(self._part))
            if not part:
                return self._ended()
            self._part += part
        picture: UInt8Array = (
            np.frombuffer(bytes(self._part), np.uint8).reshape(options.height, options.width, 3).copy()
        )
        self._part.clear()
        return Picture(picture, time.monotonic())

    def _ended(self) -> Remark:
        """That it ended within a picture: then pictures may be of another size than was said.

        Raises:
            SourceEnded: it did not, or that has been told.
        """
        left, options = len(self._part), self._options
        if not left:
            raise SourceEnded
        self._part.clear()
        return Remark(f"the last {left} bytes are no whole picture of {options.width}x{options.height}")

    def abandon(self) -> None:
        """See ``LiveSource``: it waits for a moment only."""

    def close(self) -> None:
        """See ``LiveSource``."""


class RawSink:
    """Writes every frame's bytes, BGR, row by row, to a pipe. Whoever reads it slowly gets fewer frames, whole ones."""

    depth, steady, keeps, name = 2, True, False, "stdout"

    def __init__(self, pipe: IO[bytes]) -> None:
        self._size: tuple[int | None, int | None] = (None, None)
        self._pipe = pipe
        self._abandoned = threading.Event()

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        self._size = (info.width, info.height)
        if os.name == "posix":
            os.set_blocking(self._pipe.fileno(), False)

    def write(self, labelled: LabelledFrame, seconds: float) -> None:  # noqa: ARG002 - a pipe has no clock
        """See ``LiveSink``."""
        data = LabelledFrame.opened(labelled, *self._size).picture.data.cast("B")
        try:
            while data:
                if os.name == "posix" and not select.select([], [self._pipe], [], PATIENCE)[1]:
                    if self._abandoned.is_set():
                        raise SinkClosed
                    continue
                data = data[os.write(self._pipe.fileno(), data) :]
        except BrokenPipeError:
            raise SinkClosed from None
        except OSError as fault:
            hint = "Free some space, or name another output." if out_of_space(fault) else "Is something reading it?"
            raise OutputError(f"can't write to stdout: {fault.strerror}", hint) from fault

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``: frames only."""

    def discard(self) -> None:
        """See ``LiveSink``: it keeps nothing."""

    def close(self) -> list[str]:
        """See ``LiveSink``."""
        if os.name == "posix":
            with contextlib.suppress(OSError):
                os.set_blocking(self._pipe.fileno(), True)
        return []

    def abandon(self) -> None:
        """See ``LiveSink``."""
        self._abandoned.set()
