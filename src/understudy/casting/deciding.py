"""Whose face a track is of, by the embeddings that it has: each frame's tracks together, the nearest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import numpy as np

from understudy.arrays import FloatArray
from understudy.casting.gallery import NOBODY, Gallery

#: Over the embedder's ``same_person``: so much nearer to somebody else a face must be than to the person it is taken
#: for before that is in doubt.
_MARGIN: Final = 0.15
#: The same for somebody whose face it surely is not.
_FAR: Final = 1.0
#: Seconds for which two who look the same must have been seen together to be two: while one camera's picture fades over
#: into another's, somebody is seen twice.
_TOGETHER: Final = 1.5
#: Longest time between two frames that counts for that.
_STEP: Final = 0.5
#: So many times as many embeddings as usual are enough to say that a face that was followed has become a stranger's: a
#: hand before it makes it unlike itself, too.
_CHANGED: Final = 2


@dataclass(frozen=True)
class SampleOptions:
    """How many embeddings are asked for, and when.

    Attributes:
        enough: So many of one track say what can be said.
        spacing: Seconds between two of them.
        refresh: Seconds after which somebody who is known is looked at again.

    Raises:
        ValueError: none is enough, or a time below zero.
    """

    enough: int = 3
    spacing: float = 0.15
    refresh: float = 2.0

    def __post_init__(self) -> None:
        if not (self.enough >= 1 and min(self.spacing, self.refresh) >= 0):
            raise ValueError("1 embedding or more are enough, and times can't be below zero")


@dataclass(eq=False)
class Track:
    """A face that is followed, and whose it is.

    Attributes:
        number: Of the track.
        due: When an embedding is wanted, in seconds.
        person: Whose, as far as is known.
        by_place: Whether that is a new number only because no embedding could be had.
        asked: Whether it is in question.
        question: Counts how often it was: an answer to an earlier question is none.
        samples: Embeddings since then that have not been decided upon: float32 (D,) each.
        learned: How many of the gallery's came from this track.
        distance: From the person, at the last decision, over the embedder's ``same_person``.
        like: People who were there when it was decided upon last, and whom it looks like.
        touched: Whether it overlaps another face.
        thumbnail: What the face looked like when an embedding was asked for last (see ``visible.thumbnail``).
        sampled: When that was, in seconds.
    """

    number: int
    due: float
    person: int = NOBODY
    by_place: bool = False
    asked: bool = True
    question: int = 0
    samples: list[FloatArray] = field(default_factory=list)
    learned: int = 0
    distance: float = 0.0
    like: set[int] = field(default_factory=set)
    touched: bool = False
    thumbnail: FloatArray | None = None
    sampled: float = -np.inf

    def reopen(self, now: float) -> None:
        """Ask anew whose it is."""
        self.asked, self.samples, self.due = True, [], now
        self.question += 1


class Deciding:
    """Of one clip.

    Args:
        gallery: Who is known. People are added to it, and learned.
        options: How many embeddings it takes.

    Attributes:
        here: The tracks that are there now.
        renamed: Who turned out to be one who was there before, in the last call: the number they had, and have.
    """

    def __init__(self, gallery: Gallery, options: SampleOptions) -> None:
        self._gallery, self._options = gallery, options
        #: For how many seconds two people were there together.
        self._met = dict.fromkeys(combinations(sorted(gallery.introduced), 2), np.inf)
        self._seen: float | None = None
        self._mistaken = False
        self._now = 0.0
        self.here: list[Track] = []
        self.renamed: list[tuple[int, int]] = []

    def holder(self, person: int) -> Track | None:
        """The track that is taken for a person's now."""
        return next((track for track in self.here if track.person == person != NOBODY), None)

    def absent(self) -> list[int]:
        """Those who are known and not there."""
        return [person for person in self._gallery.known if self.holder(person) is None]

    def meet(self, now: float) -> None:
        """Note who is there at the same time: after a while they are not the same person."""
        step = 0.0 if self._seen is None else min(max(now - self._seen, 0.0), _STEP)
        self._seen = now
        for pair in combinations(sorted({track.person for track in self.here} - {NOBODY}), 2):
            self._met[pair] = self._met.get(pair, 0.0) + step

    def twice(self, track: Track) -> set[int]:
        """Who may be seen in a track once more: who was there before, looks the same, and was not long beside it."""
        earlier = {person for person in track.like if track.person == NOBODY or person < track.person}
        return {person for person in earlier if not self._have_met(track.person, person)}

    def __call__(self, now: float) -> bool:
        """Decide upon all embeddings that came.

        Args:
            now: The frame's time in seconds.

        Returns:
            Whether a track turned out to be of somebody else than it was taken for.
        """
        self._now, self._mistaken, self.renamed = now, False, []
        found: dict[int, dict[int, float]] = {}
        waiting = {track.number: track for track in self.here if track.samples}
        for track in waiting.values():
            found[track.number] = self._gallery.distances(np.mean(track.samples[-self._options.enough :], axis=0))
        claims = sorted(
            (distance, number, person) for number, each in found.items() for person, distance in each.items()
        )
        for distance, number, person in claims:
            if number not in waiting or distance >= self._limit(waiting[number], found[number]):
                continue
            if self._may_be(waiting[number], person, distance, found[number]):
                self._settle(waiting.pop(number), person, distance, found[number])
        for number, track in waiting.items():
            self._settle_unlike(track, found[number])
        for track in self.here:
            if track.number in found:
                track.like = self._beside(track, found[track.number])
        return self._mistaken

    def _beside(self, track: Track, found: dict[int, float]) -> set[int]:
        """Those who are there in another track and near this one."""
        likely = self._gallery.options.likely
        near = {self._gallery.current(person) for person, distance in found.items() if distance < likely}
        return {person for person in near if self.holder(person) not in (None, track)}

    def _limit(self, track: Track, found: dict[int, float]) -> float:
        """The distance below which a track is somebody's; 0 where it is better decided together with another's."""
        options = self._gallery.options
        if len(track.samples) >= self._options.enough:
            return options.likely
        away = [distance for person, distance in found.items() if self.holder(person) is None]
        alike = track.person == NOBODY and len(away) > 1 and away[1] - away[0] < _MARGIN and away[1] < options.likely
        others = (other for other in self.here if other is not track)
        return (
            0.0 if alike and any(other.person == NOBODY and not other.samples for other in others) else options.certain
        )

    def _may_be(self, track: Track, person: int, distance: float, found: dict[int, float]) -> bool:
        """Whether a track can be a person's who is near it."""
        if person == track.person:
            return True
        if person not in self._gallery.known:  # they have turned out to be somebody else
            return False
        own, holder = found.get(track.person), self.holder(person)
        if holder is not None and not holder.asked:
            if holder.distance > distance + _MARGIN:
                holder.reopen(self._now)
            return False
        if own is not None:
            return own > distance + _MARGIN
        return track.person == NOBODY or not self._have_met(track.person, person)

    def _have_met(self, one: int, other: int) -> bool:
        return self._met.get((min(one, other), max(one, other)), -np.inf) >= _TOGETHER

    def _settle(self, track: Track, person: int, distance: float, found: dict[int, float]) -> None:
        """Take a track for that of somebody near it."""
        if person != track.person:
            self._take(track, person)
        self._learn(track, distance)
        for other, apart in found.items():
            near = other != track.person and other in self._gallery.known and apart < self._gallery.options.certain
            if near and self.holder(other) is None and not self._have_met(track.person, other):
                self._merge(track, other)

    def _take(self, track: Track, person: int) -> None:
        """Move a person to another track; who was taken for them is in question, and gets that track's person."""
        holder, before = self.holder(person), track.person
        # Of a number nothing is known by which its person could be told: so it was nobody else's.
        only_a_number = before != NOBODY and (track.by_place or before not in self._gallery.known)
        if holder is not None:
            holder.person, holder.asked, self._mistaken = NOBODY if only_a_number else before, True, True
            holder.like = {person}
        track.person = person
        if only_a_number:
            self._merge(track, before)
        elif before != NOBODY:
            self._mistaken = True

    def _merge(self, track: Track, other: int) -> None:
        """Two numbers were one person's."""
        one = track.person
        track.person = self._gallery.merge(one, other)
        self.renamed.append((max(one, other), track.person))
        current = self._gallery.current
        met, self._met = self._met, {}
        for (a, b), seconds in met.items():
            pair = min(current(a), current(b)), max(current(a), current(b))
            self._met[pair] = max(seconds, self._met.get(pair, 0.0))
        for each in self.here:
            each.like = {current(person) for person in each.like} - {each.person}

    def _settle_unlike(self, track: Track, found: dict[int, float]) -> None:
        """Decide upon a track that nobody is near, if that can be done by now."""
        own, count, enough = found.get(track.person), len(track.samples), self._options.enough
        if own is None:
            others = [(self.holder(person), distance) for person, distance in found.items()]
            if count >= enough or all(
                distance >= _FAR for holder, distance in others if holder is None or holder.asked
            ):
                track.person = self._gallery.add() if track.person == NOBODY else track.person
                self._learn(track, 0.0)
        elif own >= _FAR and count >= _CHANGED * enough:
            track.person, self._mistaken = self._gallery.add(), True
            del track.samples[:-enough]
            self._learn(track, 0.0)
        elif own < _FAR and count >= enough:
            self._learn(track, own)

    def _learn(self, track: Track, distance: float) -> None:
        """Whose a track is, is no longer in question."""
        if distance < self._gallery.options.likely:
            for sample in track.samples:
                self._gallery.learn(track.person, sample)
        track.learned += len(track.samples)
        track.samples, track.asked, track.by_place, track.distance = [], False, False, distance
        options = self._options
        track.due = self._now + (options.spacing if track.learned < options.enough else options.refresh)
