"""What face cards have in common in all rooms: they take more photos of the same person, and can be removed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

from nicegui import ui

from understudy.errors import UnderstudyError
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.controls import Button, Handler, attribute, box, once, shown
from understudy.server.studio.live.card import SAMPLE, Card
from understudy.server.studio.live.cards import Cards
from understudy.server.studio.visitor import Visitor
from understudy.server.uploads import SUFFIXES

#: Seconds between two looks whether there are other records of consent.
_EVERY: Final = 1.0


class _Growing(ui.element, component="assets/face.js"):
    """An entry of a list on which photos can be dropped."""

    def __init__(self, words: Mapping[str, str], came: Callable[[str], Any], failed: Callable[[str], Any]) -> None:
        super().__init__()
        for name, value in {**words, "accept": ",".join(SUFFIXES["photo"])}.items():
            attribute(self, name, value)
        self.on("done", lambda event: came(str(event.args)))
        self.on("failed", lambda event: failed(str(event.args)))


def face_entry(
    visitor: Visitor, card: Card, classes: str, came: Callable[[str], Any], failed: Callable[[str], Any]
) -> ui.element:
    """An entry of a list of cards. To the sample nothing can be added: what everybody may use is that photo only.

    Args:
        visitor: Who looks at it.
        card: Of whom.
        classes: For its look.
        came: Told the id of another photo of them that has come.
        failed: Told the name of the text that says why one has not.
    """
    if card.id == SAMPLE:
        return box(classes, "li")
    texts = visitor.texts
    words = {
        "more": texts("faces.more", name=card.name),
        "busy": texts("faces.busy"),
        "cancel": texts("ask.cancel"),
    }
    entry = _Growing(words, came, failed)
    entry.classes(classes)
    return entry


def bin_for(visitor: Visitor, card: Card, remove: Handler) -> Button:
    """The button that removes a card."""
    said = visitor.texts("faces.remove", name=card.name)
    button = Button("", remove, look="bare", picture="trash", label=said)
    button.classes("face-bin")
    return button


class KeepButton(Button):
    """The button that has a face there in the next studio, too, or no longer.

    Args:
        visitor: Who presses it.
        card: Whose.
        tell: Told what is wrong with that.
    """

    def __init__(self, visitor: Visitor, card: Card, tell: Callable[[Fault], Any]) -> None:
        self._visitor, self._id, self._tell = visitor, card.id, tell
        said = visitor.texts("faces.keep", name=card.name)
        super().__init__("", pressed=once(self._pressed), look="bare", picture="keep", label=said)
        self.classes("face-keep")
        self._kept = False

    def look(self, card: Card) -> None:
        """Show how it stands. What may not be used is not kept."""
        self._kept = bool(card.kept)
        attribute(self, "aria-pressed", str(self._kept).lower())
        shown(self, self._kept or bool(card.allowed))

    async def _pressed(self) -> None:
        cards = self._visitor.studio.live.cards
        try:
            await asyncio.to_thread(partial(cards.keep, self._id, kept=not self._kept))
        except UnderstudyError as fault:
            self._tell(fault_of(fault))
        self._visitor.look()


def keep_up(cards: Cards) -> None:
    """Have cards of the page say what their photos may be used for also when that is changed elsewhere."""

    async def look() -> None:
        with suppress(UnderstudyError):  # the records are busy: the next time
            await asyncio.to_thread(cards.keep_up)

    ui.timer(_EVERY, look)


async def added(visitor: Visitor, number: str) -> Card | Fault:
    """Make a card of a photo that was handed over; or what is to be said of it, with its name.

    Args:
        visitor: Who handed it over.
        number: The photo's id.
    """
    studio = visitor.studio
    name = ""
    try:
        name = studio.uploads[number].name
        return await asyncio.to_thread(studio.live.cards.add, number)
    except UnderstudyError as fault:
        said = fault_of(fault, "photo")
        return said._replace(detail=": ".join(filter(None, (name, said.detail))))


async def added_to(cards: Cards, card: str, number: str) -> Fault | None:
    """Add a photo that was handed over to a card; what is to be said of that.

    Args:
        cards: All of them.
        card: The card's id.
        number: The photo's.
    """
    try:
        alike = await asyncio.to_thread(partial(cards.add_to, card, number))
    except UnderstudyError as fault:
        return fault_of(fault, "photo")
    return None if alike else Fault("fault.stranger")
