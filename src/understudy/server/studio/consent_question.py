"""Asks whose face it is, in plain words, before a photo is used for the first time, and records the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from nicegui.events import GenericEventArguments

from understudy.casting.views import too_small, turned_away
from understudy.errors import UnderstudyError
from understudy.provenance import ConsentClaim
from understudy.provenance.records.consent import USES, Ground, Use, says_how
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.controls import Button, Text, box, icon, once, shown
from understudy.server.studio.fields import choice, field, switch
from understudy.server.studio.live.card import Card, CardPhoto
from understudy.server.studio.live.cards import Cards
from understudy.server.studio.modal import Modal
from understudy.server.studio.visitor import Visitor

#: Grounds of consent that can be chosen: the sample's is nobody's to claim.
_GROUNDS: Final[Mapping[Ground, str]] = {
    "self": "consent.self",
    "granted": "consent.granted",
    "fictional": "consent.fictional",
}
#: What a photo may be used for besides, what is said of what it is used for now, and for how many days.
_USES: Final[Mapping[Use, str]] = {"image": "consent.image", "video": "consent.video", "live": "ask.live"}
_ALLOWED: Final[Mapping[Use, str]] = {"image": "ask.image", "video": "ask.video", "live": "ask.live_now"}
_DAYS: Final[Mapping[str, str]] = {"30": "consent.month", "365": "consent.year", "1825": "consent.five_years"}


_Then = Callable[[], Awaitable[object]]


async def nothing() -> None:
    """What was asked for is done by the answer."""


@dataclass(eq=False)
class _Asked:
    """A question: about which photos of which card, what they are to be used for now, what is done when they may be."""

    card: str
    photos: set[str]
    use: Use
    then: _Then
    shown: bool = False
    answered: bool = False
    saved: bool = False


class Question:
    """The question. It can be put into a page once, and asked about any number of cards, one after the other.

    Args:
        visitor: Who is asked.
        cards: Where the answer is recorded.
        failed: Told of an answer that could not be recorded, if the question was closed meanwhile.
        closed: Called when it was closed, with an answer or without.
    """

    def __init__(
        self,
        visitor: Visitor,
        cards: Cards,
        failed: Callable[[Fault], object],
        closed: Callable[[], object] = lambda: None,
    ) -> None:
        self._visitor, self._cards, self._texts = visitor, cards, visitor.texts
        self._failed, self._afterwards = failed, closed
        #: What is asked, or will be.
        self._all: list[_Asked] = []
        #: Photos of which nothing was said, and which are being taken from their cards.
        self._going: set[str] = set()
        self._ground: Ground | None = None
        self._note, self._days = "", 365
        self._uses: set[Use] = set()
        self._modal = Modal("", self._texts("consent.not_now"), self._closed)
        with self._modal:
            self._body = box("consent")

    async def may_be_used(self, number: str, use: Use, then: _Then, more: _Then | None = None) -> None:
        """Do something with a face once it may be used; and ask whose those photos are of which nothing was said.

        Args:
            number: The card's id.
            use: What it is to be used for now; other uses can be added.
            then: Called when it may be: at once, if it may be already.
            more: Called if it may be already, and later on more of its photos may be.
        """
        try:
            await asyncio.to_thread(self._cards.look)
            card = self._cards[number]
            if card.usable(use):
                await then()
                self._ask(card, use, more or nothing)
            else:
                self._ask(card, use, then)
        except UnderstudyError as fault:
            self._failed(fault_of(fault))

    def _ask(self, card: Card, use: Use, then: _Then) -> None:
        """Ask about the photos of a card that no other question is about."""
        wanted = {photo.id for photo in card.asked_about(use)} - self._going
        for asked in self._all:
            if asked.card != card.id or asked.use != use or asked.saved:
                continue
            if not asked.shown:
                asked.photos |= wanted
            if wanted & asked.photos:
                asked.then = then
            wanted -= asked.photos
        if wanted:
            self._all.append(_Asked(card.id, wanted, use, then))
            self._modal.ask(partial(self._show, self._all[-1]))

    def _photos(self, asked: _Asked) -> list[CardPhoto]:
        """The photos that a question is about, as far as they are still there."""
        cards = [card for card in self._cards.all() if card.id == asked.card]
        return [photo for card in cards for photo in card.photos if photo.id in asked.photos]

    def _show(self, asked: _Asked) -> None:
        asked.shown = True
        self._ground, self._note, self._days = None, "", 365
        self._uses = {asked.use}
        photos = self._photos(asked)
        self._modal.title.text = self._texts("consent.title", name=photos[0].name if photos else "?")
        self._body.clear()
        with self._body:
            if photos:
                self._form(asked)
            else:  # they were taken away while they waited for their turn
                Text(self._texts("fault.not_here"), "p")

    def _closed(self) -> object:
        asked = self._all.pop(0)
        self._afterwards()
        if asked.answered:
            return None
        self._going |= asked.photos - {asked.card}
        return self._give_up(asked)

    async def _give_up(self, asked: _Asked) -> None:
        """Photos that were added to a card, and of which nothing was said, go."""
        await asyncio.to_thread(self._cards.give_up, asked.card, asked.photos)
        self._visitor.look()

    def _form(self, asked: _Asked) -> None:
        needed, texts = asked.use, self._texts
        with box("consent-top"):
            for photo in self._photos(asked):
                box("", "img", src=photo.address, alt=photo.name, width=80, height=80)
            Text(texts("consent.why"), "p")
        for advice in self._advice(asked):
            Text(texts(advice), "p", classes="hint")
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
        Text(texts(_ALLOWED[needed]), "p")
        with box("scope"):
            with box("uses", "fieldset"):
                Text(texts("ask.uses"), "legend")
                for use, text in _USES.items():
                    if use != needed:
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
            Button(texts("consent.save"), pressed=once(partial(self._save, asked), pause=0), look="primary")

    def _advice(self, asked: _Asked) -> list[str]:
        """The names of the texts that say what other photo of them would look better; only of those that just came."""
        photos = [photo for card in self._cards.all() if card.id == asked.card for photo in card.photos]
        views = [photo.view for photo in photos if photo.view is not None]
        if not views or len(views) < len(photos):
            return []
        return ["consent.turned"] * turned_away(views) + ["consent.small"] * too_small(views)

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

    async def _save(self, asked: _Asked) -> None:
        texts = self._texts
        if asked.saved:
            return
        if self._ground is None:
            self._refuse(texts("consent.choose"))
            return
        if self._ground == "granted" and not says_how(self._note):
            self._refuse(texts("consent.note_missing"))
            return
        uses = tuple(use for use in USES if use in self._uses)
        claim = ConsentClaim(self._ground, self._note.strip(), uses, self._days)
        asked.answered = True
        try:
            await asyncio.to_thread(self._cards.grant, self._photos(asked), claim)
        except UnderstudyError as fault:
            if asked in self._all:
                asked.answered = False
                self._refuse(f"{texts(fault_of(fault).text)} {fault.message}")
            else:  # it was closed meanwhile
                self._failed(fault_of(fault))
            return
        asked.saved = True
        if asked in self._all:
            self._modal.close()
        try:
            await asked.then()
        except UnderstudyError as fault:
            self._failed(fault_of(fault))
        self._visitor.look()

    def _refuse(self, text: str) -> None:
        self._said.text = text
        shown(self._fault, True)
