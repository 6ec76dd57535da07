"""Helper processes: started, talked to, waited for, and never left behind (see ``media.helpers``)."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from understudy.media.helpers.messages import OPEN, read_message, write_message

#: Seconds that a process may take to start.
START: Final = 8.0
#: Bytes that a pipe holds where the system lets us say so: a picture takes a few turns, not forty.
_PIPE: Final = 1 << 20
#: Seconds that a process has to end of its own accord.
_ENDING: Final = 0.5


class HelperProcess:
    """One helper.

    Args:
        module: Which, of ``understudy.media.helpers``.
        asked: Its first message: what to open.
        hear: Called with each message that it sends, from a thread of its own; None for a helper that takes messages.
        told: Called with each state that it tells after the first, from a thread of its own. If that raises an error,
            it goes to ``threading.excepthook``, and the next state is told all the same.
    """

    def __init__(
        self,
        module: str,
        asked: Mapping[str, object],
        hear: Callable[[bytes, float, memoryview], None] | None = None,
        told: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        talks = hear is not None
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"understudy.media.helpers.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if talks else subprocess.DEVNULL,
            bufsize=0,
            # The folder that this package is in: a file of the user's folder is not taken for a library.
            cwd=Path(__file__).resolve().parents[3],
            start_new_session=True,  # Ctrl-C is for the session
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._states: queue.Queue[dict[str, Any]] = queue.Queue()
        self._told, self._opened = told, False
        states = self._process.stderr if talks else self._process.stdout
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert states is not None
        _widen(self._process.stdout if talks else self._process.stdin)
        work = (
            [(self._listen, states)] if hear is None else [(self._listen, states), (self._pass, self._process.stdout)]
        )
        self._hear = hear
        self._threads = [threading.Thread(target=run, args=(pipe,), name=module, daemon=True) for run, pipe in work]
        for thread in reversed(self._threads):
            thread.start()
        with contextlib.suppress(OSError):  # it says why
            self.send(OPEN, 0.0, memoryview(json.dumps(asked).encode()))

    def send(self, kind: bytes, seconds: float, content: memoryview) -> None:
        """Send a message; waits until it is taken.

        Raises:
            OSError: the process is gone.
        """
        assert self._process.stdin is not None
        write_message(self._process.stdin, kind, seconds, content)

    def first_state(self, patience: float, given_up: threading.Event) -> dict[str, Any]:
        """What it says first; empty if that is nothing within ``patience`` seconds, or if it was ``given_up``."""
        until = time.monotonic() + patience
        while not given_up.is_set() and time.monotonic() < until:
            gone = not self.alive
            with contextlib.suppress(queue.Empty):
                return self._states.get(timeout=0.05)
            if gone:
                break
        return {}

    def last_state(self) -> dict[str, Any]:
        """What a process that is gone said last."""
        self._threads[0].join(_ENDING)
        state: dict[str, Any] = {}
        with contextlib.suppress(queue.Empty):
            while True:
                state = self._states.get_nowait()
        return state

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once; whatever waits for it goes on. From any thread."""
        self._process.kill()

    def end(self) -> None:
        """Let it finish, for a moment; then end it."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDING)
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(_ENDING)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _listen(self, states: IO[bytes]) -> None:
        for line in _lines(states):
            try:
                state = json.loads(line)
            except ValueError:
                continue  # some library's
            if not isinstance(state, dict):
                continue
            if not self._opened or self._told is None:
                self._opened = True
                self._states.put(state)
                continue
            for thread in self._threads[1:]:
                thread.join()  # what was sent before it is heard first
            try:
                self._told(state)
            except Exception:  # noqa: BLE001 - of whoever is told: shown as a thread's own, and what follows is heard
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))

    def _pass(self, messages: IO[bytes]) -> None:
        assert self._hear is not None
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile
            while (message := read_message(messages)) is not None:
                self._hear(*message)
        self._process.kill()  # it is over, or makes no sense: nobody listens any more


def _lines(pipe: IO[bytes]) -> Iterator[bytes]:
    with contextlib.suppress(OSError, ValueError):  # closed meanwhile
        yield from pipe


def _widen(pipe: IO[bytes]) -> None:
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)
