"""Talking to a person: messages and progress on stderr, one JSON object on stdout."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from understudy.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn

    from understudy.models.download import FetchProgress
    from understudy.tasks.progress import Progress


def say(message: str) -> None:
    """One line to stderr: a line break in a file's name begins no line of its own."""
    sys.stderr.write(printable(message) + "\n")


def answer(line: str) -> None:
    """One line of what was asked for, to stdout: a file's name with line breaks in it can't add answers."""
    sys.stdout.write(printable(line) + "\n")


def answer_text(text: str) -> None:
    """What was asked for where that is a text of several lines, to stdout."""
    sys.stdout.write(_shown(text) + "\n")


def _shown(text: str) -> str:
    """Names and notes come from outside: nothing in them may steer a terminal."""
    return "\n".join(printable(line) for line in text.split("\n"))


def answer_json(values: object) -> None:
    """One JSON object, to stdout."""
    text = json.dumps(values, ensure_ascii=False, indent=2)
    if not shown_as_it_is(text):
        # A file's name need not be valid Unicode, and stdout need not be UTF-8; escaped, it is what it was.
        text = json.dumps(values, indent=2)
    sys.stdout.write(text + "\n")


def shown_as_it_is(text: str) -> bool:
    """Whether stdout has all letters of a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


def somebody_answers() -> bool:
    """Whether questions can be asked: both ends are a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


@contextmanager
def progress_bar(what: str) -> Iterator[Progress | None]:
    """A bar with frames a second and the time left, on stderr if that is a terminal; else None."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

    with _bar(BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[fps]}")) as bar:
        task = bar.add_task(what, total=None, fps="")
        begun, before, last = 0.0, 0, -1

        def update(done: int, total: int | None) -> None:
            nonlocal begun, before, last
            if last < 0 or done < last:  # what was done before does not count, nor what was done of another
                begun, before = time.perf_counter(), done
            last = done
            rate = (done - before) / max(time.perf_counter() - begun, 1e-6)
            bar.update(task, completed=done, total=total, fps=f"{rate:.1f} fps")

        yield update


class Changing(Protocol):
    """Shows lines that change."""

    def __call__(self, lasting: Sequence[str], changing: Sequence[str]) -> None:
        """Show lines that stay, and below them those that are there now."""


@contextmanager
def changing_lines() -> Iterator[Changing]:
    """Lines on stderr that are drawn anew in their place; if that is no terminal, each is written when it is new."""
    if not sys.stderr.isatty():
        said: set[str] = set()

        def write(lasting: Sequence[str], changing: Sequence[str]) -> None:
            for line in (*lasting, *changing):
                if line and line not in said:
                    said.add(line)
                    say(line)

        yield write
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:

        def draw(lasting: Sequence[str], changing: Sequence[str]) -> None:
            for line in lasting:
                live.console.print(Text(_shown(line)))
            live.update(Text(_shown("\n".join(changing))), refresh=True)

        yield draw


@contextmanager
def bytes_bar() -> Iterator[FetchProgress | None]:
    """A bar with bytes and the time left for what is fetched, on stderr if that is a terminal; else None."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, TransferSpeedColumn

    with _bar(BarColumn(), DownloadColumn(), TransferSpeedColumn()) as bar:
        task = bar.add_task("", total=None)

        def update(name: str, done: int, total: int | None) -> None:
            bar.update(task, description=name, completed=done, total=total)

        yield update


def _bar(*columns: ProgressColumn) -> Bar:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TextColumn, TimeRemainingColumn

    what, left = TextColumn("{task.description}"), TimeRemainingColumn(compact=True)
    return Bar(what, *columns, left, console=Console(stderr=True), transient=True)
