"""The Jobs room: what is rendered, what will be, and what came of the rest."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from understudy.jobs.job import JobState
from understudy.server.faults import Fault
from understudy.server.studio.controls import Text, box, shown
from understudy.server.studio.fault_box import FaultBox
from understudy.server.studio.jobs.desk import JobsDesk, Shown
from understudy.server.studio.jobs.row import JobRow
from understudy.server.studio.jobs.words import waits_for
from understudy.server.studio.visitor import Visitor

STYLE: Final = '<link rel="stylesheet" href="/assets/clips.css">'
#: The parts of the page, from top to bottom, and the states that each shows.
_PARTS: Final[tuple[tuple[str, tuple[JobState, ...]], ...]] = (
    ("jobs.now", ("running",)),
    ("jobs.next", ("waiting", "paused")),
    ("jobs.ended", ("failed", "cancelled")),
    ("jobs.finished", ("done",)),
)


def build(visitor: Visitor) -> None:
    """Put the room into the page."""
    ui.add_head_html(STYLE)
    _Room(visitor)


class _Room:
    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk = visitor, visitor.studio.jobs
        desk: JobsDesk = self._desk
        with box("jobs"):
            FaultBox(visitor, lambda: desk.fault, lambda: setattr(desk, "fault", None))
            FaultBox(visitor, self._runner_fault, desk.forget_failure)
            self._empty = box("nothing")
            with self._empty:
                Text(visitor.texts("jobs.nothing"), "h2")
                Text(visitor.texts("jobs.nothing_more"), "p")
                Text(visitor.texts("jobs.to_clips"), "a", classes="button primary", attributes={"href": "/clips"})
            self._parts = [_Part(visitor, desk, title, states) for title, states in _PARTS]
        visitor.watch(self._look)

    def _runner_fault(self) -> Fault | None:
        return waits_for(self._visitor.texts, self._desk.runner_failed)

    def _look(self) -> None:
        jobs = self._desk.jobs
        shown(self._empty, not jobs)
        for part in self._parts:
            part.look(jobs)


class _Part:
    """The jobs in some states."""

    def __init__(self, visitor: Visitor, desk: JobsDesk, title: str, states: tuple[JobState, ...]) -> None:
        self._visitor, self._desk, self._states = visitor, desk, states
        self._rows: dict[int, JobRow] = {}
        self._order: list[int] = []
        self._box = box("job-part", "section", aria_label=visitor.texts(title))
        with self._box:
            Text(visitor.texts(title), "h2")
            self._place = box("job-list")

    def look(self, jobs: tuple[Shown, ...]) -> None:
        """Show those of the jobs that are this part's, in their order."""
        own = [one for one in jobs if one.job.state in self._states]
        numbers = [one.job.number for one in own]
        shown(self._box, bool(own))
        for number in self._rows.keys() - {*numbers}:
            self._rows.pop(number).delete()
        waiting = [one.job.number for one in own if one.job.state == "waiting"]
        for one in own:
            number = one.job.number
            if number not in self._rows:
                with self._place:
                    self._rows[number] = JobRow(self._visitor, self._desk, ordered=True)
            self._rows[number].look(one, first=waiting[:1] == [number], last=waiting[-1:] == [number])
        if numbers != self._order:
            self._order = numbers
            for place, number in enumerate(numbers):
                self._rows[number].move(target_index=place)
