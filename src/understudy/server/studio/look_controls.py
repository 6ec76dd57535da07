"""The settings that matter most, as controls: the same for live output and for clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from understudy.enhancement.options import Step
from understudy.errors import UnderstudyError
from understudy.masking.options import MOST_FEATHER
from understudy.models.entries import Kind
from understudy.resources.made_with import MESH
from understudy.server.studio.controls import Text, box
from understudy.server.studio.fields import choice, slider, switch
from understudy.server.studio.visitor import Visitor
from understudy.settings import Settings
from understudy.settings.lanes import OWN
from understudy.settings.schema import values_of

#: What is done to the swapped face afterwards, where no model is needed.
_STEPS: Final[Mapping[str, str]] = {
    "sharpen": "look.sharpen",
    "denoise": "look.denoise",
    "clahe": "look.clahe",
}
#: The settings that they show.
_SHOWN: Final = ("engine", *OWN)


class LookControls:
    """Puts them into a page, and anew when they were changed elsewhere.

    Args:
        visitor: Who looks at them.
        settings: Gives what holds.
        change: Told another value, by the setting's full name.
        draw: Puts those into the page, one by one, that are wanted.
    """

    def __init__(
        self,
        visitor: Visitor,
        settings: Callable[[], Settings],
        change: Callable[[str, object], object],
        draw: Callable[[LookControls], object],
    ) -> None:
        self._visitor, self._texts = visitor, visitor.texts
        self._settings, self._change, self._draw = settings, change, draw
        self._values: dict[str, object] = {}
        #: Whether something is being changed here, where it shows already.
        self._mine = False
        self._place = box("look-controls")
        visitor.watch(self.look)

    def look(self, *, anew: bool = False) -> None:
        """Show what holds.

        Args:
            anew: Even if it was shown already.
        """
        values = {name: value for name, value in values_of(self._settings()).items() if name in _SHOWN}
        if values == self._values and not anew:
            return
        self._values = values
        if anew or not self._mine:
            self._place.clear()
            with self._place:
                self._draw(self)

    def engine(self, text: str) -> None:
        """What draws the face: built in, or a model that is here."""
        now, texts = self._settings().engine, self._texts
        options = {now: now} | {name: name for name in self._models("swapper")}
        built_in = {MESH: texts("look.mesh")}
        choice(text, options=built_in | options | built_in, value=now, change=lambda name: self._set("engine", name))
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
        """What is done to the face afterwards, and how strongly. Several steps are written under all settings.

        Args:
            text: What the list says.
            kinds: Of models that can do it.
        """
        steps, written, texts = self._settings().enhance.parsed, self._settings().enhance.steps, self._texts
        several = len(steps) > 1 or any(step.where is not None for step in steps)
        now = ", ".join(written) if several else steps[0].name if steps else ""
        options = {"": texts("look.nothing")} | {name: texts(said) for name, said in _STEPS.items()}
        options |= {name: name for kind in kinds for name in self._models(kind)}
        options.setdefault(now, now)
        choice(text, options=options, value=now, change=lambda name: self._finish(name, now, written))
        if steps and not several:
            slider(
                texts("look.finish_strength"),
                value=steps[0].strength or 0.0,
                least=0.0,
                most=1.0,
                step=0.01,
                change=lambda share: self._set("enhance.steps", [_said(steps[0], share)]),
                show=lambda share: f"{round(100 * share)} %" if share else texts("look.automatic"),
            )

    def _finish(self, name: str, before: str, written: tuple[str, ...]) -> None:
        steps = written if name == before else [name] if name else []
        self._change("enhance.steps", list(steps))  # with a slider, or without it any more: drawn anew

    def _keep_mouth(self, on: bool) -> None:
        kept = [part for part in self._settings().blend.mask.keep if part != "mouth"]
        self._set("blend.mask.keep", [*kept, "mouth"] if on else kept)

    def _percent(self, text: str, name: str, value: float, least: float, most: float) -> None:
        """A slider from ``least`` to ``most``, of which the reader sees per cent of the most."""
        slider(
            text,
            value=value,
            least=least,
            most=most,
            step=most / 100,
            change=lambda found: self._set(name, round(found, 4)),
            show=lambda found: f"{round(100 * found / most)} %",
        )

    def _set(self, name: str, value: object) -> None:
        """Change what the control shows already."""
        self._mine = True
        try:
            self._change(name, value)
            self.look()
        finally:
            self._mine = False

    def _models(self, kind: Kind) -> list[str]:
        """The models of a kind that are here; none where the catalogue can't be read, which the room of models says."""
        models = self._visitor.studio.app.resources.models
        try:
            entries = models.named.store.catalogue.entries
            return [
                name for name, one in entries.items() if one.kind == kind and models.named.store.state(one) == "there"
            ]
        except UnderstudyError:
            return []


def _said(step: Step, strength: float) -> str:
    """A step in words, as settings have it; without a strength it is as strong as the face needs."""
    return f"{step.name}:{round(strength, 2):g}" if strength else step.name
