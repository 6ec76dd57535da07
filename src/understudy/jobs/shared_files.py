"""Files that several jobs have in common: each is read once."""

from __future__ import annotations

import os
from pathlib import Path

from understudy.errors import ConsentError, UsageError
from understudy.media.base import MAX_PIXELS
from understudy.media.files import load_photo
from understudy.media.files.opening import check_input
from understudy.provenance import ConsentClaim
from understudy.provenance.records.consent import Photo
from understudy.provenance.records.consent_store import Consents
from understudy.release import input_digest


class SharedFiles:
    """Digests of files, and whether photos may be used.

    Args:
        consents: What may be used.
        claim: On what ground photos are used of which no record says it; None if none may be.
    """

    def __init__(self, consents: Consents, claim: ConsentClaim | None) -> None:
        self._consents, self._claim = consents, claim
        self._digests: dict[tuple[str, int, int], str] = {}
        self._allowed: set[str] = set()

    def digest(self, path: Path) -> str:
        """SHA-256 of a file.

        Raises:
            InputError: it can't be read.
        """
        try:
            status = os.stat(path)  # noqa: PTH116 - one call for all three
            key = (str(path), status.st_size, status.st_mtime_ns)
        except OSError:  # what is wrong is told when it is read
            return input_digest(path)
        if key not in self._digests:
            self._digests[key] = input_digest(path)
        return self._digests[key]

    def allow(self, path: Path) -> None:
        """Make sure that somebody said that a photo may be used; for what is asked when it is.

        Raises:
            InputError: it can't be read.
            ConsentError: nobody did.
        """
        check_input(path, "photo")
        digest = self.digest(path)
        if digest in self._allowed:
            return
        picture = load_photo(path, MAX_PIXELS)
        if picture is None:
            raise UsageError(f"{path.name} is not a photo", "Name a picture (jpg, png, webp…), or export it as JPEG.")
        photo = Photo.of(path, digest, picture)
        if self._claim is not None:
            self._consents.require(photo, self._claim.uses[0], self._claim)  # one record is for all of its uses
        elif not any(photo.is_copy_of(record) and record.state == "valid" for record in self._consents.all()):
            raise ConsentError(
                f"there is no consent for using {path.name}",
                "Say on what ground: --consent self, granted (with --consent-note), fictional or sample.",
            )
        self._allowed.add(digest)
