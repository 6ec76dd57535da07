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
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, get_args

from understudy.arrays import UInt8Array
from understudy.errors import ConsentError, RecordsError, UsageError
from understudy.provenance.fingerprint import difference, picture_hash
from understudy.provenance.records.faces import FaceCache
from understudy.provenance.records.home import Home
from understudy.provenance.records.kept_photos import forget_photos
from understudy.provenance.records.rows import body_of, parse
from understudy.provenance.records.sqlite_file import database
from understudy.provenance.records.unreadable import UnreadableConsent, check_none_of

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
_SCHEMA = "CREATE TABLE IF NOT EXISTS consents (id TEXT PRIMARY KEY, body TEXT NOT NULL)"
_HINT = "Say on what ground: --consent self, granted (with --consent-note), fictional or sample."


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
        if self.ground == "granted" and not self.note.strip():
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

    @property
    def state(self) -> Literal["valid", "expired", "revoked"]:
        """What it is worth now."""
        if self.revoked:
            return "revoked"
        return "valid" if _now() < self.expires else "expired"


class Consents:
    """One user's consent records.

    Args:
        home: Where they are kept.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._path = home.folder() / "consents.sqlite"
        #: Records by their JSON, as they were last read: there may be thousands, and each is taken apart once.
        self._read: dict[str, Consent] = {}

    def grant(self, photo: Photo, claim: ConsentClaim) -> Consent:
        """Make a record. A photo that was revoked can be granted anew: this is the only way.

        Raises:
            ConsentError: ``sample`` for a photo that is none.
        """
        with database(self._path, _SCHEMA) as connection:
            return _insert(connection, photo, claim)

    def require(self, photo: Photo, use: Use, claim: ConsentClaim | None) -> Consent:
        """The record that allows using a photo; what the user claims makes one if there is none.

        Raises:
            ConsentError: there is none, or it was revoked, has expired, or is for other uses.
        """
        with database(self._path, _SCHEMA, reading=claim is None) as connection:
            records, unreadable = self._all(connection)
            about = [record for record in records if photo.is_copy_of(record)]
            newest = about[-1] if about else None
            if newest is not None and newest.state == "revoked":
                raise ConsentError(
                    f"consent for {photo.name} was revoked on {newest.revoked[:10]}",
                    "If it was given again: understudy consent grant PHOTO --ground …",
                )
            valid = [record for record in about if record.state == "valid" and use in record.uses]
            if not valid:
                check_none_of(photo, unreadable)
            if claim is None and not valid:
                raise ConsentError(*_refusal(photo, use, newest))
            if claim is None:
                # A copy may be somebody else's, who ends their record when they like.
                own = [record for record in valid if record.name == photo.name]
                return (own or valid)[-1]
            same = [r for r in valid if (r.ground, r.note, r.uses) == (claim.ground, claim.note, claim.uses)]
            if use not in claim.uses:
                raise ConsentError(f"this consent is not for {use}", "Grant it for that use.")
            return same[-1] if same else _insert(connection, photo, claim)

    def own(self, photo: Photo, claim: ConsentClaim) -> None:
        """Have a file's own record of what is claimed, where until now that of a copy allows using it.

        Args:
            photo: Which may be used: see ``require``.
            claim: What the user says of this file.
        """
        with database(self._path, _SCHEMA) as connection:
            about = [one for one in self._records(connection) if one.name == photo.name and photo.is_copy_of(one)]
            claimed = (claim.ground, claim.note, claim.uses)
            if not any(one.state == "valid" and (one.ground, one.note, one.uses) == claimed for one in about):
                _insert(connection, photo, claim)

    def all(self) -> list[Consent]:
        """All records, the oldest first, but for those of ``unreadable``."""
        if not self._path.exists():
            return []
        with database(self._path, _SCHEMA, reading=True) as connection:
            return self._records(connection)

    def unreadable(self) -> list[UnreadableConsent]:
        """Records that can't be read, the oldest first: they allow nothing, and ``revoke`` settles each by its id."""
        if not self._path.exists():
            return []
        with database(self._path, _SCHEMA, reading=True) as connection:
            return self._all(connection)[1]

    @property
    def stamp(self) -> tuple[int, int]:
        """Another one when records were made or changed since, by whatever program; nothing is read for that."""
        try:
            found = self._path.stat()
        except OSError:  # what is wrong is told when they are read
            return 0, 0
        return found.st_mtime_ns, found.st_size

    def check_valid(self, which: Sequence[str]) -> None:
        """Make sure that records, by their ids, still allow what they allowed.

        Raises:
            ConsentError: one was revoked or removed, or its time is over.
        """
        for number in which:
            record = self._one(number)
            if record is None or record.state != "valid":
                about = f"record {number} is gone" if record is None else f"for {record.name} {_OVER[record.state]}"
                raise ConsentError(f"consent {about}", "Use another photo, or ask for consent again.")

    def _records(self, connection: sqlite3.Connection) -> list[Consent]:
        """All records that can be read, the oldest first."""
        return self._all(connection)[0]

    def _all(self, connection: sqlite3.Connection) -> tuple[list[Consent], list[UnreadableConsent]]:
        """All records, the oldest first: those that can be read, and those that can't."""
        known, read, unreadable = self._read, {}, []
        for row, number, body in connection.execute("SELECT rowid, id, body FROM consents ORDER BY rowid").fetchall():
            try:
                read[body] = known.get(body) or parse(Consent, body)
            except RecordsError as fault:
                unreadable.append(UnreadableConsent(str(number), fault.message, row, body))
        self._read = read
        return list(read.values()), unreadable

    def _one(self, number: str) -> Consent | None:
        if not self._path.exists():
            return None
        with database(self._path, _SCHEMA, reading=True) as connection:
            row = connection.execute("SELECT body FROM consents WHERE id = ?", (number,)).fetchone()
        try:
            return None if row is None else parse(Consent, row[0])
        except RecordsError as fault:  # what is read can't say any more that the face may be shown
            raise ConsentError(f"consent record {number}: {fault.message}", "Revoke it, and grant it anew.") from fault

    def end(self, name: str) -> None:
        """Have the time of a file's records be over now, and remove what was kept of that face under them.

        Other than revoking it this leaves alone what others say of a copy, and forbids nobody to say it anew.

        Args:
            name: Of the file, which no other file has.
        """
        with database(self._path, _SCHEMA) as connection:
            about = [one for one in self._records(connection) if one.name == name and one.state == "valid"]
            ended = [replace(one, expires=_now()) for one in about]
            for record in ended:
                connection.execute("UPDATE consents SET body = ? WHERE id = ?", (body_of(record), record.id))
            needed = {one.digest for one in self._records(connection) if one.state == "valid"}
        for digest in sorted({record.digest for record in ended} - needed):
            FaceCache(self._home).forget(digest)

    def revoke(self, which: str, photo: Photo | None = None) -> list[Consent]:
        """Revoke every record of a photo and its copies, and remove what was kept of those faces.

        Another record would go on allowing what was revoked.

        Records of that photo that can't be read are replaced by such as can be, with what is left of them. One of
        which not even the photo is known is removed, where its own id is named.

        Args:
            which: A record's id, or the beginning of the photo's SHA-256 (eight digits or more).
            photo: In place of ``which``: the photo itself.

        Returns:
            The records as they are now.

        Raises:
            UsageError: there is no such record.
        """
        with database(self._path, _SCHEMA) as connection:
            settled = self._settle(connection, which, photo)
            records = self._records(connection)
            meant = [record for record in records if _meant(record, which, photo)]
            if not meant and settled:
                return []
            if not meant:
                raise UsageError(f"no consent record fits {which}", "`understudy consent list` shows them.")
            about = [record for record in records if any(record.is_copy_of(one) for one in meant)]
            changed = [_revoked(record) for record in about if not record.revoked] or meant
            for record in changed:
                connection.execute("UPDATE consents SET body = ? WHERE id = ?", (body_of(record), record.id))
            # A copy of a photo may be used on the ground of another one's record.
            copies = {
                one.digest for one in self._records(connection) if any(record.is_copy_of(one) for record in changed)
            }
        faults = []
        for digest in sorted(copies):
            try:
                FaceCache(self._home).forget(digest)
            except RecordsError as fault:  # the others go all the same
                faults.append(fault)
        try:
            forget_photos(self._home, changed)
        except RecordsError as fault:
            faults.append(fault)
        if faults:
            raise faults[0] if len(faults) == 1 else RecordsError("; ".join(map(str, faults)), faults[0].hint)
        return changed

    def _settle(self, connection: sqlite3.Connection, which: str, photo: Photo | None) -> bool:
        """Revoke what can't be read of what is meant; whether there was any."""
        settled = False
        for record in self._all(connection)[1]:
            kept = record.revoked(_now())
            if kept is None and which == record.id:
                connection.execute("DELETE FROM consents WHERE rowid = ?", (record.row,))
            elif kept is not None and _meant(kept, which, photo):
                connection.execute("UPDATE consents SET body = ? WHERE rowid = ?", (body_of(kept), record.row))
            else:
                continue
            settled = True
        return settled


#: What is said of a record that allows nothing any more.
_OVER: Final = {"revoked": "was revoked", "expired": "has expired"}


def _same_picture(one: Photo | Consent, other: Photo | Consent) -> bool:
    return one.digest == other.digest or difference(int(one.look, 16), int(other.look, 16)) <= _SAME_PHOTO


def _meant(record: Consent, which: str, photo: Photo | None) -> bool:
    if photo is not None:
        return photo.is_copy_of(record)
    return which == record.id or (len(which) >= 8 and record.digest.startswith(which))


def _revoked(record: Consent) -> Consent:
    return replace(record, revoked=_now())


def _refusal(photo: Photo, use: Use, newest: Consent | None) -> tuple[str, str]:
    if newest is None:
        return f"there is no consent for using {photo.name}", _HINT
    if newest.state == "expired":
        return f"consent for {photo.name} expired on {newest.expires[:10]}", _HINT
    return f"consent for {photo.name} is for {', '.join(newest.uses)}, not for {use}", _HINT


def _insert(connection: sqlite3.Connection, photo: Photo, claim: ConsentClaim) -> Consent:
    if claim.ground == "sample" and photo.digest not in SAMPLES:
        raise ConsentError(
            f"{photo.name} is not one of the portraits that come with this program",
            "Choose the ground that holds: self, granted or fictional.",
        )
    given, span = dt.datetime.now(dt.timezone.utc), dt.timedelta(days=claim.days)
    record = Consent(
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
    body = body_of(record)
    parse(Consent, body)  # what can't be read again is not written
    connection.execute("INSERT INTO consents VALUES (?, ?)", (record.id, body))
    return record


def _now() -> str:
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds")


def a_year_from(today: dt.date) -> dt.date:
    """The same day of the next year."""
    year = min(today.year + 1, dt.MAXYEAR)
    return today.replace(year=year) if (today.month, today.day) != (2, 29) else today.replace(year=year, day=28)


def written_form(today: dt.date) -> str:
    """A form for consent in writing, as Markdown: to be filled in, signed and kept by both."""
    lines = "_" * 48
    return f"""# Consent to the use of my face

I, {lines} (name),
born on ____________________ (I am 18 or older),

allow {lines} (name of the user)

to put my face, taken from these photos:

    {lines}

into   [ ] pictures   [ ] videos   [ ] live output
for this purpose: {lines}
until (date; a year from today is {a_year_from(today)}): ____________________

I know that
- the result is made with software, carries a visible label and an invisible mark, and is signed as such;
- my photos stay on the user's machine;
- I may revoke this consent at any time, in writing; the user then removes what is kept of my face and makes nothing
  new with it. What has been published until then is to be taken down where the user can do so.

Not allowed in any case: intimate or degrading pictures, pretending that I said or did something as fact, passing an
identity check, and any use of the face of a person under 18.

Place, date: {lines}

Signature:   {lines}
"""
