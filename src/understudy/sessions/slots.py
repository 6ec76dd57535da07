"""Slots between threads: bounded, newest first to survive."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Slot(Generic[Item]):
    """Holds the newest items. Putting never waits: the oldest one makes room.

    Args:
        depth: How many may wait. May be set anew at any time.
    """

    def __init__(self, depth: int = 1) -> None:
        self.depth = depth
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, item: Item) -> int:
        """Leave an item; how many had to make room for it."""
        with self._changed:
            dropped = 0
            while len(self._items) >= self.depth:
                self._items.popleft()
                dropped += 1
            self._items.append(item)
            self._changed.notify()
            return dropped

    def get(self, timeout: float) -> Item | None:
        """The oldest item that waits; None if there is none within ``timeout`` seconds or the slot is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout)
            return self._items.popleft() if self._items else None

    def close(self) -> None:
        """Wake whoever waits; what is left can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
