"""What was decided of a clip: what its people get, which part is written, its stretches; and how to take it back."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from understudy.casting.cast import Gets, Part, PartList
from understudy.casting.clip_person import ClipPerson
from understudy.casting.person import Person
from understudy.casting.roles import BLUR, LEAVE
from understudy.settings import Lane, TrimOptions
from understudy.settings.lanes import Instead

#: The number of everybody else: of who is not listed, and of whoever it is where that is not sure.
OTHERS: Final = 0
#: Steps that can be taken back, and seconds within which two changes of the same thing are one step.
_MOST: Final = 100
_ONE_STEP: Final = 1.5


class Stretch(NamedTuple):
    """A stretch with settings of its own.

    Attributes:
        number: Its own, as long as it is there.
        lane: What it says.
    """

    number: int
    lane: Lane


@dataclass(frozen=True)
class Edit:
    """All that is decided.

    Attributes:
        given: What people get, by their numbers or ``OTHERS``: the id of a face card, or ``blur``; nobody of them is
            left.
        trim: Which part is written.
        stretches: In the clip's order.
    """

    given: Mapping[int, str] = field(default_factory=dict)
    trim: TrimOptions = field(default_factory=TrimOptions)
    stretches: tuple[Stretch, ...] = ()

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The stretches, as settings have them."""
        return tuple(one.lane for one in self.stretches)


class Edits:
    """Of one clip.

    Args:
        seconds: How long the clip is.
        step: Seconds of a frame: no part and no stretch is shorter.

    Attributes:
        now: What holds.
    """

    def __init__(self, seconds: float = 0.0, step: float = 0.04) -> None:
        self.seconds, self.step = seconds, step
        self.now = Edit()
        self._before: list[Edit] = []
        self._last: tuple[object, float] = (None, 0.0)
        self._numbers = 0

    def of(self, number: int) -> str:
        """What somebody gets."""
        return self.now.given.get(number, LEAVE)

    def give(self, number: int, gets: str) -> bool:
        """Give somebody something; whether they did not have it."""
        rest = {other: had for other, had in self.now.given.items() if other != number}
        return self._change(replace(self.now, given=rest if gets == LEAVE else {**rest, number: gets}))

    def trim(self, start: float, end: float) -> bool:
        """Have a part written only; whether that is another. What goes to the clip's ends is all of it.

        Args:
            start: In seconds; brought into the clip.
            end: Likewise.
        """
        start = self._within(start, 0.0, self.seconds - self.step)
        end = self._within(end, start + self.step, self.seconds)
        whole = (start < self.step / 2, end > self.seconds - self.step / 2)
        trim = TrimOptions(None if whole[0] else start, None if whole[1] else end)
        edges = trim.start != self.now.trim.start, trim.end != self.now.trim.end
        return self._change(replace(self.now, trim=trim), ("trim", edges))

    def add(self, seconds: float) -> int:
        """Add a stretch from a time on; its number. One that is there at that time already stays the one."""
        for one in self.now.stretches:
            if one.lane.since <= seconds < self.end_of(one):
                return one.number
        start = self._within(seconds, 0.0, self.seconds - self.step)
        room = min([one.lane.since for one in self.now.stretches if one.lane.since > start], default=self.seconds)
        end = min(start + max(1.0, self.seconds / 8), room)
        self._numbers += 1
        self._put(Stretch(self._numbers, Lane(start, self._written(end))))
        return self._numbers

    def move(self, number: int, start: float, end: float) -> bool:
        """Give a stretch other times, as far as its neighbours leave room; whether they are others."""
        one = self.stretch(number)
        if one is None:
            return False
        others = [other for other in self.now.stretches if other.number != number]
        least = max([self.end_of(other) for other in others if other.lane.since < one.lane.since], default=0.0)
        most = min([other.lane.since for other in others if other.lane.since > one.lane.since], default=self.seconds)
        start = self._within(start, least, most - self.step)
        end = self._within(end, start + self.step, most)
        moved = replace(one.lane, start=start, end=self._written(end))
        edges = moved.start != one.lane.start, moved.end != one.lane.end
        return self._put(Stretch(number, moved), ("move", number, edges))

    def set(self, number: int, values: Mapping[str, Any]) -> bool:
        """Change settings of a stretch; whether any of them was otherwise.

        Raises:
            UsageError: a stretch can't have such settings, or they can't be that.
        """
        one = self.stretch(number)
        if one is None:
            return False
        changed = replace(one.lane, settings={**one.lane.values, **values}, do=None)
        return self._put(Stretch(number, changed), ("set", number, *values))

    def do(self, number: int, what: Instead | None) -> bool:
        """Have faces left or blurred in a stretch, or swapped; whether that was otherwise."""
        one = self.stretch(number)
        if one is None or one.lane.do == what:
            return False
        return self._put(Stretch(number, replace(one.lane, settings={}, do=what)))

    def remove(self, number: int) -> bool:
        """Remove a stretch; whether it was there."""
        rest = tuple(one for one in self.now.stretches if one.number != number)
        return self._change(replace(self.now, stretches=rest))

    def stretch(self, number: int | None) -> Stretch | None:
        """A stretch by its number; None if there is none."""
        return next((one for one in self.now.stretches if one.number == number), None)

    def end_of(self, one: Stretch) -> float:
        """When a stretch ends, in seconds."""
        return self.seconds if one.lane.until is None else one.lane.until

    @property
    def can_undo(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self._before)

    def undo(self) -> bool:
        """Take the last step back; whether there was one."""
        self._last = (None, 0.0)
        if not self._before:
            return False
        self.now = self._before.pop()
        return True

    def go_on(self, edit: Edit) -> None:
        """Begin with what was decided in an earlier run: all of it is one step that can be taken back."""
        self.now, self._before = edit, [Edit()]
        self._numbers = max([one.number for one in edit.stretches], default=0)

    def forget(self, numbers: Collection[int]) -> None:
        """Have nothing given to some people, in no step."""
        self.now = _without_people(self.now, numbers)
        self._before = [_without_people(step, numbers) for step in self._before]
        self._leave_out_what_changes_nothing()

    def without(self, card: str) -> bool:
        """Take a face from everybody who has it, in every step; whether anybody has it now."""
        had = card in self.now.given.values()
        self.now = _without(self.now, card)
        self._before = [_without(step, card) for step in self._before]
        self._leave_out_what_changes_nothing()
        return had

    def cast(self, people: Sequence[ClipPerson], faces: Mapping[str, Person]) -> PartList | None:
        """What people get as tasks take it; None where nobody gets anything.

        Args:
            people: Of the clip.
            faces: By the cards' ids.
        """
        gets: dict[str, Gets] = {LEAVE: LEAVE, BLUR: BLUR, **faces}
        said = {number: gets[what] for number, what in self.said(people).items() if what in gets}
        parts = tuple(Part(one, said[one.number]) for one in people if one.number in said)
        others = said.get(OTHERS, LEAVE)
        return PartList(parts, others, tuple(people)) if parts or others != LEAVE else None

    def said(self, people: Sequence[ClipPerson]) -> Mapping[int, str]:
        """What is to be said of whom, by number: of those who are left, too, where everybody else is not.

        Args:
            people: Of the clip.
        """
        if self.of(OTHERS) == LEAVE:
            return self.now.given
        return {one.number: LEAVE for one in people if one.known} | dict(self.now.given)

    def _leave_out_what_changes_nothing(self) -> None:
        """Leave out steps after which all is as it was: to take one of them back would seem to do nothing."""
        self._last = (None, 0.0)
        after = [*self._before, self.now][1:]
        self._before = [step for step, then in zip(self._before, after, strict=True) if step != then]

    def _put(self, stretch: Stretch, kind: object = None) -> bool:
        rest = [one for one in self.now.stretches if one.number != stretch.number]
        stretches = tuple(sorted([*rest, stretch], key=lambda one: one.lane.since))
        return self._change(replace(self.now, stretches=stretches), kind)

    def _change(self, edit: Edit, kind: object = None) -> bool:
        """Take over what is decided anew. Changes of one kind that follow each other at once are one step."""
        if edit == self.now:
            return False
        last, when = self._last
        now = time.monotonic()
        if kind is None or kind != last or now - when > _ONE_STEP:
            self._before = [*self._before, self.now][-_MOST:]
        self.now, self._last = edit, (kind, now)
        return True

    def _written(self, end: float) -> float | None:
        return None if end > self.seconds - self.step / 2 else end

    @staticmethod
    def _within(value: float, least: float, most: float) -> float:
        return round(max(min(value, most), least, 0.0), 4)


def _without(edit: Edit, card: str) -> Edit:
    return replace(edit, given={number: gets for number, gets in edit.given.items() if gets != card})


def _without_people(edit: Edit, numbers: Collection[int]) -> Edit:
    return replace(edit, given={number: gets for number, gets in edit.given.items() if number not in numbers})
