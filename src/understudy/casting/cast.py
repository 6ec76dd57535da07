"""Who gets whose face, as it is asked for: a person for the chosen faces, or a face for each of a clip's people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from operator import index
from pathlib import Path
from typing import Any, SupportsIndex, TypeAlias, get_args
from typing import cast as cast_to

from understudy.casting.assignment import Assigned
from understudy.casting.clip_person import ClipPerson
from understudy.casting.person import Person
from understudy.casting.roles import BLUR, LEAVE, Unswapped
from understudy.enhancement import EnhanceOptions
from understudy.errors import UsageError
from understudy.face import FaceChoice
from understudy.masking import MaskOptions
from understudy.resources.made_with import MESH, MadeWith
from understudy.settings import Settings, changed
from understudy.swapping import Identity, MeshOptions, Swapper

#: What somebody gets: the face of a person, a blur, or nothing.
Gets: TypeAlias = "Person | Unswapped"


@dataclass(frozen=True)
class Like:
    """Whoever of a clip's people looks most like the face in a photo. The photo is compared with, not used.

    Attributes:
        photo: Of that person.
        most: The largest distance at which they are taken for the same person, over the embedder's own limit for two
            photos of one person, which is 1.

    Raises:
        ValueError: a distance that is not above 0.
        TypeError: a photo that is no path.
    """

    photo: Path
    most: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "photo", Path(self.photo))
        if not self.most > 0:
            raise ValueError(f"a distance is above 0, not {self.most}")


#: Who of a clip is meant: by number, by place and size, or by likeness.
Who: TypeAlias = "ClipPerson | int | FaceChoice | Like"


@dataclass(frozen=True)
class Part:
    """What one of a clip's people gets.

    Attributes:
        who: Who is meant.
        gets: Whose face, or what else.
        strength: 0-1: how far it is shown; None for what the settings say.
        mask: Which parts of the face are swapped; None for what the settings say.
        enhance: What is done to that face afterwards; None for what the settings say.
        engine: Name of the engine that renders it; None for the one that the settings name.
        shape: 0 to 1.5: how far the face takes the shape of the photo's (``MeshOptions.shape``); None for what the
            settings say.

    Raises:
        ValueError: another strength or shape.
        UsageError: nobody can be meant so, or what they get is neither a person nor one of the words.
    """

    who: Who
    gets: Gets
    strength: float | None = None
    mask: MaskOptions | None = None
    enhance: EnhanceOptions | None = None
    shape: float | None = None
    engine: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "who", _who(self.who))
        _check_gets(self.gets)
        if self.strength is not None and not 0 <= self.strength <= 1:
            raise ValueError(f"strength must be between 0 and 1, not {self.strength}")
        if self.shape is not None:
            MeshOptions(shape=self.shape)

    def check_agrees(self, earlier: Part | None, whom: str) -> None:
        """Make sure that an earlier part, if there is one, says the same of somebody whom both mean.

        Args:
            earlier: It.
            whom: Who that is, in words.

        Raises:
            UsageError: it does not: the later one would hold in silence.
        """
        if earlier is None or replace(earlier, who=self.who) == self:
            return
        what = "a face in two ways" if earlier.gets == self.gets else "two faces"
        raise UsageError(f"{whom} would get {what}", "Name each person once.")


@dataclass(frozen=True, eq=False)
class PartList:
    """What each of a clip's people gets.

    Attributes:
        parts: By who is meant; nobody twice.
        others: What everybody else gets.
        people: The people whom numbers mean; empty where they are those of the target itself.

    Raises:
        UsageError: it says nothing, or what others get is neither a person nor one of the words.
    """

    parts: tuple[Part, ...]
    others: Gets = LEAVE
    people: tuple[ClipPerson, ...] = ()

    def __post_init__(self) -> None:
        _check_gets(self.others)
        parts: object = self.parts
        parts = tuple(parts) if isinstance(parts, (list, tuple)) else (parts,)
        for part in parts:
            if not isinstance(part, Part):
                raise UsageError(f"the cast has {type(part).__name__} where a Part should be", "Say Part(1, person).")
        object.__setattr__(self, "parts", parts)
        if not parts and self.others == LEAVE:
            raise UsageError("nobody gets a face", "Say who gets whose: {1: person}; for a command, --put PHOTO=1.")

    @property
    def blurs(self) -> bool:
        """Whether anybody is to be blurred."""
        return BLUR in (self.others, *(part.gets for part in self.parts))

    @property
    def masks(self) -> list[MaskOptions]:
        """The masks of those who have one of their own."""
        return [part.mask for part in self.parts if part.mask is not None]

    @property
    def enhancements(self) -> list[EnhanceOptions]:
        """What is done to the faces of those for whom it is said."""
        return [part.enhance for part in self.parts if part.enhance is not None]

    @property
    def used(self) -> list[tuple[Person, Part | None]]:
        """Whose faces are used, and by which part; None for everybody else."""
        gets: list[tuple[Gets, Part | None]] = [*((part.gets, part) for part in self.parts), (self.others, None)]
        return [(one, part) for one, part in gets if isinstance(one, Person)]

    @property
    def persons(self) -> list[Person]:
        """Whose faces are used, each once."""
        return list(dict.fromkeys(person for person, _ in self.used))


#: A person, for the faces that the settings choose; or who gets whose: ``{"all": me}``, ``{1: host, 2: guest}``.
Cast: TypeAlias = "Person | Mapping[Who, Gets] | PartList"


def photos_of(cast: Person | PartList) -> tuple[Path, ...]:
    """The photos whose faces are used, each once."""
    persons = [cast] if isinstance(cast, Person) else cast.persons
    return tuple(dict.fromkeys(photo for person in persons for photo in person.photos))


def read_of(cast: Person | PartList) -> tuple[Path, ...]:
    """All photos that are read, each once: those that are used, and those that somebody is to look like."""
    parts = cast.parts if isinstance(cast, PartList) else ()
    likes = [part.who.photo for part in parts if isinstance(part.who, Like)]
    return tuple(dict.fromkeys([*photos_of(cast), *likes]))


def lanes_of(settings: Settings) -> list[Settings]:
    """The settings of the stretches of a clip that have their own."""
    return [changed(settings, lane.values) for lane in settings.lanes if lane.settings]


def masks_of(cast: Person | PartList | Sequence[Person], settings: Settings) -> list[MaskOptions]:
    """Everybody's masks."""
    own = cast.masks if isinstance(cast, PartList) else []
    return [settings.blend.mask, *own, *(one.blend.mask for one in lanes_of(settings))]


def enhancements_of(cast: Person | PartList | Sequence[Person]) -> list[EnhanceOptions]:
    """What is done to the faces of those for whom it is said."""
    return cast.enhancements if isinstance(cast, PartList) else []


def made_with(
    cast: Person | PartList | Sequence[Person], settings: Settings, upscalers: Collection[str] = ()
) -> MadeWith:
    """What renders somebody's face, the mesh engine too where it carries faces, and what enhances the result."""
    engines = [_engine(part, settings) for _, part in cast.used] if isinstance(cast, PartList) else [settings.engine]
    if settings.neural.carried and any(engine != MESH for engine in engines):
        engines.append(MESH)
    shared = settings.enhance
    if isinstance(cast, PartList) and all(part is not None and part.enhance is not None for _, part in cast.used):
        # Everybody's face has steps of its own: of the shared ones those are left that are of the frame.
        of_frame = zip(shared.steps, shared.parsed, strict=True)
        kept = [word for word, step in of_frame if step.where in ("frame", "background") or step.name in upscalers]
        shared = replace(shared, steps=tuple(kept))
    own = [*enhancements_of(cast), *(one.enhance for one in lanes_of(settings))]
    return MadeWith.of(engines or [settings.engine], [shared, *own])


def assigned_to(identity: Identity, part: Part | None, strength: float, engine: Swapper[Any] | None = None) -> Assigned:
    """What somebody gets with a person's face.

    Args:
        identity: What an engine learned of the person.
        part: What was asked for them; None for everybody else.
        strength: Where it does not say so.
        engine: Which engine; None for the one that the settings name.
    """
    own = Part(1, LEAVE) if part is None else part
    if own.shape is not None:
        identity = identity.shaped(own.shape)
    return Assigned(
        identity,
        strength if own.strength is None else own.strength,
        own.mask,
        own.enhance,
        engine,
        own_strength=own.strength is not None,
        own_shape=own.shape is not None,
    )


def _engine(part: Part | None, settings: Settings) -> str:
    return settings.engine if part is None or part.engine is None else part.engine


def parts_of(cast: Cast, faces: FaceChoice) -> tuple[Person, FaceChoice] | PartList:
    """What was asked for, checked: one person for the faces that a word chooses, or a list of parts.

    Args:
        cast: What was asked for.
        faces: Which faces, if it does not say so.

    Raises:
        UsageError: nobody, or something that is no person and names no faces.
    """
    if isinstance(cast, PartList):
        return cast
    if isinstance(cast, Person):
        return cast, faces
    if not isinstance(cast, Mapping):
        raise _no_person(cast)
    for who, gets in cast.items():
        _who(who)
        _check_gets(gets)
    if len(cast) == 1:
        ((word, only),) = cast.items()
        if isinstance(word, str) and isinstance(only, Person):
            return only, word
    people = tuple(who for who in cast if isinstance(who, ClipPerson))
    return PartList(tuple(Part(who, gets) for who, gets in cast.items()), people=people)


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


def _who(who: object) -> Who:
    """Who is meant; a number of another library, such as numpy's, as Python's own.

    Raises:
        UsageError: nobody can be meant so.
    """
    if isinstance(who, str):
        if who not in get_args(FaceChoice):
            raise UsageError(f"no faces are called {who!r}", f"Choose one of {', '.join(get_args(FaceChoice))}.")
        return cast_to("FaceChoice", who)
    if isinstance(who, (ClipPerson, Like)):
        return who
    if not isinstance(who, bool) and isinstance(who, SupportsIndex):
        with suppress(TypeError):  # an array has the method, too
            return index(who)
    raise UsageError(f"{type(who).__name__} is no person of a clip", "Name one by number: {1: person}.")


def _check_gets(gets: object) -> None:
    """Make sure that somebody can get it: of a "blur" that is misspelt nothing would come, and their face be seen."""
    if isinstance(gets, Person) or (isinstance(gets, str) and gets in (LEAVE, BLUR)):
        return
    found = repr(gets) if isinstance(gets, str) else type(gets).__name__
    raise UsageError(
        f"the cast has {found} where a person should be, or one of the words {BLUR!r} and {LEAVE!r}",
        "Correct the word, or make a person: app.person(PHOTO, consent=…).",
    )


def _no_person(found: object) -> UsageError:
    return UsageError(
        f"the cast has {type(found).__name__} where a person should be", "Make one: app.person(PHOTO, consent=…)."
    )
