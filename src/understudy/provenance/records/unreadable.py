"""Records of consent that can't be read. They allow nothing, and leave all other records as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from understudy.errors import ConsentError
from understudy.provenance.records.consent import Consent, Photo
from understudy.provenance.records.rows import readable
from understudy.text import printable

_LOST: Final = "(this record was damaged: what it said here is lost)"


@dataclass(frozen=True)
class UnreadableConsent:
    """One such record.

    Attributes:
        id: Its id, as the database has it.
        reason: What is wrong with it.
        row: Its place in the database.
        body: What the database holds.
    """

    id: str
    reason: str
    row: int
    body: object

    @property
    def photo(self) -> Photo | None:
        """Of what it is, where that much can be read."""
        left = readable(Consent, self.body)
        if "digest" not in left or "look" not in left:
            return None
        return Photo(left.get("name", _LOST), left["digest"], left["look"])

    def revoked(self, now: str) -> Consent | None:
        """A record that can be read, with what is left of it, and that is revoked; None if not even the photo is known.

        Args:
            now: When; UTC, ISO 8601.
        """
        photo = self.photo
        if photo is None:
            return None
        least = {"ground": "granted", "note": _LOST, "uses": (), "given": now, "expires": now}
        left = readable(Consent, self.body)
        return Consent(**(least | left | {"id": self.id, "name": photo.name, "revoked": left.get("revoked") or now}))


def check_none_of(photo: Photo, unreadable: Iterable[UnreadableConsent]) -> None:
    """Make sure that a photo can be given a new record: it may have been revoked in one that can't be read.

    Raises:
        ConsentError: one is of that photo, or may be.
    """
    for record in unreadable:
        about = record.photo
        if about is None or photo.is_copy_of(about):
            number = printable(record.id)
            raise ConsentError(
                f"the consent record {number} can't be read, so nothing is allowed for {photo.name}: {record.reason}",
                f"Revoke it: understudy consent revoke {number}. Then grant anew: understudy consent grant PHOTO.",
            )
