"""Results that are dear to make and small enough to keep: the least recently used go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Keeps values by key. For several threads; two that ask for the same at once may both make it.

    Args:
        most: Bytes that are kept at most.
        size: Bytes of a value.
    """

    def __init__(self, most: int, size: Callable[[Value], int]) -> None:
        self._most, self._size = most, size
        self._lock = Lock()
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key, made if it is not there; one that is too large alone is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        if self._size(value) > self._most:
            return value
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while self._values and sum(map(self._size, self._values.values())) > self._most:
                self._values.popitem(last=False)
        return value

    def let_go(self, which: Callable[[Value], bool]) -> None:
        """Let go of some values.

        Args:
            which: Whether of this one.
        """
        with self._lock:
            for key in [key for key, value in self._values.items() if which(value)]:
                del self._values[key]

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._values.clear()
