"""The settings that matter most, as controls: the same for live output and for clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from understudy.errors import UnderstudyError
from understudy.masking.options import MOST_FEATHER
from understudy.models.entries import Kind
from understudy.resources.made_with import MESH
from understudy.server.studio.controls import Text, box, choice, shown, slider, switch
from understudy.server.studio.visitor import Visitor
from understudy.settings import Settings

#: What is done to the swapped face afterwards, where no model is needed.
_STEPS: Final[Mapping[str, str]] = {
    "sharpen": "look.sharpen",
    "denoise": "look.denoise",
    "clahe": "look.clahe",
}


class LookControls:
    """Puts them into a page, one by one.

    Args:
        visitor: Who looks at them.
        settings: Gives what holds.
        change: Told another value, by the setting's full name.
    """

    def __init__(
        self, visitor: Visitor, settings: Callable[[], Settings], change: Callable[[str, object], object]
    ) -> None:
        self._visitor, self._texts = visitor, visitor.texts
        self._settings, self._change = settings, change

    def engine(self, text: str) -> None:
        """What draws the face: built in, or a model that is here."""
        now, texts = self._settings().engine, self._texts
        options = {MESH: texts("look.mesh"), now: now} | {name: name for name in self._models("swapper")}
        options[MESH] = texts("look.mesh")
        choice(text, options=options, value=now, change=lambda name: self._change("engine", name))
        Text(texts("look.engine_more"), "p", classes="hint")

    def strength(self, least: float) -> None:
        """How much of the swap is shown."""
        self._percent(self._texts("look.strength"), "blend.strength", self._settings().blend.strength, least, 1.0)

    def shape(self, text: str) -> None:
        """How far the face takes the photo's shape."""
        self._percent(text, "mesh.shape", min(self._settings().mesh.shape, 1.0), 0.0, 1.0)

    def feather(self) -> None:
        """How soft the edge is."""
        now = self._settings().blend.mask.feather
        self._percent(self._texts("look.feather"), "blend.mask.feather", now, 0.0, MOST_FEATHER)

    def mouth(self, text: str, hint: str = "") -> None:
        """Whether lips and teeth stay the target's own."""
        switch(text, on="mouth" in self._settings().blend.mask.keep, change=self._keep_mouth, hint=hint)

    def finish(self, text: str, kinds: tuple[Kind, ...]) -> None:
        """What is done to the face afterwards, and how strongly.

        Args:
            text: What the list says.
            kinds: Of models that can do it.
        """
        steps, texts = self._settings().enhance.parsed, self._texts
        models = {name: name for kind in kinds for name in self._models(kind)}
        options = {"": texts("look.nothing")} | {name: texts(said) for name, said in _STEPS.items()} | models
        several = len(steps) > 1 or any(step.where is not None for step in steps)
        now = ", ".join(self._settings().enhance.steps) if several else steps[0].name if steps else ""
        options.setdefault(now, now)
        choice(text, options=options, value=now, change=lambda name: self._finish(name, now if several else None))
        self._how_strong = box()
        shown(self._how_strong, bool(steps) and not several)
        with self._how_strong:
            slider(
                texts("look.finish_strength"),
                value=(steps[0].strength or 0.0) if steps else 0.0,
                least=0.0,
                most=1.0,
                step=0.01,
                change=self._finish_by,
                show=lambda share: f"{round(100 * share)} %" if share else texts("look.automatic"),
            )

    def _finish(self, name: str, several: str | None) -> None:
        if name == several:
            return  # steps that were written under all settings
        shown(self._how_strong, bool(name))
        strength = next((step.strength for step in self._settings().enhance.parsed), None)
        self._change("enhance.steps", [_said(name, strength)] if name else [])

    def _finish_by(self, share: float) -> None:
        for step in self._settings().enhance.parsed[:1]:
            self._change("enhance.steps", [_said(step.name, share or None)])

    def _keep_mouth(self, on: bool) -> None:
        kept = [part for part in self._settings().blend.mask.keep if part != "mouth"]
        self._change("blend.mask.keep", [*kept, "mouth"] if on else kept)

    def _percent(self, text: str, name: str, value: float, least: float, most: float) -> None:
        """A slider from ``least`` to ``most``, of which the reader sees per cent of the most."""
        slider(
            text,
            value=value,
            least=least,
            most=most,
            step=most / 100,
            change=lambda found: self._change(name, round(found, 4)),
            show=lambda found: f"{round(100 * found / most)} %",
        )

    def _models(self, kind: Kind) -> list[str]:
        """The models of a kind that are here; none where the catalogue can't be read, which the room of models says."""
        store = self._visitor.studio.app.resources.models
        try:
            entries = store.store.catalogue.entries
            return [name for name, one in entries.items() if one.kind == kind and store.store.state(one) == "there"]
        except UnderstudyError:
            return []


def _said(name: str, strength: float | None) -> str:
    """A step in words, as settings have it."""
    return name if strength is None else f"{name}:{round(strength, 2):g}"
