"""What the ``understudy`` script calls: ready for an interruption before anything large is imported."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from types import FrameType

from understudy.interruptions import once

_SIGNALS = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
#: Exit code of an interruption.
INTERRUPTED = 130


class _Interruption:
    """Handles signals: they interrupt, until all is done and nothing is left to interrupt."""

    def __init__(self) -> None:
        self.over = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if not self.over:
            raise KeyboardInterrupt


def run() -> None:
    """Run the program and leave with its exit code."""
    interruption = _Interruption()
    try:
        for name in _SIGNALS:  # a polite kill, and a closed terminal, end like Ctrl-C: cleanly
            number = getattr(signal, name)
            # What is ignored (by nohup, of a job in the background) stays so.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, interruption)
        _settle_streams()
        with once():
            from understudy.cli.main import main

            code = main()
        interruption.over = True
    except KeyboardInterrupt:
        interruption.over = True
        sys.stderr.write("error: interrupted\nhint: Nothing half-written was left behind.\n")
        code = INTERRUPTED
    for name in _SIGNALS:  # Python sets its own handlers aside when it ends, and would be killed then
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    code = _flushed(code)
    if code == INTERRUPTED:
        # Python remembers an interruption that passed through an extension's own imports, and would end by
        # killing itself with SIGINT although it was handled.
        sys.stderr.flush()
        atexit._run_exitfuncs()  # temporary files whose tidying up was broken into are among what they remove
        os._exit(code)
    sys.exit(code)


def _settle_streams() -> None:
    """Streams that are closed go nowhere; characters that a terminal can't show are escaped."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - open until the process ends
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _flushed(code: int) -> int:
    """Flush here, not when Python exits: whoever read our output may have gone, or its disk may be full."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code or 6
    return code
