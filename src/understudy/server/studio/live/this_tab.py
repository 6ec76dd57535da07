"""The camera of one visitor's own tab, in the page."""

from __future__ import annotations

import re

from nicegui import ui
from nicegui.events import GenericEventArguments

from understudy.server.studio.controls import attribute
from understudy.server.studio.live.browser_camera import PLACE
from understudy.server.studio.visitor import Visitor

_TAB = re.compile(r"[0-9a-f]{32}")


class ThisTab(ui.element, component="../assets/camera.js"):
    """Sends this tab's camera while the session wants it.

    Args:
        visitor: Who looks at the page.
    """

    def __init__(self, visitor: Visitor) -> None:
        super().__init__()
        self._visitor, self._desk = visitor, visitor.studio.live
        self._tab = ""
        attribute(self, "place", PLACE)
        self.on("tab", self._known)
        self.on("asked", self._asked)
        self.on("fault", lambda event: self._desk.camera.fail(self._tab, str(event.args)))
        visitor.watch(self._look)

    @property
    def others(self) -> bool:
        """Whether another tab's camera is used now."""
        desk = self._desk
        return desk.origin.kind == "browser" and desk.phase != "idle" and desk.camera.tab != self._tab

    @property
    def other_silent(self) -> bool:
        """Whether another tab's camera is used now, and nothing comes of it."""
        return self.others and self._desk.phase == "live" and self._desk.camera.silent

    def claim(self) -> None:
        """Have this tab's camera used."""
        self._desk.camera.claim(self._tab)
        self._visitor.look()

    def _known(self, event: GenericEventArguments) -> None:
        if _TAB.fullmatch(str(event.args)):
            self._tab = str(event.args)
            self._visitor.look()

    def _asked(self, event: GenericEventArguments) -> None:
        """The camera was asked for what the page shows, or showed a moment ago."""
        wanted = self._desk.camera.format
        width, height = wanted.size or (None, None)
        if event.args == {"width": width, "height": height, "rate": wanted.fps}:
            self._desk.camera.asked(self._tab, wanted)

    def _look(self) -> None:
        desk = self._desk
        running = desk.phase in ("starting", "live", "changing") and desk.origin_used.kind == "browser"
        wanted = desk.camera.format
        width, height = wanted.size or (None, None)
        attribute(self, "format", {"width": width, "height": height, "rate": wanted.fps})
        attribute(self, "wanted", running and self._tab != "" and desk.camera.tab == self._tab)
