"""The format, the button that renders, and what comes of it."""

from __future__ import annotations

import asyncio
from typing import Final

from understudy.server.faults import Fault
from understudy.server.studio.clips.render import FORMATS
from understudy.server.studio.clips.writing import WritingPanel
from understudy.server.studio.controls import Button, Text, attribute, box, icon, in_turn, once, shown
from understudy.server.studio.fault_box import FaultBox
from understudy.server.studio.fields import Picker, choice
from understudy.server.studio.jobs.row import JobRow
from understudy.server.studio.jobs.words import waits_for
from understudy.server.studio.visitor import Visitor
from understudy.server.uploads import SUFFIXES
from understudy.text import printable

#: What formats are called.
_NAMES: Final = {
    ".mp4": "MP4 (H.264)",
    ".mov": "MOV (H.264)",
    ".webm": "WebM (VP9)",
    ".mkv": "MKV (H.264)",
    ".gif": "GIF",
    ".png": "PNG",
    ".jpg": "JPEG",
    ".webp": "WebP",
}


class RenderPanel:
    """Puts it into a page.

    Args:
        visitor: Who looks at it.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.clips, visitor.texts
        self._formats: tuple[str, ...] = ()
        self._row: JobRow | None = None
        self._number = 0
        self._said: tuple[Fault, ...] = ()
        texts = self._texts
        with box("panel render", "section", aria_label=texts("clips.render_title")):
            Text(texts("clips.render_title"), "h2")
            self._choice = box("format")
            WritingPanel(visitor)
            self._button = Button(texts("clips.render"), pressed=once(self._render), look="primary", picture="film")
            self._why = Text(texts("clips.render_first"), "p", classes="hint")
            into = texts("clips.into", folder=printable(self._desk.orders.folder))
            self._where = Text(into, "p", classes="hint path")
            self._place = box("render-job")
            FaultBox(visitor, self._runner_fault, self._desk.jobs.forget_failure)
            self._alike = box("alike")
            with self._alike:
                self._alike_more = Text("", "p", classes="hint")
                Picker(
                    kind="target",
                    accept=",".join(SUFFIXES["target"]),
                    words={
                        "button": texts("clips.alike"),
                        "beside": texts("clips.drop_face"),
                        "busy": texts("clips.busy"),
                        "cancel": texts("ask.cancel"),
                    },
                    done=in_turn(self._render_alike),
                    failed=lambda _: None,
                    refused=self._not_taken,
                    several=True,
                )
                self._alike_count = Text("", "p", classes="hint")
                self._unlike = box("notice", role="alert")
                with self._unlike:
                    icon("warning")
                    self._unlike_said = box("words")
        visitor.watch(self._look)

    def _runner_fault(self) -> Fault | None:
        """Why the job waits, where it is not for others."""
        found = self._desk.jobs.shown(self._desk.job) if self._desk.job else None
        if found is None or found.job.state != "waiting":
            return None
        return waits_for(self._texts, self._desk.jobs.runner_failed)

    async def _render(self) -> None:
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.render))

    async def _render_alike(self, number: str) -> None:
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.render_alike, number))

    def _not_taken(self, text: str, name: str) -> None:
        self._desk.alike.refuse(text, name)
        self._visitor.look()

    def _look(self) -> None:
        clip = self._desk.clip
        if clip is None:
            return
        formats = FORMATS[clip.frames.info.kind]
        if formats != self._formats:
            self._formats = formats
            self._choice.clear()
            with self._choice:
                self._list = choice(
                    self._texts("clips.format"),
                    options={suffix: _NAMES[suffix] for suffix in formats},
                    value=self._desk.format,
                    change=lambda suffix: setattr(self._desk, "format", suffix),
                )
        attribute(self._list, "value", self._desk.format)
        can = self._desk.can_render
        attribute(self._button, "disabled", not can)
        shown(self._why, not can)
        self._look_at_alike()
        self._look_at_job()

    def _look_at_alike(self) -> None:
        face, desk = self._desk.only_face, self._desk
        shown(self._alike, face is not None)
        if face is not None:
            self._alike_more.text = self._texts("clips.alike_more", name=face.name)
        shown(self._alike_count, desk.alike.count > 0)
        self._alike_count.text = self._texts("clips.alike_count", count=desk.alike.count)
        if desk.alike.refused != self._said:
            self._said = desk.alike.refused
            self._unlike_said.clear()
            with self._unlike_said:
                for fault in desk.alike.refused:
                    Text(f"{fault.detail}: {self._texts(fault.text)}", "p")
        shown(self._unlike, bool(desk.alike.refused))

    def _look_at_job(self) -> None:
        number = self._desk.job
        found = self._desk.jobs.shown(number) if number else None
        if number != self._number or found is None:
            self._number = number
            self._place.clear()
            self._row = None
        if found is not None:
            if self._row is None:
                with self._place:
                    self._row = JobRow(self._visitor, self._desk.jobs, ordered=False)
            self._row.look(found)
