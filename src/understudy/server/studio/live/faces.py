"""The face cards, and the question whose face it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final, Literal, cast

from nicegui import ui
from nicegui.events import GenericEventArguments

from understudy.errors import UnderstudyError
from understudy.provenance import ConsentClaim
from understudy.provenance.records.consent import USES, Ground, Use
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.controls import (
    Button,
    Handler,
    Modal,
    Picker,
    Text,
    attribute,
    box,
    choice,
    field,
    icon,
    shown,
    switch,
)
from understudy.server.studio.live.cards import SAMPLE, Card
from understudy.server.studio.live.notices import Notice
from understudy.server.studio.visitor import Visitor
from understudy.server.uploads import SUFFIXES

#: Grounds of consent that can be chosen: the sample's is nobody's to claim.
_GROUNDS: Final[Mapping[Ground, str]] = {
    "self": "consent.self",
    "granted": "consent.granted",
    "fictional": "consent.fictional",
}
#: What a photo may be used for besides live output, and for how many days.
_USES: Final[Mapping[Literal["image", "video"], str]] = {"image": "consent.image", "video": "consent.video"}
_DAYS: Final[Mapping[str, str]] = {"30": "consent.month", "365": "consent.year", "1825": "consent.five_years"}


class FacePanel:
    """Puts the cards into a page.

    Args:
        visitor: Who looks at them.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.live, visitor.texts
        self._shown: dict[str, _CardView] = {}
        self._question = _Question(visitor)
        with box("wardrobe", "section", aria_label=self._texts("faces.title")):
            Text(self._texts("faces.title"), "h2", classes="spoken")
            with box("wardrobe-row"):
                self._place = box("faces", "ul")
                self._picker()
            self._notice = Notice(visitor, "faces")
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
            self._question.ask(card)
            return
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.choose, number))

    def _removed(self, number: str) -> None:
        self._desk.remove(number)
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


class _Question:
    """Asks whose face it is, in plain words, and records the answer."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.live, visitor.texts
        self._card: Card | None = None
        self._ground: Ground | None = None
        self._note, self._days = "", 365
        self._uses: set[Use] = {"live"}
        self._modal = Modal("", self._texts("consent.not_now"))
        with self._modal:
            self._body = box("consent")

    def ask(self, card: Card) -> None:
        """Ask about a card."""
        self._card, self._ground, self._note, self._days = card, None, "", 365
        self._uses = {"live"}
        self._modal.title.text = self._texts("consent.title", name=card.name)
        self._body.clear()
        with self._body:
            self._form(card)
        self._modal.open()

    def _form(self, card: Card) -> None:
        texts = self._texts
        with box("consent-top"):
            box("", "img", src=card.address, alt="", width=80, height=80)
            Text(texts("consent.why"), "p")
        with box("grounds", "fieldset"):
            Text(texts("consent.whose"), "legend", classes="spoken")
            for ground, text in _GROUNDS.items():
                self._option(ground, texts(text))
        self._note_place = box("note-place")
        with self._note_place:
            field(
                texts("consent.note"),
                change=lambda written: setattr(self, "_note", written),
                placeholder=texts("consent.note_example"),
            )
        shown(self._note_place, False)
        with box("scope"):
            with box("uses", "fieldset"):
                Text(texts("consent.uses"), "legend")
                for use, text in _USES.items():
                    switch(texts(text), on=False, change=partial(self._use, use))
            choice(
                texts("consent.days"),
                options={days: texts(text) for days, text in _DAYS.items()},
                value="365",
                change=lambda days: setattr(self, "_days", int(days)),
            )
        self._fault = box("notice", role="alert")
        with self._fault:
            icon("warning")
            self._said = Text()
        shown(self._fault, False)
        Text(texts("consent.kept"), "p", classes="hint")
        with box("modal-buttons"):
            Button(texts("consent.not_now"), self._modal.close)
            Button(texts("consent.save"), self._save, look="primary")

    def _option(self, ground: Ground, text: str) -> None:
        with box("ground", "label"):
            control = box("", "input", type="radio", name="ground", value=ground)
            Text(text)

        def chosen(event: GenericEventArguments) -> None:
            if event.args in _GROUNDS:
                self._ground = cast(Ground, event.args)
                shown(self._note_place, self._ground == "granted")
                shown(self._fault, False)

        control.on("change", chosen, js_handler="(event) => emit(event.target.value)")

    def _use(self, use: Use, on: bool) -> None:
        (self._uses.add if on else self._uses.discard)(use)

    async def _save(self) -> None:
        card, texts = self._card, self._texts
        if card is None:
            return
        if self._ground is None:
            self._refuse(texts("consent.choose"))
            return
        if self._ground == "granted" and not self._note.strip():
            self._refuse(texts("consent.note_missing"))
            return
        uses = tuple(use for use in USES if use in self._uses)
        claim = ConsentClaim(self._ground, self._note.strip(), uses, self._days)
        try:
            await asyncio.to_thread(self._desk.cards.grant, card.id, claim)
        except UnderstudyError as fault:
            self._refuse(f"{texts(fault_of(fault).text)} {fault.message}")
            return
        self._modal.close()
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.choose, card.id))

    def _refuse(self, text: str) -> None:
        self._said.text = text
        shown(self._fault, True)
