"""What the ``understudy`` script calls: ready for an interruption before anything large is imported."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

_SIGNALS = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
#: Exit code of an interruption.
INTERRUPTED = 130


def run() -> None:
    """Run the program and leave with its exit code."""
    try:
        for name in _SIGNALS:  # a polite kill, and a closed terminal, end like Ctrl-C: cleanly
            signal.signal(getattr(signal, name), _interrupt)
        _settle_streams()
        from understudy.cli.main import main

        code = main()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\nhint: Nothing half-written was left behind.\n")
        code = INTERRUPTED
    for name in ("SIGINT", *_SIGNALS):  # all is done: nothing is left to interrupt
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    code = _flushed(code)
    if code == INTERRUPTED:
        # Python remembers an interruption that passed through an extension's own imports, and would end by
        # killing itself with SIGINT although it was handled.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


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
