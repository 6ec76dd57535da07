"""Who gets whose face, as a developer says it: a person, or a word for the faces that get one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from understudy.casting.person import Person
from understudy.errors import UsageError
from understudy.face import FaceChoice

#: A person, for the faces that the settings choose; or one person by the word for the faces meant: ``{"all": me}``.
Cast = Person | Mapping[FaceChoice, Person]


def chosen(cast: Cast, faces: FaceChoice) -> tuple[Person, FaceChoice]:
    """Whose face is put onto which faces.

    Args:
        cast: What was asked for.
        faces: Which, if it does not say so.

    Raises:
        UsageError: no person or more than one entry, or a word that names no faces.
    """
    if isinstance(cast, Person):
        return cast, faces
    if not isinstance(cast, Mapping):
        raise _no_person(cast)
    words = ", ".join(get_args(FaceChoice))
    if len(cast) != 1:
        raise UsageError(
            f"a cast names one person, not {len(cast)}",
            f"Swap one person's face at a time: {{'all': person}}, or another of {words} in the place of all.",
        )
    ((word, person),) = cast.items()
    if word not in get_args(FaceChoice):
        raise UsageError(f"no faces are called {word!r}", f"Choose one of {words}.")
    if not isinstance(person, Person):
        raise _no_person(person)
    return person, word


def people_of(cast: Person | Sequence[Person]) -> list[Person]:
    """The people whose faces may be used, of whom the first is used first.

    Raises:
        UsageError: one of them is none.
    """
    people: object = [cast] if isinstance(cast, Person) else cast
    if not isinstance(people, (list, tuple)):
        raise _no_person(people)
    for person in people:
        if not isinstance(person, Person):
            raise _no_person(person)
    return list(people)


def _no_person(found: object) -> UsageError:
    return UsageError(
        f"the cast has {type(found).__name__} where a person should be", "Make one: app.person(PHOTO, consent=…)."
    )
