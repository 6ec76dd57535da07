"""From what is chosen in the room to a job, with all that it needs beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from understudy.casting.cast_file import write_cast
from understudy.casting.roles import BLUR, LEAVE, Unswapped
from understudy.errors import ConsentError, UsageError
from understudy.jobs.job import Order
from understudy.media.files import MediaKind
from understudy.outputs import made, output_errors
from understudy.provenance.records.consent import Use
from understudy.provenance.records.kept_photos import list_photo
from understudy.server.keeping import keep
from understudy.server.studio.clips.clip import Clip
from understudy.server.studio.clips.edits import OTHERS
from understudy.server.studio.jobs.kept import stem_of
from understudy.server.studio.live.card import Card
from understudy.settings import Settings
from understudy.settings.schema import unusual

_CAST: Final = "cast.json"
#: What can be written of each kind, by the suffix; the first is what is usual.
FORMATS: Final[Mapping[MediaKind, tuple[str, ...]]] = {
    MediaKind.VIDEO: (".mp4", ".mov", ".webm", ".mkv", ".gif"),
    MediaKind.ANIMATION: (".gif", ".webp", ".mp4", ".mov", ".webm"),
    MediaKind.IMAGE: (".png", ".jpg", ".webp"),
}


@dataclass(frozen=True)
class Rendition:
    """How something is rendered, and where to.

    Attributes:
        use: What faces are used for: only those photos that may be.
        settings: How.
        suffix: Of the format.
        kept: The folder in which what the job needs is kept.
        folder: Where the output goes; made if it is missing.
        taken: Outputs that other jobs will write.
    """

    use: Use
    settings: Settings
    suffix: str
    kept: Path
    folder: Path
    taken: Sequence[Path]


def ordered(clip: Clip, given: Mapping[int, str], cards: Mapping[str, Card], how: Rendition) -> Order:
    """What a job is to do.

    Args:
        clip: The target.
        given: What its people get, by number, and ``OTHERS``.
        cards: The faces that they get, by id.
        how: How, and where to.

    Raises:
        UsageError: nobody gets anything.
        ConsentError: a face may not be used.
        OutputError, NoSpaceError, InputError: something can't be written or read.
    """
    if clip.report is None or not given:
        raise UsageError("nobody gets a face", "Put a face on somebody.")
    stem = stem_of(clip.name)
    target = _target(clip.path, stem, how)
    numbers = count(1)
    photos = {card: [path.name for path in _photos(face, how, numbers)] for card, face in cards.items()}
    words: dict[str, Unswapped] = {BLUR: BLUR, LEAVE: LEAVE}
    gets = {number: words[what] if what in words else photos[what] for number, what in given.items()}
    others = gets.pop(OTHERS, LEAVE)
    write_cast(how.kept / _CAST, clip.report.people, target.name, given=gets, others=others)
    return Order(target, _unused(stem, how), cast=how.kept / _CAST, settings=unusual(how.settings))


def ordered_alike(path: Path, name: str, face: Card, how: Rendition) -> Order:
    """The same for another file, in which nobody looked yet who is there: a face for whom the settings name.

    Args:
        path: The file.
        name: What the user calls it.
        face: Whose face.
        how: How, and where to.

    Raises:
        ConsentError: the face may not be used.
        OutputError, NoSpaceError, InputError: something can't be written or read.
    """
    stem = stem_of(name)
    target = _target(path, stem, how)
    photos = tuple(_photos(face, how, count(1)))
    return Order(target, _unused(stem, how), photos, settings=unusual(how.settings))


def _target(path: Path, stem: str, how: Rendition) -> Path:
    made(how.folder, "Name another with --recordings.")
    return keep(path, stem + path.suffix, how.kept, linked=True)


def _photos(face: Card, how: Rendition, numbers: Iterator[int]) -> list[Path]:
    """Copies of a face's photos: of those that may be used."""
    names = {photo: f"{next(numbers)} {stem_of(photo.name)}{photo.path.suffix}" for photo in face.usable(how.use)}
    if not names:
        raise ConsentError(f"{face.name} may not be used here", "Press the card and say whose it is.")
    with output_errors(how.kept):
        for photo, name in names.items():
            list_photo(how.kept / name, photo.photo)
    return [keep(photo.path, name, how.kept) for photo, name in names.items()]


def _unused(stem: str, how: Rendition) -> Path:
    """A name that nothing has, and that no job will give to anything."""
    number = 1
    while True:
        path = how.folder / f"{stem} swapped{f' {number}' if number > 1 else ''}{how.suffix}"
        if not path.exists() and path not in how.taken and path.absolute() not in how.taken:
            return path
        number += 1
