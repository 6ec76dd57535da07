"""A list on a page that follows a list of things: each has its own place, and only what changed is made anew."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

from nicegui import ui

from understudy.server.studio.controls import box

Thing = TypeVar("Thing")


class _Row(NamedTuple):
    element: ui.element
    stamp: Hashable


class Rows(Generic[Thing]):
    """The rows.

    Args:
        parent: What they are put into.
        key: What a thing is known by.
        stamp: What changes when its row must.
        build: Puts a thing's row into the element that is open.
        tag: Of each row's element.
        classes: Likewise.
    """

    def __init__(
        self,
        parent: ui.element,
        *,
        key: Callable[[Thing], str],
        stamp: Callable[[Thing], Hashable],
        build: Callable[[Thing], None],
        tag: str = "li",
        classes: str = "",
    ) -> None:
        self._parent, self._key, self._stamp, self._build = parent, key, stamp, build
        self._tag, self._classes = tag, classes
        self._rows: dict[str, _Row] = {}

    def show(self, things: Sequence[Thing]) -> None:
        """Show these, in this order."""
        wanted = {self._key(thing): thing for thing in things}
        for key in [key for key in self._rows if key not in wanted]:
            self._rows.pop(key).element.delete()
        for place, (key, thing) in enumerate(wanted.items()):
            stamp, row = self._stamp(thing), self._rows.get(key)
            if row is None:
                with self._parent:
                    row = _Row(box(self._classes, self._tag), None)
            if row.stamp != stamp:
                row.element.clear()
                with row.element:
                    self._build(thing)
                row = _Row(row.element, stamp)
            self._rows[key] = row
            if self._parent.default_slot.children[place] is not row.element:
                row.element.move(target_index=place)
