"""The last stage of every file: tags, signature, ledger. It alone makes the files that may take their name."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from understudy.interruptions import give_up_if_interrupted
from understudy.provenance.fingerprint import file_digest
from understudy.provenance.keys import SigningKey
from understudy.provenance.ledger import Ledger, Record, now
from understudy.provenance.metadata import tags
from understudy.provenance.signing import Work, sign_file
from understudy.provenance.watermark.payload import ID_BITS
from understudy.release import SIGNED_SEAL, SignedFile, Tags
from understudy.version import __version__


def new_identifier() -> int:
    """A random id for an output: 48 bits."""
    return secrets.randbits(ID_BITS)


@dataclass(frozen=True)
class Circumstances:
    """What the ledger wants to know beside what the manifest says.

    Attributes:
        kind: ``image``, ``animation``, ``video`` or ``live``.
        consents: Ids of the records that were relied on.
        label: The visible label's text.
        hashes: Gives the perceptual hashes of what was written, once all of it was.
    """

    kind: str
    consents: tuple[str, ...]
    label: str
    hashes: Callable[[], tuple[str, ...]]


class SignedRelease:
    """Signs an output and enters it into the ledger, in that order, before it gets its name.

    Args:
        work: What the manifest says.
        circumstances: What the ledger adds.
        key: Whose signature.
        ledger: Where it is entered.
        earlier_label: The AIGC label that the target carried already: it is kept.
    """

    def __init__(
        self,
        work: Work,
        circumstances: Circumstances,
        key: SigningKey,
        ledger: Ledger,
        *,
        earlier_label: Mapping[str, str] | None = None,
    ) -> None:
        self._work, self._circumstances, self._key, self._ledger = work, circumstances, key, ledger
        self.tags: Tags = tags(work.identifier, work.source_type, earlier_label)
        self.notes: list[str] = []

    def sign(self, path: Path, final: Path) -> SignedFile:
        """See ``Release.sign``."""
        sidecar = sign_file(path, final, self._work, self._key)
        if sidecar is not None:
            self.notes.append(
                f"{final.suffix} carries no Content Credentials: they are beside it, in {final.name}.c2pa; "
                "keep the two together"
            )
        try:
            give_up_if_interrupted()
            self._ledger.append(self._record(file_digest(path)))
        except BaseException:
            if sidecar is not None:
                sidecar.unlink(missing_ok=True)
            raise
        return SignedFile(path, sidecar, SIGNED_SEAL)

    def enter(self) -> None:
        """Enter an output that is no file: a live session, when it begins and when it ends.

        Raises:
            RecordsError: the ledger can't be written.
        """
        self._ledger.append(self._record(""))

    def _record(self, digest: str) -> Record:
        work, about = self._work, self._circumstances
        return Record(
            identifier=f"{work.identifier:012x}",
            time=now(),
            kind=about.kind,
            engine=work.engine,
            version=__version__,
            sources=work.source_digests,
            target=work.target_digest,
            output=digest,
            consents=about.consents,
            label=about.label,
            hashes=about.hashes(),
        )
