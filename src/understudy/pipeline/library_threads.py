"""OpenCV and numpy work in the thread that calls them, while other threads keep the processor's cores busy.

Threads of their own ask for work over and over before they go to sleep, and so take cores from the stages that run
beside each other, and from other programs. It is numpy's products of matrices (BLAS) that have threads. Beside a
program that took both of two cores, a look of the content check took 110 to 860 ms with them and 45 to 66 without.

Each has one such setting for the whole process, so who still needs it is noted here once for the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import cv2
from threadpoolctl import threadpool_limits


class _OneThread:
    """Keeps a library to one thread as long as anybody needs that.

    Args:
        limit: Sets it to one; gives what sets it back.
    """

    def __init__(self, limit: Callable[[], Callable[[], object]]) -> None:
        self._limit, self._lock, self._users = limit, threading.Lock(), 0
        self._restore: Callable[[], object] | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._lock:
            if self._restore is None:
                self._restore = self._limit()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._restore is not None and not self._users:
                    self._restore()
                    self._restore = None


def _limited_opencv() -> Callable[[], object]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    return lambda: cv2.setNumThreads(before)


_OPENCV: Final = _OneThread(_limited_opencv)
_BLAS: Final = _OneThread(lambda: threadpool_limits(1, user_api="blas").restore_original_limits)


@contextmanager
def one_library_thread() -> Iterator[None]:
    """Keep both from using threads of their own until the last such block of the process has ended."""
    with _OPENCV.held(), _BLAS.held():
        yield


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep numpy from using threads of its own until the last block of either kind has ended.

    For what runs one thing after the other, where OpenCV's threads shorten the wait.
    """
    with _BLAS.held():
        yield
