"""Cast files: who is in a clip, and what each of them gets, to be filled in by hand and kept.

TOML or JSON, by suffix. Embeddings say who somebody is, in any clip: they are biometric data, and the file is for its
owner only. Without them a cast holds for the clip that it was made of, whose people are then found anew.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from understudy import names, toml
from understudy.arrays import FloatArray
from understudy.casting.cast import Gets, Part, PartList
from understudy.casting.clip_person import ClipPerson
from understudy.casting.person import Person
from understudy.casting.roles import LEAVE, Unswapped
from understudy.enhancement import EnhanceOptions
from understudy.errors import InputError, UsageError
from understudy.outputs import Draft, settled
from understudy.provenance import ConsentClaim
from understudy.settings import Settings, changed
from understudy.table_files import read_tables

#: What such a file says it is, and the only one that is read.
VERSION: Final = 1
#: Longest file that is read, in bytes.
LONGEST: Final = 32_000_000
_HINT: Final = "docs/people.md shows what such a file looks like; `understudy people CLIP --cast FILE` makes one."
#: What is written above the tables.
_ABOVE: Final = """\
# Who is in a clip, and what each of them gets. Fill in "put" with photos of one person, such as put = ["host.jpg"],
# or write do = "blur" or do = "leave" (which is what holds where neither is there). Then:
#     understudy swap --cast THIS_FILE -t CLIP -o OUT
"""
_BIOMETRIC: Final = """\
# The embeddings say who somebody is, in any clip: they are biometric data. Keep this file to yourself, and delete it
# when you need it no more; `understudy people CLIP --cast FILE --no-embeddings` makes one without.
"""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class _Clip(_Strict):
    name: str = Field(default="", max_length=4096)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class _Embeddings(_Strict):
    embedder: str = Field(max_length=100)
    views: list[Annotated[str, Field(max_length=65_536)]] = Field(min_length=1, max_length=16)


class _Gets(_Strict):
    put: list[Annotated[str, Field(min_length=1, max_length=4096)]] = Field(default=[], max_length=100)
    do: Unswapped | None = None
    strength: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> _Gets:
        if self.put and self.do is not None:
            raise ValueError('somebody gets either a face (put) or something else (do = "blur" or "leave")')
        return self


class _Person(_Gets):
    number: int = Field(ge=1, le=1_000_000)
    shape: float | None = Field(default=None, ge=0, le=1.5)
    engine: str | None = Field(default=None, min_length=1, max_length=100)
    mask: dict[str, Any] | None = None
    enhance: list[Annotated[str, Field(max_length=200)]] | None = Field(default=None, max_length=20)
    share: float = Field(default=0.0, ge=0, le=1)
    first_seconds: float | None = None
    last_seconds: float | None = None
    center: tuple[float, float] = Field(default=(0.5, 0.5), strict=False)
    size: float = Field(default=0.0, ge=0)
    thumbnail: str | None = Field(default=None, max_length=2_000_000)
    embeddings: _Embeddings | None = None


class _File(_Strict):
    about: list[str] = []
    understudy_cast: Literal[1]
    clip: _Clip
    others: _Gets = _Gets()
    people: list[_Person] = Field(min_length=1, max_length=1000)


def check_cast(path: Path, *, overwrite: bool) -> None:
    """Whether a cast file can be written there.

    Raises:
        UsageError: it ends otherwise, or is there already.
        OutputError: its folder can't be written to.
    """
    if path.suffix.lower() not in (".toml", ".json"):
        raise UsageError(f"a cast can't be written to {names.said(path)}", "Name a file that ends in .toml or .json.")
    settled(path, overwrite=overwrite)


def write_cast(
    path: str | PathLike[str],
    people: Sequence[ClipPerson],
    clip: str,
    *,
    embeddings: bool = True,
    overwrite: bool = False,
    given: Mapping[int, Sequence[str] | Unswapped] | None = None,
    others: Sequence[str] | Unswapped = LEAVE,
) -> None:
    """Write a cast file. It is for its owner only (mode 0600).

    Args:
        path: A file that ends in ``.toml`` or ``.json``.
        people: Of one clip.
        clip: Its file's name.
        embeddings: Whether it is said what they look like.
        overwrite: Whether a file that is there may be replaced.
        given: What people get, by number: photos of one person, their paths as the file is to have them, or a word.
            None for nobody: it is to be filled in.
        others: What everybody else gets, likewise.

    Raises:
        UsageError: it ends otherwise, is there already, or there are no people.
        OutputError, NoSpaceError: it can't be written.
    """
    target = Path(path)
    check_cast(target, overwrite=overwrite)
    if not people:
        raise UsageError("there is nobody to write a cast of", "Use a clip in which somebody is seen.")
    tables: dict[str, Any] = {
        "understudy_cast": VERSION,
        "clip": {"name": clip, "sha256": people[0].clip},
        "others": _said(others),
        "people": [_table(person, (given or {}).get(person.number, ()), embeddings=embeddings) for person in people],
    }
    above = _ABOVE + (_BIOMETRIC if embeddings else "")
    if target.suffix.lower() == ".json":
        text = json.dumps({"about": above.replace("# ", "").split("\n")[:-1]} | tables, ensure_ascii=False, indent=2)
    else:
        text = f"{above}\n{toml.written(tables)}"
    Draft(target, overwrite=overwrite, private=True).write(f"{text}\n".encode())


def _said(gets: Sequence[str] | Unswapped) -> dict[str, Any]:
    return {"do": gets} if isinstance(gets, str) else {"put": list(gets)}


def _table(person: ClipPerson, gets: Sequence[str] | Unswapped, *, embeddings: bool) -> dict[str, Any]:
    seen: dict[str, Any] = {"number": person.number, **_said(gets), "share": round(person.share, 4)}
    if person.first_seconds is not None and person.last_seconds is not None:
        seen |= {"first_seconds": round(person.first_seconds, 3), "last_seconds": round(person.last_seconds, 3)}
    seen |= {"center": [round(value, 4) for value in person.center_xy], "size": round(person.size, 4)}
    if person.thumbnail is not None:
        ok, data = cv2.imencode(".jpg", person.thumbnail, [cv2.IMWRITE_JPEG_QUALITY, 88])
        seen |= {"thumbnail": base64.b64encode(data.tobytes()).decode()} if ok else {}
    if embeddings and person.known:
        views = [base64.b64encode(view.astype("<f4").tobytes()).decode() for view in person.views]
        seen |= {"embeddings": {"embedder": person.embedder, "views": views}}
    return seen


def read_cast(path: str | PathLike[str], consent: ConsentClaim | None = None) -> PartList:
    """What a cast file says. Photos are relative to its folder.

    Args:
        path: A file that ends in ``.toml`` or ``.json``.
        consent: On what ground the photos in it are used; None where records say so already.

    Raises:
        UsageError: it ends otherwise, says what can't be, or gives nobody a face.
        InputError: it is not there, can't be read, is too long, of a newer version, or no cast.
    """
    path = Path(path)
    tables = read_tables(path, LONGEST, "cast", _HINT)
    version = tables.get("understudy_cast")
    if isinstance(version, int) and version > VERSION:
        raise InputError(f"{path.name} was made by a newer version", "Update this program.")
    found = _checked(path, tables)
    folder = path.absolute().parent

    def gets(one: _Gets) -> Gets | None:
        if one.put:
            return Person(tuple(folder / photo for photo in one.put), consent=consent)
        return one.do

    try:
        people = tuple(_person(one, found.clip.sha256) for one in found.people)
        parts = tuple(_part(one, got) for one in found.people if (got := gets(one)) is not None)
    except ValueError as fault:
        raise InputError(f"can't use {path}: {fault}", _HINT) from fault
    numbers = [one.number for one in people]
    if len(set(numbers)) < len(numbers):
        raise InputError(f"can't use {path}: a number is there twice", _HINT)
    others = gets(found.others)
    if not parts and others in (None, LEAVE):
        raise UsageError(
            f"nobody gets a face in {path.name}: it is not filled in",
            'Name a photo in it, for one person at least: put = ["host.jpg"], beside their number.',
        )
    return PartList(parts, LEAVE if others is None else others, people)


def _checked(path: Path, tables: Mapping[str, Any]) -> _File:
    try:
        return _File.model_validate(tables)
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        place = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
        reason = first["msg"].replace("Input should", "it should", 1)
        raise InputError(f"can't use {path}: {place or 'the file'}: {reason}", _HINT) from fault


def _part(one: _Person, gets: Gets) -> Part:
    """What somebody gets, with what is set for them alone.

    Raises:
        ValueError: that can't be set so.
    """
    mask = None
    if one.mask is not None:
        values: dict[str, object] = {f"blend.mask.{name}": value for name, value in one.mask.items()}
        mask = changed(Settings(), values).blend.mask
    enhance = None if one.enhance is None else EnhanceOptions(tuple(one.enhance))
    return Part(one.number, gets, one.strength, mask, enhance, one.shape, one.engine)


def _person(one: _Person, clip: str) -> ClipPerson:
    views = np.zeros((0, 0), np.float32) if one.embeddings is None else _views(one.embeddings.views, one.number)
    return ClipPerson(
        number=one.number,
        clip=clip,
        share=one.share,
        first_seconds=one.first_seconds,
        last_seconds=one.last_seconds,
        center_xy=one.center,
        size=one.size,
        views=views,
        embedder="" if one.embeddings is None else one.embeddings.embedder,
    )


def _views(texts: Sequence[str], number: int) -> FloatArray:
    """Embeddings out of a file: float32 (V, D).

    Raises:
        ValueError: they are none.
    """
    try:
        views = [np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32) for text in texts]
    except (binascii.Error, ValueError) as fault:
        raise ValueError(f"the embeddings of person {number} are damaged") from fault
    if len({len(view) for view in views}) != 1 or not all(len(view) and np.isfinite(view).all() for view in views):
        raise ValueError(f"the embeddings of person {number} are damaged")
    return np.stack(views)
