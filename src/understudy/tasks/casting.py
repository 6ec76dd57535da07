"""Settles who of a target gets whose face, and whether those faces may be used, before its first frame is swapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from understudy.casting.allowed_parts import AllowedParts
from understudy.casting.assignment import Assignment, OnePerson
from understudy.casting.cast import PartList
from understudy.casting.clip_person import ClipPerson
from understudy.casting.likeness import embedded_photos
from understudy.casting.person import Allowed, People, Person
from understudy.casting.placing import CLOSE_CALL, matches, placed, roles_of
from understudy.errors import NoFaceError, UsageError
from understudy.media.base import MediaInfo
from understudy.provenance.content import ContentCheck
from understudy.recognition import Embedder
from understudy.release import input_digest
from understudy.resources import Models, Resources
from understudy.resources.trust import USE_OF, Permission, Permissions
from understudy.settings import Settings
from understudy.tasks.people import people_of_file
from understudy.tasks.unseen import unheeded, unseen

#: Settles all that for a target, and its settings.
Settle: TypeAlias = "Callable[[MediaInfo, Settings], Settled]"


@dataclass(frozen=True, eq=False)
class Settled:
    """What is settled.

    Attributes:
        assignment: Who gets whose face.
        consents: Ids of the records that allow it.
        digests: SHA-256 of the photos.
        notes: What the user should know.
        everybody: Whether it does not matter who somebody is.
        records: What allows using each photo, by its SHA-256.
        people: Everybody in the target, where it matters.
    """

    assignment: Assignment
    consents: tuple[str, ...]
    digests: tuple[str, ...]
    notes: tuple[str, ...]
    everybody: bool
    records: Mapping[str, Permission]
    people: Sequence[ClipPerson] = ()

    def nobody(self, target: Path) -> NoFaceError:
        """The error where nobody of a target was swapped."""
        if self.everybody:
            return NoFaceError(
                f"no face was found in {target.name}", "Use a target that shows a face, larger and more frontal."
            )
        return NoFaceError(
            f"nobody who gets a face was recognised in {target.name}", "`understudy people` shows who is there."
        )


def settle(
    cast: Person | PartList,
    target: Path,
    info: MediaInfo,
    settings: Settings,
    *,
    resources: Resources,
    people: People,
    content: ContentCheck,
    trust: Permissions | None = None,
    there: Sequence[ClipPerson] | None = None,
) -> Settled:
    """Settle all that for one target.

    Args:
        cast: Whose face; or who gets whose.
        target: The file.
        info: What it is.
        settings: How.
        resources: What is opened.
        people: Whose faces are known.
        content: Looks at the photos.
        trust: Knows who consented; None for the records of the private folder.
        there: Everybody in the target, if that was found out before.

    Raises:
        UsageError, InputError: a photo can't be used, or there is no such person in the target.
        ConsentError, ContentRefusedError: a face may not be used.
    """
    known, use = resources.trust(settings) if trust is None else trust, USE_OF[info.kind]

    def allowed(person: Person, own: Settings) -> Allowed:
        return people.allowed(person, use, own, trust=known, content=content)

    faces = AllowedParts.of(cast, settings, allowed)
    notes: tuple[str, ...] = ()
    asked = cast
    if isinstance(cast, Person):
        assignment: Assignment = OnePerson(faces.uses[cast, None].identity, settings.blend.strength)
    else:
        there, cast, matched = _people_there(cast, target, settings, resources.models, there)
        likeness = embedded_photos(cast, settings, resources.models)
        found = placed(cast.parts, there, resources.models.embedder(settings), likeness)
        notes = (*matched, *found.notes)
        assignment = roles_of(cast, found.parts, there, faces.assigned)
    return Settled(
        assignment,
        faces.consents,
        faces.digests,
        (*faces.notes, *notes, *unseen(asked, settings), *unheeded(asked, settings)),
        everybody=isinstance(cast, Person),
        records=faces.records,
        people=() if isinstance(cast, Person) else there or (),
    )


def _people_there(
    cast: PartList, target: Path, settings: Settings, models: Models, there: Sequence[ClipPerson] | None
) -> tuple[Sequence[ClipPerson], PartList, tuple[str, ...]]:
    """The people of a target; the parts, by their numbers; and how people of another clip were found among them."""
    embedder = models.embedder(settings)
    own = bool(cast.people) and all(one.clip == input_digest(target) for one in cast.people)
    if own and all(one.known and one.embedder == embedder.name for one in cast.people):
        return cast.people, cast, ()
    if there is None:
        there = people_of_file(target, settings, models).people
    if own or not cast.people:
        return there, cast, ()
    return _found_again(cast, there, embedder, target)


def _found_again(
    cast: PartList, there: Sequence[ClipPerson], embedder: Embedder, target: Path
) -> tuple[Sequence[ClipPerson], PartList, tuple[str, ...]]:
    """People of another clip, found in a target by what they look like."""
    known = [one for one in cast.people if one.known and one.embedder == embedder.name]
    if not known:
        raise UsageError(
            f"the cast is of another file than {target.name}, and does not say what its people look like",
            "Make one of this file: `understudy people FILE --cast CAST.toml`; or one with embeddings.",
        )
    found = {match.known: match for match in matches(known, there, embedder)}
    notes, parts = [], []
    for part in cast.parts:
        number = part.who.number if isinstance(part.who, ClipPerson) else part.who
        if not isinstance(number, int):
            parts.append(part)
            continue
        match = found.get(number)
        if match is None:
            notes.append(f"person {number} of the cast is not in {target.name}")
            continue
        sure = f", and nearly as near to another ({match.margin:.2f} further)" if match.margin < CLOSE_CALL else ""
        notes.append(
            f"person {number} of the cast is person {match.number} here, at {match.distance:.2f} of the limit{sure}"
        )
        parts.append(replace(part, who=match.number))
    if not parts:
        raise NoFaceError(f"nobody of the cast is in {target.name}", "`understudy people` shows who is there.")
    return there, replace(cast, parts=tuple(parts), people=()), tuple(notes)
