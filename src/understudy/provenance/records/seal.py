"""The hand that a chain of records is written in: keyed hashes, which nobody makes who has not the chain's key."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Final

from understudy.provenance.records.home import check_private
from understudy.regular import read_regular

#: Most bytes of a key.
_LONGEST: Final = 4096


class Seal:
    """Makes links and macs. The key is read once: a chain has many records.

    Args:
        key: What they are made with.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def read(cls, path: Path) -> Seal | None:
        """With the key in a file; None if there is none.

        Raises:
            PrivacyError: others can read it.
            UnfitFileError: it is no file, or too long.
        """
        if not path.exists():
            return None
        check_private(path)
        return cls(read_regular(path, _LONGEST))

    def link(self, previous: str, body: str) -> str:
        """What binds a record to the one before."""
        return hmac.digest(self._key, f"{previous}\n{body}".encode(), "sha256").hex()

    def mac(self, what: str, values: tuple[object, ...]) -> str:
        """What shows that a value is ours."""
        return self.link(what, json.dumps(values))


def same(made: str, claimed: object) -> bool:
    """Whether a link or mac is the one that was made; it takes as long, whatever it is."""
    return hmac.compare_digest(made.encode(), str(claimed).encode("utf-8", "replace"))
