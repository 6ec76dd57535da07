"""Who of a clip's people is meant: by number, by place and size, or by likeness; and what each of them gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from understudy.arrays import FloatArray
from understudy.casting.assignment import Assigned
from understudy.casting.cast import Gets, Like, Part, PartList, Who
from understudy.casting.clip_person import ClipPerson
from understudy.casting.gallery import NOBODY
from understudy.casting.person import Person
from understudy.casting.roles import Role, Roles
from understudy.errors import NoFaceError, UsageError
from understudy.face import FaceChoice
from understudy.recognition import Embedder

#: Distance, over the embedder's ``same_person``, below which somebody of another clip is taken for the same person, as
#: the mean of several embeddings is (``GalleryOptions.likely``).
SAME: Final = 0.875
#: So much nearer than the second nearest somebody must be for it to be sure; else it is said.
CLOSE_CALL: Final = 0.1
#: Share of the frames in which somebody is seen from which they count for a place: who walks past is not "left".
_PRESENT: Final = 0.1
#: How near somebody else must be to who is furthest to a side, as a share of the picture, or how near in size, as a
#: share of it, for that to be said.
_NEAR: Final = 0.1

_ORDERS: Final[Mapping[FaceChoice, Callable[[ClipPerson], float]]] = {
    "largest": lambda person: -person.size,
    "smallest": lambda person: person.size,
    "left": lambda person: person.center_xy[0],
    "right": lambda person: -person.center_xy[0],
    "top": lambda person: person.center_xy[1],
    "bottom": lambda person: -person.center_xy[1],
}


class Placed(NamedTuple):
    """What a clip's people get, by number.

    Attributes:
        parts: What was asked for each one.
        notes: What the user should know of how they were told.
    """

    parts: dict[int, Part]
    notes: tuple[str, ...]


def placed(
    parts: Sequence[Part], people: Sequence[ClipPerson], embedder: Embedder, likeness: Mapping[Like, FloatArray]
) -> Placed:
    """Find out who is meant by each part.

    Args:
        parts: Who gets what.
        people: Everybody in the clip.
        embedder: Whose embeddings theirs are.
        likeness: float32 (D,), the embedding of each photo that somebody is to be like.

    Raises:
        UsageError: there is no such person, one gets two things, or one can't be told from others.
        NoFaceError: nobody looks like a photo, or nobody is there.
    """
    found: dict[int, Part] = {}
    notes: list[str] = []
    for part in parts:
        for person in _meant(part.who, people, embedder, likeness, notes):
            if not person.known:
                raise UsageError(
                    f"person {person.number} is never seen well enough to be told from others",
                    "Name the faces by place instead, such as --faces left.",
                )
            part.check_agrees(found.get(person.number), f"person {person.number}")
            found[person.number] = part
    return Placed(found, tuple(notes))


def _meant(
    who: Who,
    people: Sequence[ClipPerson],
    embedder: Embedder,
    likeness: Mapping[Like, FloatArray],
    notes: list[str],
) -> list[ClipPerson]:
    if isinstance(who, ClipPerson):
        return [_numbered(who.number, people)]
    if isinstance(who, int):
        return [_numbered(who, people)]
    if isinstance(who, Like):
        return [_alike(who, people, embedder, likeness[who], notes)]
    if who == "all":
        return [person for person in people if person.known]
    there = [one for one in people if one.share >= _PRESENT] or list(people)
    if not there:
        raise NoFaceError("nobody is seen in the clip", "Use a target that shows a face, larger and more frontal.")
    return [_at(who, there, notes)]


def _at(who: FaceChoice, there: Sequence[ClipPerson], notes: list[str]) -> ClipPerson:
    """Who a word means, which is said where somebody else is meant nearly as well."""
    order = _ORDERS[who]
    first, *others = sorted(there, key=lambda one: (order(one), one.number))
    share = first.size if who in ("largest", "smallest") else 1.0
    near = [one for one in others if order(one) - order(first) < _NEAR * share]
    if near:
        rest = ", ".join(str(one.number) for one in near)
        notes.append(f"{who!r} is person {first.number}; nearly so is {rest}: name them by number to be sure")
    return first


def _numbered(number: int, people: Sequence[ClipPerson]) -> ClipPerson:
    for person in people:
        if person.number == number:
            return person
    if not people:
        raise NoFaceError("nobody is seen in the clip", "Use a target that shows a face, larger and more frontal.")
    known = ", ".join(str(person.number) for person in people)
    raise UsageError(f"there is no person {number} in the clip", f"There are: {known}. `understudy people` shows them.")


def _alike(
    who: Like, people: Sequence[ClipPerson], embedder: Embedder, embedding: FloatArray, notes: list[str]
) -> ClipPerson:
    found = sorted(
        (float(embedder.distances(embedding, person.views).min()) / embedder.same_person, person.number, person)
        for person in people
        if person.known
    )
    if not found or found[0][0] >= who.most:
        nearest = f"; the nearest is person {found[0][1]}, at {found[0][0]:.2f} of the limit" if found else ""
        raise NoFaceError(
            f"nobody in the clip looks like {who.photo.name}{nearest}",
            "Use another photo, or a larger --like-distance; `understudy people` shows who is there.",
        )
    distance, number, person = found[0]
    note = f"{who.photo.name} is most like person {number}, at {distance:.2f} of the limit"
    if len(found) > 1 and found[1][0] - distance < CLOSE_CALL:
        note += f"; person {found[1][1]} is nearly as near ({found[1][0]:.2f})"
    notes.append(note)
    return person


class Match(NamedTuple):
    """Somebody who is known from elsewhere, found in a clip.

    Attributes:
        known: Their number there.
        number: The person's number here.
        distance: Between the two, over the embedder's ``same_person``.
        margin: How much further the next one is.
    """

    known: int
    number: int
    distance: float
    margin: float


def matches(known: Sequence[ClipPerson], people: Sequence[ClipPerson], embedder: Embedder) -> list[Match]:
    """Which of the people who are known from elsewhere are in a clip: the nearest pairs first, nobody twice."""
    pairs = sorted(
        (float(min(embedder.distances(view, here.views).min() for view in one.views)) / embedder.same_person, a, b)
        for a, one in enumerate(known)
        for b, here in enumerate(people)
        if one.known and here.known
    )
    found: list[Match] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for distance, a, b in pairs:
        if distance >= SAME or a in taken[0] or b in taken[1]:
            continue
        rivals = [apart for apart, one, other in pairs if (one == a) != (other == b)]
        found.append(Match(known[a].number, people[b].number, distance, min(rivals, default=np.inf) - distance))
        taken[0].add(a)
        taken[1].add(b)
    return found


def told_apart(embeddings: FloatArray, people: Mapping[int, FloatArray], embedder: Embedder) -> NDArray[np.int64]:
    """Whose the faces of one picture are: the nearest pairs first, nobody twice.

    Args:
        embeddings: float32 (N, D); NaN where a face says nothing.
        people: Who is known, by number: float32 (V, D), embeddings of them.
        embedder: Whose embeddings.

    Returns:
        int64 (N,): numbers; -1 is somebody who is not known.
    """
    found = np.full(len(embeddings), NOBODY, np.int64)
    pairs = sorted(
        (float(embedder.distances(embedding, views).min()) / embedder.same_person, row, number)
        for row, embedding in enumerate(embeddings)
        for number, views in people.items()
        if np.isfinite(embedding).all()
    )
    for distance, row, number in pairs:
        if distance < SAME and found[row] == NOBODY and number not in found:
            found[row] = number
    return found


def roles_of(
    cast: PartList,
    parts: Mapping[int, Part],
    people: Sequence[ClipPerson],
    assigned: Callable[[Person, Part | None], Assigned],
) -> Roles:
    """What each person of a clip gets, once it is known whose faces may be used.

    Args:
        cast: With what everybody else gets.
        parts: What was asked for each of the clip's people, by number.
        people: Everybody in the clip: each keeps their number, also those who get nothing.
        assigned: What somebody gets with a person's face, and by which part; None for everybody else.
    """

    def role(gets: Gets, part: Part | None) -> Role:
        return assigned(gets, part) if isinstance(gets, Person) else gets

    of = {number: role(part.gets, part) for number, part in parts.items()}
    return Roles(of, role(cast.others, None), {one.number: one.views for one in people if one.known})
