"""Looks at a file for everything that says where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from understudy.errors import InputError
from understudy.media.files import open_source
from understudy.media.files.opening import check_input
from understudy.media.tags import read_tags
from understudy.provenance import Home, Ledger
from understudy.provenance.carriers import MOST_VIDEO
from understudy.provenance.credentials import Credentials, read_credentials
from understudy.provenance.fingerprint import SAME, SPARSE, closest
from understudy.provenance.metadata import Claims, claims
from understudy.provenance.records.keys import own_root
from understudy.provenance.records.ledger import Record
from understudy.provenance.verdict import Evidence, Reason, Verdict, judge
from understudy.provenance.watermark import Mark
from understudy.release import file_digest
from understudy.tasks.mark_search import Search, search
from understudy.tasks.progress import Progress


@dataclass(frozen=True)
class Inspection:
    """What is known of where a file comes from.

    Attributes:
        path: The file.
        kind: ``image``, ``animation`` or ``video``; None if it can't be opened as one.
        verdict: In honest words; never "real".
        reasons: Why, the strongest first: sentences, each of which knows which one it is.
        credentials: Content Credentials.
        mark: The invisible mark; None if none was found.
        claims: Plain metadata.
        record: The ledger's record; None if there is none.
        distance: Bits of 256 by which the picture differs from the record's; None if nothing was compared.
        notes: What stood in the way.
    """

    path: Path
    kind: str | None
    verdict: Verdict
    reasons: tuple[Reason, ...]
    credentials: Credentials
    mark: Mark | None
    claims: Claims
    record: Record | None
    distance: int | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The inspection as plain values; ids in hexadecimal, as everywhere."""
        values = asdict(self) | {"path": str(self.path), "reasons": [str(reason) for reason in self.reasons]}
        for part in (values["mark"], values["credentials"]):
            if part is not None and part["identifier"] is not None:
                part["identifier"] = f"{part['identifier']:012x}"
        return values


def inspect_file(path: Path, home: Path | None = None, progress: Progress | None = None) -> Inspection:
    """Look at a file.

    Args:
        path: A picture, animation or video.
        home: The private folder whose ledger and key are compared with; None for the platform's.
        progress: Told about every frame that is looked at: of a long clip not all are.

    Raises:
        InputError: it is missing, unreadable or empty.
        RecordsError, PrivacyError: the ledger can't be read.
    """
    check_input(path)
    private = Home.default() if home is None else Home(home)
    there = private.root.exists()  # looking leaves nothing behind
    said = read_credentials(path, own_root(private) if there else None)
    stated = claims(read_tags(path))
    kind, found, notes = _look(path, progress)
    mark = found.mark
    known = kind is not None or said.state != "absent"  # else no program made it that keeps a ledger
    record, same = _recorded(Ledger(private), path, mark, said) if there and known else (None, False)
    distance = None if record is None else _distance(found.looks, record.hashes)
    if distance is not None and distance > SAME and record is not None and len(record.hashes) >= SPARSE:
        distance = None  # perhaps a part of a long clip that no hash was kept of
    evidence = Evidence(said, mark, stated, record, same, distance, kind is not None, found.seconds)
    verdict, reasons = judge(evidence)
    return Inspection(path, kind, verdict, reasons, said, mark, stated, record, distance, notes)


def _distance(looks: Iterable[list[int]], known: Sequence[str]) -> int | None:
    """Bits by which pictures differ from those on record, in whichever way they are looked at they differ least."""
    compared = (closest(look, known) for look in looks if look)
    return min((bits for bits in compared if bits is not None), default=None)


def _recorded(ledger: Ledger, path: Path, mark: Mark | None, said: Credentials) -> tuple[Record | None, bool | None]:
    """The ledger's record that fits best, and whether it is of this very file; None if that is too large to be read."""
    comparable = path.stat().st_size <= MOST_VIDEO
    if comparable and (same := ledger.find_output(file_digest(path))) is not None:
        return same, True
    for identifier in (mark.identifier if mark else None, said.identifier):
        if identifier is not None and (record := ledger.find(identifier)) is not None:
            return record, False if comparable else None
    return None, False


def _look(path: Path, progress: Progress | None) -> tuple[str | None, Search, tuple[str, ...]]:
    """What the pictures show: kind, mark and hashes, and what stood in the way."""
    try:
        with open_source(path) as source:
            found = search(path, source, progress)
            kind = source.info.kind.value
            damage = source.damage
    except InputError as fault:
        return None, Search(None, ()), (f"it can't be opened as a picture or video: {fault.message}",)
    notes = () if damage is None else (f"it is damaged after {damage.at_seconds:.1f} s: {damage.reason}",)
    return kind, found, notes
