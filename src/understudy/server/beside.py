"""Processes beside a server that end when it does, however that ends: their input ends then, too.

``python -m understudy.server.beside WORDS…`` is ``understudy WORDS…`` until its input ends.
"""

from __future__ import annotations

import _thread
import os
import runpy
import signal
import sys
import threading
from contextlib import suppress


def end_with_input() -> None:
    """Have the main thread interrupted when the input ends: at once, whatever it waits for."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # perhaps it was ignored by whoever began the server
    threading.Thread(target=_wait_for_the_end, name="input", daemon=True).start()


def _wait_for_the_end() -> None:
    with suppress(OSError, ValueError):
        while os.read(0, 4096):
            pass
    if os.name == "posix":
        os.kill(os.getpid(), signal.SIGINT)  # wakes what waits, too
    else:
        _thread.interrupt_main()


if __name__ == "__main__":
    end_with_input()
    sys.argv[0] = "understudy"
    runpy.run_module("understudy", run_name="__main__")
