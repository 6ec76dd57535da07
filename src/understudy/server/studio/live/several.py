"""Several people before the camera, each with a face of their own: who gets which."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from understudy.casting.cast import Gets, Part, PartList
from understudy.casting.roles import BLUR, LEAVE
from understudy.face import FaceChoice
from understudy.server.studio.live.card import Card

#: Who is meant: whoever is first seen there, wherever they go then; and everybody else.
Who = Literal["left", "right", "others"]
#: All of them.
EVERYBODY: Final[tuple[Who, ...]] = get_args(Who)


@dataclass(frozen=True)
class Several:
    """What each of them gets.

    Attributes:
        left, right: The id of a face's card; empty for what everybody else gets.
        others: The same, or ``blur`` or ``leave``.
    """

    left: str = ""
    right: str = ""
    others: str = BLUR

    def of(self, who: Who) -> str:
        """What somebody gets."""
        return str(getattr(self, who))

    def given(self, who: Who, gets: str) -> Several:
        """The same, but for what somebody gets; nothing in particular, if that is empty."""
        return replace(self, **{who: gets or (BLUR if who == "others" else "")})

    def without(self, card: str) -> Several:
        """The same without a face."""
        found = self
        for who in EVERYBODY:
            if found.of(who) == card:
                found = found.given(who, "")
        return found

    def only(self, cards: Collection[str]) -> Several:
        """The same without faces that are not there."""
        found = self
        for card in self.cards:
            found = found if card in cards else found.without(card)
        return found

    @property
    def blurred(self) -> frozenset[Who]:
        """Who is blurred."""
        return frozenset(who for who in EVERYBODY if (self.of(who) or self.others) == BLUR)

    @property
    def cards(self) -> tuple[str, ...]:
        """The ids of the cards that somebody gets, each once."""
        found = (self.left, self.right, self.others)
        return tuple(dict.fromkeys(one for one in found if one not in ("", BLUR, LEAVE)))

    def cast(self, cards: Mapping[str, Card]) -> PartList:
        """That as sessions take it.

        Args:
            cards: By id: those that somebody gets.

        Raises:
            UsageError: nobody gets a face.
        """
        others: Gets = BLUR if self.others == BLUR else LEAVE
        if self.others in cards:
            others = cards[self.others].person("live")
        places: dict[FaceChoice, str] = {"left": self.left, "right": self.right}
        parts = [Part(place, cards[card].person("live")) for place, card in places.items() if card]
        return PartList(tuple(parts), others)
