"""Consent records and the ledger, as pages show and change them."""

from __future__ import annotations

import datetime as dt
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from understudy.app import Understudy
from understudy.errors import NotMediaError, RecordsError
from understudy.server.studio.records.form import form_response
from understudy.server.uploads import Uploads

if TYPE_CHECKING:
    from understudy.provenance.records.chain import Check
    from understudy.provenance.records.consent import Consent, ConsentClaim, Photo
    from understudy.provenance.records.ledger import Record

PLACE: Final = "/records"
#: Photos that are remembered while somebody is asked about them; the oldest go.
_MOST: Final = 20


@dataclass(frozen=True)
class Asked:
    """A photo of which it is asked whose it is. The file that was handed over is gone already.

    Attributes:
        id: That the server made.
        photo: What consent knows it by.
        picture: A JPEG of it.
        before: What was recorded of it, and of copies of it, the oldest first.
    """

    id: str
    photo: Photo
    picture: bytes
    before: tuple[Consent, ...]

    @property
    def address(self) -> str:
        """Where a page gets the picture."""
        return f"{PLACE}/photos/{self.id}.jpg"


@dataclass(frozen=True)
class Page:
    """Some records of the ledger.

    Attributes:
        records: The newest first.
        count: How many there are in all.
        check: What a look at the whole chain found.
    """

    records: tuple[Record, ...]
    count: int
    check: Check


class Records:
    """Both. What reads or writes files is for threads; it keeps nothing of them.

    Args:
        app: With the private folder.
        uploads: Where photos lie that were handed over.
    """

    def __init__(self, app: Understudy, uploads: Uploads) -> None:
        self._home, self._settings, self._uploads = app.resources.home, app.settings, uploads
        self._asked: OrderedDict[str, Asked] = OrderedDict()

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Where pages get pictures, and the ledger as a file."""
        return (
            Route(f"{PLACE}/photos/{{number}}.jpg", self._picture),
            Route(f"{PLACE}/ledger.jsonl", self._export),
            Route(f"{PLACE}/form", form_response),
        )

    def seen(self) -> tuple[object, ...]:
        """Another value, other records: looked up in a moment."""
        found: list[object] = []
        for name in ("consents.sqlite", "ledger.sqlite"):
            try:
                status = (self._home.root / name).stat()
            except OSError:
                found.append(None)
            else:
                found.append((status.st_mtime_ns, status.st_size))
        return tuple(found)

    def consents(self) -> list[Consent]:
        """All consent records, the newest first.

        Raises:
            RecordsError, PrivacyError: they can't be read.
        """
        from understudy.provenance.records.consent_store import Consents

        return Consents(self._home).all()[::-1]

    def ask(self, number: str) -> Asked:
        """Read a photo that was handed over; the file goes.

        Args:
            number: The upload's id.

        Raises:
            UnderstudyError: it is no photo, or can't be read.
        """
        from understudy.media.files import load_photo
        from understudy.provenance.records.consent import Photo
        from understudy.release import file_digest
        from understudy.server.studio.small import small_picture

        upload = self._uploads[number]
        try:
            picture = load_photo(upload.path, self._settings.max_pixels)
            if picture is None:
                raise NotMediaError(f"{upload.name} is not a photo", "Choose a picture, or export it as JPEG.")
            photo = replace(Photo.of(upload.path, file_digest(upload.path), picture), name=upload.name)
        finally:
            self._uploads.remove(number)
        before = tuple(record for record in reversed(self.consents()) if photo.is_copy_of(record))
        asked = Asked(secrets.token_hex(16), photo, small_picture(picture), before)
        self._asked[asked.id] = asked
        while len(self._asked) > _MOST:
            self._asked.popitem(last=False)
        return asked

    def grant(self, asked: Asked, claim: ConsentClaim) -> Consent:
        """Record what was said of a photo.

        Raises:
            ConsentError: it is said to be a sample, and is none.
            RecordsError, PrivacyError: it can't be written.
        """
        from understudy.provenance.records.consent_store import Consents

        self.forget(asked)
        return Consents(self._home).grant(asked.photo, claim)

    def forget(self, asked: Asked) -> None:
        """Forget a photo: nobody says whose it is."""
        self._asked.pop(asked.id, None)

    def revoke(self, number: str) -> list[Consent]:
        """Revoke all that was recorded of a photo and of copies of it, and remove what is kept of that face.

        Args:
            number: Of one of the records: its id.

        Returns:
            The records as they are now.

        Raises:
            UsageError: there is no such record.
            RecordsError: what is kept can't be removed.
        """
        from understudy.provenance.records.consent_store import Consents

        return Consents(self._home).revoke(number)

    def ledger(self, most: int) -> Page:
        """The newest records of the ledger, and whether its chain holds.

        Args:
            most: How many.

        Raises:
            RecordsError, PrivacyError: it can't be read.
        """
        from understudy.provenance import Ledger

        ledger = Ledger(self._home)
        records = list(ledger.records())
        return Page(tuple(records[::-1][:most]), len(records), ledger.verify())

    def exported(self) -> bytes:
        """The whole ledger: one JSON object a line, the oldest first.

        Raises:
            RecordsError, PrivacyError: it can't be read.
        """
        from understudy.provenance import Ledger
        from understudy.provenance.records.rows import body_of

        return "".join(body_of(record) + "\n" for record in Ledger(self._home).records()).encode()

    def _picture(self, request: Request) -> Response:
        asked = self._asked.get(request.path_params["number"])
        if asked is None:
            return Response(status_code=404)
        return Response(asked.picture, media_type="image/jpeg")

    def _export(self, _: Request) -> Response:
        try:
            data = self.exported()
        except RecordsError as fault:
            return Response(f"{fault.message}\n{fault.hint}\n", 500, media_type="text/plain")
        name = f"understudy-ledger-{dt.datetime.now(dt.timezone.utc):%Y-%m-%d}.jsonl"
        return Response(
            data, media_type="application/jsonl", headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )
