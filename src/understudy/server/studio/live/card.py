"""A face card: one person's photos, and what each of them may be used for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from understudy.casting.person import Person
from understudy.casting.views import View
from understudy.provenance import ConsentClaim
from understudy.provenance.records.consent import USES, Consent, Photo, Use

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
        box: Where the face is, x0, y0, x1, y1 in the photo's pixels.
        view: How it shows the face; None if nobody looked since it was kept, or it comes with the program.
        uses: What records say that it may be used for.
    """

    id: str
    photo: Photo
    path: Path
    picture: bytes
    box: tuple[float, float, float, float]
    view: View | None = None
    uses: frozenset[Use] = frozenset()

    @property
    def address(self) -> str:
        """Where a page gets the picture."""
        return f"{PLACE}/{self.id}.jpg"

    @property
    def name(self) -> str:
        """For people."""
        return Path(self.photo.name).stem

    def uses_in(self, records: Sequence[Consent]) -> frozenset[Use]:
        """What it may be used for, by all the records there are, the oldest first."""
        about = [record for record in records if self.photo.is_copy_of(record)]
        # As ``Consents.require`` has it: what was revoked last holds over what was granted before.
        if about and about[-1].state == "revoked":
            return frozenset()
        if self.id == SAMPLE:
            return frozenset(USES)
        return frozenset(use for record in about if record.state == "valid" for use in record.uses)


@dataclass(frozen=True)
class Card:
    """A person. Only those photos are used that may be: of which nothing was said yet, one waits.

    Attributes:
        id: The first photo's.
        photos: Of that person only. Each part of the face comes from the photo that shows it best.
        kept: What it is kept as for the next studio; empty if it is not.
    """

    id: str
    photos: tuple[CardPhoto, ...]
    kept: str = ""

    @property
    def name(self) -> str:
        """For people."""
        return self.photos[0].name

    @property
    def address(self) -> str:
        """Where a page gets a picture of them."""
        return self.photos[0].address

    @property
    def allowed(self) -> tuple[CardPhoto, ...]:
        """The photos that may be used for something: of the others nobody said whose they are."""
        return tuple(photo for photo in self.photos if photo.uses)

    def usable(self, use: Use) -> tuple[CardPhoto, ...]:
        """The photos that may be used for something."""
        return tuple(photo for photo in self.photos if use in photo.uses)

    def key(self, use: Use) -> tuple[str, ...]:
        """The ids of these: another key, another face."""
        return tuple(photo.id for photo in self.usable(use))

    def asked_about(self, use: Use) -> tuple[CardPhoto, ...]:
        """The photos of which it must be said whose they are: those that wait; all, if none may be used for that."""
        may = self.usable(use)
        return tuple(photo for photo in self.photos if not photo.uses or (not may and use not in photo.uses))

    def person(self, use: Use) -> Person:
        """Whose face it is, as sessions and swaps take it."""
        claim = ConsentClaim("sample") if self.id == SAMPLE else None
        return Person(tuple(photo.path for photo in self.usable(use)), self.name, claim)
