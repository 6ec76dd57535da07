"""From photos to an identity that may be used: read, consented to, looked at, learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.pipeline.exposure import in_usual_light
from understudy.pipeline.perception import Perception
from understudy.pipeline.portraits import load_portraits
from understudy.pipeline.trust import Trust
from understudy.provenance import ConsentClaim
from understudy.provenance.consent import Use
from understudy.provenance.content import ContentCheck
from understudy.settings import Settings
from understudy.swapping import Identity, Portrait, Swapper


@dataclass(frozen=True, eq=False)
class Cast:
    """Whose face is used.

    Attributes:
        identity: What the engine learned.
        portraits: The photos, with the face in each.
        consents: Ids of the records that allow it.
        digests: SHA-256 of the photos.
        notes: What the user should know.
    """

    identity: Identity
    portraits: tuple[Portrait, ...]
    consents: tuple[str, ...]
    digests: tuple[str, ...]
    notes: tuple[str, ...]


def cast(
    photos: Sequence[Path],
    use: Use,
    claim: ConsentClaim | None,
    *,
    engine: Swapper[Any],
    perception: Perception,
    trust: Trust,
    content: ContentCheck,
    settings: Settings,
) -> Cast:
    """Learn one person's face.

    Args:
        photos: Of one person.
        use: For what.
        claim: On what ground; None where a record says so already.
        engine: That will render it.
        perception: Finds the faces in the photos.
        trust: Holds the consent records.
        content: Looks at the photos.
        settings: Everything else.

    Raises:
        UsageError, InputError: a photo can't be used.
        ConsentError, ContentRefusedError: it may not be used.
    """
    portraits, notes = load_portraits(
        photos, perception, source_face=settings.source_face, max_pixels=settings.max_pixels
    )
    consents, digests = trust.consents(photos, portraits, use, claim)
    for portrait, path in zip(portraits, photos, strict=True):
        content.photo(portrait.picture, path.name)
    # What was consented to, and looked at, are the photos as they are.
    lit = [in_usual_light(portrait, path.name, perception) for portrait, path in zip(portraits, photos, strict=True)]
    identity = engine.identity([portrait for portrait, _ in lit])
    notes += [note for _, own in lit for note in own]
    notes += [f"{photos[number].name} was left out: {reason}" for number, reason in identity.dropped]
    return Cast(identity, tuple(portraits), consents, digests, tuple(notes))
