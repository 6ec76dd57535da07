"""The face cards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from understudy.provenance.records.consent import Use
from understudy.server.faults import Fault, of_several
from understudy.server.studio.consent_question import Question
from understudy.server.studio.controls import Handler, Text, attribute, box, icon, in_turn, shown
from understudy.server.studio.face_card import KeepButton, added, added_to, bin_for, face_entry, keep_up
from understudy.server.studio.fields import Picker
from understudy.server.studio.live.card import SAMPLE, Card
from understudy.server.studio.live.notices import Notice
from understudy.server.studio.live.seats import SeatPanel
from understudy.server.studio.live.several import Who
from understudy.server.studio.visitor import Visitor
from understudy.server.uploads import SUFFIXES

#: What faces are used for in this room.
_USE: Final[Use] = "live"


class FacePanel:
    """Puts the cards into a page.

    Args:
        visitor: Who looks at them.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.live, visitor.texts
        self._shown: dict[str, _CardView] = {}
        self._more_came = in_turn(self._another_came)
        with box("wardrobe", "section", aria_label=self._texts("faces.title")):
            Text(self._texts("faces.title"), "h2", classes="spoken")
            with box("wardrobe-row"):
                self._place = box("faces", "ul")
                self._picker()
            self._seats = SeatPanel(visitor, self._put)
            self._notice = Notice(visitor, "faces")
        self._question = Question(visitor, self._desk.cards, self._notice.say, self._seats.redraw)
        visitor.watch(self._look)
        keep_up(self._desk.cards)

    def _picker(self) -> None:
        texts = self._texts
        Picker(
            kind="photo",
            accept=",".join(SUFFIXES["photo"]),
            words={
                "button": texts("faces.add"),
                "beside": texts("faces.drop"),
                "busy": texts("faces.busy"),
                "cancel": texts("ask.cancel"),
            },
            done=in_turn(self._came),
            failed=lambda _: None,
            refused=lambda text, name: self._say(Fault(text, name)),
            begins=lambda: self._desk.faults.pop("faces", None),
            several=True,
        )

    async def _came(self, number: str) -> None:
        """A photo came: is a face in it?"""
        card = await added(self._visitor, number)
        if isinstance(card, Fault):
            self._say(card)
            return
        self._visitor.look()
        await self._chosen(card.id)

    def _say(self, fault: Fault) -> None:
        """Tell what is wrong with one photo of those that come."""
        self._notice.say(of_several(self._desk.faults.get("faces"), fault))

    async def _another_came(self, card: str, number: str) -> None:
        """Another photo of a card's person came. If that face is in use, it is from now on made of all of them."""
        self._desk.faults.pop("faces", None)
        fault = await added_to(self._desk.cards, card, number)
        if fault is not None:
            self._notice.say(fault)
        self._visitor.look()
        use = partial(self._use_if_chosen, card)
        if number in {photo.id for known in self._desk.cards.all() for photo in known.photos}:
            await self._question.may_be_used(card, _USE, use, use)

    async def _chosen(self, number: str) -> None:
        """A card was pressed."""
        await self._question.may_be_used(number, _USE, partial(self._use, number))

    async def _use_if_chosen(self, number: str) -> None:
        if number in self._desk.used:
            await self._visitor.do(lambda: asyncio.to_thread(self._desk.change_over))

    async def _use(self, number: str) -> None:
        if self._desk.several is not None:
            await self._seats.give(number)
            return
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.choose, number))

    async def _put(self, who: Who, gets: str) -> None:
        """Give somebody a face of their own, once it may be used, or something else."""
        give = partial(self._give, who, gets)
        known = any(card.id == gets for card in self._desk.cards.all())
        await (self._question.may_be_used(gets, _USE, give) if known else give())

    async def _give(self, who: Who, gets: str) -> None:
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.give, who, gets))

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
                        self._visitor,
                        card,
                        partial(self._chosen, number),
                        partial(self._removed, number),
                        partial(self._more_came, number),
                        self._notice.say,
                    )
            running, used = self._desk.phase != "idle", self._desk.used
            self._shown[number].look(card, chosen=number in used, running=running)


class _CardView:
    """One card."""

    def __init__(
        self,
        visitor: Visitor,
        card: Card,
        choose: Handler,
        remove: Handler,
        came: Callable[[str], Any],
        tell: Callable[[Fault], Any],
    ) -> None:
        self._texts = visitor.texts
        self._entry = face_entry(visitor, card, "face", came, lambda text: tell(Fault(text)))
        with self._entry:
            self._button = box("face-button", "button", type="button").on("click", lambda _: choose(), args=[])
            with self._button:
                box("", "img", src=card.address, alt="", width=60, height=60)
                self._mark = icon("check", "face-mark")
                with box("words", "span"):
                    Text(card.name, classes="face-name")
                    self._note = Text("", classes="face-note")
            self._keep = None if card.id == SAMPLE else KeepButton(visitor, card, tell)
            self._bin = bin_for(visitor, card, remove)

    def delete(self) -> None:
        """Take it out of the page."""
        self._entry.delete()

    def look(self, card: Card, *, chosen: bool, running: bool) -> None:
        """Show how it stands."""
        attribute(self._button, "aria-pressed", str(chosen).lower())
        shown(self._mark, chosen)
        self._note.text = self._said_of(card)
        asks = not card.usable(_USE)
        self._note.classes(add="asks" if asks else "", remove="" if asks else "asks")
        shown(self._bin, card.id != SAMPLE and not (chosen and running))
        if self._keep is not None:
            self._keep.look(card)

    def _said_of(self, card: Card) -> str:
        if card.id == SAMPLE:
            return self._texts("faces.sample")
        if not card.usable(_USE):
            return self._texts("faces.ask")
        many = len(card.usable(_USE))
        return self._texts("faces.asked") if many == 1 else self._texts("faces.photos", count=many)
