"""The people of one clip, each with a number and with what they look like to an embedder.

Embeddings tell people apart, also when a clip is over: they are biometric. They are kept in a gallery, which dies with
its clip, and are written nowhere but into a cast file (``casting.cast_file``), by who asks for one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from understudy.arrays import FloatArray
from understudy.recognition import Embedder

#: The number of somebody who is not known.
NOBODY: Final = -1


@dataclass(frozen=True)
class GalleryOptions:
    """How near is near. Distances are over the embedder's own ``same_person``, so 1 is its limit for single pairs.

    They were measured with the package's identity network on frames of clips (docs/lab-book.md): of one person against
    the gallery 0.84 at most, of a face that is seen well for half a second 0.68; of two people 0.88 at least.

    Attributes:
        certain: Below it one embedding is enough to know somebody.
        likely: Below it the mean of several is.
        new_view: From it on a face of somebody known is another view of them; nearer ones are averaged.
        views: The most that are kept of one person.
        most: The most people whose looks are kept; those who were learned of least recently are forgotten first.

    Raises:
        ValueError: distances that are not in that order, or nobody to keep.
    """

    certain: float = 0.8
    likely: float = 0.875
    new_view: float = 0.55
    views: int = 4
    most: int = 256

    def __post_init__(self) -> None:
        if not 0 < self.new_view <= self.certain <= self.likely <= 1:
            raise ValueError("distances must rise from new_view over certain to likely, all above 0 and 1 at most")
        if not min(self.views, self.most) >= 1:
            raise ValueError("1 view and 1 person or more are kept")


@dataclass(eq=False)
class _Looks:
    """Means of embeddings, one of each view, and of how many each is the mean."""

    views: list[FloatArray] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)


class Gallery:
    """People by number, from 1. The same embeddings in the same order give the same people.

    Args:
        embedder: Whose embeddings are compared.
        options: How.
    """

    def __init__(self, embedder: Embedder, options: GalleryOptions | None = None) -> None:
        self.options = options or GalleryOptions()
        self._embedder = embedder
        self._looks: dict[int, _Looks] = {}
        self._same_as: dict[int, int] = {}
        self._last = 0
        self._introduced: list[int] = []

    @property
    def introduced(self) -> list[int]:
        """Those who were known from before: each somebody else than the others."""
        return list(self._introduced)

    @property
    def known(self) -> list[int]:
        """Those of whom it is known what they look like."""
        return list(self._looks)

    def introduce(self, number: int, views: FloatArray) -> None:
        """Somebody who is known from before keeps that number.

        Args:
            number: 1 or more, and of nobody yet.
            views: float32 (V, D), at least one: embeddings of them, one of each view.

        Raises:
            ValueError: the number is somebody's, or there is no view.
        """
        if number < 1 or number in self._looks or not len(views):
            raise ValueError(f"nobody can be introduced as number {number} by {len(views)} embeddings")
        kept = [np.array(view, np.float32) for view in views[: self.options.views]]
        self._looks[number] = _Looks(kept, [1] * len(kept))
        self._introduced.append(number)
        self._last = max(self._last, number)

    def views(self, number: int) -> FloatArray:
        """What somebody looks like: float32 (V, D), one embedding of each view; none if nothing is known of it."""
        looks = self._looks.get(self.current(number))
        return np.zeros((0, 0), np.float32) if looks is None else np.stack(looks.views)

    def add(self) -> int:
        """The number of somebody new, of whom nothing is known yet."""
        self._last += 1
        return self._last

    def current(self, number: int) -> int:
        """The number that somebody has now, who may turn out to be the same as somebody with a lower one."""
        while number in self._same_as:
            number = self._same_as[number]
        return number

    def distances(self, embedding: FloatArray, among: Iterable[int] | None = None) -> dict[int, float]:
        """How far an embedding is from people: from the nearest view of each.

        Args:
            embedding: float32 (D,).
            among: Who is meant; those of whom nothing is known are left out. None for everybody.

        Returns:
            By number, over the embedder's ``same_person``, nearest first and of equals the lowest number; empty if the
            embedding says nothing (NaN).
        """
        if not np.isfinite(embedding).all():
            return {}
        numbers = [one for one in (self._looks if among is None else among) if one in self._looks]
        found = {
            number: float(self._embedder.distances(embedding, np.stack(self._looks[number].views)).min())
            / self._embedder.same_person
            for number in numbers
        }
        return dict(sorted(found.items(), key=lambda pair: (pair[1], pair[0])))

    def learn(self, number: int, embedding: FloatArray) -> None:
        """Take an embedding for one of somebody's; one that says nothing (NaN) is passed over.

        Args:
            number: Whose.
            embedding: float32 (D,).
        """
        if not np.isfinite(embedding).all():
            return
        number = self.current(number)
        looks = self._looks.pop(number, None) or _Looks()
        self._looks[number] = looks  # the last of those who are kept
        if looks.views:
            apart = self._embedder.distances(embedding, np.stack(looks.views)) / self._embedder.same_person
            near = int(np.argmin(apart))
            if apart[near] < self.options.new_view or len(looks.views) == self.options.views:
                looks.counts[near] += 1
                looks.views[near] = looks.views[near] + (embedding - looks.views[near]) / np.float32(looks.counts[near])
                return
        looks.views.append(np.array(embedding, np.float32))
        looks.counts.append(1)
        for longest in list(self._looks)[: -self.options.most]:
            del self._looks[longest]

    def merge(self, one: int, other: int) -> int:
        """Two are the same person, whose number is the lower of theirs from now on; it is returned.

        What is known of the looks of the other is dropped, unless nothing is known of the first's.
        """
        first, second = sorted((self.current(one), self.current(other)))
        if first == second:
            return first
        self._same_as[second] = first
        looks = self._looks.pop(second, None)
        if looks is not None and first not in self._looks:
            self._looks[first] = looks
        return first
