"""Where the time goes: milliseconds a stage."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from understudy.quantiles import percentiles

#: Frames that percentiles are taken over: the latest, so that a long clip needs no more memory.
WINDOW = 4096


class Timings:
    """Durations by stage, the latest ``WINDOW`` of each."""

    def __init__(self) -> None:
        self._seconds: dict[str, deque[float]] = {}

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Time a block."""
        start = time.perf_counter()
        yield
        self._seconds.setdefault(stage, deque(maxlen=WINDOW)).append(time.perf_counter() - start)

    def summary(self) -> dict[str, dict[str, float]]:
        """``{stage: {"p50": ms, "p95": ms}}`` in the order the stages first ran."""
        result = {}
        for stage, seconds in list(self._seconds.items()):
            p50, p95 = percentiles(np.array(seconds.copy()) * 1000, (50, 95))
            result[stage] = {"p50": round(p50, 3), "p95": round(p95, 3)}
        return result
