"""Runs jobs beside the server, in one process that is there only while there is something to do."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from understudy.jobs.job import JobFailure

#: Seconds that the process has to park its job when the server ends.
_PATIENCE: Final = 20.0
#: Seconds after which one that failed is tried again.
_AGAIN: Final = 15.0


class Told(NamedTuple):
    """What the process said last.

    Attributes:
        job: The job that it is at; 0 for none.
        done: Frames finished.
        frames: Of how many; 0 if it is not known.
    """

    job: int = 0
    done: int = 0
    frames: int = 0


class Runner:
    """The process.

    Args:
        home: The private folder, with the jobs.

    Attributes:
        told: How far it is.
        failed: Why it could not go on; None if it could.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[str] | None = None
        self._not_before = 0.0
        self._closed = self._parking = False
        self._lock = threading.Lock()
        self.told = Told()
        self.failed: JobFailure | None = None

    @property
    def at_work(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The number of the process that was begun last; None if there was none."""
        return None if self._process is None else self._process.pid

    def begin(self) -> None:
        """Have the jobs that wait done; nothing happens if that is so already, or failed just now."""
        with self._lock:
            if self._closed or self.at_work or time.monotonic() < self._not_before:
                return
            self.told, self.failed, self._parking = Told(), None, False
            command = [sys.executable, "-m", "understudy.server.studio.jobs.worker", str(self._home)]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # Ctrl-C in the terminal is the server's, which parks the job
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
            threading.Thread(target=self._listen, args=(self._process,), name="jobs", daemon=True).start()

    @contextmanager
    def parked(self) -> Iterator[None]:
        """Have nothing done within the block: the job that is done just now waits, and can be changed at once."""
        with self._lock:
            self._park()
            yield

    def close(self) -> None:
        """Park the job that is done just now, and end."""
        with self._lock:
            self._closed = True
            self._park()

    def _park(self) -> None:
        process = self._process
        if process is None:
            return
        self._parking = True
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()  # the job is taken up by whoever comes next
            process.wait()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                with suppress(ValueError, TypeError, KeyError):
                    said = json.loads(line)
                    if "message" in said:
                        self.failed = JobFailure(**said)
                    else:
                        self.told = Told(int(said["job"]), int(said.get("done", 0)), int(said.get("frames", 0)))
        code = process.wait()
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()
        self.told = Told()
        if code and not self._parking:
            self._not_before = time.monotonic() + _AGAIN
            self.failed = self.failed or JobFailure(f"exit code {code}", "", code)
