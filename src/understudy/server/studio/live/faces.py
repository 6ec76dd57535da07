"""The face cards."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from nicegui import ui

from understudy.errors import UnderstudyError
from understudy.provenance.records.consent import Use
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.consent_question import Question
from understudy.server.studio.controls import (
    Button,
    Handler,
    Picker,
    Text,
    attribute,
    box,
    icon,
    shown,
)
from understudy.server.studio.live.cards import SAMPLE, Card
from understudy.server.studio.live.notices import Notice
from understudy.server.studio.visitor import Visitor
from understudy.server.uploads import SUFFIXES

#: What faces are used for in this room.
_USES: Final[tuple[Use, ...]] = ("live",)


class FacePanel:
    """Puts the cards into a page.

    Args:
        visitor: Who looks at them.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.live, visitor.texts
        self._shown: dict[str, _CardView] = {}
        with box("wardrobe", "section", aria_label=self._texts("faces.title")):
            Text(self._texts("faces.title"), "h2", classes="spoken")
            with box("wardrobe-row"):
                self._place = box("faces", "ul")
                self._picker()
            self._notice = Notice(visitor, "faces")
        self._question = Question(visitor, self._desk.cards, self._notice.say)
        visitor.watch(self._look)

    def _picker(self) -> None:
        texts = self._texts
        Picker(
            kind="photo",
            accept=",".join(SUFFIXES["photo"]),
            words={"button": texts("faces.add"), "beside": texts("faces.drop"), "busy": texts("faces.busy")},
            done=self._came,
            failed=lambda text: self._notice.say(Fault(text)),
            several=True,
        )

    async def _came(self, number: str) -> None:
        """A photo came: is a face in it?"""

        def add() -> Card | None:
            self._desk.faults.pop("faces", None)
            try:
                return self._desk.cards.add(number)
            except UnderstudyError as fault:
                self._desk.faults["faces"] = fault_of(fault, "photo")
                return None

        card = await asyncio.to_thread(add)
        self._visitor.look()
        if card is not None:
            await self._chosen(card.id)

    async def _chosen(self, number: str) -> None:
        """A card was pressed."""
        card = self._desk.cards[number]
        if not card.allowed:
            self._question.ask(card, _USES, partial(self._use, number))
            return
        await self._use(number)

    async def _use(self, number: str) -> None:
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.choose, number))

    def _removed(self, number: str) -> None:
        self._desk.cards.remove(number)
        self._visitor.look()

    def _look(self) -> None:
        cards = {card.id: card for card in self._desk.cards.all()}
        for number in self._shown.keys() - cards.keys():
            self._shown.pop(number).delete()
        for number, card in cards.items():
            if number not in self._shown:
                with self._place:
                    self._shown[number] = _CardView(
                        self._visitor, card, partial(self._chosen, number), partial(self._removed, number)
                    )
            running = self._desk.phase != "idle"
            self._shown[number].look(card, chosen=number == self._desk.card, running=running)


class _CardView(ui.element):
    """One card."""

    def __init__(self, visitor: Visitor, card: Card, choose: Handler, remove: Handler) -> None:
        super().__init__("li")
        self._texts = visitor.texts
        self.classes("face")
        with self:
            self._button = box("face-button", "button", type="button").on("click", lambda _: choose(), args=[])
            with self._button:
                box("", "img", src=card.address, alt="", width=60, height=60)
                self._mark = icon("check", "face-mark")
                with box("words", "span"):
                    Text(card.name, classes="face-name")
                    self._note = Text("", classes="face-note")
            self._bin = Button("", remove, look="bare", picture="trash")
            self._bin.classes("face-bin")
            said = self._texts("faces.remove", name=card.name)
            attribute(self._bin, "aria-label", said)
            attribute(self._bin, "title", said)

    def look(self, card: Card, *, chosen: bool, running: bool) -> None:
        """Show how it stands."""
        attribute(self._button, "aria-pressed", str(chosen).lower())
        shown(self._mark, chosen)
        self._note.text = (
            self._texts("faces.sample")
            if card.id == SAMPLE
            else self._texts("faces.asked")
            if card.allowed
            else self._texts("faces.ask")
        )
        self._note.classes(add="asks" if not card.allowed else "", remove="asks" if card.allowed else "")
        shown(self._bin, card.id != SAMPLE and not (chosen and running))
