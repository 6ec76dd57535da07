"""The process that does the studio's jobs, so that the page never waits for one: ``python -m … HOME``.

It does what waits, and ends. Each line that it writes is a JSON object; when its input ends, because the studio does,
it parks the job that it is at and ends, too.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from understudy.app import Understudy
from understudy.errors import UnderstudyError
from understudy.jobs.job import Job, JobFailure
from understudy.server.beside import end_with_input
from understudy.settings import Settings

#: Seconds between two lines about how far it is.
_EVERY: Final = 0.25
#: How much less urgent it is than the page, and than a camera.
_NICE: Final = 5


class _Teller:
    """Says what is done, line by line. Nobody may listen any more: that is no reason to stop."""

    def __init__(self) -> None:
        self._job = 0
        self._said = 0.0

    def told(self, job: Job) -> None:
        """A job was begun, or has ended."""
        self._job, self._said = job.number, 0.0
        self._say({"job": job.number, "state": job.state})

    def progress(self, done: int, frames: int | None) -> None:
        """A frame is done."""
        now = time.monotonic()
        if now - self._said >= _EVERY or done == frames:
            self._said = now
            self._say({"job": self._job, "done": done, "frames": frames or 0})

    def fault(self, fault: UnderstudyError) -> None:
        """It can't go on."""
        self._say(vars(JobFailure.of(fault)))

    def _say(self, values: dict[str, object]) -> None:
        with suppress(OSError, ValueError):
            sys.stdout.write(json.dumps(values) + "\n")
            sys.stdout.flush()


def main(home: Path) -> int:
    """Do the jobs that wait; the process's exit code.

    Args:
        home: The private folder.
    """
    if os.name == "posix":
        os.nice(_NICE)
    end_with_input()
    teller = _Teller()
    try:
        with Understudy(Settings(home=home)) as app:
            app.jobs.run(told=teller.told, progress=teller.progress)
    except KeyboardInterrupt:
        return 130
    except UnderstudyError as fault:
        teller.fault(fault)
        return fault.exit_code
    return 0


def _run() -> int:
    try:
        return main(Path(sys.argv[1]))
    except KeyboardInterrupt:  # before it began, or while it ended
        return 130


if __name__ == "__main__":
    os._exit(_run())  # the thread that waits for input would hold Python's end up
