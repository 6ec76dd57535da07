"""How the face looks: the few settings that matter, and all the others folded away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from understudy.server.faults import Fault
from understudy.server.studio.controls import Button, Shortcuts, Text, attribute, box, shown
from understudy.server.studio.fields import choice, switch
from understudy.server.studio.live.notices import Notice
from understudy.server.studio.live.several import Several
from understudy.server.studio.look_controls import LookControls
from understudy.server.studio.other_settings import OF_FILES, OtherSettings
from understudy.server.studio.preset_list import PresetList
from understudy.server.studio.visitor import Visitor
from understudy.sessions.fitting_settings import LEAST_STRENGTH
from understudy.settings.schema import values_of

#: Whose face is swapped.
_FACES: Final[Mapping[str, str]] = {
    "largest": "look.largest",
    "all": "look.all",
    "left": "look.left",
    "right": "look.right",
    "each": "look.each",
}


class LookPanel:
    """Puts the settings into a page.

    Args:
        visitor: Who looks at them.
        shortcuts: The keys, which can be switched off.
    """

    def __init__(self, visitor: Visitor, shortcuts: Shortcuts) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.live, visitor.texts
        texts, settings = self._texts, self._desk.settings
        with box("panel", "section", aria_label=texts("look.title")):
            Text(texts("look.title"), "h2")
            LookControls(visitor, lambda: self._desk.settings, self._set, self._draw)
            choice(
                texts("look.faces"),
                options={word: texts(text) + (" **" if word == "each" else "") for word, text in _FACES.items()},
                value=settings.faces if self._desk.several is None else "each",
                change=self._choose_faces,
            )
            Text(texts("look.later"), "p", classes="hint")
            Text(texts("look.not_cut"), "p", classes="hint")
            Notice(visitor, "settings")
            control = switch(texts("look.keys"), on=True, change=shortcuts.switch, hint=texts("look.keys_more"))
            attribute(control, "data-keys", "true")
            self._others = OtherSettings(
                texts, lambda: self._desk.settings, self._set, lambda name: not name.startswith(OF_FILES)
            )
            self._back = Button(texts("look.back"), self._begin_anew, picture="undo")
            PresetList(visitor, visitor.studio.presets, lambda: self._desk.settings, self._desk.set, self._tell)
        visitor.watch(self._look)

    def _look(self) -> None:
        shown(self._back, bool(self._other))

    @property
    def _other(self) -> dict[str, object]:
        """What differs from how the studio would begin if nothing were kept, as it would be; not whose face."""
        now, usual = values_of(self._desk.settings), values_of(self._visitor.studio.settings)
        return {name: value for name, value in usual.items() if value != now[name] and name != "faces"}

    def _tell(self, fault: Fault | None) -> None:
        self._desk.faults.pop("settings", None)
        if fault is not None:
            self._desk.faults["settings"] = fault

    def _begin_anew(self) -> None:
        self._desk.set(self._other)
        self._others.look()
        self._visitor.look()

    async def _choose_faces(self, word: str) -> None:
        each = word == "each"
        if not each:
            self._set("faces", word)
        if each != (self._desk.several is not None):
            several = Several(self._desk.card) if each else None
            await self._visitor.do(lambda: asyncio.to_thread(self._desk.share, several))

    def _draw(self, controls: LookControls) -> None:
        texts = self._texts
        controls.engine(f"{texts('look.engine')} *")
        controls.strength(LEAST_STRENGTH)
        controls.shape(f"{texts('look.shape')} *")
        controls.feather()
        controls.mouth(texts("look.mouth"), texts("look.mouth_more"))
        controls.finish(f"{texts('look.enhance')} *", ("enhancer",))

    def _set(self, name: str, value: object) -> Fault | None:
        self._desk.set({name: value})
        self._visitor.look()
        return self._desk.faults.get("settings")
