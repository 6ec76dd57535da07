"""What a helper process takes in: a network stream, or a device's sound (see ``streaming.receiver``)."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from understudy.media.live import PATIENCE, Picture, Sound, SourceEnded, SourceLostError
from understudy.media.process import START, HelperProcess
from understudy.streaming.messages import PICTURE
from understudy.streaming.receiver import ANSWER

#: Pictures and pieces of sound that may wait to be read; the process waits when there are so many.
_WAITING: Final = 64


class Receiver:
    """Opens once, and is read by one thread.

    Args:
        name: For people.
        asked: The process's first message.
    """

    def __init__(self, name: str, asked: Mapping[str, object]) -> None:
        self._name = name
        self._arrived: queue.Queue[Picture | Sound | dict[str, Any]] = queue.Queue(_WAITING)
        self._closing = threading.Event()
        self._process = HelperProcess("receiver", asked, self._take, self._put)

    def opened(self) -> dict[str, Any]:
        """What comes.

        Raises:
            SourceLostError: nothing.
        """
        state = self._process.first_state(2 * ANSWER + START, self._closing)
        if state.get("state") != "open":
            raise SourceLostError(state.get("reason", "no answer"), "")
        return state

    def read(self) -> Picture | Sound | None:
        """See ``LiveSource``."""
        gone = not self._process.alive
        try:
            item = self._arrived.get(timeout=PATIENCE)
        except queue.Empty:
            if gone:
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
        """End the process."""
        self._closing.set()
        self._process.kill()
        self._process.end()
