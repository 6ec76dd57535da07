"""Who gets whose face, as a command line says it: ``--put``, ``--others``, ``--cast``, and more of ``--faces``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, get_args

import typer

from understudy.cli.options import FACES
from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.casting.cast import Gets, Part, PartList, Who
    from understudy.casting.person import Person
    from understudy.provenance import ConsentClaim

Put = Annotated[
    list[str] | None,
    typer.Option(
        "--put",
        help="PHOTO=WHO: put that photo's face on one of the clip's people: a number of `understudy people`, a word of "
        "--faces, or like:PHOTO. blur=WHO and leave=WHO do that. May be given several times, for each person once.",
        rich_help_panel=FACES,
        show_default=False,
    ),
]
CastFile = Annotated[
    Path | None,
    typer.Option(
        "--cast",
        help="Take who gets whose face from this file, which `understudy people CLIP --cast FILE` makes.",
        rich_help_panel=FACES,
        show_default=False,
    ),
]
Others = Annotated[
    str | None,
    typer.Option(
        "--others",
        help="What everybody else gets, with --put and --cast: leave, blur, or a photo.",
        rich_help_panel=FACES,
        show_default="leave, or what the cast file says",
    ),
]
LiveOthers = Annotated[
    str | None,
    typer.Option(
        "--others",
        help="What everybody else gets, with --put and --cast: blur, leave, or a photo.",
        rich_help_panel=FACES,
        show_default="blur, or what the cast file says",
    ),
]
LikeDistance = Annotated[
    float,
    typer.Option(
        "--like-distance",
        help="How far from like:PHOTO somebody may be, over the limit for two photos of one person.",
        rich_help_panel=FACES,
    ),
]
_LIKE: Final = "like:"
_NOT: Final = "not:"


def asked(
    sources: Sequence[Path],
    put: Sequence[str] | None,
    cast: Path | None,
    others: str | None,
    like_distance: float,
    faces: str | None,
) -> Person | PartList:
    """What a command line says of who gets whose face. On what ground, is not said yet.

    Args:
        sources: Photos of one person (``-s``).
        put: Of ``--put``.
        cast: Of ``--cast``.
        others: Of ``--others``.
        like_distance: Of ``--like-distance``.
        faces: Of ``--faces``, if it is given.

    Raises:
        UsageError, InputError: it says nothing, two things at once, or what can't be made out.
    """
    from understudy.casting.cast import Part, PartList
    from understudy.casting.cast_file import read_cast
    from understudy.casting.person import Person
    from understudy.face import FaceChoice

    if not like_distance > 0:
        raise UsageError(f"--like-distance is above 0, not {like_distance:g}", "1 is usual.")
    _check(sources, put, cast, others, faces)
    if cast is not None:
        read = read_cast(cast)
        return read if others is None else replace(read, others=_gets(others))
    if put:
        parts = tuple(_part(one, like_distance) for one in put)
        return PartList(parts, _gets(others or "leave"))
    person = Person(tuple(sources))
    if faces is None or faces in get_args(FaceChoice):
        return person
    if faces.startswith(_NOT):
        return PartList((Part(_who(f"{_LIKE}{faces.removeprefix(_NOT)}", like_distance), "leave"),), person)
    return PartList((Part(_who(faces, like_distance, f"{_LIKE}PHOTO, or {_NOT}PHOTO"), person),))


def _check(
    sources: Sequence[Path], put: Sequence[str] | None, cast: Path | None, others: str | None, faces: str | None
) -> None:
    """Whether it says one thing."""
    if cast is not None and (put or sources):
        raise UsageError("--cast says who gets whose face, and so do -s and --put", "Leave one of them out.")
    if put and sources:
        raise UsageError("-s is for one person, and --put for several", "Write --put PHOTO=WHO for each of them.")
    if not (sources or put or cast):
        raise UsageError("no source photo", "Name one with -s PHOTO, or several with --put PHOTO=WHO.")
    if faces is not None and not sources:
        raise UsageError("--faces goes with -s", "Say who gets whose face with --put PHOTO=WHO alone.")
    if others is not None and not (put or cast):
        raise UsageError("--others goes with --put or --cast", "Leave it out.")


def claimed(cast: Person | PartList, claim: ConsentClaim | None) -> Person | PartList:
    """The same, all photos of which are used on that ground."""
    from understudy.casting.cast import PartList
    from understudy.casting.person import Person

    if not isinstance(cast, PartList):
        return replace(cast, consent=claim)

    def with_claim(gets: Gets) -> Gets:
        return replace(gets, consent=claim) if isinstance(gets, Person) else gets

    parts = tuple(replace(part, gets=with_claim(part.gets)) for part in cast.parts)
    return replace(cast, parts=parts, others=with_claim(cast.others))


def _part(text: str, like_distance: float) -> Part:
    from understudy.casting.cast import Part

    head, equals, tail = text.partition(f"={_LIKE}")
    photo, who = (head, _LIKE + tail) if equals else text.rpartition("=")[::2]
    if not photo or not who:
        raise UsageError(f"--put can't be {text!r}", "Write PHOTO=WHO, such as host.jpg=1 or guest.jpg=left.")
    return Part(_who(who, like_distance), _gets(photo))


def _gets(word: str) -> Gets:
    from understudy.casting.person import Person
    from understudy.casting.roles import BLUR, LEAVE

    for unswapped in (LEAVE, BLUR):
        if word == unswapped:
            return unswapped
    return Person((Path(word),))


def _who(word: str, like_distance: float, photos: str = f"or {_LIKE}PHOTO") -> Who:
    """Who is meant. ``photos``: how somebody can be meant by a photo, for the error's list."""
    from understudy.casting.cast import Like
    from understudy.face import FaceChoice

    if word.startswith(_LIKE) and len(word) > len(_LIKE):
        return Like(Path(word.removeprefix(_LIKE)), like_distance)
    if word.isascii() and word.isdigit():
        return int(word)
    for choice in get_args(FaceChoice):
        if word == choice:
            found: FaceChoice = choice
            return found
    words = ", ".join(get_args(FaceChoice))
    raise UsageError(f"nobody is called {word!r}", f"Choose one of {words}, a number, {photos}.")
