"""What each person before a camera gets: known from a cast file or a photo, or by the place where they are first seen.

Nothing can be looked at ahead. So whoever is not known yet is blurred, whatever others get: they may be one of those
whose face must not be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from understudy.arrays import FloatArray
from understudy.casting.assignment import Assigned
from understudy.casting.cast import Gets, Like, Part, PartList
from understudy.casting.clip_person import ClipPerson
from understudy.casting.gallery import NOBODY
from understudy.casting.person import Person
from understudy.casting.roles import BLUR, LEAVE, Role, Roles
from understudy.errors import UsageError
from understudy.face import FaceChoice, Faces
from understudy.recognition import Embedder
from understudy.tracking.selection import first


@dataclass
class _Place:
    """A place, and what whoever is found there first gets from then on."""

    word: FaceChoice
    role: Role


class LiveRoles(Roles):
    """Roles whose people need not be known before they are seen.

    A place is somebody's from the first frame on in which as many people are seen as places are free, and stays theirs
    wherever they go.

    Args:
        of: What people get who are known, by number.
        others: What everybody else gets.
        people: Who is known, by number: float32 (V, D), embeddings of them.
        places: Places, with what whoever is there gets.
    """

    def __init__(
        self,
        of: Mapping[int, Role],
        others: Role,
        people: Mapping[int, FloatArray],
        places: Mapping[FaceChoice, Role],
    ) -> None:
        super().__init__(of, others, people)
        self._free = [_Place(word, role) for word, role in places.items()]

    def of(self, person: int) -> Role:
        """See ``Roles.of``."""
        return BLUR if person == NOBODY else super().of(person)

    def chosen(self, faces: Faces) -> Faces:
        """See ``Roles.chosen``."""
        self._take_places(faces)
        return super().chosen(faces)

    def may_come(self, faces: Faces) -> bool:
        """Whether somebody else than those who are there may have to be swapped or blurred."""
        if self._others != LEAVE or self._free or faces.person_ids is None:
            return True
        here = set(faces.person_ids.tolist())
        return NOBODY in here or any(role != LEAVE and person not in here for person, role in self._of.items())

    def rename(self, person: int, other: int) -> None:
        """Somebody has another number from now on."""
        role = self._of.pop(person, None)
        if role is not None:
            self._of.setdefault(other, role)

    def _take_places(self, faces: Faces) -> None:
        if not self._free or faces.person_ids is None:
            return
        free = faces[np.array([one != NOBODY and one not in self._of for one in faces.person_ids.tolist()], bool)]
        if len(free) < len(self._free):
            return
        for place in self._free:
            assert free.person_ids is not None
            row = first(free, place.word)
            self._of[int(free.person_ids[row])] = place.role
            free = free[np.arange(len(free)) != row]
        self._free = []


def live_roles(
    cast: PartList,
    embedder: Embedder,
    likeness: Mapping[Like, FloatArray],
    assigned: Callable[[Person, Part | None], Assigned],
) -> LiveRoles:
    """What each person before a camera gets.

    Args:
        cast: As it was asked for.
        embedder: Tells people apart.
        likeness: float32 (D,), the embedding of each photo that somebody is to be like.
        assigned: What somebody gets with a person's face, and by which part; None for everybody else.

    Raises:
        UsageError: a number without a cast file that says who that is, "all", one place twice, or one person who would
            get two things.
    """

    def role(gets: Gets, part: Part | None = None) -> Role:
        return assigned(gets, part) if isinstance(gets, Person) else gets

    known = {one.number: one.views for one in cast.people if one.known and one.embedder == embedder.name}
    of: dict[int, Role] = {}
    named: dict[int | Path, Part] = {}
    places: dict[FaceChoice, Role] = {}
    for part in cast.parts:
        if isinstance(part.who, str):
            if part.who == "all" or part.who in places:
                raise UsageError(
                    f"{part.who!r} names nobody in particular, or twice the same", "Use --others for everybody else."
                )
            places[part.who] = role(part.gets, part)
            continue
        if isinstance(part.who, Like):
            photo = part.who.photo
            part.check_agrees(named.get(photo), f"who looks like {photo.name}")
            named[photo] = part
            number = max(known, default=0) + 1
            known[number] = likeness[part.who][None]
        else:
            number = part.who.number if isinstance(part.who, ClipPerson) else part.who
        if number not in known:
            raise UsageError(
                f"it is not known who person {number} is",
                "Live, people are known from a cast file (--cast), a photo (like:PHOTO), or a place (left).",
            )
        part.check_agrees(named.get(number), f"person {number}")
        named[number] = part
        of[number] = role(part.gets, part)
    return LiveRoles(of, role(cast.others), known, places)
