"""What a helper process takes in: a network stream, or a device's sound (see ``media.helpers.receiver``)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from understudy.media.helpers.messages import PICTURE
from understudy.media.helpers.process import START, HelperProcess
from understudy.media.helpers.receiver import ANSWER
from understudy.media.live.base import PATIENCE, Picture, Sound, SourceEnded, SourceLostError

#: Pictures, and things in all, that may wait to be read; the oldest ones make room.
_PICTURES, _WAITING = 3, 400


class Received:
    """What stream sources and microphones have in common: a receiver while they are open."""

    _receiver: Receiver | None = None

    def abandon(self) -> None:
        """From another thread: whatever is waited for is not worth it any more."""
        if (receiver := self._receiver) is not None:
            receiver.abandon()

    def close(self) -> None:
        """Give the device or the connection back."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.close()


class Receiver:
    """Opens once, and is read by one thread.

    Args:
        name: For people.
        asked: The process's first message.
    """

    def __init__(self, name: str, asked: Mapping[str, object]) -> None:
        self._name = name
        self._arrived: deque[Picture | Sound | dict[str, Any]] = deque()
        self._changed = threading.Condition()
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
        with self._changed:
            self._changed.wait_for(lambda: self._arrived, PATIENCE)
            item = self._arrived.popleft() if self._arrived else None
        if item is None:
            if gone:
                raise SourceLostError(f"{self._name} broke off", "It is opened again.")
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
        with self._changed:
            waiting = [other for other in self._arrived if isinstance(other, Picture)]
            if isinstance(item, Picture) and len(waiting) >= _PICTURES:
                self._arrived = deque(other for other in self._arrived if other is not waiting[0])
            if len(self._arrived) >= _WAITING:
                self._arrived.popleft()
            self._arrived.append(item)
            self._changed.notify()

    def abandon(self) -> None:
        """From another thread: what is waited for is not worth it any more."""
        self._closing.set()
        self._process.kill()

    def close(self) -> None:
        """End the process."""
        self._closing.set()
        self._process.kill()
        self._process.end()
