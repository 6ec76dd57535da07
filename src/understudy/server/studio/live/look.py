"""How the face looks: the few settings that matter, and all the others folded away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from understudy.masking.options import MOST_FEATHER
from understudy.server.studio.controls import Shortcuts, Text, attribute, box, choice, slider, switch
from understudy.server.studio.live.notices import Notice
from understudy.server.studio.live.other_settings import OtherSettings
from understudy.server.studio.live.several import Several
from understudy.server.studio.visitor import Visitor
from understudy.sessions.session import LEAST_STRENGTH

#: Whose face is swapped.
_FACES: Final[Mapping[str, str]] = {
    "largest": "look.largest",
    "all": "look.all",
    "left": "look.left",
    "right": "look.right",
    "each": "look.each",
}
#: What is done to the swapped face afterwards.
_STEPS: Final[Mapping[str, str]] = {
    "": "look.nothing",
    "sharpen": "look.sharpen",
    "denoise": "look.denoise",
    "clahe": "look.clahe",
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
            self._percent("look.strength", "blend.strength", settings.blend.strength, LEAST_STRENGTH, 1.0)
            self._percent("look.shape", "mesh.shape", settings.mesh.shape, 0.0, 1.0, later=True)
            self._percent("look.feather", "blend.mask.feather", settings.blend.mask.feather, 0.0, MOST_FEATHER)
            switch(
                texts("look.mouth"),
                on="mouth" in settings.blend.mask.keep,
                change=self._keep_mouth,
                hint=texts("look.mouth_more"),
            )
            choice(
                texts("look.faces"),
                options={word: texts(text) for word, text in _FACES.items()},
                value=settings.faces if self._desk.several is None else "each",
                change=self._choose_faces,
            )
            steps = settings.enhance.steps
            choice(
                texts("look.enhance"),
                options={word: texts(text) for word, text in _STEPS.items()},
                value=steps[0] if len(steps) == 1 and steps[0] in _STEPS else "",
                change=lambda word: self._set("enhance.steps", [word] if word else []),
            )
            Text(texts("look.later"), "p", classes="hint")
            Notice(visitor, "settings")
            control = switch(texts("look.keys"), on=True, change=shortcuts.switch, hint=texts("look.keys_more"))
            attribute(control, "data-keys", "true")
            OtherSettings(visitor)

    def _percent(self, text: str, name: str, value: float, least: float, most: float, *, later: bool = False) -> None:
        """A slider from ``least`` to ``most``, of which the reader sees per cent of the most."""
        said = self._texts(text)
        slider(
            f"{said} *" if later else said,
            value=value,
            least=least,
            most=most,
            step=most / 100,
            change=lambda found: self._set(name, round(found, 4)),
            show=lambda found: f"{round(100 * found / most)} %",
        )

    def _keep_mouth(self, on: bool) -> None:
        kept = [part for part in self._desk.settings.blend.mask.keep if part != "mouth"]
        self._set("blend.mask.keep", [*kept, "mouth"] if on else kept)

    async def _choose_faces(self, word: str) -> None:
        each = word == "each"
        if not each:
            self._set("faces", word)
        if each != (self._desk.several is not None):
            several = Several(self._desk.card) if each else None
            await self._visitor.do(lambda: asyncio.to_thread(self._desk.share, several))

    def _set(self, name: str, value: object) -> None:
        self._desk.set({name: value})
        self._visitor.look()
