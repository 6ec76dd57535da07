"""The ledger: one record of every output, in a chain (see ``chain``) that shows what was edited or removed.

What is in a record: digests, hashes of whole pictures, names of engines and consents. Nothing of any face.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from understudy.provenance.records.chain import KEEP_DAYS, Chain, Check
from understudy.provenance.records.home import Home
from understudy.provenance.records.rows import body_of, parse

#: Seconds that a record waits for others: what was made is thrown away when it can't be entered.
_PATIENCE: Final = 120.0


@dataclass(frozen=True)
class Record:
    """One output.

    Attributes:
        identifier: Its id, 12 hexadecimal digits: the mark's, the manifest's and the AIGC label's.
        time: When it was released: UTC, ISO 8601.
        kind: ``image``, ``animation``, ``video`` or ``live``.
        engine: Names of the engines, and of the networks that enhanced the result.
        version: Of this program.
        sources: SHA-256 of the photos.
        target: SHA-256 of the file that was swapped; empty for live.
        output: SHA-256 of the file as it was released; empty for live without a recording.
        consents: Ids of the consent records that were relied on.
        label: The visible label's text.
        hashes: Perceptual hashes of the output, one a second at most (see ``fingerprint``).
    """

    identifier: str
    time: str
    kind: str
    engine: str
    version: str
    sources: tuple[str, ...]
    target: str
    output: str
    consents: tuple[str, ...]
    label: str
    hashes: tuple[str, ...]


class Ledger:
    """One user's ledger.

    Args:
        home: Where it is kept.
        keep_days: How long.
        clock: Tells the time.

    Raises:
        ValueError: shorter than the law asks.
        PrivacyError: others can read its key.
    """

    def __init__(self, home: Home, keep_days: int = KEEP_DAYS, clock: Callable[[], dt.datetime] | None = None) -> None:
        self._chain = Chain(home, "ledger", keep_days, clock)

    def append(self, record: Record) -> None:
        """Add a record. It is on the disk when this returns.

        Raises:
            RecordsError: the ledger is damaged, was tampered with, or is busy.
        """
        self._chain.append([body_of(record)], _PATIENCE)

    def records(self) -> Iterator[Record]:
        """All records, the oldest first.

        Raises:
            RecordsError: the ledger is damaged.
        """
        for body in self._chain.bodies():
            yield parse(Record, body)

    def find(self, identifier: int) -> Record | None:
        """The newest sound record of an id; None if there is none."""
        wanted = f"{identifier:012x}"
        return next((record for record in self._with(wanted) if record.identifier == wanted), None)

    def find_output(self, digest: str) -> Record | None:
        """The newest sound record of a file with this SHA-256; None if there is none."""
        return next((record for record in self._with(digest) if record.output == digest), None)

    def verify(self) -> Check:
        """Look at the whole chain.

        Raises:
            RecordsError: the database can't be read at all.
        """
        return self._chain.verify()

    def ensure_sound(self) -> None:
        """Look before any work is done that would have to be entered.

        Raises:
            RecordsError: it was tampered with or can't be read.
        """
        self._chain.ensure_sound()

    def _with(self, text: str) -> Iterator[Record]:
        """Sound records that have a text somewhere, the newest first."""
        return (parse(Record, body) for body in self._chain.sound_with(text))
