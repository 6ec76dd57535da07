"""A face card: one person's photos, and which of them may be used for what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from understudy.casting.person import Person
from understudy.provenance import ConsentClaim
from understudy.provenance.records.consent import Consent, Photo, Use

#: Where pages get the pictures.
PLACE: Final = "/live/faces"
#: The card that is there at the first start.
SAMPLE: Final = "sample"


@dataclass(frozen=True)
class CardPhoto:
    """A photo.

    Attributes:
        id: That the server made.
        photo: What consent knows it by, with the name that the user knows.
        path: Where it lies.
        picture: A JPEG of the face.
    """

    id: str
    photo: Photo
    path: Path
    picture: bytes

    @property
    def address(self) -> str:
        """Where a page gets the picture."""
        return f"{PLACE}/{self.id}.jpg"

    @property
    def name(self) -> str:
        """For people."""
        return Path(self.photo.name).stem

    def lacks(self, records: Sequence[Consent], uses: Collection[Use] = ()) -> bool:
        """Whether it may not be used for all of that; without uses, for anything.

        Args:
            records: All there are, the oldest first.
            uses: For what.
        """
        about = [record for record in records if self.photo.is_copy_of(record)]
        # As ``Consents.require`` has it: what was revoked last holds over what was granted before.
        if about and about[-1].state == "revoked":
            return True
        if self.id == SAMPLE:
            return False
        valid = [record for record in about if record.state == "valid"]
        return not valid or not all(any(use in record.uses for record in valid) for use in uses)


@dataclass(frozen=True)
class Card:
    """A person.

    Attributes:
        id: The first photo's.
        photos: Of that person only. Each part of the face comes from the photo that shows it best.
        allowed: Whether records say that all of them may be used live.
    """

    id: str
    photos: tuple[CardPhoto, ...]
    allowed: bool = False

    @property
    def name(self) -> str:
        """For people."""
        return self.photos[0].name

    @property
    def address(self) -> str:
        """Where a page gets a picture of them."""
        return self.photos[0].address

    @property
    def key(self) -> tuple[str, ...]:
        """The ids of the photos: another key, another face."""
        return tuple(photo.id for photo in self.photos)

    @property
    def person(self) -> Person:
        """Whose face it is, as sessions and swaps take it."""
        claim = ConsentClaim("sample") if self.id == SAMPLE else None
        return Person(tuple(photo.path for photo in self.photos), self.name, claim)

    def lacking(self, records: Sequence[Consent], uses: Collection[Use] = ()) -> tuple[CardPhoto, ...]:
        """The photos that may not be used for all of that: see ``CardPhoto.lacks``."""
        return tuple(photo for photo in self.photos if photo.lacks(records, uses))
