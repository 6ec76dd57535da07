"""Asks whose face it is, in plain words, before a photo is used for the first time, and records the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from nicegui.events import GenericEventArguments

from understudy.errors import UnderstudyError
from understudy.provenance import ConsentClaim
from understudy.provenance.records.consent import USES, Ground, Use
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.controls import Button, Modal, Text, box, choice, field, icon, once, shown, switch
from understudy.server.studio.live.card import Card, CardPhoto
from understudy.server.studio.live.cards import Cards
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


@dataclass(eq=False)
class _Asked:
    """A question: about which card's photos, what they are to be used for now, and what is done when they may be."""

    card: Card
    photos: dict[str, CardPhoto]
    uses: frozenset[Use]
    then: list[Callable[[], Awaitable[object]]]
    shown: bool = False
    answered: bool = False
    saved: bool = False

    def takes(self, photos: Mapping[str, CardPhoto]) -> bool:
        """Whether it can be about these, too: what is looked at is not made to be about what came meanwhile."""
        return not self.saved and (not self.shown or photos.keys() <= self.photos.keys())


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
        self._ground: Ground | None = None
        self._note, self._days = "", 365
        self._uses: set[Use] = set()
        self._modal = Modal("", self._texts("consent.not_now"), self._closed)
        with self._modal:
            self._body = box("consent")

    async def may_be_used(self, number: str, uses: Collection[Use], then: Callable[[], Awaitable[object]]) -> None:
        """Do something with a face once it may be used: at once, or when it was said whose it is.

        Args:
            number: The card's id.
            uses: What it is to be used for now; other uses can be added.
            then: Called when it may be.
        """
        card = self._cards[number]
        lacking = {photo.id: photo for photo in await asyncio.to_thread(self._cards.lacking, number, uses)}
        if not lacking:
            await then()
            return
        for asked in self._all:
            if asked.card.id == number and asked.uses == frozenset(uses) and asked.takes(lacking):
                asked.photos |= lacking
                asked.then.append(then)
                return
        self._all.append(_Asked(card, lacking, frozenset(uses), [then]))
        self._modal.ask(partial(self._show, self._all[-1]))

    def _show(self, asked: _Asked) -> None:
        asked.shown = True
        self._ground, self._note, self._days = None, "", 365
        self._uses = {*asked.uses}
        name = next(iter(asked.photos.values())).name
        self._modal.title.text = self._texts("consent.title", name=name)
        self._body.clear()
        with self._body:
            self._form(asked)

    def _closed(self) -> object:
        asked = self._all.pop(0)
        self._afterwards()
        return None if asked.answered else self._give_up(asked.card.id)

    async def _give_up(self, number: str) -> None:
        """What was added to a card does not keep the rest of it from being used."""
        await asyncio.to_thread(self._cards.give_up, number)
        self._visitor.look()

    def _form(self, asked: _Asked) -> None:
        needed, texts = asked.uses, self._texts
        with box("consent-top"):
            for photo in asked.photos.values():
                box("", "img", src=photo.address, alt=photo.name, width=80, height=80)
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
        for use, text in _ALLOWED.items():
            if use in needed:
                Text(texts(text), "p")
        with box("scope"):
            with box("uses", "fieldset"):
                Text(texts("ask.uses"), "legend")
                for use, text in _USES.items():
                    if use not in needed:
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
        if self._ground == "granted" and not self._note.strip():
            self._refuse(texts("consent.note_missing"))
            return
        uses = tuple(use for use in USES if use in self._uses)
        claim = ConsentClaim(self._ground, self._note.strip(), uses, self._days)
        asked.answered = True
        try:
            await asyncio.to_thread(self._cards.grant, list(asked.photos.values()), claim)
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
        for then in asked.then:
            await then()
        self._visitor.look()

    def _refuse(self, text: str) -> None:
        self._said.text = text
        shown(self._fault, True)
