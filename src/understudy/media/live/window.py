"""A live sink to look at: a window, in a process of its own (see ``media.helpers.viewer``)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from understudy.errors import RunError, UsageError
from understudy.frames import LabelledFrame
from understudy.installing import install_extra
from understudy.media.helpers.messages import PICTURE, TEXT
from understudy.media.helpers.process import START, HelperProcess
from understudy.media.live.base import LiveInfo, SinkClosed, Sound

#: Seconds between two changes of the statistics shown.
_TEXT_EVERY = 0.5


class WindowSink:
    """Shows frames in a window. The frame's pixels, label and all, are never drawn over: text goes below them.

    Args:
        press: Called with ``mirror``, ``next`` or ``cover`` when such a key was pressed, from a thread of its own.
        text: Gives the lines that the statistics key shows.
    """

    #: Steady, so that its being closed is noticed while no frames come, too.
    depth, steady, keeps, name = 1, True, False, "window"

    def __init__(self, press: Callable[[str], None] | None = None, text: Callable[[], list[str]] | None = None) -> None:
        self._press, self._text = press, text
        self._size: tuple[int | None, int | None] = (None, None)
        self._process: HelperProcess | None = None
        self._statistics = self._closed = False
        self._written = 0.0
        self._abandoned = threading.Event()

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        self._size = (info.width, info.height)
        self._process = HelperProcess("viewer", {"width": info.width, "height": info.height}, told=self._told)
        state = self._process.first_state(START, self._abandoned)
        if state.get("state") == "open":
            return
        self.close()
        reason = state.get("reason", "it does not answer")
        if reason == "missing":
            raise UsageError("a window needs the package pygame-ce", f"Install it: {install_extra('window')}")
        raise UsageError(f"no window can be opened here: {reason}", "Is there a screen (DISPLAY)?")

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        """See ``LiveSink``."""
        assert self._process is not None
        try:
            if self._statistics and self._text is not None and not 0 <= seconds - self._written < _TEXT_EVERY:
                self._written = seconds
                self._process.send(TEXT, seconds, memoryview("\n".join(self._text()).encode()))
            self._process.send(PICTURE, seconds, LabelledFrame.opened(labelled, *self._size).picture.data)
        except OSError as fault:
            self._process.last_state()  # it is told before it goes
            if self._closed:
                raise SinkClosed from None
            raise RunError("the window broke off", "Is the screen still there? Start it again.") from fault

    def _told(self, state: dict[str, Any]) -> None:
        self._closed = self._closed or state.get("state") == "closed"
        key = state.get("key")
        if key == "statistics":
            self._statistics = not self._statistics
        elif key in ("mirror", "next", "cover") and self._press is not None:
            self._press(str(key))

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``: a window has no sound."""

    def abandon(self) -> None:
        """See ``LiveSink``."""
        self._abandoned.set()
        if (process := self._process) is not None:
            process.kill()

    def discard(self) -> None:
        """See ``LiveSink``: it keeps nothing."""

    def close(self) -> list[str]:
        """See ``LiveSink``."""
        process, self._process = self._process, None
        if process is not None:
            process.end()
        return []
