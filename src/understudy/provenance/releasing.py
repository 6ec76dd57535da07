"""The last stage of every file: tags, signature, ledger. It alone makes the files that may take their name."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from understudy.errors import SigningError
from understudy.interruptions import give_up_if_interrupted
from understudy.provenance.metadata import tags
from understudy.provenance.records.chain import now
from understudy.provenance.records.keys import SigningKey
from understudy.provenance.records.ledger import Ledger, Record
from understudy.provenance.signing import Work, sign_file
from understudy.provenance.watermark.payload import ID_BITS
from understudy.release import SignedFile, Tags, _SignatureSeal, _Signed, file_digest
from understudy.version import __version__

#: Bytes that are searched at a time.
_BLOCK: Final = 1 << 20


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


@final
class SignedRelease:
    """Signs an output and enters it into the ledger, in that order, before it gets its name.

    It signs the file that it is given, whatever is in it: that only labelled frames are in it is the sink's part.

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
        self._seal = _SignatureSeal()

    @property
    def identifier(self) -> int:
        """The output's id, which the mark of its frames carries."""
        return self._work.identifier

    def __init_subclass__(cls) -> None:
        raise TypeError("a SignedRelease has no subclasses: what it releases is signed")

    def sign(self, path: Path, final: Path) -> SignedFile:
        """See ``Release.sign``."""
        written = file_digest(path)
        if not _holds(path, f"{self.identifier:012x}".encode()):
            raise SigningError(
                f"{final.name} does not say what it is: its metadata is not this output's",
                "Nothing was released. A sink writes it; does code of your own write to the file?",
            )
        sidecar = sign_file(path, final, self._work, self._key)
        if sidecar is not None:
            self.notes.append(
                f"{final.suffix} carries no Content Credentials: they are beside it, in {final.name}.c2pa; "
                "keep the two together"
            )
        try:
            give_up_if_interrupted()
            digest = file_digest(path)
            beside = None if sidecar is None else file_digest(sidecar)
            self._ledger.append(self._record(digest))
        except BaseException:
            if sidecar is not None:
                sidecar.unlink(missing_ok=True)
            raise
        return self._seal.close(_Signed(path, sidecar, final, written, digest, beside))

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
            engine=", ".join((*work.engines, *work.enhancers)),
            version=__version__,
            sources=work.source_digests,
            target=work.target_digest,
            output=digest,
            consents=about.consents,
            label=about.label,
            hashes=about.hashes(),
        )


def _holds(path: Path, text: bytes) -> bool:
    """Whether a file has those bytes in it somewhere. It is read in blocks: mapped, all of a long one is in memory."""
    with path.open("rb") as file:
        before = b""
        while block := file.read(_BLOCK):
            if text in before + block:
                return True
            before = block[-len(text) :]
    return False
