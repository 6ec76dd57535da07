"""The truth about time: how late, how many, what was dropped and why."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from understudy import names
from understudy.errors import UsageError
from understudy.outputs import Draft, refuse_inputs, settled, status_of
from understudy.pipeline.tally import Tally
from understudy.quantiles import percentile

#: Frames that percentiles and rates are taken over: so that an evening needs no more memory than a minute.
WINDOW = 1800


@dataclass(frozen=True)
class LiveStatistics:
    """What a session did so far.

    Attributes:
        seconds: Since it began.
        frames_in: Captured.
        frames_swapped, frames_covered: With a swap; with a lost face held, blurred or frozen.
        fps_in, fps_out: Over the last seconds: captured, made.
        latency_ms: ``p50``, ``p95``, ``p99`` from capture to hand-over to the sink, over all sinks.
        sinks: By name: frames ``written`` and ``repeated``, and its own ``latency_ms``.
        drops: Frames that were not shown, by cause.
        events: What happened: sources and sinks lost and back.
        stages_ms: Median and 95th percentile of each stage.
        enhanced_every: In how many frames what a face restorer gave once was shown, on average; None where none gave
            anything.
        neural_fps: Faces a second that a neural engine drew lately, which the mesh carries to the frames between; None
            where no engine is carried.
        texture_age_ms: ``p50`` and ``p95`` of how long before a frame the face was drawn that it shows; empty where
            none is carried.
    """

    seconds: float
    frames_in: int
    frames_swapped: int
    frames_covered: int
    fps_in: float
    fps_out: float
    latency_ms: dict[str, float]
    sinks: dict[str, dict[str, object]]
    drops: dict[str, int]
    events: tuple[str, ...]
    stages_ms: dict[str, dict[str, float]]
    enhanced_every: float | None = None
    neural_fps: float | None = None
    texture_age_ms: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The statistics as plain values."""
        return asdict(self)

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write them to a file, whole or not at all.

        Raises:
            OutputExistsError: there is one, and ``overwrite`` is false.
            OutputError, NoSpaceError: it can't be written.
        """
        target = settled(path, overwrite=overwrite)
        Draft(target, overwrite=overwrite, private=True).write(json.dumps(self.as_json(), indent=2).encode())


class StatisticsFile:
    """A file that statistics are written to again and again. Only the first time it could be somebody else's.

    Args:
        path: Its name; a link is followed.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        OutputExistsError: there is one and it may not, or something that is no file.
        OutputError: it can't be written.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self._path, self._overwrite = settled(path, overwrite=overwrite), overwrite
        self._written: os.stat_result | None = None

    def save(self, statistics: LiveStatistics) -> None:
        """Write them, whole or not at all.

        Raises:
            OutputExistsError: another file has that name meanwhile.
            OutputError, NoSpaceError: it can't be written.
        """
        there = status_of(self._path)
        own = there is not None and self._written is not None and _known(there) == _known(self._written)
        statistics.save(self._path, overwrite=self._overwrite or own)
        self._written = status_of(self._path)


def check_statistics(path: Path, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse a statistics file that can't be one, before anything is opened.

    Args:
        path: Its name.
        inputs: Files that are read, which it must not replace.
        overwrite: Whether another file of that name may be replaced.

    Raises:
        UsageError, OutputError: it can't be written, or shouldn't.
    """
    if not names.is_folder(path.parent):
        raise UsageError(f"there is no folder {path.parent}", "Make it first, or name another file for --stats.")
    refuse_inputs(path, inputs)
    if path.suffix != ".json":
        raise UsageError(f"statistics are not written to {names.said(path)}", "Name a file that ends in .json.")
    settled(path, overwrite=overwrite)


def _known(file: os.stat_result) -> tuple[int, ...]:
    """What tells a file from another that took its place: its number alone may be given again."""
    return file.st_dev, file.st_ino, file.st_mtime_ns, file.st_size


@dataclass(frozen=True)
class LiveReport:
    """What a session did.

    Attributes:
        identifier: Its id, 12 hexadecimal digits: the mark's in every frame.
        consents: Ids of the consent records that were relied on.
        statistics: See there.
        notes: What the user should know.
    """

    identifier: str
    consents: tuple[str, ...]
    statistics: LiveStatistics
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The report as plain values."""
        return {
            "identifier": self.identifier,
            "consents": list(self.consents),
            "statistics": self.statistics.as_json(),
            "notes": list(self.notes),
        }


#: Why a picture was dropped: a newer one came before there was time for it.
BEHIND: Final = "processing behind"


class Recorder:
    """Collects what the threads report."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.begun = time.monotonic()
        self._in: deque[float] = deque(maxlen=WINDOW)
        self._out: deque[float] = deque(maxlen=WINDOW)
        self._frames_in = self._frames_made = 0
        self._latencies: dict[str, deque[float]] = {}
        self._written: Counter[str] = Counter()
        self._repeated: Counter[str] = Counter()
        self._drops: Counter[str] = Counter()
        self._events: deque[str] = deque(maxlen=200)
        self._event_count = 0

    def captured(self, at: float) -> None:
        """A picture came."""
        with self._lock:
            self._in.append(at)
            self._frames_in += 1

    def made(self) -> None:
        """A frame went through all stages."""
        with self._lock:
            self._out.append(time.monotonic())
            self._frames_made += 1

    @property
    def caught_up(self) -> bool:
        """Whether every picture that came went through all stages, or made room for a newer one."""
        with self._lock:
            return self._frames_in - self._drops[BEHIND] <= self._frames_made

    def handed(self, sink: str, latency: float) -> None:
        """A frame was handed to a sink, so many seconds after its capture."""
        with self._lock:
            self._latencies.setdefault(sink, deque(maxlen=WINDOW)).append(latency)
            self._written[sink] += 1

    def repeated(self, sink: str) -> None:
        """A sink showed a frame again."""
        with self._lock:
            self._repeated[sink] += 1

    def dropped(self, cause: str, count: int = 1) -> None:
        """Frames were not shown."""
        if count:
            with self._lock:
                self._drops[cause] += count

    def event(self, what: str) -> None:
        """Something happened that the user should know."""
        with self._lock:
            self._events.append(f"{time.monotonic() - self.begun:.1f} s: {what}")
            self._event_count += 1

    def events_after(self, number: int) -> list[str]:
        """The events since the first ``number``, as far as they are kept."""
        with self._lock:
            new = min(self._event_count - number, len(self._events))
            return list(self._events)[len(self._events) - new :] if new > 0 else []

    def summary(self, tally: Tally, neural_rate: float | None = None) -> LiveStatistics:
        """All of it, now.

        Args:
            tally: What the pipeline did.
            neural_rate: Faces a second that a carried engine drew lately; None where there is none.
        """
        age = tally.carried.summary().age if neural_rate is not None else None
        with self._lock:
            every = [value for values in self._latencies.values() for value in values]
            sinks: dict[str, dict[str, object]] = {
                name: {
                    "written": self._written[name],
                    "repeated": self._repeated[name],
                    "latency_ms": _percentiles(self._latencies.get(name, ())),
                }
                for name in {*self._written, *self._repeated}
            }
            return LiveStatistics(
                seconds=round(time.monotonic() - self.begun, 2),
                frames_in=self._frames_in,
                frames_swapped=tally.frames_swapped,
                frames_covered=tally.frames_covered,
                fps_in=_rate(self._in),
                fps_out=_rate(self._out),
                latency_ms=_percentiles(every),
                sinks=sinks,
                drops=dict(self._drops),
                events=tuple(self._events),
                stages_ms=tally.timings.summary(),
                enhanced_every=tally.enhanced_every,
                neural_fps=None if neural_rate is None else round(neural_rate, 2),
                texture_age_ms={} if age is None else {"p50": round(1000 * age[0], 1), "p95": round(1000 * age[1], 1)},
            )


def _percentiles(seconds: object) -> dict[str, float]:
    values = np.array(list(seconds), np.float64) * 1000  # type: ignore[call-overload]
    if not len(values):
        return {}
    return {f"p{share}": round(percentile(values, share), 2) for share in (50, 95, 99)}


def _rate(times: deque[float]) -> float:
    """Events a second over the last five seconds that have any."""
    recent = [at for at in times if times[-1] - at <= 5.0] if times else []
    span = recent[-1] - recent[0] if len(recent) > 1 else 0.0
    return round((len(recent) - 1) / span, 2) if span > 0 else 0.0
