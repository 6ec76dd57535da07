"""Photos that the studio keeps for later, named by what consent knows them by: they go when that is revoked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from understudy.errors import RecordsError
from understudy.provenance.records.home import Home

if TYPE_CHECKING:
    from understudy.provenance.records.consent import Consent, Photo

#: Where they are in the private folder, each in a folder of what needs it: a clip on which somebody is at work; a face.
EDITS: Final = ("studio", "edits")
FACES: Final = ("studio", "faces")
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
    from understudy.provenance.records.consent import Photo

    found = _NAME.fullmatch(file)
    return None if found is None else Photo(name, found[1], found[2])


def forget_photos(home: Home, revoked: Sequence[Consent]) -> None:
    """Remove the photos that records are about, and their copies.

    Args:
        home: The private folder.
        revoked: The records.

    Raises:
        RecordsError: one can't be removed. The others are.
    """
    left: list[str] = []
    for path in [*home.root.joinpath(*EDITS).glob("*/*"), *home.root.joinpath(*FACES).glob("*/*")]:
        photo = kept_photo(path.name, "")
        if photo is not None and any(photo.is_copy_of(record) for record in revoked):
            try:
                path.unlink(missing_ok=True)
            except OSError as fault:
                left.append(f"{path}: {fault.strerror}")
    if left:
        raise RecordsError(f"what is kept of a face can't be removed: {', '.join(left)}", "Remove it by hand.")
