"""Python's garbage collector, kept from looking through what stays: models, compiled code, all that was loaded.

Doing that now and then held up frames for 50 ms. So what there is when a session begins is set aside (``gc.freeze``),
and put back when the last session of the process has ended. A process has one collector, however many ``Understudy``
objects it has, so who still needs this is noted here once for the process.
"""

from __future__ import annotations

import gc
import threading
from typing import Final

_LOCK: Final = threading.Lock()
_NEEDED_BY: Final[set[object]] = set()


def set_aside(session: object) -> None:
    """Set aside what there is now, until ``put_back`` was called for every session that asked for it."""
    gc.collect()
    with _LOCK:
        _NEEDED_BY.add(session)
        gc.freeze()


def put_back(session: object) -> None:
    """A session needs it no more; nothing happens if it did not before."""
    with _LOCK:
        if session in _NEEDED_BY:
            _NEEDED_BY.remove(session)
            if not _NEEDED_BY:
                gc.unfreeze()
