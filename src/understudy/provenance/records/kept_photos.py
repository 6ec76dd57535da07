"""Photos that the studio keeps for later, with what consent knows them by: they go when that is revoked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from understudy.errors import RecordsError
from understudy.provenance.records.consent import Consent, Photo
from understudy.provenance.records.home import Home

#: Where they are in the private folder, each in a folder of what needs it: a clip on which somebody is at work; a face;
#: a job that is not done.
EDITS: Final = ("studio", "edits")
FACES: Final = ("studio", "faces")
JOBS: Final = ("studio", "kept")
#: In a job's folder photos have names for people. What consent knows each by is in this file, a line each.
_LIST: Final = "photos.txt"
#: The photo's SHA-256, the hash of what is seen on it, and its suffix.
_NAME: Final = re.compile(r"([0-9a-f]{64})-([0-9a-f]{64})(\.[a-z0-9]{1,8})?")


def kept_name(photo: Photo, suffix: str) -> str:
    """What such a photo's file is called.

    Args:
        photo: What consent knows it by.
        suffix: Of its file.
    """
    return f"{photo.digest}-{photo.look}{suffix}"


def kept_photo(file: str, name: str) -> Photo | None:
    """What consent knows a photo by that has such a name; None for another.

    Args:
        file: What its file is called.
        name: What the user calls it.
    """
    found = _NAME.fullmatch(file)
    return None if found is None else Photo(name, found[1], found[2])


def list_photo(path: Path, photo: Photo) -> None:
    """Note what consent knows a job's photo by.

    Args:
        path: The photo, in the job's folder.
        photo: What consent knows it by.

    Raises:
        OSError: that can't be written.
    """
    listed = path.with_name(_LIST)
    listed.touch(0o600)
    with listed.open("a", encoding="utf-8") as file:
        file.write(f"{kept_name(photo, '')} {path.name}\n")


def are_forgotten(folder: Path) -> bool:
    """Whether photos of a job were removed because they may not be used any more.

    Args:
        folder: The job's; any other one is of no job.
    """
    return any(not path.exists() for path, _ in _listed(folder))


def forget_photos(home: Home, revoked: Sequence[Consent]) -> None:
    """Remove the photos that records are about, and their copies.

    Args:
        home: The private folder.
        revoked: The records.

    Raises:
        RecordsError: one can't be removed. The others are.
    """
    left: list[str] = []
    for path, photo in _all_kept(home):
        if any(photo.is_copy_of(record) for record in revoked):
            try:
                path.unlink(missing_ok=True)
            except OSError as fault:
                left.append(f"{path}: {fault.strerror}")
    if left:
        raise RecordsError(f"what is kept of a face can't be removed: {', '.join(left)}", "Remove it by hand.")


def _all_kept(home: Home) -> Iterator[tuple[Path, Photo]]:
    for place in (EDITS, FACES):
        for path in home.root.joinpath(*place).glob("*/*"):
            if (photo := kept_photo(path.name, "")) is not None:
                yield path, photo
    for folder in home.root.joinpath(*JOBS).glob("*"):
        yield from _listed(folder)


def _listed(folder: Path) -> Iterator[tuple[Path, Photo]]:
    """The photos in a job's folder, there or not."""
    try:
        lines = (folder / _LIST).read_text("utf-8").split("\n")
    except (OSError, ValueError):  # no job's, or that is done meanwhile
        return
    for line in lines:
        known, _, name = line.partition(" ")
        if (photo := kept_photo(known, name)) is not None and name:
            yield folder / name, photo
