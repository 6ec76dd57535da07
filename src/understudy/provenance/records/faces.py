"""What is kept of faces to save work: biometric, so for its owner only, and gone when consent is revoked."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from understudy.errors import NoSpaceError, PrivacyError, RecordsError
from understudy.interruptions import deferred
from understudy.provenance.records.home import FACES, Home, check_private, write_private
from understudy.regular import read_regular
from understudy.temporaries import FOLDER, Temporary, clean

#: Most bytes of one file.
_LONGEST: Final = 64_000_000


class FaceCache:
    """Files about photos, each in the folder of its photo's consent. For several threads and processes.

    Photos are named by the SHA-256 that their consent has.

    Args:
        home: The private folder.
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def folder(self, digest: str) -> Path:
        """Where what was learned of one photo may be kept: made if it is missing.

        Raises:
            PrivacyError: it can't be made, or others may enter it.
        """
        for part in ("", str(Path(FACES).parent), FACES):  # one by one: each is made open to its owner only
            self._home.folder(part)
        return self._home.folder(FACES, _checked(digest))

    def read(self, digest: str, name: str) -> bytes | None:
        """A file about a photo.

        Returns:
            All of it; None if there is none, it can't be read, or others could have written it.

        Raises:
            PrivacyError: see ``folder``.
        """
        # The folder is made now, not when something is written: who revokes consent meanwhile takes it away.
        path = self.folder(digest) / name
        try:
            check_private(path)
            return read_regular(path, _LONGEST)
        except (OSError, PrivacyError):
            return None

    def write(self, digest: str, name: str, data: bytes) -> None:
        """Keep a file about a photo, whole or not at all; not if the photo was forgotten since ``read``."""
        with suppress(PrivacyError, NoSpaceError):  # what can't be kept is made anew next time
            write_private(self._place(digest) / name, data)

    def forget(self, digest: str) -> None:
        """Remove all that is kept of one photo.

        Raises:
            PrivacyError: something is still there.
            RecordsError: this names no photo.
        """
        folder = self._place(digest)
        clean(folder.parent)  # what is left where that was broken off
        if not folder.exists():
            return
        with deferred():
            try:
                # It loses its name first, in one step: whoever is about to write there finds no folder.
                temporary = Temporary(folder, 0o600)
                gone = temporary.path.with_name(temporary.path.name + FOLDER)
                try:
                    folder.rename(gone)
                finally:
                    temporary.remove()
            except OSError as fault:
                raise _left(folder) from fault
        if gone.exists():
            raise _left(gone)

    def _place(self, digest: str) -> Path:
        return self._home.root / FACES / _checked(digest)


def _checked(digest: str) -> str:
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise RecordsError(f"a consent record names no photo: {digest[:20]!r}", "The consent records were altered.")
    return digest


def _left(folder: Path) -> PrivacyError:
    return PrivacyError(f"what is kept of a face can't be removed: {folder}", "Remove that folder by hand.")
