"""Processes that do the swaps beside the server: a frame's work would make every answer wait."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import IO, Final

from understudy.provenance.records.home import Home

#: Seconds that a runner has to put its job back, and after which one that ended is begun anew; doubled each time.
_PATIENCE: Final = 30.0
_AGAIN: Final = 1.0
_LONGEST: Final = 60.0
#: Seconds after which a runner that is still there counts as one that works.
_WORKS: Final = 120.0
#: How a process is begun that does not outlive this one.
_BESIDE: Final = (sys.executable, "-m", "understudy.server.beside")


@dataclass(eq=False)
class Runners:
    """Runs ``understudy jobs run --wait`` so many times, and begins it anew where it ends.

    Args:
        home: The private folder.
        count: How many; 0 for none.
    """

    home: Home
    count: int
    _over: threading.Event = field(default_factory=threading.Event, init=False)
    _threads: list[threading.Thread] = field(default_factory=list, init=False)
    _failing: dict[int, str] = field(default_factory=dict, init=False)

    def start(self) -> None:
        """Begin."""
        self._threads = [
            threading.Thread(target=self._keep, args=(number,), name=f"runner {number}") for number in range(self.count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all of them: a job that runs is put back, and goes on with the next start."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def lost(self) -> str:
        """Why no job would be done; empty if one would, or nobody asked for runners."""
        return next(iter(self._failing.values())) if 0 < self.count == len(self._failing) else ""

    def _keep(self, number: int) -> None:
        pause = _AGAIN
        while not self._over.is_set():
            begun = time.monotonic()
            with tempfile.TemporaryFile() as errors:
                code = self._once(number, errors)
                errors.seek(0)
                last = errors.read()[-300:].decode("utf-8", "replace").strip()
            if self._over.is_set():
                return
            pause = _AGAIN if time.monotonic() - begun > _WORKS else min(pause * 2, _LONGEST)
            self._failing[number] = f"runner {number} ended with {code}"
            sys.stderr.write(f"{self._failing[number]}: {last}\n")  # for who runs the server: it may name places
            self._over.wait(pause)

    def _once(self, number: int, errors: IO[bytes]) -> int:
        """Run one until it ends, or all are to: its exit code."""
        words = [*_BESIDE, "jobs", "run", "--wait", "--home", str(self.home.root)]
        # A session of its own: Ctrl-C is for the server, which then tells its runners.
        with subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
        ) as process:
            assert process.stdin is not None
            since = time.monotonic()
            while process.poll() is None:
                if self._over.wait(0.2):
                    process.stdin.close()
                    try:
                        process.wait(_PATIENCE)
                    except subprocess.TimeoutExpired:
                        process.kill()
                elif time.monotonic() - since > 5.0:
                    self._failing.pop(number, None)
            return process.returncode
