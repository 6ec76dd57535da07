"""OpenCV and numpy work in the thread that calls them, while other threads keep the processor's cores busy.

Threads of their own ask for work over and over before they go to sleep, and so take cores from the stages that run
beside each other. Both have one such setting for the whole process, so who still needs it is noted here once for the
process. It is numpy's products of matrices (BLAS) that have threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import cv2
from threadpoolctl import threadpool_limits


class _Before(NamedTuple):
    """What was set when the first block began: OpenCV's threads, and what knows those of each BLAS."""

    opencv: int
    blas: threadpool_limits


_LOCK: Final = threading.Lock()
#: For each block that runs now, what was set when the first of them began.
_BEFORE: Final[list[_Before]] = []


@contextmanager
def one_library_thread() -> Iterator[None]:
    """Keep both from using threads of their own until the last such block of the process has ended."""
    with _LOCK:
        if _BEFORE:
            _BEFORE.append(_BEFORE[0])
        else:
            _BEFORE.append(_Before(cv2.getNumThreads(), threadpool_limits(1, user_api="blas")))
            cv2.setNumThreads(1)
    try:
        yield
    finally:
        with _LOCK:
            before = _BEFORE.pop()
            if not _BEFORE:
                cv2.setNumThreads(before.opencv)
                before.blas.restore_original_limits()
