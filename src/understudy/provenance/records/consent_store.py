"""One user's consent records: made, asked for, ended and revoked."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from understudy.errors import ConsentError, RecordsError, UsageError
from understudy.provenance.records.consent import Consent, ConsentClaim, Photo, Use, now
from understudy.provenance.records.faces import FaceCache
from understudy.provenance.records.home import Home
from understudy.provenance.records.kept_photos import forget_photos
from understudy.provenance.records.rows import body_of, parse
from understudy.provenance.records.sqlite_file import database
from understudy.provenance.records.unreadable import UnreadableConsent, check_none_of

_SCHEMA = "CREATE TABLE IF NOT EXISTS consents (id TEXT PRIMARY KEY, body TEXT NOT NULL)"
_HINT = "Say on what ground: --consent self, granted (with --consent-note), fictional or sample."
#: What is said of a record that allows nothing any more.
_OVER: Final = {"revoked": "was revoked", "expired": "has expired"}


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

    def end(self, name: str) -> None:
        """Have the time of a file's records be over now, and remove what was kept of that face under them.

        Other than revoking it this leaves alone what others say of a copy, and forbids nobody to say it anew.

        Args:
            name: Of the file, which no other file has.
        """
        with database(self._path, _SCHEMA) as connection:
            about = [one for one in self._records(connection) if one.name == name and one.state == "valid"]
            ended = [replace(one, expires=now()) for one in about]
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
            changed = [replace(record, revoked=now()) for record in about if not record.revoked] or meant
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

    def _settle(self, connection: sqlite3.Connection, which: str, photo: Photo | None) -> bool:
        """Revoke what can't be read of what is meant; whether there was any."""
        settled = False
        for record in self._all(connection)[1]:
            kept = record.revoked(now())
            if kept is None and which == record.id:
                connection.execute("DELETE FROM consents WHERE rowid = ?", (record.row,))
            elif kept is not None and _meant(kept, which, photo):
                connection.execute("UPDATE consents SET body = ? WHERE rowid = ?", (body_of(kept), record.row))
            else:
                continue
            settled = True
        return settled


def _meant(record: Consent, which: str, photo: Photo | None) -> bool:
    if photo is not None:
        return photo.is_copy_of(record)
    return which == record.id or (len(which) >= 8 and record.digest.startswith(which))


def _refusal(photo: Photo, use: Use, newest: Consent | None) -> tuple[str, str]:
    if newest is None:
        return f"there is no consent for using {photo.name}", _HINT
    if newest.state == "expired":
        return f"consent for {photo.name} expired on {newest.expires[:10]}", _HINT
    return f"consent for {photo.name} is for {', '.join(newest.uses)}, not for {use}", _HINT


def _insert(connection: sqlite3.Connection, photo: Photo, claim: ConsentClaim) -> Consent:
    record = Consent.of(photo, claim)
    body = body_of(record)
    parse(Consent, body)  # what can't be read again is not written
    connection.execute("INSERT INTO consents VALUES (?, ?)", (record.id, body))
    return record
