"""The Clips room: open a picture or clip, put faces onto its people, look at any frame, render."""

from __future__ import annotations

import asyncio
from typing import Final

from nicegui import ui

from understudy.server.faults import Fault
from understudy.server.studio.clips.earlier import EarlierPanel
from understudy.server.studio.clips.look import LookPanel
from understudy.server.studio.clips.people import PeoplePanel
from understudy.server.studio.clips.rendering import RenderPanel
from understudy.server.studio.clips.stage import Stage
from understudy.server.studio.controls import Button, Text, box, icon, shown
from understudy.server.studio.fault_box import FaultBox
from understudy.server.studio.fields import Picker
from understudy.server.studio.visitor import Visitor
from understudy.server.uploads import SUFFIXES

STYLE: Final = '<link rel="stylesheet" href="/assets/clips.css">'


def build(visitor: Visitor) -> None:
    """Put the room into the page."""
    ui.add_head_html(STYLE)
    _Room(visitor)


class _Room:
    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.clips, visitor.texts
        with box("clips-room"):
            FaultBox(visitor, lambda: self._desk.fault, lambda: setattr(self._desk, "fault", None))
            self._door = box("door")
            with self._door:
                self._way_in()
            self._bench = box("bench")
            with self._bench:
                self._head()
                with box("bench-cast"):
                    PeoplePanel(visitor)
                with box("bench-main"):
                    Stage(visitor)
                with box("bench-side"):
                    RenderPanel(visitor)
                    LookPanel(visitor)
        visitor.watch(self._look)

    def _way_in(self) -> None:
        """What is there while nothing is open."""
        texts = self._texts
        icon("film", "door-icon")
        Text(texts("clips.open_title"), "h2", classes="door-title")
        Text(texts("clips.open_more"), "p", classes="door-more")
        Picker(
            kind="target",
            accept=",".join(SUFFIXES["target"]),
            words={
                "button": texts("clips.choose"),
                "beside": texts("clips.drop"),
                "busy": texts("clips.busy"),
                "cancel": texts("ask.cancel"),
            },
            done=self._came,
            failed=lambda text: self._say(Fault(text)),
        )
        with box("door-sample"):
            Text(texts("clips.or"), classes="hint")
            Button(texts("clips.sample"), self._sample, look="bare", picture="film")
        self._opening = Text(texts("clips.opening"), "p", classes="hint")
        EarlierPanel(self._visitor)

    def _head(self) -> None:
        texts = self._texts
        with box("bench-head"):
            self._name = Text("", "h2", classes="bench-name")
            self._about = Text("", classes="hint")
            self._undo = Button(texts("clips.undo"), self._take_back, look="bare", picture="undo")
            Button(texts("clips.other"), self._other, look="bare", picture="close")

    async def _came(self, number: str) -> None:
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.open, number))

    async def _sample(self) -> None:
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.open_sample))

    async def _other(self) -> None:
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.close_clip))

    def _take_back(self) -> None:
        self._desk.undo()
        self._visitor.look()

    def _say(self, fault: Fault) -> None:
        self._desk.fault = fault
        self._visitor.look()

    def _look(self) -> None:
        clip = self._desk.clip
        shown(self._door, clip is None)
        shown(self._bench, clip is not None)
        shown(self._opening, self._desk.opening)
        if clip is None:
            return
        info = clip.frames.info
        said = f"{info.width}×{info.height}"
        if clip.moves and info.rate:
            said = self._texts("clips.about", size=said, fps=f"{float(info.rate):g}")
        if self._name.text != clip.name:
            self._name.text = clip.name
        if self._about.text != said:
            self._about.text = said
        shown(self._undo, clip.edits.can_undo)
