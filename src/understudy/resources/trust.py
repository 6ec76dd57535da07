"""What is settled before the first frame of an output: consent, id, key and ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from understudy.errors import ConsentError
from understudy.media.base import MediaKind
from understudy.media.tags import read_tags
from understudy.provenance import ConsentClaim, Consents, FrameSealer, Home, Ledger
from understudy.provenance.metadata import claims
from understudy.provenance.records.consent import Consent, Photo, Use
from understudy.provenance.records.keys import SigningKey
from understudy.provenance.releasing import Circumstances, SignedRelease, new_identifier
from understudy.provenance.signing import Work
from understudy.release import input_digest
from understudy.resources.made_with import MadeWith
from understudy.settings import Settings
from understudy.swapping import Portrait

#: What an output of a kind uses a face for.
USE_OF: Final[dict[MediaKind, Use]] = {
    MediaKind.IMAGE: "image",
    MediaKind.ANIMATION: "video",
    MediaKind.VIDEO: "video",
}


class Permission(NamedTuple):
    """What allows using a photo.

    Attributes:
        id: Of the record of consent.
        digest: SHA-256 of the photo that it was given for, under which is kept what is learned of it.
    """

    id: str
    digest: str


class Permissions(Protocol):
    """Knows whose face may be used."""

    def consents(
        self,
        photos: Sequence[Path],
        digests: Sequence[str],
        portraits: Sequence[Portrait],
        use: Use,
        claim: ConsentClaim | None,
    ) -> Sequence[Permission | Consent]:
        """What allows using photos, one for each.

        Args:
            photos: Their files.
            digests: SHA-256 of each.
            portraits: What is in each.
            use: For what.
            claim: On what ground; None where it is known already.

        Raises:
            ConsentError: one of them may not be used.
        """
        ...


class Vouched:
    """What was found out by somebody else, who holds the records of consent: for a part of that one's work.

    Args:
        permissions: By the photo's SHA-256.
    """

    def __init__(self, permissions: Mapping[str, Permission]) -> None:
        self._permissions = dict(permissions)

    def consents(
        self,
        photos: Sequence[Path],
        digests: Sequence[str],
        portraits: Sequence[Portrait],  # noqa: ARG002 - see ``Permissions``
        use: Use,  # noqa: ARG002
        claim: ConsentClaim | None,  # noqa: ARG002
    ) -> tuple[Permission, ...]:
        """See ``Permissions.consents``."""
        for path, digest in zip(photos, digests, strict=True):
            if digest not in self._permissions:
                raise ConsentError(f"{path.name} is none of the photos that may be used", "Begin the job anew.")
        return tuple(self._permissions[digest] for digest in digests)


class Trust:
    """Signs and enters outputs, and knows who consented. For any number of outputs at a time.

    Args:
        home: The private folder.
        key: Signs.
        ledger: Where outputs are entered.
    """

    def __init__(self, home: Home, key: SigningKey, ledger: Ledger) -> None:
        self._home, self._key, self._ledger = home, key, ledger

    def consents(
        self,
        photos: Sequence[Path],
        digests: Sequence[str],
        portraits: Sequence[Portrait],
        use: Use,
        claim: ConsentClaim | None,
    ) -> tuple[Consent, ...]:
        """The records that allow using photos, one for each.

        Args:
            photos: Their files.
            digests: SHA-256 of each.
            portraits: What is in each.
            use: For what.
            claim: On what ground; None where records say so already.

        Raises:
            ConsentError: there is none for one of them.
        """
        records = Consents(self._home)
        return tuple(
            records.require(Photo.of(path, digest, portrait.picture), use, claim)
            for path, digest, portrait in zip(photos, digests, portraits, strict=True)
        )

    def check_consents(self, which: Sequence[str]) -> None:
        """Make sure that records of consent still allow what they allowed: while something goes on.

        Raises:
            ConsentError: one was revoked, or its time is over.
        """
        Consents(self._home).check_valid(which)

    def output(
        self,
        settings: Settings,
        target: Path,
        kind: MediaKind,
        consents: tuple[str, ...],
        digests: tuple[str, ...],
        made_with: MadeWith | None = None,
        identifier: int | None = None,
        hashes: Callable[[], tuple[str, ...]] | None = None,
    ) -> Output:
        """A new output.

        Args:
            settings: How it is labelled, marked and signed.
            target: What is swapped.
            kind: What it is.
            consents: Ids of the records that are relied on.
            digests: SHA-256 of the photos.
            made_with: By what; by the engine that the settings name if None.
            identifier: Its id, if its frames were sealed before; else it gets one of its own.
            hashes: Gives the perceptual hashes of its frames, if they were.
        """
        known = new_identifier() if identifier is None else identifier
        sealer = FrameSealer(known, settings.label, settings.watermark)
        work = _work(sealer, settings, made_with, target, digests)
        about = Circumstances(kind.value, consents, sealer.text, hashes or (lambda: sealer.hashes))
        earlier = claims(read_tags(target)).aigc
        return Output(sealer, SignedRelease(work, about, self._key, self._ledger, earlier_label=earlier))

    def live(
        self,
        settings: Settings,
        consents: tuple[str, ...],
        digests: tuple[str, ...],
        made_with: MadeWith | None = None,
    ) -> Output:
        """A live session's output: all its frames and recordings have one id. Arguments as for ``output``."""
        sealer = FrameSealer(new_identifier(), settings.label, settings.watermark, live=True)
        work = _work(sealer, settings, made_with, None, digests)
        about = Circumstances("live", consents, sealer.text, lambda: sealer.hashes)
        return Output(sealer, SignedRelease(work, about, self._key, self._ledger))


def _work(
    sealer: FrameSealer, settings: Settings, made_with: MadeWith | None, target: Path | None, digests: tuple[str, ...]
) -> Work:
    by = made_with or MadeWith.of((settings.engine,), (settings.enhance,))
    digest = "" if target is None else input_digest(target)
    return Work(sealer.identifier, by.engines, by.enhancers, by.source_type, target, digest, digests)


@dataclass(frozen=True)
class Output:
    """One output: the seal of its frames and that of its file.

    Attributes:
        sealer: For its frames.
        release: For the file.
    """

    sealer: FrameSealer
    release: SignedRelease
