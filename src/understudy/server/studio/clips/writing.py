"""How what is rendered is written: beside the original, in another shape, with words in it, how large."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from nicegui import ui

from understudy.server.studio.controls import Text, attribute, box, shown
from understudy.server.studio.fields import choice, field, slider
from understudy.server.studio.visitor import Visitor
from understudy.settings.framing import CHARACTERS

#: What the words of a setting are called.
_COMPARE: Final[Mapping[str, str]] = {
    "no": "writing.alone",
    "side-by-side": "writing.beside",
    "wipe": "writing.wipe",
}
_SHAPES: Final[Mapping[str, str]] = {"as-is": "writing.as_is", "9:16": "", "4:5": "", "1:1": "", "16:9": ""}
_FITS: Final[Mapping[str, str]] = {"crop": "writing.crop", "pad": "writing.pad"}
_EFFORTS: Final[Mapping[str, str]] = {"low": "writing.low", "medium": "writing.medium", "high": "writing.high"}


class WritingPanel:
    """Puts that into a page, folded.

    Args:
        visitor: Who looks at it.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.clips, visitor.texts
        self._shown: object = None
        #: Whether something is being changed here, where it shows already.
        self._mine = False
        with box("others", "details"):
            Text(self._texts("writing.title"), "summary")
            self._place = box("others-place")
        visitor.watch(self._look)

    def _draw(self) -> None:
        texts, settings = self._texts, self._desk.settings
        self._compare = self._choice("writing.compare", "compare", settings.compare, _COMPARE)
        self._shape = self._choice("writing.shape", "frame.shape", settings.frame.shape, _SHAPES)
        self._fit = box()
        with self._fit:
            self._choice("writing.fit", "frame.fit", settings.frame.fit, _FITS)
        field(
            texts("writing.caption"),
            value=settings.frame.caption or "",
            longest=CHARACTERS,
            change=lambda words: self._set("frame.caption", words.strip() or None),
        )
        slider(
            texts("writing.quality"),
            value=settings.encode.quality,
            least=0,
            most=100,
            step=1,
            change=lambda quality: self._set("encode.quality", round(quality)),
            show=lambda quality: f"{quality:g}",
        )
        self._choice("writing.effort", "encode.effort", settings.encode.effort, _EFFORTS)
        Text(texts("writing.more"), "p", classes="hint")

    def _choice(self, text: str, name: str, now: str, words: Mapping[str, str]) -> ui.element:
        options = {word: self._texts(said) if said else word for word, said in ({now: ""} | dict(words)).items()}
        return choice(self._texts(text), options=options, value=now, change=partial(self._set, name))

    def _set(self, name: str, value: object) -> None:
        self._mine = True
        try:
            self._desk.write({name: value})
            self._visitor.look()
        finally:
            self._mine = False

    def _look(self) -> None:
        settings = self._desk.settings
        now = settings.compare, settings.frame, settings.encode
        if now != self._shown:
            self._shown = now
            if not self._mine:
                self._place.clear()
                with self._place:
                    self._draw()
        shaped, compared = settings.frame.shape != "as-is", settings.compare != "no"
        shown(self._fit, shaped)
        # The two do not go together. What was chosen of them can always be taken back.
        attribute(self._compare, "disabled", shaped and not compared)
        attribute(self._shape, "disabled", compared and not shaped)
