"""Where pictures come from: the sample, a camera of this machine, a clip, a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nicegui import ui

from understudy.errors import UnderstudyError
from understudy.media.live.cameras import Camera
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.controls import Button, Text, attribute, box, icon, shown
from understudy.server.studio.fields import Picker, field
from understudy.server.studio.live.asked import AskedPanel
from understudy.server.studio.live.choices import Origin, cameras, found_again
from understudy.server.studio.live.notices import Notice
from understudy.server.studio.live.this_tab import ThisTab
from understudy.server.studio.visitor import Visitor
from understudy.server.uploads import SUFFIXES


class SourcePanel:
    """Puts the sources into a page.

    Args:
        visitor: Who looks at them.
        tab: The camera of this visitor's own tab.
    """

    def __init__(self, visitor: Visitor, tab: ThisTab) -> None:
        self._tab = tab
        self._visitor, self._desk, self._texts = visitor, visitor.studio.live, visitor.texts
        self._rows: dict[Origin, ui.element] = {}
        chosen = self._desk.origin
        self._typed = chosen.place if chosen.kind == "stream" else ""
        texts = self._texts
        with box("panel", "section", aria_label=texts("sources.title")):
            with box("panel-head"):
                Text(texts("sources.title"), "h2")
                Button(texts("sources.again"), self._search, look="bare", picture="refresh")
            with box("rows", "fieldset"):
                Text(texts("sources.title"), "legend", classes="spoken")
                self._sample = Origin("sample")
                name = visitor.studio.samples.clip_name
                self._row(self._sample, "film", texts("sources.sample"), texts("sources.sample_more", name=name))
                self._first = box("rows")
                self._cameras = box("rows")
                self._none = Text(texts("sources.no_camera"), "p", classes="hint empty")
                self._own = box("rows")
                self._clips = box("rows")
                self._stream = Origin("stream")
                self._row(self._stream, "stream", texts("sources.stream"), texts("sources.stream_more"))
            self._others = box("indented", role="status")
            with self._others:
                self._other = Text(texts("sources.other_tab"), "p")
                Button(texts("sources.take_over"), tab.claim, picture="camera")
            self._address = box("indented")
            with self._address:
                field(
                    texts("sources.address"),
                    value=self._typed,
                    placeholder="rtmp://127.0.0.1/live/camera",
                    change=self._written,
                )
            Picker(
                kind="clip",
                accept=",".join(SUFFIXES["clip"]),
                words={
                    "button": texts("sources.add"),
                    "beside": texts("sources.drop"),
                    "busy": texts("sources.busy"),
                    "cancel": texts("ask.cancel"),
                },
                done=self._came,
                failed=lambda text: self._notice.say(Fault(text)),
            )
            AskedPanel(visitor)
            self._notice = Notice(visitor, "source")
        self._fill(self._desk.known_cameras)
        visitor.watch(self._look)
        if self._desk.known_cameras is None:
            ui.timer(0.05, self._search, once=True)

    def _row(self, origin: Origin, picture: str, name: str, more: str = "") -> ui.element:
        with box("option", "label") as row:
            control = box("", "input", type="radio", name="source", value=f"{origin.kind}:{origin.place}")
            icon(picture, "row-icon")
            with box("words"):
                Text(name, classes="name")
                if more:
                    Text(more, classes="hint")
        control.on("change", lambda _: self._choose(origin), args=[])
        self._rows[origin] = control
        return row

    def _choose(self, origin: Origin) -> None:
        if origin.kind == "stream":
            if self._desk.origin.kind == "stream":
                return
            origin = Origin("stream", self._typed)  # which the field shows still
        self._desk.faults.pop("source", None)
        self._desk.origin = origin
        self._visitor.look()

    def _written(self, address: str) -> None:
        self._typed = address.strip()
        self._desk.faults.pop("source", None)
        self._desk.origin = Origin("stream", self._typed)
        self._visitor.look()

    async def _search(self) -> None:
        """Look which cameras there are."""
        found = await asyncio.to_thread(cameras)
        self._desk.known_cameras, self._desk.origin = found, found_again(self._desk.origin, found)
        self._fill(found)
        self._visitor.look()

    def _fill(self, found: list[Camera] | None) -> None:
        """Show cameras and clips anew."""
        self._refill(self._cameras, "camera", lambda: self._camera_rows(found or []))
        self._refill(self._clips, "clip", self._clip_rows)
        shown(self._none, found is not None and not found)
        # A machine without a camera is one that is looked at from elsewhere, as a rule: then this one comes first.
        origin, here = Origin("browser"), bool(found)
        self._refill(self._own, "browser", lambda: self._browser_row(origin) if here else None)
        if not here:
            with self._first:
                self._first.clear()
                self._browser_row(origin)
        else:
            self._first.clear()

    def _refill(self, place: ui.element, kind: str, fill: Callable[[], None]) -> None:
        for origin in [origin for origin in self._rows if origin.kind == kind]:
            del self._rows[origin]
        place.clear()
        with place:
            fill()

    def _camera_rows(self, found: list[Camera]) -> None:
        rows = [Origin("camera", str(camera.number), camera.name) for camera in found]
        for origin in rows:
            self._row(origin, "camera", origin.name)
        if (chosen := self._desk.origin).kind == "camera" and chosen not in rows:
            self._row(chosen, "camera", chosen.name, self._texts("sources.away"))

    def _browser_row(self, origin: Origin) -> None:
        self._row(origin, "camera", self._texts("sources.browser"), self._texts("sources.browser_more"))

    def _clip_rows(self) -> None:
        for upload in self._visitor.studio.uploads.all("clip"):
            self._row(Origin("clip", upload.id, upload.name), "film", upload.name, self._texts("sources.clip_more"))

    async def _came(self, number: str) -> None:
        """A clip came: can it be played?"""
        try:
            await asyncio.to_thread(self._desk.check_clip, number)
        except UnderstudyError as fault:
            self._notice.say(fault_of(fault, "clip"))
            return
        upload = self._visitor.studio.uploads[number]
        self._refill(self._clips, "clip", self._clip_rows)
        self._choose(Origin("clip", upload.id, upload.name))

    def _look(self) -> None:
        chosen = self._desk.origin
        wanted = self._stream if chosen.kind == "stream" else chosen
        for origin, control in self._rows.items():
            attribute(control, "checked", origin == wanted)
        shown(self._address, chosen.kind == "stream")
        shown(self._others, self._tab.others)
        silent = self._tab.other_silent
        self._other.text = self._texts("sources.other_tab_silent" if silent else "sources.other_tab")
