"""Live pictures and sound from an address: RTMP, RTSP, UDP, HTTP."""

from __future__ import annotations

import queue
import re
import threading
from fractions import Fraction
from typing import Any, Final

import numpy as np

from understudy.media.live import PATIENCE, LiveInfo, Picture, Sound, SourceEnded, SourceLostError
from understudy.media.process import START, HelperProcess
from understudy.streaming.messages import PICTURE
from understudy.streaming.receiver import ANSWER

#: Addresses that can be watched.
SCHEMES: Final = ("rtmp", "rtmps", "rtsp", "udp", "http", "https", "rtp", "tcp")
#: Pictures and pieces of sound that may wait to be read; the process waits when there are so many.
_WAITING: Final = 64


class StreamSource:
    """A network stream, received by a process of its own (see ``streaming.receiver``)."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._name = re.sub(r"//[^/@]*@", "//", address).split("?", 1)[0]  # neither password nor key
        self._process: HelperProcess | None = None
        self._arrived: queue.Queue[Picture | Sound | dict[str, Any]] = queue.Queue(_WAITING)
        self._closing = threading.Event()

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        self._arrived, self._closing = queue.Queue(_WAITING), threading.Event()
        self._process = HelperProcess("receiver", {"address": self._address}, self._take, self._put)
        state = self._process.first_state(2 * ANSWER + START, self._closing)
        if state.get("state") != "open":
            self.close()
            reason = state.get("reason", "no answer")
            raise SourceLostError(f"can't watch {self._name}: {reason}", "Is it being sent, and is the address right?")
        fps = Fraction(state["rate"])
        return LiveInfo(self._name, state["width"], state["height"], fps, sound=state["sound"])

    def read(self) -> Picture | Sound | None:
        """See ``LiveSource``."""
        try:
            item = self._arrived.get(timeout=PATIENCE)
        except queue.Empty:
            if self._process is not None and not self._process.alive and self._arrived.empty():
                raise SourceLostError(f"{self._name} broke off", "It is opened again.") from None
            return None
        if not isinstance(item, dict):
            return item
        if item.get("state") == "ended":
            raise SourceEnded
        raise SourceLostError(f"{self._name} was lost: {item.get('reason')}", "It is opened again.")

    def _take(self, kind: bytes, seconds: float, content: memoryview) -> None:
        if kind == PICTURE:
            width, height = (int.from_bytes(content[at : at + 4], "little") for at in (0, 4))
            picture = np.frombuffer(content[8:], np.uint8).reshape(height, width, 3)
            self._put(Picture(picture, seconds))
        else:
            self._put(Sound(np.frombuffer(content, np.int16).reshape(-1, 2), seconds))

    def _put(self, item: Picture | Sound | dict[str, Any]) -> None:
        while not self._closing.is_set():
            try:
                self._arrived.put(item, timeout=PATIENCE)
            except queue.Full:
                continue
            return

    def close(self) -> None:
        """See ``LiveSource``."""
        self._closing.set()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.end()
