"""Waits for what happens beside a test."""

from __future__ import annotations

import time


def until(what, seconds=60.0):
    """Wait until something holds, and return it; it fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found
