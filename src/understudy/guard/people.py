"""Those who must not be shown as they are and are not swapped just now: where they are, and when they are gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from understudy.arrays import BoolArray, FloatArray
from understudy.guard.options import GuardOptions
from understudy.guard.overlaps import same_face
from understudy.guard.sight import WAYS, Sight, share
from understudy.guard.thumbnail import Thumbnail, colours_in, motion, same_colours
from understudy.patches import Patch

#: A place is a person's from this share (0-1) of its cells; with less than the second nobody is there.
_THERE, _EMPTY = 0.3, 0.1
#: Somebody left who was seen to be there in part, in so many frames; else they vanished.
_LEAVING: Final = 2


@dataclass(eq=False)
class Person:
    """Somebody who must not be shown as they are.

    Attributes:
        patch: The last swap; None for a face that was seen and not swapped yet.
        box: float32 xyxy: where the face is taken to be now.
        swapped: When it was swapped last.
        seen: When anything was seen of it last.
        followed: Whether its motion since then is known.
        colours: Those of its place when it was last swapped (see ``colours_in``).
        moved: float32 (2,): how far it went since then, in pixels.
        vouched: Whether the segmentation saw a person there when they were last swapped or found.
        partly: Frames in which only a part of a person was seen there since.
        empty: Since when nobody is seen there, if it was looked at in each way since; None while somebody is.
        looks: How often it was looked at since then.
    """

    patch: Patch | None
    box: FloatArray
    swapped: float
    seen: float
    followed: bool = True
    colours: FloatArray | None = None
    moved: FloatArray = field(default_factory=lambda: np.zeros(2, np.float32))
    vouched: bool = False
    partly: int = 0
    empty: float | None = None
    looks: int = 0

    def follow(self, before: Thumbnail, after: Thumbnail, scale: float) -> None:
        """Move along with what is in the box, from one small picture to the next; ``scale`` is theirs."""
        if self.colours is None:
            self.colours = colours_in(before.color, self.box * scale)
        step = motion(before.grey, after.grey, self.box * scale)
        self.followed = self.followed and step is not None
        if step is not None:
            self.moved = self.moved + step / scale
            self.box = self.box + np.tile(step / scale, 2).astype(np.float32)

    def watch(self, sight: Sight, others: BoolArray, cell: float, now: float) -> None:
        """Note whether somebody is seen there who is nobody else.

        Args:
            sight: What is seen.
            others: bool (h, w): where those are who are accounted for.
            cell: Pixels a cell of these.
            now: The frame's time.
        """
        there = max(
            share(seen & ~others, self.box / cell) for seen in (sight.persons, sight.through) if seen is not None
        )
        self.vouched = self.vouched or there > 0.5
        if there >= _THERE:
            self.seen = now
        self.partly += _EMPTY <= there < 0.6
        if there >= _EMPTY or not sight.readable:
            self.empty, self.looks = None, 0
            return
        self.empty = now if self.empty is None else self.empty
        self.looks += sight.through is not None

    def found(self, box: FloatArray, now: float) -> None:
        """Their face was found in ``box``, xyxy, but is still not swapped."""
        self.seen, self.empty, self.looks = now, None, 0
        if self.patch is None:
            self.box = box
        else:  # the last swap may lie elsewhere
            self.box = np.concatenate([np.minimum(self.box, box)[:2], np.maximum(self.box, box)[2:]])

    def gone(self, after: Thumbnail, scale: float, now: float, options: GuardOptions) -> bool:
        """Whether they are known not to be there any more."""
        if self.empty is None or self.looks < WAYS:
            return False
        seen_to_leave = self.patch is None or (self.vouched and self.partly >= _LEAVING)
        if now - self.empty >= options.settle_seconds and seen_to_leave:
            return True
        # Nothing is found there, but it looks as they did: turned away, or in a light in which nothing is found.
        return now - self.seen > options.cover_seconds and not same_colours(
            self.colours, colours_in(after.color, self.box * scale)
        )


class People:
    """All of them, by track number; who was never tracked has a number below zero."""

    def __init__(self) -> None:
        self.known: dict[int, Person] = {}
        self._unnamed = 0

    def swapped(self, patches: Iterable[Patch], boxes: FloatArray, now: float) -> None:
        """Note who is swapped in this frame, and where their faces are."""
        for patch, box in zip(patches, boxes, strict=True):
            before = self.known.get(patch.track_id)
            self.known[patch.track_id] = Person(patch, box, now, now, vouched=before is not None and before.vouched)

    def suspect(self, box: FloatArray, now: float) -> Person:
        """Note a face that was seen and is not swapped: whoever it is from now on."""
        self._unnamed -= 1
        person = self.known[self._unnamed] = Person(None, box, -np.inf, now)
        return person

    def spare(self, numbers: set[int], boxes: FloatArray) -> None:
        """Whoever turns out to stand beside is not covered any longer: nor what was seen of them before."""
        for number, person in list(self.known.items()):
            if number in numbers or (person.patch is None and same_face(person.box, boxes)):
                del self.known[number]

    def unswapped(self, patches: Iterable[Patch]) -> list[Person]:
        """Those who are not swapped in this frame."""
        swapped = {patch.track_id for patch in patches}
        return [person for number, person in self.known.items() if number not in swapped]

    def forget(self, which: Iterable[Person]) -> None:
        """Let go of some of them."""
        ids = {id(person) for person in which}
        self.known = {number: person for number, person in self.known.items() if id(person) not in ids}
