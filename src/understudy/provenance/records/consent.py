"""Consent: on what ground somebody's photo is used, for what, and until when.

A record knows a photo by its SHA-256 and by a hash of the whole picture (so that a copy saved anew is known too):
nothing is measured of the face. Using a photo without a valid record is refused.

**Minors.** Faces of people under 18 are not to be used, whoever consents. This program can't see an age and does not
pretend to: every ground below is a statement that the person is an adult (or not a real person), made by the user
and kept in the record.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from understudy.arrays import UInt8Array
from understudy.errors import ConsentError, UsageError
from understudy.provenance.fingerprint import difference, picture_hash

#: On what ground a photo is used: the user's own face, with the person's consent, of nobody who lives or lived, or one
#: of the samples of this package.
Ground = Literal["self", "granted", "fictional", "sample"]
Use = Literal["image", "video", "live"]
USES: Final[tuple[Use, ...]] = get_args(Use)
#: What each ground states.
GROUNDS: Final[dict[Ground, str]] = {
    "self": "This is my own face, and I am 18 or older.",
    "granted": "The person is 18 or older and has agreed to this use; the note says how.",
    "fictional": "This is no real person: a drawing, a statue, a character, a face that was made up.",
    "sample": "This is one of the public-domain portraits that come with this program.",
}
#: How long a consent holds where nothing else is said.
DAYS: Final = 365
#: SHA-256 of the portraits that come with the program.
SAMPLES: Final = frozenset(
    {
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
    }
)
#: The last time that there is a name for.
_LAST: Final = dt.datetime.max.replace(tzinfo=dt.timezone.utc)
#: Bits of 256 by which a copy of a photo may differ. Stricter than for outputs: a consent must not reach too far.
_SAME_PHOTO: Final = 12


@dataclass(frozen=True)
class ConsentClaim:
    """What the user says.

    Attributes:
        ground: ``self``, ``granted``, ``fictional`` or ``sample``.
        note: How consent was given; needed for ``granted``.
        uses: For what.
        days: For how long.

    Raises:
        UsageError: an unknown ground or use, ``granted`` without a note, or no time at all.
        TypeError: a note that is no text, uses that are no words, or days that are no whole number.
    """

    ground: Ground
    note: str = ""
    uses: tuple[Use, ...] = USES
    days: int = DAYS

    def __post_init__(self) -> None:
        self._check_types()
        if self.ground not in GROUNDS:
            raise UsageError(f"there is no ground {self.ground!r} for consent", f"Choose one of {', '.join(GROUNDS)}.")
        if self.ground == "granted" and not says_how(self.note):
            raise UsageError(
                "consent that was granted needs a note",
                'Say how, such as "signed form of 2026-05-04", with --consent-note (of `consent grant`: --note).',
            )
        if not self.uses or any(use not in USES for use in self.uses):
            raise UsageError(
                f"consent can't be for {', '.join(map(str, self.uses)) or 'nothing'}", f"Choose of {', '.join(USES)}."
            )
        if not 1 <= self.days <= 3660:
            raise UsageError(f"consent can't hold for {self.days} days", "Choose 1 to 3660.")

    def _check_types(self) -> None:
        """A record of anything else could not be read again."""
        uses: object = self.uses
        if isinstance(uses, (str, list)):
            object.__setattr__(self, "uses", (uses,) if isinstance(uses, str) else tuple(uses))
        elif not isinstance(uses, tuple):
            raise TypeError(f"the uses of a consent are words, not {type(uses).__name__}")
        if not isinstance(self.note, str):
            raise TypeError(f"the note of a consent is text, not {type(self.note).__name__}")
        if isinstance(self.days, bool) or not isinstance(self.days, int):
            raise TypeError(f"the days of a consent are a whole number, not {type(self.days).__name__}")


@dataclass(frozen=True)
class Photo:
    """A photo, as consent knows it.

    Attributes:
        name: The file's name, for people to read.
        digest: SHA-256 of the file.
        look: Hash of the whole picture, in hexadecimal (see ``fingerprint.picture_hash``).
    """

    name: str
    digest: str
    look: str

    @classmethod
    def of(cls, path: Path, digest: str, picture: UInt8Array) -> Photo:
        """The photo in ``path``: its digest, and its picture as uint8 BGR (H, W, 3)."""
        return cls(path.name, digest, f"{picture_hash(picture):064x}")

    def is_copy_of(self, other: Photo | Consent) -> bool:
        """Whether both show the same picture, though perhaps saved anew."""
        return _same_picture(self, other)


@dataclass(frozen=True)
class Consent:
    """One record.

    Attributes:
        id: Eight hexadecimal digits.
        name, digest, look: Of the photo (see ``Photo``).
        ground, note: What the user said.
        uses: For what it holds.
        given, expires: UTC, ISO 8601.
        revoked: When it was revoked; empty if it was not.
    """

    id: str
    name: str
    digest: str
    look: str
    ground: Ground
    note: str
    uses: tuple[Use, ...]
    given: str
    expires: str
    revoked: str = ""

    def is_copy_of(self, other: Consent) -> bool:
        """Whether both are of the same picture, though perhaps saved anew."""
        return _same_picture(self, other)

    @classmethod
    def of(cls, photo: Photo, claim: ConsentClaim) -> Consent:
        """A new record of what the user says of a photo, that holds from now on.

        Raises:
            ConsentError: ``sample`` for a photo that is none.
        """
        if claim.ground == "sample" and photo.digest not in SAMPLES:
            raise ConsentError(
                f"{photo.name} is not one of the portraits that come with this program",
                "Choose the ground that holds: self, granted or fictional.",
            )
        given, span = dt.datetime.now(dt.timezone.utc), dt.timedelta(days=claim.days)
        return cls(
            id=secrets.token_hex(4),
            name=photo.name,
            digest=photo.digest,
            look=photo.look,
            ground=claim.ground,
            note=claim.note,
            uses=claim.uses,
            given=given.isoformat(timespec="milliseconds"),
            expires=(min(given, _LAST - span) + span).isoformat(timespec="milliseconds"),
        )

    @property
    def state(self) -> Literal["valid", "expired", "revoked"]:
        """What it is worth now."""
        if self.revoked:
            return "revoked"
        return "valid" if now() < self.expires else "expired"


def says_how(note: str) -> bool:
    """Whether a note can say how consent was granted: letters or digits are in it, not only what is not seen."""
    return any(map(str.isalnum, note))


def now() -> str:
    """This moment as records have it: UTC, ISO 8601, to the millisecond."""
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds")


def _same_picture(one: Photo | Consent, other: Photo | Consent) -> bool:
    return one.digest == other.digest or difference(int(one.look, 16), int(other.look, 16)) <= _SAME_PHOTO
