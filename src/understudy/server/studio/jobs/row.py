"""One job in a page: how far it is, what came of it, and what can be done about it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final
from urllib.parse import quote

from nicegui import ui

from understudy.jobs.job import Job
from understudy.provenance.records.kept_photos import are_forgotten
from understudy.server.studio.controls import Button, CopyButton, Text, attribute, box, icon
from understudy.server.studio.jobs.desk import PLACE, Action, JobsDesk, Shown, Verdict
from understudy.server.studio.jobs.words import STATES, said_of, span
from understudy.server.studio.visitor import Visitor
from understudy.text import printable

#: What can be done in each state, the most likely first.
_ACTIONS: Final[dict[str, tuple[Action, ...]]] = {
    "waiting": ("pause", "cancel"),
    "running": ("pause", "cancel"),
    "paused": ("resume", "cancel"),
    "failed": ("retry", "remove"),
    "cancelled": ("retry", "remove"),
    "done": ("remove",),
}
_WORDS: Final[dict[Action, str]] = {
    "pause": "jobs.pause",
    "resume": "jobs.resume",
    "cancel": "jobs.cancel",
    "retry": "jobs.retry",
    "remove": "jobs.remove",
}
_ICONS: Final[dict[Action, str]] = {
    "pause": "pause",
    "resume": "play",
    "cancel": "close",
    "retry": "refresh",
    "remove": "trash",
}


def _name(job: Job) -> str:
    """What its result is called, as it can be shown: names from elsewhere may hold what no page can carry."""
    return printable(job.order.output.name)


class JobRow(ui.element):
    """A job. ``look`` is to be called with what it is by now.

    Args:
        visitor: Who looks.
        desk: Of the jobs.
        ordered: Whether it is one of all: it can be moved among those that wait then, and removed.
    """

    def __init__(self, visitor: Visitor, desk: JobsDesk, *, ordered: bool) -> None:
        super().__init__("article")
        self._visitor, self._desk, self._ordered, self._texts = visitor, desk, ordered, visitor.texts
        self._key: tuple[object, ...] = ()
        self._proofs: ui.element | None = None
        self._verdict: Verdict | None = None
        self.classes("job")

    def look(self, one: Shown, *, first: bool = False, last: bool = False) -> None:
        """Show how it stands.

        Args:
            one: The job.
            first: Whether it can't go further up.
            last: Whether it can't go further down.
        """
        job = one.job
        key = (job.number, job.state, job.attempts, one.stopping, one.here, job.failure, first, last)
        if key != self._key:
            self._key, self._proofs = key, None
            self.clear()
            self.classes(replace="job with-result" if one.here and one.kind else "job")
            with self:
                self._fill(one, first=first, last=last)
        if job.state == "running":
            self._show_progress(one)
        if self._proofs is not None and one.verdict != self._verdict:
            self._verdict = one.verdict  # which comes later: the result may be played already
            self._show_verdict(self._proofs, one.verdict)

    def _fill(self, one: Shown, *, first: bool, last: bool) -> None:
        job, texts = one.job, self._texts
        attribute(self, "aria-label", texts("jobs.named", number=job.number, name=_name(job)))
        with box("job-head"):
            with box("job-names"):
                Text(_name(job), "h3", classes="job-name")
                Text(texts("jobs.of", name=printable(job.order.target.name)), classes="hint")
            state = texts("jobs.stopping") if one.stopping else texts(STATES[job.state])
            Text(state, classes=f"chip {job.state}")
        if job.state == "running":
            with box("job-progress"):
                said = texts("jobs.progress")
                self._bar = box("", "progress", max=1, aria_label=said)
                self._figures = Text("", classes="job-figures")
        elif job.state == "waiting" and job.waits_for:
            Text(texts("jobs.after", numbers=", ".join(map(str, job.waits_for))), classes="hint")
        if job.failure is not None:
            with box("notice"):
                icon("warning")
                with box("words"):
                    if are_forgotten(job.order.target.parent):
                        Text(texts("jobs.no_consent"))
                    else:
                        Text(texts(said_of(job.failure)))
                        said = printable(f"{job.failure.message}. {job.failure.hint}")
                        Text(said, classes="detail", attributes={"lang": "en"})
        if job.state == "done":
            self._result(one)
        self._buttons(one, first=first, last=last)

    def _result(self, one: Shown) -> None:
        texts, number = self._texts, one.job.number
        if not one.here:
            Text(texts("jobs.gone", name=printable(one.job.order.output)), classes="hint path")
            return
        address = f"{PLACE}/{number}"
        if one.kind == "video":
            said = texts("jobs.result")
            box(
                "job-result", "video", src=address, controls=True, preload="metadata", playsinline=True, aria_label=said
            )
        elif one.kind == "image":
            box("job-result", "img", src=address, alt=texts("jobs.result"))
        self._proofs, self._verdict = box("proofs", "ul", aria_label=texts("jobs.proofs")), one.verdict
        self._show_verdict(self._proofs, one.verdict)
        Text(texts("jobs.where", path=printable(one.job.order.output)), classes="hint path")

    def _show_verdict(self, proofs: ui.element, found: Verdict | None) -> None:
        """What stands in the file itself."""
        texts = self._texts
        proofs.clear()
        with proofs:
            if found is None:
                Text(texts("jobs.checking"), "li", classes="proof")
                return
            label = texts("jobs.label", label=found.label) if found.label else texts("jobs.no_label")
            marked = texts("jobs.mark") if found.marked else texts("jobs.no_mark")
            signed = texts("jobs.signed") if found.signed else texts("jobs.not_signed")
            for good, said in ((bool(found.label), label), (found.marked, marked), (found.signed, signed)):
                with box(f"proof {'good' if good else 'bad'}", "li"):
                    icon("check" if good else "warning")
                    Text(said)

    def _buttons(self, one: Shown, *, first: bool, last: bool) -> None:
        job, texts = one.job, self._texts
        with box("job-buttons"):
            if job.state == "done" and one.here:
                link = {"href": f"{PLACE}/{job.number}?save", "download": quote(_name(job), safe=" ()")}
                save = box("button", "a", **link)
                with save:
                    icon("download")
                    Text(texts("jobs.save"))
                CopyButton(str(job.order.output), texts("jobs.path_copied"), words=texts("jobs.copy_path"))
            if self._ordered and job.state == "waiting":
                named = {"name": _name(job)}
                self._move("up", texts("jobs.up", **named), job.number, up=True, disabled=first)
                self._move("down", texts("jobs.down", **named), job.number, up=False, disabled=last)
            if job.state == "done" and not self._ordered:
                Text(texts("jobs.all"), "a", classes="button bare", attributes={"href": "/jobs"})
                return
            for action in _ACTIONS[job.state]:
                button = Button(
                    texts(_WORDS[action]),
                    partial(self._do, action, job.number),
                    look="bare" if action in ("remove", "cancel") else "plain",
                    picture=_ICONS[action],
                    disabled=one.stopping,
                )
                attribute(button, "aria-label", f"{texts(_WORDS[action])}: {_name(job)}")

    def _move(self, picture: str, said: str, number: int, *, up: bool, disabled: bool) -> None:
        move = partial(self._desk.move, number, up=up)
        Button(
            "",
            lambda: self._visitor.do(lambda: asyncio.to_thread(move)),
            look="bare",
            picture=picture,
            label=said,
            disabled=disabled,
        )

    async def _do(self, action: Action, number: int) -> None:
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.do, action, number))

    def _show_progress(self, one: Shown) -> None:
        job, texts = one.job, self._texts
        known = job.frames > 0
        attribute(self._bar, "value", round(job.share, 4) if known else None)
        parts = [f"{int(100 * job.share)} %"] if known else [texts("jobs.beginning")]
        if one.fps:
            parts.append(texts("jobs.fps", fps=f"{one.fps:.1f}"))
        if one.left is not None:
            parts.append(texts("jobs.left", time=span(texts, one.left)))
        said = " · ".join(parts)
        if self._figures.text != said:
            self._figures.text = said
