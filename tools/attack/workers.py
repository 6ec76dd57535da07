"""Runs trials in processes that have the program in memory already, and watches them from outside."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attack.trials import Trial
from understudy.cli import streams

#: Bounds of one run: seconds of computing, seconds in all (of a machine that others use too), and bytes that are in
#: memory.
LONGEST: Final = 20.0
WAITING: Final = 120.0
MOST_MEMORY: Final = 1_500_000_000
#: Address space of a worker: what asks for more gets none, before the machine suffers.
_ADDRESSES: Final = 6_000_000_000
#: A worker that keeps so much between two runs is replaced; so is one after so many runs.
_KEPT, _RUNS = 900_000_000, 150
#: Seconds between two looks at a worker.
_LOOK: Final = 0.05


@dataclass(frozen=True)
class Ran:
    """What became of a trial.

    Attributes:
        code: The exit code; None if it never ended by itself.
        out, err: What it wrote.
        seconds: How long it computed.
        memory: Most bytes that were in memory.
        ended: Why it ended, if not by itself: ``hang``, ``memory`` or ``crash``.
    """

    code: int | None
    out: bytes
    err: bytes
    seconds: float
    memory: int
    ended: str | None = None


class Worker:
    """One process that runs trials one after the other.

    Args:
        warm: Called once in the process, before the first trial.
    """

    def __init__(self, warm: Callable[[], None]) -> None:
        self._ask, asked = _pipe()[::-1]
        told, tell = _pipe()
        self._told, self._warm = told, warm
        self.runs = 0
        self.process = os.fork()
        if self.process == 0:
            os.close(self._ask)
            os.close(told)
            _serve(asked, tell, warm)
        os.close(asked)
        os.close(tell)
        self._line(120.0)  # it is ready

    def run(self, trial: Trial) -> Ran:
        """Run one trial. Afterwards the worker may be ``spent``."""
        self.runs += 1
        begun = self._computed()
        os.write(self._ask, json.dumps([str(trial.folder), list(trial.words)]).encode() + b"\n")
        line = self._line(WAITING, begun + LONGEST)
        seconds, memory = self._computed() - begun, self._peak()
        ended = line if line in ("hang", "memory", "crash") else None
        if ended is not None:
            self.end()
        out, err = ((trial.folder.with_name(trial.folder.name + end)) for end in (".out", ".err"))
        texts = [path.read_bytes() if path.exists() else b"" for path in (out, err)]
        for path in (out, err):
            path.unlink(missing_ok=True)
        code = None if ended is not None else int(json.loads(line))
        return Ran(code, texts[0], texts[1], seconds, memory, ended)

    @property
    def spent(self) -> bool:
        """Whether another one should take its place."""
        return self.process == 0 or self.runs >= _RUNS or self._field("VmRSS") > _KEPT

    def end(self) -> None:
        """End it and what it started."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
            os.close(self._ask)
            os.close(self._told)
        self.process = 0

    def _line(self, patience: float, most: float = float("inf")) -> str:
        """What it tells, within ``patience`` seconds and ``most`` of computing; or why it never will."""
        until, text = time.monotonic() + patience, b""
        while time.monotonic() < until:
            if select.select([self._told], [], [], _LOOK)[0]:
                part = os.read(self._told, 4096)
                text += part
                if not part:
                    return "crash"
                if text.endswith(b"\n"):
                    return text.decode().strip()
            if self._field("VmRSS") > 1.5 * MOST_MEMORY:
                return "memory"
            if self._computed() > most:
                break
        return "hang"

    def _peak(self) -> int:
        self._last = self._field("VmHWM") or getattr(self, "_last", 0)
        return self._last

    def _computed(self) -> float:
        """Seconds that it has computed so far, on all cores."""
        try:
            fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _field(self, name: str) -> int:
        try:
            text = Path(f"/proc/{self.process}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(name)), 0)


def _pipe() -> tuple[int, int]:
    return os.pipe()


def _serve(asked: int, tell: int, warm: Callable[[], None]) -> None:
    """The worker itself: never returns."""
    os.setsid()
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    streams.settle(debug=False)
    warm()
    os.write(tell, b"ready\n")
    for line in os.fdopen(asked, "rb"):
        folder, words = json.loads(line)
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # the most memory is counted anew
        os.write(tell, f"{_run(Path(folder), words)}\n".encode())
    os._exit(0)


def _run(folder: Path, words: list[str]) -> int:
    from understudy.cli.main import main

    files = [open(folder.with_name(folder.name + end), "wb", 0) for end in (".out", ".err")]  # noqa: SIM115, PTH123
    for stream, file in zip((sys.stdout, sys.stderr), files, strict=True):
        os.dup2(file.fileno(), stream.fileno())
        file.close()
    os.chdir(folder)
    try:
        return main(words)
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:  # noqa: BLE001 - what must not happen: the report says so
        traceback.print_exc()
        return 99
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.chdir("/")
