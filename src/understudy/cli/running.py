"""Runs a live session until it is over, the time is up, or a signal asks for its end."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from understudy.cli.terminal import say
from understudy.errors import UnderstudyError

if TYPE_CHECKING:
    from understudy.sessions import LiveReport, LiveSession


def run(session: LiveSession, seconds: float | None, outputs: list[Path]) -> LiveReport:
    """Run until it is over, a signal comes, or the time is up. Of outputs that are cut short it is said what stayed."""
    from understudy.media.live.recording import growing_name

    with _signals() as told, session:
        told.clear()
        info = session.info
        say(f"live: {info.name}, {info.width}x{info.height}, {float(info.fps):g} fps")
        _wait(session, seconds, told)
        try:
            return session.stop()
        except UnderstudyError as fault:
            for note in session.notes:
                if fault.message not in note:
                    say(f"note: {note}")
            raise
        except KeyboardInterrupt:
            for growing in map(growing_name, outputs):
                if growing.exists():
                    say(f"note: what was recorded is in {growing}: labelled and marked, not signed")
            raise


@contextlib.contextmanager
def _signals() -> Iterator[threading.Event]:
    """An event that the first signal to end sets.

    While it is set already - before the start is over, or on a second signal, when signing takes too long - a signal
    interrupts instead.
    """
    told = threading.Event()
    told.set()
    before: dict[int, Any] = {}

    def tell(number: int, frame: FrameType | None) -> None:
        if not told.is_set():
            told.set()
            return
        handler = before[number]
        if callable(handler):
            handler(number, frame)  # it knows which one is one too many
        else:
            raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # What is ignored (by nohup, of a job in the background) stays so.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.getsignal(number)
                signal.signal(number, tell)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(session: LiveSession, seconds: float | None, told: threading.Event) -> None:
    """Until it is over; what happens meanwhile is said."""
    begun, said = time.monotonic(), 0
    while not told.is_set() and not session.wait(0.1):
        for event in session.events_after(said):
            say(event)
            said += 1
        if seconds is not None and time.monotonic() - begun >= seconds:
            return
