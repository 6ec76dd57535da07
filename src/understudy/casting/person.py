"""From photos to an identity that may be used: read, consented to, checked for what they show, learned."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

from understudy.casting.exposure import in_usual_light
from understudy.casting.portraits import load_portraits
from understudy.casting.views import remarks
from understudy.each import both
from understudy.errors import ConsentError, InputError, UsageError
from understudy.media.files.opening import check_input
from understudy.provenance import ConsentClaim, Consents
from understudy.provenance.content import ContentCheck
from understudy.provenance.records.consent import Consent, Use
from understudy.recognition.quality import quality
from understudy.release import input_digest
from understudy.resources import Resources
from understudy.resources.kept import Kept
from understudy.resources.made_with import MESH
from understudy.resources.trust import Permission, Permissions
from understudy.settings import Settings
from understudy.swapping import Identity, Portrait, Swapper

#: Most bytes of photos that are kept, and most people of whom is kept what was learned.
_MOST_BYTES: Final = 256_000_000
_MOST_LEARNED: Final = 64
#: People of whom is kept what allowed using their photos: without that the photos are let go of.
_MOST_ALLOWED: Final = 1024


@dataclass(frozen=True)
class Person:
    """Somebody whose face is used.

    Attributes:
        photos: Of that person only; one may stand alone, and words are taken for paths.
        name: For reports; the first photo's if empty.
        consent: On what ground the photos are used; None where a record says so already.

    Raises:
        TypeError: a photo that is no path.
    """

    photos: tuple[Path, ...]
    name: str = ""
    consent: ConsentClaim | None = None

    def __post_init__(self) -> None:
        given: object = self.photos
        photos = given if isinstance(given, (list, tuple)) else (given,)
        object.__setattr__(self, "photos", tuple(Path(photo) for photo in photos))


class _Read(NamedTuple):
    """Photos that were read: their SHA-256, the face in each, and what the user should know."""

    digests: tuple[str, ...]
    portraits: tuple[Portrait, ...]
    notes: tuple[str, ...]


class _Learned(NamedTuple):
    """What an engine learned from photos: their SHA-256, it, and what the user should know."""

    digests: tuple[str, ...]
    identity: Identity
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Allowed:
    """Somebody whose face may be used for an output.

    Attributes:
        engine: Which engine.
        identity: What it learned.
        portraits: The photos, with the face in each.
        consents: Ids of the records that allow it.
        records: The same with what is kept of each photo under it, by the photo's SHA-256.
        digests: SHA-256 of the photos.
        notes: What the user should know.
    """

    engine: Swapper[Any]
    identity: Identity
    portraits: tuple[Portrait, ...]
    consents: tuple[str, ...]
    records: Mapping[str, Permission]
    digests: tuple[str, ...]
    notes: tuple[str, ...]


class People:
    """Learns faces from photos, and keeps what it learned by the photos' content, as long as they may be used.

    Args:
        resources: With the models and the records of consent.
    """

    def __init__(self, resources: Resources) -> None:
        self._models, self._home = resources.models, resources.home
        self._read: Kept[_Read] = Kept(_MOST_BYTES, lambda read: sum(one.picture.nbytes for one in read.portraits))
        self._learned: Kept[_Learned] = Kept(_MOST_LEARNED, lambda _: 1)
        #: Ids of the records that allowed using photos last, by their SHA-256; the records as they were seen last.
        self._grounds: dict[tuple[str, ...], frozenset[str]] = {}
        self._stamp: tuple[int, int] | None = None
        self._lock = Lock()

    def allowed(
        self, person: Person, use: Use, settings: Settings, *, trust: Permissions, content: ContentCheck
    ) -> Allowed:
        """Somebody's face for one output. Whether it may be used is asked each time: consent may have been revoked.

        Args:
            person: Whose.
            use: For what.
            settings: With the engine, the detector, and which face of a photo is theirs.
            trust: Knows who consented.
            content: Looks at the photos.

        Raises:
            UsageError, InputError: a photo can't be used.
            ConsentError, ContentRefusedError: it may not be used.
        """
        if not person.photos:
            raise UsageError("no source photo", "Name one: app.person(PHOTO); for a command, -s PHOTO.")
        for path in person.photos:
            check_input(path, "source photo")
        photos = tuple((input_digest(path), path.name) for path in person.photos)
        seen = (photos, settings.source_face, settings.detector, settings.runtime, settings.max_pixels)
        drawn = settings.mesh if settings.engine == MESH else (settings.neural, settings.mesh)
        digests = tuple(digest for digest, _ in photos)
        self.keep_up()
        read = self._read.get(seen, lambda: self._portraits(person.photos, digests, settings))
        records = self._consents(person, digests, read.portraits, use, trust)
        # What is kept of a photo goes with the very record that allows using it.
        kept = [replace(one, digest=record.digest) for one, record in zip(read.portraits, records, strict=True)]

        def look() -> None:
            for portrait, path in zip(read.portraits, person.photos, strict=True):
                content.photo(portrait.picture, path.name)

        def learn() -> _Learned:
            return self._identity(person.photos, digests, kept, settings)

        learned, _ = both(lambda: self._learned.get((seen, settings.engine, drawn), learn), look)
        return Allowed(
            self._models.engine(settings),
            learned.identity,
            read.portraits,
            tuple(record.id for record in records),
            {digest: Permission(one.id, one.digest) for digest, one in zip(digests, records, strict=True)},
            digests,
            (*read.notes, *learned.notes),
        )

    def keep_up(self) -> None:
        """Let go of photos that may not be used any more, if there are other records than when that was looked at last.

        Raises:
            RecordsError, PrivacyError: they can't be read.
        """
        consents = Consents(self._home)
        stamp = consents.stamp
        if stamp == self._stamp:
            return
        valid = {record.id for record in consents.all() if record.state == "valid"} if self._grounds else set()
        with self._lock:
            over = {digests for digests, records in self._grounds.items() if not records <= valid}
        self._let_go(over)
        self._stamp = stamp

    def clear(self) -> None:
        """Let go of all photos and of what was learned from them."""
        self._grounds.clear()
        self._read.clear()
        self._learned.clear()

    def _consents(
        self,
        person: Person,
        digests: tuple[str, ...],
        portraits: Sequence[Portrait],
        use: Use,
        trust: Permissions,
    ) -> Sequence[Permission | Consent]:
        """What allows using photos, one for each, which is remembered.

        Raises:
            ConsentError: one of them may not be used.
        """
        try:
            records = trust.consents(person.photos, digests, portraits, use, person.consent)
        except ConsentError:
            if digests not in self._grounds:  # or it is allowed for something else
                self._let_go({digests})
            raise
        with self._lock:
            self._grounds.pop(digests, None)
            self._grounds[digests] = frozenset(record.id for record in records)
            over = list(self._grounds)[:-_MOST_ALLOWED]
        self._let_go(set(over))
        return records

    def _let_go(self, which: Collection[tuple[str, ...]]) -> None:
        """Let go of photos, by their SHA-256, and of what was learned from them."""
        with self._lock:
            for digests in which:
                self._grounds.pop(digests, None)
        self._read.let_go(lambda one: one.digests in which)
        self._learned.let_go(lambda one: one.digests in which)

    def _portraits(self, photos: Sequence[Path], digests: tuple[str, ...], settings: Settings) -> _Read:
        portraits, notes = load_portraits(
            photos,
            self._models.perception(settings),
            source_face=settings.source_face,
            max_pixels=settings.max_pixels,
        )
        if tuple(map(input_digest, photos)) != digests:
            raise InputError("a source photo was replaced while it was read", "Try again.")
        return _Read(digests, tuple(portraits), tuple(notes))

    def _identity(
        self, photos: Sequence[Path], digests: tuple[str, ...], portraits: Sequence[Portrait], settings: Settings
    ) -> _Learned:
        perception = self._models.perception(settings)
        # What was consented to, and checked, are the photos as they are.
        lit = [
            in_usual_light(portrait, path.name, perception) for portrait, path in zip(portraits, photos, strict=True)
        ]
        # The best comes first: an engine takes the light of the others to be its.
        best = sorted(range(len(lit)), key=lambda n: -quality(lit[n][0].picture, lit[n][0].face).score)
        identity = self._models.engine(settings).identity([lit[number][0] for number in best])
        notes = [note for _, own in lit for note in own] + remarks(portraits, [path.name for path in photos])
        notes += [f"{photos[best[number]].name} was left out: {reason}" for number, reason in identity.dropped]
        return _Learned(digests, identity, tuple(notes))
