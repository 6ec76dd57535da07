"""The file that says what was decided of a clip: who gets what, its parts, and the settings.

It holds no embeddings. People are known again by where they are seen, how large, and since when: the same program finds
the same people in the same clip, and another one may not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.casting.clip_person import ClipPerson
from understudy.errors import UnderstudyError
from understudy.provenance.records.consent import Photo
from understudy.provenance.records.kept_photos import kept_name, kept_photo
from understudy.regular import read_regular
from understudy.server.studio.clips.edits import OTHERS, Edit, Stretch
from understudy.server.studio.live.card import SAMPLE, Card, CardPhoto
from understudy.settings import Lane, TrimOptions
from understudy.settings.lanes import in_order

#: What the clip is called beside the file, before its suffix.
CLIP: Final = "clip"
#: Of another version nothing is read. Longest file, in bytes.
_VERSION: Final = 1
_LONGEST: Final = 4_000_000
#: How far somebody may be from where they were, as a share of the picture, to be the same; how much larger or smaller;
#: and how many seconds earlier or later they may come.
_AWAY, _LARGER, _LATER = 0.1, 1.25, 1.0


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class _Photo(_Strict):
    file: str = Field(max_length=200)
    name: str = Field(max_length=400)


class _Face(_Strict):
    card: str = Field(max_length=64)
    photos: list[_Photo] = Field(max_length=500)


class _Who(_Strict):
    center: tuple[float, float] = Field(strict=False)
    size: float
    first_seconds: float | None


class _File(_Strict):
    version: Literal[1]
    clip: str = Field(max_length=400)
    file: str = Field(pattern=r"^clip(\.[a-z0-9]{1,8})?$")
    given: dict[Annotated[str, Field(pattern=r"^\d{1,7}$")], Annotated[str, Field(max_length=64)]]
    people: dict[str, _Who]
    faces: list[_Face]
    start: float | None
    end: float | None
    stretches: list[dict[str, Any]] = Field(max_length=1000)
    settings: dict[str, Any]
    format: str = Field(max_length=10)
    seconds: float
    rendered: bool


@dataclass(frozen=True)
class Decided:
    """What was decided.

    Attributes:
        edit: Who gets what, the part, and the stretches.
        settings: Those that differ from how the studio began, by full name.
        format: The suffix of what is rendered.
        rendered: Whether all of that was rendered.
    """

    edit: Edit
    settings: Mapping[str, object]
    format: str
    rendered: bool = False


@dataclass(frozen=True)
class KeptPhoto:
    """A photo of a face that somebody gets.

    Attributes:
        file: What it is called beside the file.
        photo: What consent knows it by, with the name that the user knows.
    """

    file: str
    photo: Photo


class EditFile:
    """What such a file says.

    Args:
        said: That, checked.

    Attributes:
        clip: What the user calls the clip.
        file: What it is called beside this file.
        decided: What was decided.
        seconds: The frame that was looked at last.
        faces: The photos of each face that somebody gets, by its card's id then; the sample has none.
    """

    def __init__(self, said: _File) -> None:
        self._people = said.people
        self.clip, self.file = said.clip, said.file
        stretches = tuple(Stretch(number + 1, Lane.of(one)) for number, one in enumerate(said.stretches))
        edit = Edit({int(one): gets for one, gets in said.given.items()}, TrimOptions(said.start, said.end), stretches)
        in_order(edit.lanes)
        self.decided, self.seconds = Decided(edit, said.settings, said.format, said.rendered), max(said.seconds, 0.0)
        self.faces = {face.card: tuple(_kept(photo) for photo in face.photos) for face in said.faces}

    def strangers(self, people: Iterable[ClipPerson]) -> set[int]:
        """The numbers of those who are given something and are nobody now, or somebody else.

        Args:
            people: Who is in the clip.
        """
        here = {one.number: _who(one) for one in people}
        given = {*self.decided.edit.given} - {OTHERS}
        return {number for number in given if not _same(self._people.get(str(number)), here.get(number))}


def read_edit(path: Path) -> EditFile | None:
    """What a file says; None if it can't be read, or is of another version.

    Args:
        path: The file.
    """
    try:
        return EditFile(_File.model_validate(json.loads(read_regular(path, _LONGEST))))
    except (OSError, ValueError, TypeError, RecursionError, UnderstudyError):
        return None


def written_edit(
    clip: Path, name: str, people: Iterable[ClipPerson], cards: Sequence[Card], decided: Decided, seconds: float
) -> str:
    """What is written into such a file.

    Args:
        clip: The clip's file.
        name: What the user calls it.
        people: Who is in it, as far as that is known.
        cards: The faces that somebody gets.
        decided: What was decided.
        seconds: The frame that was looked at last.
    """
    edit = decided.edit
    faces = {card.id: [_Photo(file=name_of(one), name=one.photo.name) for one in photos_of(card)] for card in cards}
    said = _File(
        version=_VERSION,
        clip=name,
        file=CLIP + clip.suffix,
        given={str(number): gets for number, gets in edit.given.items()},
        people={str(one.number): _who(one) for one in people if one.number in edit.given},
        faces=[_Face(card=card, photos=photos) for card, photos in faces.items()],
        start=None if edit.trim.start is None else edit.trim.since,
        end=edit.trim.until,
        stretches=[lane.as_table() for lane in edit.lanes],
        settings=dict(decided.settings),
        format=decided.format,
        seconds=seconds,
        rendered=decided.rendered,
    )
    return said.model_dump_json(indent=1)


def photos_of(card: Card) -> Sequence[CardPhoto]:
    """The photos of a face that are kept: those that may be used, and none of the sample, which is always there."""
    return () if card.id == SAMPLE else card.allowed


def name_of(photo: CardPhoto) -> str:
    """What a photo is called beside the file."""
    return kept_name(photo.photo, photo.path.suffix)


def _kept(photo: _Photo) -> KeptPhoto:
    known = kept_photo(photo.file, photo.name)
    if known is None:
        raise ValueError(f"no photo is called {photo.file}")
    return KeptPhoto(photo.file, known)


def _who(one: ClipPerson) -> _Who:
    return _Who(center=one.center_xy, size=one.size, first_seconds=one.first_seconds)


def _same(one: _Who | None, other: _Who | None) -> bool:
    """Whether somebody is where somebody was."""
    if one is None or other is None or (one.first_seconds is None) != (other.first_seconds is None):
        return False
    away = max(abs(a - b) for a, b in zip(one.center, other.center, strict=True))
    larger = max(one.size, other.size) / max(min(one.size, other.size), 1e-6)
    later = abs((one.first_seconds or 0.0) - (other.first_seconds or 0.0))
    return away <= _AWAY and larger <= _LARGER and later <= _LATER
