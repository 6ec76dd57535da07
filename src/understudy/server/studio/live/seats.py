"""Who of several people before the camera gets which face: a press on them and on a face, or their list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from nicegui import ui

from understudy.casting.roles import BLUR, LEAVE
from understudy.server.studio.controls import Text, attribute, box, icon, shown
from understudy.server.studio.fields import choice
from understudy.server.studio.live.card import Card
from understudy.server.studio.live.several import EVERYBODY, Several, Who
from understudy.server.studio.visitor import Visitor

#: What each is called.
_NAMES: Final[Mapping[Who, str]] = {"left": "seats.left", "right": "seats.right", "others": "seats.others"}


class SeatPanel:
    """Puts that into a page. It is seen while several people get a face of their own.

    Args:
        visitor: Who looks at it.
        put: Gives somebody a face, by its card's id, or something else.
    """

    def __init__(self, visitor: Visitor, put: Callable[[Who, str], Awaitable[object]]) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.live, visitor.texts
        self._put, self._chosen = put, EVERYBODY[0]
        self._drawn: tuple[object, ...] | None = None
        self._buttons: dict[Who, ui.element] = {}
        self._pictures: dict[Who, ui.element] = {}
        self._lists: dict[Who, ui.element] = {}
        self._panel = box("seats", "section", aria_label=self._texts("seats.title"))
        with self._panel:
            self._place = box("seats-row")
            Text(self._texts("seats.more"), "p", classes="hint")
        visitor.watch(self._look)

    async def give(self, card: str) -> None:
        """Give a face to whoever is chosen; then the next one is, if they have none."""
        who = self._chosen
        await self._put(who, card)
        several = self._desk.several
        if who == "left" and several is not None and not several.right:
            self._choose("right")

    def redraw(self) -> None:
        """Show what holds, where a list shows what was chosen in vain."""
        self._drawn = None
        self._look()

    def _choose(self, who: Who) -> None:
        self._chosen = who
        self._visitor.look()

    def _look(self) -> None:
        several = self._desk.several
        shown(self._panel, several is not None)
        if several is None:
            return
        cards = {card.id: card for card in self._desk.cards.all()}
        if self._drawn != tuple(cards):
            self._drawn = tuple(cards)
            self._draw(several, cards)
        for who in EVERYBODY:
            gets = several.of(who)
            attribute(self._buttons[who], "aria-pressed", str(who == self._chosen).lower())
            attribute(self._lists[who], "value", gets)
            shown(self._pictures[who], gets in cards)
            if gets in cards:
                attribute(self._pictures[who], "src", cards[gets].address)

    def _draw(self, several: Several, cards: Mapping[str, Card]) -> None:
        self._place.clear()
        with self._place:
            for who in EVERYBODY:
                with box("seat"):
                    self._draw_seat(who, several, cards)

    def _draw_seat(self, who: Who, several: Several, cards: Mapping[str, Card]) -> None:
        texts = self._texts
        name = texts(_NAMES[who])
        button = box("seat-button", "button", type="button").on("click", lambda _: self._choose(who), args=[])
        self._buttons[who] = button
        with button:
            self._pictures[who] = box("seat-face", "img", alt="", width=34, height=34)
            icon("unknown", "seat-mark")
            Text(name, classes="name")
        others = {BLUR: texts("seats.blur"), LEAVE: texts("seats.leave")}
        options = others if who == "others" else {"": texts("seats.as_others")}
        options |= {card.id: card.name for card in cards.values()}
        self._lists[who] = choice(
            texts("seats.gets", name=name),
            options=options,
            value=several.of(who),
            change=partial(self._put, who),
            hidden=True,
        )
