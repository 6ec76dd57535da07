"""What the people of a clip were given, and how to take that back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from understudy.casting.cast import Part, PartList
from understudy.casting.clip_person import ClipPerson
from understudy.casting.person import Person
from understudy.casting.roles import BLUR, LEAVE

#: Steps that can be taken back.
_MOST: Final = 100


class Given:
    """What each person gets: the id of a face card, ``blur``, or ``leave``, which is what holds where nothing is said.

    Attributes:
        now: By the people's numbers; nobody of them is left.
    """

    def __init__(self) -> None:
        self.now: Mapping[int, str] = {}
        self._before: list[Mapping[int, str]] = []

    def of(self, number: int) -> str:
        """What somebody gets."""
        return self.now.get(number, LEAVE)

    def give(self, number: int, gets: str) -> bool:
        """Give somebody something; whether they did not have it."""
        if self.of(number) == gets:
            return False
        self._before = [*self._before, self.now][-_MOST:]
        rest = {other: had for other, had in self.now.items() if other != number}
        self.now = rest if gets == LEAVE else {**rest, number: gets}
        return True

    @property
    def can_undo(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self._before)

    def undo(self) -> None:
        """Take the last step back; nothing happens if there is none."""
        if self._before:
            self.now = self._before.pop()

    def without(self, card: str) -> bool:
        """Take a face from everybody who has it, in every step; whether anybody has it now."""
        had = card in self.now.values()
        self.now = _without(self.now, card)
        self._before = [_without(step, card) for step in self._before]
        return had

    def cast(self, people: Sequence[ClipPerson], faces: Mapping[str, Person]) -> PartList | None:
        """The same as tasks take it; None where nobody gets anything.

        Args:
            people: Of the clip.
            faces: By the cards' ids.
        """
        parts = []
        for one in people:
            gets = self.of(one.number)
            if gets == BLUR:
                parts.append(Part(one, BLUR))
            elif gets in faces:
                parts.append(Part(one, faces[gets]))
        return PartList(tuple(parts), LEAVE, tuple(people)) if parts else None


def _without(given: Mapping[int, str], card: str) -> Mapping[int, str]:
    return {number: gets for number, gets in given.items() if gets != card}
