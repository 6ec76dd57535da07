"""The stage: the picture, what is said over it, and the buttons below."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from nicegui import ui

from understudy.server.studio.controls import DOUBLE, Button, Shortcuts, Text, attribute, box, icon, once, shown
from understudy.server.studio.live.choices import SourceKind
from understudy.server.studio.live.desk import Desk
from understudy.server.studio.live.notices import Notice
from understudy.server.studio.live.outputs import NAMES, is_away
from understudy.server.studio.live.preview import PLACE
from understudy.server.studio.live.this_tab import ThisTab
from understudy.server.studio.visitor import Visitor
from understudy.sessions import LiveStatistics

#: Seconds between two looks at the figures, which take their time to be counted.
_FIGURES_EVERY: Final = 1.0
#: When one can be covered: from the press on, so that the first picture is so already.
_COVERED: Final = ("starting", "live", "changing")
#: The picture of each kind of source.
_PICTURES: Final[Mapping[SourceKind, str]] = {
    "sample": "film",
    "camera": "camera",
    "browser": "camera",
    "clip": "film",
    "stream": "stream",
}


class Picture(ui.element, component="../assets/preview.js"):
    """What the session shows.

    Args:
        label: What it is, for those who can't see it.
    """

    def __init__(self, label: str) -> None:
        super().__init__()
        attribute(self, "place", PLACE)
        attribute(self, "label", label)


class Stage:
    """Puts the stage into a page.

    Args:
        visitor: Who looks at it.
        tab: The camera of this visitor's own tab.
    """

    def __init__(self, visitor: Visitor, tab: ThisTab) -> None:
        self._tab = tab
        self._visitor, self._desk, self._texts = visitor, visitor.studio.live, visitor.texts
        self._counted = 0.0
        #: When it was covered by a press in this page, in its own time.
        self._covered = float("-inf")
        # One for the button and the key: who presses one, and the other at once, means one press, too.
        self._press_start = once(self._start_or_stop)
        with box("stage", "section", aria_label=self._texts("live.stage")):
            self._screen()
        self._buttons()
        self._stale_row()
        Notice(visitor, "session")
        self.shortcuts = Shortcuts(
            {"s": self._press_start, "c": self._press_cover, "m": lambda _: self._press_mirror()},
            urgent={"c": self._hide},
        )
        visitor.watch(self._look)

    def _screen(self) -> None:
        texts = self._texts
        with box("screen"):
            self._picture = Picture(texts("live.picture"))
            self._poster = box("poster")
            with self._poster:
                with box("who", aria_hidden="true") as self._who:
                    self._face = box("", "img", alt="", width=104, height=104)
                    icon("arrow")
                    self._origin = box("who-origin")
                    with self._origin:
                        self._origin_icon = icon("film")
                self._said = Text("", "p", classes="poster-title")
                self._more = Text("", "p", classes="poster-more")
            self._silent = box("silent", role="status")
            with self._silent:
                icon("warning")
                self._silence = Text(texts("live.silent"))
                self._claim = Button(texts("sources.take_over"), self._tab.claim, picture="camera")
        # Below the picture, not over it: the label may be in any of its corners.
        with box("bar"):
            self._bar()

    def _bar(self) -> None:
        with box("badges", aria_live="polite"):
            self._badge = box("badge")
            with self._badge:
                box("dot", "span", aria_hidden="true")
                self._state = Text()
            self._clock = Text("", classes="badge clock", attributes={"aria-hidden": "true"})
            self._unreached = Text("", classes="badge unreached")
            # Who hears the page would hear it every second: the figures have it for them.
            self._rate = Text("", classes="rate", attributes={"aria-hidden": "true"})
        self._figures = box("figures", aria_label=self._texts("live.figures"), role="group")
        with self._figures:
            self._lines = [Text("", "div") for _ in range(4)]
        shown(self._figures, False)

    def _buttons(self) -> None:
        texts = self._texts
        with box("buttons"):
            self._start = Button(texts("live.start"), pressed=self._press_start, look="primary", picture="play")
            self._start.classes("large start")
            attribute(self._start, "aria-keyshortcuts", "s")
            self._cover = Button(texts("live.cover"), pressed=self._press_cover, look="danger", picture="cover")
            self._cover.classes("large cover")
            attribute(self._cover, "aria-keyshortcuts", "c")
            with self._cover:
                Text("C", "kbd", attributes={"aria-hidden": "true"})
            self._mirror = Button(texts("live.mirror"), self._press_mirror, picture="mirror")
            attribute(self._mirror, "aria-keyshortcuts", "m")
            self._chart = Button(texts("live.show_figures"), self._press_figures, picture="chart")
            attribute(self._chart, "aria-pressed", "false")

    def _stale_row(self) -> None:
        self._stale = box("stale", role="status")
        with self._stale:
            Text(self._texts("live.stale"))
            Button(self._texts("live.restart"), pressed=once(self._press_restart), picture="refresh")

    async def _start_or_stop(self) -> None:
        desk = self._desk
        if desk.phase in ("starting", "stopping"):
            return
        if desk.phase == "idle":
            self._tab.claim()
        work = desk.start if desk.phase == "idle" else desk.stop
        await self._visitor.do(lambda: asyncio.to_thread(work))

    async def _press_restart(self) -> None:
        if self._desk.origin_used.kind != "browser":
            self._tab.claim()
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.restart))

    def _press_cover(self, at: float) -> None:
        if self._desk.phase not in _COVERED:
            return
        if not self._desk.covered:
            self._covered = at
        elif at - self._covered < DOUBLE:
            return  # pressed in haste, and twice
        self._desk.cover(not self._desk.covered)
        self._visitor.look()

    def _hide(self, at: float) -> None:
        """Cover, and nothing else: whoever is asked something does not mean to be seen again by it."""
        if not self._desk.covered:
            self._press_cover(at)

    def _press_mirror(self) -> None:
        self._desk.turn(not self._desk.mirror)
        self._visitor.look()

    def _press_figures(self) -> None:
        visible = not self._figures.visible
        shown(self._figures, visible)
        attribute(self._chart, "aria-pressed", str(visible).lower())
        self._counted = 0.0
        self._visitor.look()

    def _look(self) -> None:
        desk, texts = self._desk, self._texts
        running = desk.phase in ("live", "changing")
        self._start.say(texts("live.start") if desk.phase in ("idle", "starting") else texts("live.stop"))
        if self._start.icon is not None:
            on = "icon icon-play" if desk.phase in ("idle", "starting") else "icon icon-stop"
            self._start.icon.classes(replace=on)
        attribute(self._start, "disabled", desk.phase in ("starting", "stopping") or not (desk.ready or running))
        attribute(self._cover, "disabled", desk.phase not in _COVERED)
        # One thing to do in each state: start; hide, should it be needed; be seen again.
        self._start.dress("plain" if running else "primary")
        self._cover.dress("primary" if desk.covered else "danger")
        self._cover.say(texts("live.uncover") if desk.covered else texts("live.cover"))
        attribute(self._mirror, "aria-pressed", str(desk.mirror).lower())
        shown(self._stale, desk.stale)
        self._look_at_poster(desk)
        self._look_at_badges(desk, running=running)
        if not running or time.monotonic() - self._counted > _FIGURES_EVERY:
            self._counted = time.monotonic()
            self._look_at_figures(desk, desk.statistics())

    def _look_at_poster(self, desk: Desk) -> None:
        texts = self._texts
        shown(self._poster, desk.phase in ("idle", "starting", "stopping"))
        if desk.phase == "starting":
            waits = desk.origin.kind == "sample" and not self._visitor.studio.clip.there
            said, more = texts("live.starting"), texts("live.making_sample") if waits else ""
        elif desk.phase == "stopping":
            said, more = texts("live.stopping"), texts("live.signing") if desk.outputs.recording else ""
        elif not desk.ready:
            said, more = texts("live.no_face"), texts("live.no_face_more")
        elif (fault := desk.faults.get("source")) is not None and fault.text != "fault.source_remark":
            said, more = texts("live.failed"), texts(fault.text)  # where sources are chosen may be out of sight
        else:
            said, more = texts("live.ready"), texts("live.ready_more")
        self._said.text, self._more.text = said, more
        card = next((card for card in desk.cards.all() if card.id in desk.used), None)
        shown(self._who, card is not None)
        if card is not None:
            attribute(self._face, "src", card.address)
        self._origin_icon.classes(replace=f"icon icon-{_PICTURES[desk.origin.kind]}")

    def _look_at_badges(self, desk: Desk, *, running: bool) -> None:
        texts = self._texts
        shown(self._badge, running)
        covered = running and desk.covered
        self._badge.classes(add="covered" if covered else "on", remove="on" if covered else "covered")
        if desk.phase == "changing":
            self._state.text = texts("live.changing")
        else:
            self._state.text = texts("live.covered") if covered else texts("live.on")
        shown(self._silent, desk.silent)
        other = self._tab.other_silent
        self._silence.text = texts("sources.other_tab_silent" if other else "live.silent")
        shown(self._claim, other)
        seconds = desk.seconds
        shown(self._clock, seconds is not None)
        if seconds is not None:
            self._clock.text = f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
        away = [(kind, one) for kind, one in desk.sinks().items() if one.failure is not None or is_away(one)]
        shown(self._unreached, running and bool(away))
        if away:
            kind, one = min(away, key=lambda found: found[1].failure is None)  # first what does not come back
            said = "live.lost" if one.reached else "live.unreached"
            self._unreached.text = texts("live.broke" if one.failure else said, output=texts(NAMES[kind]))

    def _look_at_figures(self, desk: Desk, found: LiveStatistics | None) -> None:
        texts = self._texts
        shown(self._rate, found is not None and not self._figures.visible)
        if found is not None:
            self._rate.text = texts("live.rate", made=f"{found.fps_out:.0f}")
        if not self._figures.visible:
            return
        if found is None:
            for line in self._lines:
                line.text = ""
            self._lines[0].text = texts("live.no_figures")
            return
        page, latency = desk.shown(), found.latency_ms
        dropped = sum(count for cause, count in found.drops.items() if not cause.startswith("preview"))
        self._lines[0].text = texts(
            "live.rates", come=f"{found.fps_in:.0f}", made=f"{found.fps_out:.0f}", seen=f"{page.fps:.0f}"
        )
        self._lines[1].text = texts(
            "live.latency", p50=f"{latency.get('p50', 0):.0f}", p95=f"{latency.get('p95', 0):.0f}"
        )
        self._lines[2].text = (
            "" if page.p50 is None else texts("live.to_page", p50=f"{page.p50:.0f}", p95=f"{page.p95:.0f}")
        )
        self._lines[3].text = texts("live.rest", dropped=dropped, engine=desk.settings.engine, device=desk.device)
