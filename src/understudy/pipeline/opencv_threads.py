"""OpenCV works in the thread that calls it, while other threads keep the processor's cores busy.

Threads of its own ask for work over and over before they go to sleep, and so take cores from the stages that run beside
each other. OpenCV has one such setting for the whole process, so who still needs it is noted here once for the process.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import cv2

_LOCK: Final = threading.Lock()
#: For each block that runs now, how many threads OpenCV had when the first of them began.
_THREADS_BEFORE: Final[list[int]] = []


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Keep OpenCV from using threads of its own until the last such block of the process has ended."""
    with _LOCK:
        _THREADS_BEFORE.append(_THREADS_BEFORE[0] if _THREADS_BEFORE else cv2.getNumThreads())
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        with _LOCK:
            before = _THREADS_BEFORE.pop()
            if not _THREADS_BEFORE:
                cv2.setNumThreads(before)
