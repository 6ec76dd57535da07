"""What is settled before the first frame of an output: consent, id, key and ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from understudy.media.base import MediaKind
from understudy.media.tags import read_tags
from understudy.pipeline.engines import source_type
from understudy.provenance import ConsentClaim, Consents, FrameSealer, Home, Ledger
from understudy.provenance.consent import Photo, Use
from understudy.provenance.keys import SigningKey, open_signing_key
from understudy.provenance.metadata import claims
from understudy.provenance.releasing import Circumstances, SignedRelease, new_identifier
from understudy.provenance.signing import Work
from understudy.release import file_digest
from understudy.settings import Settings
from understudy.swapping import Portrait

#: What an output of a kind uses a face for.
USE_OF: Final[dict[MediaKind, Use]] = {
    MediaKind.IMAGE: "image",
    MediaKind.ANIMATION: "video",
    MediaKind.VIDEO: "video",
}


def home_of(settings: Settings) -> Home:
    """The private folder that the settings name, or the platform's."""
    return Home.default() if settings.home is None else Home(settings.home)


class Trust:
    """Holds what is needed to sign and enter outputs. Opened first, so that a bad key stops nothing half-way.

    Raises:
        PrivacyError, SigningError, RecordsError: the key or the folder can't be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = home_of(settings)
        self._home.tidy()
        self._key: SigningKey = open_signing_key(self._home, settings.signing)
        self._ledger = Ledger(self._home, settings.keep_days)
        self._ledger.ensure_sound()

    def consents(
        self, photos: Sequence[Path], portraits: Sequence[Portrait], use: Use, claim: ConsentClaim | None
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Ids of the consents that allow using the photos, and the photos' digests.

        Raises:
            ConsentError: there is none for one of them.
        """
        records, digests = Consents(self._home), tuple(file_digest(path) for path in photos)
        allowed = tuple(
            records.require(Photo.of(path, digest, portrait.picture), use, claim).id
            for path, digest, portrait in zip(photos, digests, portraits, strict=True)
        )
        return allowed, digests

    def output(self, target: Path, kind: MediaKind, consents: tuple[str, ...], digests: tuple[str, ...]) -> Output:
        """A new output with an id of its own."""
        settings = self._settings
        sealer = FrameSealer(new_identifier(), settings.label, settings.watermark)
        work = Work(
            sealer.identifier, settings.engine, source_type(settings.engine), target, file_digest(target), digests
        )
        about = Circumstances(kind.value, consents, sealer.text, lambda: sealer.hashes)
        earlier = claims(read_tags(target)).aigc
        return Output(sealer, SignedRelease(work, about, self._key, self._ledger, earlier_label=earlier))

    def live(self, consents: tuple[str, ...], digests: tuple[str, ...]) -> Output:
        """A live session's output: all its frames and recordings have one id."""
        settings = self._settings
        sealer = FrameSealer(new_identifier(), settings.label, settings.watermark, live=True)
        work = Work(sealer.identifier, settings.engine, source_type(settings.engine), None, "", digests)
        about = Circumstances("live", consents, sealer.text, lambda: sealer.hashes)
        return Output(sealer, SignedRelease(work, about, self._key, self._ledger))


@dataclass(frozen=True)
class Output:
    """One output: the seal of its frames and that of its file.

    Attributes:
        sealer: For its frames.
        release: For the file.
    """

    sealer: FrameSealer
    release: SignedRelease
