"""Gives back what the C library keeps for later of memory that was freed."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


def give_back_memory() -> None:
    """Hand freed memory back to the system: after a model was opened, most of what that took is free again.

    ONNX Runtime takes several times a model's size while it puts the graph in order, and glibc keeps that. Elsewhere
    nothing is done. It takes some milliseconds.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:  # noqa: ANN401 - a function of the C library
    """Glibc's ``malloc_trim``; None where there is none (macOS, Windows, musl)."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
