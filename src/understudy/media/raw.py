"""A live sink for programs: raw BGR frames on a pipe."""

from __future__ import annotations

import os
from typing import IO

from understudy.errors import OutputError
from understudy.frames import LabelledFrame
from understudy.media.live import LiveInfo, SinkClosed, Sound


class RawSink:
    """Writes every frame's bytes, BGR, row by row, to a pipe."""

    depth, steady, patience, name = 2, True, 0.8, "stdout"

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""

    def write(self, labelled: LabelledFrame, seconds: float) -> None:  # noqa: ARG002 - a pipe has no clock
        """See ``LiveSink``."""
        data = memoryview(LabelledFrame.opened(labelled).picture.tobytes())
        try:
            while data:
                data = data[os.write(self._pipe.fileno(), data) :]
        except BrokenPipeError:
            raise SinkClosed from None
        except OSError as fault:
            raise OutputError(f"can't write to stdout: {fault.strerror}", "Is something reading it?") from fault

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``: frames only."""

    def close(self) -> list[str]:
        """See ``LiveSink``."""
        return []
