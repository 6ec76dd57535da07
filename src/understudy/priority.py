"""Threads that run where all others leave the processor idle: for models that nothing waits for."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import Final

#: The politest priority that there is.
_LAST: Final = 19


def give_way(priority: int = _LAST) -> None:
    """Have this thread run where all others leave the processor idle. Linux alone does that thread by thread.

    Args:
        priority: How polite it is: 19 waits for everything, 10 has a tenth of what a usual thread beside it has.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, max(priority, os.getpriority(os.PRIO_PROCESS, thread)))
