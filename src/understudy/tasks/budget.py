"""What a model costs where it runs: time, memory, size."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

#: Runs of which the median is taken, and seconds after which no further one is begun.
_RUNS: Final = 5
_LONGEST: Final = 3.0
_STATM: Final = Path("/proc/self/statm")


@dataclass(frozen=True)
class Cost:
    """What a model costs.

    Attributes:
        milliseconds: One run, the median of a few.
        memory_mb: By how much this process grew with it, in millions of bytes; None where the system does not say.
        size_mb: Its file, likewise.
    """

    milliseconds: float
    memory_mb: float | None
    size_mb: float

    def __str__(self) -> str:
        memory = "" if self.memory_mb is None else f", {self.memory_mb:.0f} MB of memory"
        return f"{self.milliseconds:.1f} ms{memory}, file {self.size_mb:.1f} MB"


def measured(run: Callable[[], object], size: int, before: int | None) -> Cost:
    """The cost of what is open.

    Args:
        run: Runs it once.
        size: Bytes of its file.
        before: ``memory()`` before it was opened.
    """
    times: list[float] = []
    run()
    begin = time.perf_counter()
    while len(times) < _RUNS and (not times or time.perf_counter() - begin < _LONGEST):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    after = memory()
    grown = None if before is None or after is None else max(after - before, 0) / 1e6
    return Cost(1000 * median(times), grown, size / 1e6)


def memory() -> int | None:
    """Bytes of memory that this process takes now; None where the system does not say."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None
