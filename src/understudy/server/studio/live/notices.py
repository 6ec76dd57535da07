"""What went wrong, where it went wrong, in the reader's language."""

from __future__ import annotations

from understudy.server.faults import Fault
from understudy.server.studio.controls import Button, Text, box, icon, shown
from understudy.server.studio.live.placing import Place
from understudy.server.studio.visitor import Visitor


class Notice:
    """A place for faults, empty as long as there is none.

    Args:
        visitor: Who looks at it.
        place: Of the desk's faults.
    """

    def __init__(self, visitor: Visitor, place: Place) -> None:
        self._visitor, self._desk, self._place = visitor, visitor.studio.live, place
        self._shown: Fault | None = None
        with box("notice-place", role="alert"):
            self._box = box("notice")
            with self._box:
                icon("warning")
                with box("words"):
                    self._text, self._detail = Text(), Text("", classes="detail")
                Button("", self._away, look="bare", picture="close", label=visitor.texts("live.dismiss"))
        shown(self._box, False)
        visitor.watch(self._look)

    def say(self, fault: Fault) -> None:
        """Show a fault."""
        self._desk.faults[self._place] = fault
        self._look()

    def _away(self) -> None:
        self._desk.faults.pop(self._place, None)
        self._look()

    def _look(self) -> None:
        fault = self._desk.faults.get(self._place)
        if fault == self._shown:
            return
        self._shown = fault
        shown(self._box, fault is not None)
        self._text.text = "" if fault is None else self._visitor.texts(fault.text)
        self._detail.text = "" if fault is None else fault.detail
