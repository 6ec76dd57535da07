"""What makes a start shorter: imports that take less time."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def doing_without(*names: str) -> Iterator[None]:
    """Have packages not be found by what is imported in the block; what knows how to do without them does.

    They can be imported afterwards, and those that were imported already are found.

    Args:
        names: Of top-level packages.
    """
    # None there makes an import fail as that of a package that is not installed does (Python's reference, 5.3.1).
    hidden = [name for name in names if sys.modules.setdefault(name, None) is None]  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def not_collecting() -> Iterator[None]:
    """Have nobody look for garbage in the block.

    What modules make stays; to go through it again and again takes a tenth of the time of their import.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
