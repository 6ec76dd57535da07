"""Which of the faces in a frame are swapped."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from understudy.face import FaceChoice, Faces

#: Another face must be so much larger (or the one chosen be gone) before "largest" changes over: two people
#: of about the same size must not swap roles with every step.
SWITCH_RATIO = 1.5
#: Seconds that the chosen face may be lost before another is chosen.
PATIENCE = 1.0


class FaceSelector:
    """Chooses faces, and stays with its choice.

    Of ``largest`` it stays with people, where it is known who they are (``Faces.person_ids``): after a cut or when they
    come back, the one is chosen who was chosen first, whatever their size; if they are not there, the next one, and if
    none of those who were chosen is there, the largest. In between somebody takes over, and comes first from then on,
    by becoming so much larger than the one who is chosen.

    Args:
        choice: ``largest``, ``all``, or the smallest, leftmost, rightmost, topmost or bottommost in the picture.
        live: Choose more rather than show somebody as they are who should not be seen so. While somebody stands in for
            another, everybody of whom it is not known who they are: they might be the other. And of those who were
            chosen, but not to stand in, all who are there: somebody who becomes larger unmasks nobody. And while the
            one who is chosen is lost, whoever came after them and shortly before: where one camera's picture fades
            over into another's, that is the same person once more.
        order: People who were chosen before, by number: who comes first.

    Attributes:
        stand_in: Whether one who should be chosen is not there, or not known yet: they may be anybody who comes.

    Raises:
        ValueError: another choice.
    """

    def __init__(self, choice: FaceChoice = "largest", *, live: bool = False, order: Sequence[int] = ()) -> None:
        if choice not in get_args(FaceChoice):
            raise ValueError(f"faces must be one of {', '.join(get_args(FaceChoice))}, not {choice!r}")
        self.choice = choice
        self._live = live
        self._order = list(order)
        self._first = not order
        self._kept: int | None = None
        self._passed_over: set[int] = set()
        #: Tracks and people who were chosen, and not to stand in.
        self._had: tuple[set[int], set[int]] = (set(), set())
        #: When the one who is chosen came, and was seen last.
        self._came = self._seen = -np.inf
        #: Since when each track that is there is known, in seconds.
        self._since: dict[int, float] = {}
        self.stand_in = False

    @property
    def order(self) -> tuple[int, ...]:
        """People who were chosen, by number: who comes first."""
        return tuple(self._order)

    def reset(self) -> None:
        """Forget which face was chosen, but not who: after a cut."""
        self._kept, self._passed_over = None, set()
        self._had[0].clear()

    def rename(self, person: int, other: int) -> None:
        """Somebody has another number from now on."""
        renamed = [other if one == person else one for one in self._order]
        self._order = list(dict.fromkeys(renamed))
        if person in self._had[1]:
            self._had[1].add(other)

    def select(self, faces: Faces, seconds: float, known: Collection[int] = (), twice: Collection[int] = ()) -> Faces:
        """The rows to swap; all of them need track ids.

        Args:
            faces: Everybody.
            seconds: The frame's time.
            known: People who would be recognised if they came back: nobody stands in for others.
            twice: Tracks that may show somebody once more who is there: live, whoever is chosen might be.
        """
        if self.choice == "all" or not len(faces):
            return faces
        if self.choice != "largest":
            return faces[first(faces, self.choice)]
        if faces.track_ids is None:
            return faces[first(faces, "largest")]
        people = np.full(len(faces), -1, np.int64) if faces.person_ids is None else faces.person_ids
        self.stand_in = False
        self._since = {track: self._since.get(track, seconds) for track in faces.track_ids.tolist()}
        chosen = self._largest(faces, faces.track_ids, people, seconds)
        if chosen is None:  # only lost: nobody else takes over meanwhile
            return faces[(self._had_it(faces.track_ids, people) | self._came_before_the_loss()) & self._live]
        self._kept, self._seen = int(faces.track_ids[chosen]), seconds
        self._came = self._since[self._kept]
        self._note(int(people[chosen]))
        before = self._order[: self._rank(int(people[chosen]))]
        self.stand_in = any(person in known for person in before)
        if not self.stand_in:
            self._had[0].add(self._kept)
        rows = np.arange(len(faces)) == chosen
        if self._live:
            rows |= self._had_it(faces.track_ids, people)
            self.stand_in |= any(person in known and person not in people for person in self._had[1])
            rows |= ((people < 0) & self.stand_in) | np.isin(faces.track_ids, list(twice))
        return faces[rows]

    def _had_it(self, tracks: NDArray[np.int64], people: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Who was chosen before, and not to stand in: bool, for each row."""
        had_tracks, had_people = self._had
        had_people |= {int(one) for one in people[np.isin(tracks, list(had_tracks))] if one >= 0}
        return np.isin(tracks, list(had_tracks)) | np.isin(people, list(had_people))

    def _came_before_the_loss(self) -> NDArray[np.bool_]:
        """Who came after the one who is lost, within the last second in which that one was seen: bool, for each row."""
        came = np.array(list(self._since.values()))
        return np.asarray((self._came < came) & (came <= self._seen) & (self._seen - came < PATIENCE), np.bool_)

    def _largest(
        self, faces: Faces, tracks: NDArray[np.int64], people: NDArray[np.int64], seconds: float
    ) -> int | None:
        """The row of the one to swap; None for nobody."""
        kept = np.flatnonzero(tracks == self._kept)
        known = [one for one in self._order if one in people]
        before = known and (not len(kept) or self._rank(people[kept[0]]) > self._rank(known[0]))
        if before:  # somebody is back
            chosen = int(np.flatnonzero(people == known[0])[0])
            much_larger = faces.areas >= SWITCH_RATIO * faces.areas[chosen]
            self._passed_over, self._first = set(tracks[much_larger].tolist()), False
            return chosen
        if not len(kept):
            if self._kept is not None and 0 <= seconds - self._seen < PATIENCE:
                return None
            self._first = not self._order
            return int(np.argmax(faces.areas))
        chosen = int(kept[0])
        areas = np.where(np.isin(tracks, list(self._passed_over)), 0, faces.areas)
        largest = int(np.argmax(areas))
        if areas[largest] < SWITCH_RATIO * areas[chosen]:
            return chosen
        self._first = True
        if people[largest] in self._order:
            self._order.remove(int(people[largest]))
        return largest

    def _rank(self, person: int) -> int:
        """The place of somebody in the order; of those who are not in it after all others."""
        return self._order.index(person) if person in self._order else len(self._order)

    def _note(self, person: int) -> None:
        """Take up who is chosen, as soon as it is known who they are: first if they took over, else last."""
        if person >= 0 and person not in self._order:
            self._order.insert(0 if self._first else len(self._order), person)
            self._first = False


def first(faces: Faces, choice: FaceChoice) -> int:
    """The row of the face that comes first by place or size.

    Args:
        faces: One at least.
        choice: Any but ``all``.
    """
    across, down = (faces.boxes_xyxy[:, [axis, axis + 2]].mean(axis=1) for axis in (0, 1))
    orders = {
        "largest": -faces.areas,
        "smallest": faces.areas,
        "left": across,
        "right": -across,
        "top": down,
        "bottom": -down,
    }
    return int(np.argmin(orders[choice]))
