"""What travels to a worker for one clip: the plan, the settings, the photos, and the clip in pieces."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from understudy.casting.cast import Like, Part, PartList
from understudy.casting.person import Person
from understudy.errors import InputError, unreadable_input
from understudy.jobs.workshop import ClipWork
from understudy.provenance.records.keys import SigningOptions
from understudy.settings import Settings
from understudy.settings.files import as_json
from understudy.tasks.segments.edges import SegmentOptions

#: Bytes of a piece.
PIECE: Final = 8 << 20
#: Most bytes of a photo.
_PHOTO: Final = 256_000_000


@dataclass(frozen=True, eq=False)
class Parcel:
    """All that is the same for every segment of a clip. No key, no record of consent and no ledger is in it.

    Attributes:
        key: Which clip of which job.
        name: The clip's file name.
        digest: SHA-256 of it.
        size: Its bytes.
        pieces: References to its pieces, in order.
        files: Photos and other small files, by the name under which they are laid down.
        cast: Whose face; or who gets whose. Its paths are names in ``files``.
        settings: As a settings file has them; paths are names in ``files``.
        plan: As ``ClipPlan.as_json`` has it.
        options: How segments are warmed.
        suffix: Of the output.
    """

    key: str
    name: str
    digest: str
    size: int
    pieces: tuple[Any, ...]
    files: Mapping[str, bytes]
    cast: Person | PartList
    settings: str
    plan: Mapping[str, Any]
    options: SegmentOptions
    suffix: str


def parcel_of(key: str, clip: ClipWork, put: Callable[[bytes], Any]) -> Parcel:
    """Make up the parcel of a clip.

    Args:
        key: Its own.
        clip: What is to be done.
        put: Lays a piece where workers find it, and gives a reference to it.

    Raises:
        InputError: the clip or a photo can't be read.
    """
    small = _Small()
    settings = replace(clip.settings, home=None, signing=SigningOptions())
    if settings.label.font is not None:
        settings = replace(settings, label=replace(settings.label, font=Path("/") / small.take(settings.label.font)))
    cast = with_paths(clip.cast, lambda path: Path(small.take(path)))
    try:
        pieces = tuple(put(piece) for piece in pieces_of(clip.target))
        size = clip.target.stat().st_size
    except OSError as fault:
        raise unreadable_input(clip.target, fault) from fault
    return Parcel(
        key,
        clip.target.name,
        clip.digest,
        size,
        pieces,
        small.files,
        cast,
        as_json(settings),
        clip.plan.as_json(),
        clip.options,
        clip.suffix,
    )


def pieces_of(path: Path) -> Iterator[bytes]:
    """A file, piece by piece.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def lay_down(path: Path, pieces: Iterable[bytes], digest: str, told: Callable[[], None] = lambda: None) -> None:
    """Write a file of which the pieces came, for its owner only; it is the file that was sent, or there is none.

    Args:
        path: The file.
        pieces: In order.
        digest: SHA-256 that it has.
        told: Called at every piece.

    Raises:
        InputError: it is another file.
        OSError: it can't be written.
    """
    seen = hashlib.sha256()
    path.touch(0o600)
    with path.open("r+b") as file:
        for piece in pieces:
            seen.update(piece)
            file.write(piece)
            told()
    if seen.hexdigest() != digest:
        path.unlink()
        raise InputError(f"{path.name} is another file than when the job was added", "Add the job anew.")


def keep(part: Path, path: Path) -> None:
    """Give a file that is whole its name, when it is on the disk.

    Raises:
        OSError: it can't be.
    """
    with part.open("r+b") as file:
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def with_paths(cast: Person | PartList, changed: Callable[[Path], Path]) -> Person | PartList:
    """A cast with the same photos in other places, and without what was said of consent.

    Args:
        cast: Whose face; or who gets whose.
        changed: Where a photo is now.
    """
    persons: dict[Person, Person] = {}

    def person(one: Person) -> Person:
        if one not in persons:  # the same person stays one
            persons[one] = Person(tuple(changed(photo) for photo in one.photos), one.name)
        return persons[one]

    def part(one: Part) -> Part:
        who = replace(one.who, photo=changed(one.who.photo)) if isinstance(one.who, Like) else one.who
        return replace(one, who=who, gets=person(one.gets) if isinstance(one.gets, Person) else one.gets)

    if isinstance(cast, Person):
        return person(cast)
    others = person(cast.others) if isinstance(cast.others, Person) else cast.others
    return PartList(tuple(part(one) for one in cast.parts), others, cast.people)


def font_in(settings: Settings, folder: Path) -> Settings:
    """Settings whose font lies in a folder, as ``parcel_of`` has named it."""
    font = settings.label.font
    if font is None:
        return settings
    return replace(settings, label=replace(settings.label, font=folder / font.relative_to("/")))


class _Small:
    """Small files that go along, each once."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._names: dict[Path, str] = {}

    def take(self, path: Path) -> str:
        """The name under which a file is laid down.

        Raises:
            InputError: it can't be read.
        """
        if path not in self._names:
            name = f"{len(self._names)}/{path.name}"  # two may have the same name
            try:
                with path.open("rb") as file:
                    data = file.read(_PHOTO + 1)
            except OSError as fault:
                raise unreadable_input(path, fault) from fault
            if len(data) > _PHOTO:
                raise InputError(f"{path.name} is too large a photo", "Make it smaller.")
            self.files[name], self._names[path] = data, name
        return self._names[path]
