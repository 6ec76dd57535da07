"""What the ``understudy`` script calls: ready for an interruption before anything large is imported."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from types import FrameType

from understudy.cli import streams
from understudy.imports import not_collecting
from understudy.interruptions import once

_SIGNALS = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
#: Exit codes of an interruption, and of what fails while running.
INTERRUPTED, FAILED = 130, 6
#: Seconds that threads have to end once all is done.
_PATIENCE = 10.0


class _Interruption:
    """Handles signals: they interrupt, until all is done and nothing is left to interrupt."""

    def __init__(self) -> None:
        self.over = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if not self.over:
            raise KeyboardInterrupt


def run() -> None:
    """Run the program and leave with its exit code."""
    # Before numpy is imported: no threads of its own, which take other threads' cores (see pipeline.library_threads).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    interruption = _Interruption()
    try:
        for name in _SIGNALS:  # a polite kill, and a closed terminal, end like Ctrl-C: cleanly
            number = getattr(signal, name)
            # What is ignored (by nohup, of a job in the background) stays so.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, interruption)
        streams.settle(debug="--debug" in sys.argv)
        with once():
            with not_collecting():
                from understudy.cli.main import main

            code = main()
        interruption.over = True
    except KeyboardInterrupt:
        interruption.over = True
        sys.stderr.write("error: interrupted\nhint: No output has its name before it is whole and signed.\n")
        code = INTERRUPTED
    for name in _SIGNALS:  # Python sets its own handlers aside when it ends, and would be killed then
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    code = _delivered(code)
    if code == INTERRUPTED:
        # Python remembers an interruption that passed through an extension's own imports, and would end by
        # killing itself with SIGINT although it was handled.
        sys.stderr.flush()
        atexit._run_exitfuncs()  # temporary files whose tidying up was broken into are among what they remove
        os._exit(code)
    if threading.active_count() > 1:
        _leave_in_time(code)
    sys.exit(code)


def _leave_in_time(code: int) -> None:
    """See to it that the program ends although a thread does not, such as one in which a driver hangs.

    Python waits for such a thread for ever, and signals are no longer heeded.
    """

    def leave() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        atexit._run_exitfuncs()
        os._exit(code)

    late = threading.Timer(_PATIENCE, leave)
    late.daemon = True
    late.start()
    atexit.register(late.cancel)  # the threads have ended: what is done now ends by itself


def _delivered(code: int) -> int:
    """The exit code, or that of a failure where all went well but what was asked for could not be written out."""
    fault = streams.lost()
    if fault is None or code:
        return code
    sys.stderr.write(
        f"error: can't write to stdout: {fault.strerror}\n"
        "hint: The work itself was done. Free some space, or send stdout to another file.\n"
    )
    return FAILED
