"""What went wrong, where it went wrong, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable

from understudy.server.faults import Fault
from understudy.server.studio.controls import Button, Text, box, icon, shown
from understudy.server.studio.visitor import Visitor


class FaultBox:
    """A place for one fault, empty as long as there is none.

    Args:
        visitor: Who looks at it.
        find: What there is to be said; None for nothing.
        away: Forgets it.
    """

    def __init__(self, visitor: Visitor, find: Callable[[], Fault | None], away: Callable[[], object]) -> None:
        self._visitor, self._find, self._away = visitor, find, away
        self._shown: Fault | None = None
        with box("notice-place", role="alert"):
            self._box = box("notice")
            with self._box:
                icon("warning")
                with box("words"):
                    self._text, self._detail = Text(), Text("", classes="detail")
                Button("", self._put_away, look="bare", picture="close", label=visitor.texts("ask.dismiss"))
        shown(self._box, False)
        visitor.watch(self.look)

    def _put_away(self) -> None:
        self._away()
        self.look()

    def look(self) -> None:
        """Show what there is to be said now."""
        fault = self._find()
        if fault == self._shown:
            return
        self._shown = fault
        shown(self._box, fault is not None)
        self._text.text = "" if fault is None else self._visitor.texts(fault.text)
        self._detail.text = "" if fault is None else fault.detail
