"""Rows of a table of jobs that name each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from understudy.jobs.job import Order


@dataclass(frozen=True)
class BadRow:
    """A row that is no job.

    Attributes:
        line: Its line in the file, from 1.
        message: What is wrong.
        hint: What to do next.
    """

    line: int
    message: str
    hint: str


@dataclass(frozen=True)
class Row:
    """A row that describes a job.

    Attributes:
        line: Its line in the file, from 1.
        name: What other rows call it; empty if it has none.
        after: Names of the rows that must be done before.
        order: What is to be done.
    """

    line: int
    name: str
    after: tuple[str, ...]
    order: Order


def resolved(rows: Sequence[Row]) -> tuple[list[Row], list[BadRow]]:
    """The rows whose names lead somewhere, in their order; and what is wrong with the others.

    A row is left out that has another one's name, that names one that is not there or is left out itself, or that would
    wait for itself.
    """
    bad: list[BadRow] = []
    kept: dict[int, Row] = {}
    lines: dict[str, int] = {}
    for row in rows:
        if row.name and row.name in lines:
            hint = "Give each row a name of its own."
            bad.append(BadRow(row.line, f"line {lines[row.name]} is called {row.name!r}, too", hint))
            continue
        kept[row.line] = row
        if row.name:
            lines[row.name] = row.line
    _drop_dangling(kept, bad)
    for line in sorted(_waiting_for_ever(kept)):
        names = ", ".join(repr(name) for name in kept.pop(line).after)
        bad.append(BadRow(line, f"it would wait for itself, by way of {names}", "Leave out one `after` of the circle."))
    return list(kept.values()), bad


def _drop_dangling(kept: dict[int, Row], bad: list[BadRow]) -> None:
    """Take out rows that name one that is not there; then those that name these, and so on."""
    names = {row.name for row in kept.values()}
    followers: dict[str, list[Row]] = {}
    for row in kept.values():
        for name in row.after:
            followers.setdefault(name, []).append(row)
    missing = [name for name in followers if name not in names]
    while missing:
        name = missing.pop()
        for row in followers.get(name, ()):
            if kept.pop(row.line, None) is not None:
                hint = "Names are those of the column `name`; numbers are those of jobs."
                bad.append(BadRow(row.line, f"no row that can be added is called {name!r}", hint))
                missing += [row.name] if row.name else []


def _waiting_for_ever(kept: dict[int, Row]) -> set[int]:
    """Lines of the rows that wait for each other in a circle, and of those that wait for such rows."""
    lines = {row.name: row.line for row in kept.values() if row.name}
    open_ones = {line: {lines[name] for name in row.after} for line, row in kept.items()}
    followers: dict[int, list[int]] = {}
    for line, before in open_ones.items():
        for one in before:
            followers.setdefault(one, []).append(line)
    ready = [line for line, before in open_ones.items() if not before]
    while ready:
        done = ready.pop()
        del open_ones[done]
        for line in followers.get(done, ()):
            open_ones[line].discard(done)
            if not open_ones[line]:
                ready.append(line)
    return set(open_ones)
