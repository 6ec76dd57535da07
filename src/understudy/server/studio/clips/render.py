"""From what is chosen in the room to a job, with all that it needs beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Final

from understudy.casting.cast_file import write_cast
from understudy.casting.roles import BLUR, LEAVE, Unswapped
from understudy.errors import ConsentError, UsageError
from understudy.jobs.job import Order
from understudy.outputs import made
from understudy.provenance.records.consent import Use
from understudy.server.studio.clips.clip import Clip
from understudy.server.studio.clips.edits import OTHERS
from understudy.server.studio.jobs.kept import keep, stem_of
from understudy.server.studio.live.card import Card
from understudy.settings import Settings
from understudy.settings.schema import unusual

_CAST: Final = "cast.json"


def ordered(
    clip: Clip,
    given: Mapping[int, str],
    cards: Mapping[str, Card],
    use: Use,
    settings: Settings,
    suffix: str,
    kept: Path,
    folder: Path,
    taken: Sequence[Path],
) -> Order:
    """What a job is to do.

    Args:
        clip: The target.
        given: What its people get, by number, and ``OTHERS``.
        cards: The faces that they get, by id.
        use: What these are used for: only those photos that may be.
        settings: How.
        suffix: Of the format.
        kept: The folder in which what the job needs is kept.
        folder: Where the output goes; made if it is missing.
        taken: Outputs that other jobs will write.

    Raises:
        UsageError: nobody gets anything.
        ConsentError: a face may not be used.
        OutputError, NoSpaceError, InputError: something can't be written or read.
    """
    if clip.report is None or not given:
        raise UsageError("nobody gets a face", "Put a face on somebody.")
    stem = stem_of(clip.name)
    target = _target(clip.path, stem, kept, folder)
    numbers = count(1)
    photos = {card: [path.name for path in _photos(face, use, kept, numbers)] for card, face in cards.items()}
    words: dict[str, Unswapped] = {BLUR: BLUR, LEAVE: LEAVE}
    gets = {number: words[what] if what in words else photos[what] for number, what in given.items()}
    others = gets.pop(OTHERS, LEAVE)
    write_cast(kept / _CAST, clip.report.people, target.name, given=gets, others=others)
    return Order(target, _unused(folder, stem, suffix, taken), cast=kept / _CAST, settings=unusual(settings))


def ordered_alike(
    path: Path,
    name: str,
    face: Card,
    use: Use,
    settings: Settings,
    suffix: str,
    kept: Path,
    folder: Path,
    taken: Sequence[Path],
) -> Order:
    """The same for another file, in which nobody looked yet who is there: a face for whom the settings name.

    Args:
        path: The file.
        name: What the user calls it.
        face: Whose face.
        use: What it is used for: only those photos that may be.
        settings: How.
        suffix: Of the format.
        kept: The folder in which what the job needs is kept.
        folder: Where the output goes; made if it is missing.
        taken: Outputs that other jobs will write.

    Raises:
        ConsentError: the face may not be used.
        OutputError, NoSpaceError, InputError: something can't be written or read.
    """
    stem = stem_of(name)
    target = _target(path, stem, kept, folder)
    photos = tuple(_photos(face, use, kept, count(1)))
    return Order(target, _unused(folder, stem, suffix, taken), photos, settings=unusual(settings))


def _target(path: Path, stem: str, kept: Path, folder: Path) -> Path:
    made(folder, "Name another with --recordings.")
    return keep(path, stem + path.suffix, kept, linked=True)


def _photos(face: Card, use: Use, kept: Path, numbers: Iterator[int]) -> list[Path]:
    """Copies of a face's photos: of those that may be used."""
    names = {photo: f"{next(numbers)} {stem_of(photo.name)}{photo.path.suffix}" for photo in face.usable(use)}
    if not names:
        raise ConsentError(f"{face.name} may not be used here", "Press the card and say whose it is.")
    return [keep(photo.path, name, kept) for photo, name in names.items()]


def _unused(folder: Path, stem: str, suffix: str, taken: Sequence[Path]) -> Path:
    """A name that nothing has, and that no job will give to anything."""
    number = 1
    while True:
        path = folder / f"{stem} swapped{f' {number}' if number > 1 else ''}{suffix}"
        if not path.exists() and path not in taken and path.absolute() not in taken:
            return path
        number += 1
