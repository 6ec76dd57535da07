"""Presets in a page: a list of them, and a field to keep what holds as another one. The rooms share them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui

from understudy.errors import UnderstudyError
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.controls import TIMED, Button, box, once, seconds_of, shown
from understudy.server.studio.fields import field
from understudy.server.studio.presets import LONGEST_NAME, Presets
from understudy.server.studio.visitor import Visitor
from understudy.settings import Settings
from understudy.settings.schema import values_of


class PresetList:
    """Puts them into a page.

    Args:
        visitor: Who looks at them.
        presets: All of them.
        settings: Gives what holds.
        use: Changes settings to those of a preset, by full name; what it does not name stays.
        tell: Told what went wrong; None when something begins that may go well.

    Attributes:
        place: What holds all of it.
    """

    def __init__(
        self,
        visitor: Visitor,
        presets: Presets,
        settings: Callable[[], Settings],
        use: Callable[[Mapping[str, Any]], object],
        tell: Callable[[Fault | None], object],
    ) -> None:
        self._visitor, self._texts, self._presets = visitor, visitor.texts, presets
        self._settings, self._use, self._tell = settings, use, tell
        self._names: tuple[str, ...] | None = None
        self._typed = ""
        with box("presets") as place:
            self._kept = box("kept-presets")
            self._new()
        self.place: ui.element = place
        visitor.watch(self._look)

    def _look(self) -> None:
        try:
            names = tuple(self._presets.all())
        except UnderstudyError as fault:
            self._tell(fault_of(fault))
            names = ()
        if names != self._names:
            self._names = names
            self._kept.clear()
            shown(self._kept, bool(names))
            if names:
                with self._kept, box("preset-list", "ul", aria_label=self._texts("preset.title")):
                    for name in names:
                        self._draw(name)

    def _draw(self, name: str) -> None:
        with box("preset", "li"):
            Button(name, lambda: self._do(lambda: self._use(self._presets.all().get(name, {}))))
            Button(
                "",
                lambda: self._do(lambda: self._presets.remove(name)),
                look="bare",
                picture="trash",
                label=self._texts("preset.remove", name=name),
            )

    def _new(self) -> None:
        texts, keep = self._texts, once(self._keep)
        with box("preset-new"):
            self._name = field(
                texts("preset.name"),
                change=self._type,
                longest=LONGEST_NAME,
                placeholder=texts("preset.example"),
            )
            self._name.on("keyup.enter", lambda event: keep(seconds_of(event)), args=TIMED)
            Button(texts("preset.keep"), pressed=keep)

    def _type(self, typed: str) -> None:
        self._typed = typed

    async def _keep(self) -> None:
        name, values = self._typed, values_of(self._settings())
        if await self._do(lambda: self._presets.keep(name, values)) and self._typed == name:
            self._typed = ""
            self._name.run_method("clear")

    async def _do(self, work: Callable[[], object]) -> bool:
        """Do something beside the page; whether that went well."""
        faults: list[Fault] = []

        def attempt() -> None:
            try:
                work()
            except UnderstudyError as fault:
                faults.append(fault_of(fault))
                self._tell(faults[0])

        self._tell(None)
        await self._visitor.do(lambda: asyncio.to_thread(attempt))
        return not faults
