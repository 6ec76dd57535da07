"""Threads that give way to all others, or take only what they leave idle: for models beside a live session."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")
#: The politest priority that there is, where the system knows no idle threads.
_LAST = 19


class Call(Protocol):
    """Calls a function and gives what it gives: at once, or in another thread."""

    def __call__(self, function: Callable[..., Result], /, *arguments: Any) -> Result:  # noqa: ANN401
        """What the function gives.

        Raises:
            Exception: what it raises.
        """
        ...


def directly(function: Callable[..., Result], /, *arguments: Any) -> Result:  # noqa: ANN401
    """See ``Call``: at once."""
    return function(*arguments)


class IdleThread:
    """Calls functions, one at a time, in a thread that every other thread comes before. A ``Call``.

    What is called must let go of Python's lock while it works, as the runtimes of models do, and be short otherwise: if
    this thread were stopped with the lock in its hands, all others would wait for the processor that it waits for.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, name, _be_idle)

    def __call__(self, function: Callable[..., Result], /, *arguments: Any) -> Result:  # noqa: ANN401
        """See ``Call``."""
        return self._thread.submit(function, *arguments).result()

    def close(self) -> None:
        """End the thread, once what it does is done; nobody waits for that."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def give_way(priority: int = _LAST) -> None:
    """Have this thread come after the usual ones. Linux alone does that thread by thread.

    Args:
        priority: How polite it is: 19 waits for everything, 10 has a tenth of what a usual thread beside it has.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            # Never less polite than the program.
            os.setpriority(os.PRIO_PROCESS, thread, max(priority, os.getpriority(os.PRIO_PROCESS, thread)))


def _be_idle() -> None:
    """Have this thread run where all others leave the processor idle.

    An idle thread is stopped as soon as another wakes up. A merely polite one (nice) first uses up its slice, some
    milliseconds, each time: measured with a restorer beside a live session, that was 9 ms more a frame.
    """
    give_way()
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
