"""What went wrong in the Live room, where it went wrong."""

from __future__ import annotations

from understudy.server.faults import Fault
from understudy.server.studio.fault_box import FaultBox
from understudy.server.studio.live.placing import Place
from understudy.server.studio.visitor import Visitor


class Notice(FaultBox):
    """A place for faults of the room's desk.

    Args:
        visitor: Who looks at it.
        place: Of the desk's faults.
    """

    def __init__(self, visitor: Visitor, place: Place) -> None:
        self._desk, self._place = visitor.studio.live, place
        super().__init__(visitor, lambda: self._desk.faults.get(place), lambda: self._desk.faults.pop(place, None))

    def say(self, fault: Fault) -> None:
        """Show a fault."""
        self._desk.faults[self._place] = fault
        self.look()
