"""Faces that may be put on: photos as cards, each with what was said about whose it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from understudy.app import Understudy
from understudy.arrays import UInt8Array
from understudy.casting.portraits import load_portraits, load_source
from understudy.casting.views import view_of
from understudy.errors import InputNotFoundError, UnderstudyError
from understudy.provenance import ConsentClaim, Consents
from understudy.provenance.records.consent import USES, Consent, Photo
from understudy.release import input_digest
from understudy.server.studio.live.card import PLACE, SAMPLE, Card, CardPhoto
from understudy.server.studio.live.kept_faces import KeptFaces, KeptPhoto
from understudy.server.studio.samples import Samples
from understudy.server.uploads import Uploads
from understudy.swapping import Portrait

#: Seconds after which the time of what is kept may be over.
_OVER: Final = 60.0
#: Side of a card's picture in pixels, and how much more than the face's box is on it.
_SIDE: Final = 224
_AROUND: Final = 1.7


class Cards:
    """All cards, in the order in which they came.

    Args:
        app: With the models and the records.
        uploads: Where photos lie.
    """

    def __init__(self, app: Understudy, uploads: Uploads) -> None:
        self._app, self._uploads = app, uploads
        self._lock = threading.Lock()
        self._cards: dict[str, Card] = {}
        self._stamp, self._looked = (0, 0), 0.0
        self._keeping = threading.Lock()
        self._faces = KeptFaces(app.resources.home)
        self._when_removed: list[Callable[[str], object]] = []
        self._when_changed: list[Callable[[str], object]] = []

    @property
    def route(self) -> Route:
        """Where pages get the cards' pictures."""
        return Route(f"{PLACE}/{{number}}.jpg", self._serve)

    def all(self) -> Sequence[Card]:
        """The cards as they are."""
        with self._lock:
            return tuple(self._cards.values())

    def __getitem__(self, number: str) -> Card:
        """The card with an id.

        Raises:
            InputNotFoundError: there is none.
        """
        with self._lock:
            if number not in self._cards:
                raise InputNotFoundError(Path(number), "face")
            return self._cards[number]

    def add_sample(self, samples: Samples) -> Card:
        """Add the face that comes with the program: everybody may use it, and no record is needed before it is used.

        Raises:
            InputError: the photo can't be read.
        """
        picture = load_source(samples.photo, self._app.settings.max_pixels)
        return self._added(_photo(SAMPLE, samples.name, samples.photo, picture, samples.face_box))

    def bring_back(self) -> Sequence[Card]:
        """Add the faces that were kept, what was kept last first. A photo that can't be read any more is left out."""
        found = []
        for kept, files in self._faces.all():
            photos = [photo for file in files if (photo := self._brought_back(file)) is not None]
            if photos:
                found.append(Card(photos[0].id, tuple(photos), kept))
        self._update(lambda: self._cards.update({card.id: card for card in found}))
        for card in [self[one.id] for one in found]:  # of some photos the time may be over
            if not card.allowed:
                self.remove(card.id)
            elif card.allowed != card.photos:
                self._keep_up_with(card)
        return [card for card in self.all() if card.kept]

    def keep(self, number: str, *, kept: bool) -> None:
        """Have a face there in the next studio, too, as long as it may be used; or no longer. Takes its time.

        Args:
            number: The card's id.
            kept: Whether it is to be.

        Raises:
            InputNotFoundError: there is none, or none of its photos may be used.
            PrivacyError, NoSpaceError, InputError: it can't be kept.
        """
        assert number != SAMPLE, "that is always there"
        with self._keeping:
            self.look()  # what may be used may be other than it was
            photos = self[number].allowed if kept else ()
            if kept and not photos:
                raise InputNotFoundError(Path("photo"), "photo")
            self._keep(number, photos)
            self.look()  # consent may have been revoked while the photos were kept
            if kept and self[number].allowed != photos:
                self._keep(number, self[number].allowed)

    def _keep(self, number: str, photos: Sequence[CardPhoto]) -> None:
        """Have those photos of a card kept, and no others; none for no longer."""
        card = self[number]
        if not photos:
            self._faces.forget(card.kept)
        name = self._faces.keep(card.kept, photos) if photos else ""
        with self._lock:
            if number in self._cards:
                self._cards[number] = replace(self._cards[number], kept=name)
                return
        self._faces.forget(name)  # it was removed meanwhile

    def add(self, number: str) -> Card:
        """Add a photo that was handed over, as a card of its own.

        Args:
            number: The upload's id.

        Raises:
            UnderstudyError: it is no photo, has no face, or is gone. The file is removed then.
        """
        return self._added(self._read(number)[0])

    def add_to(self, card: str, number: str) -> bool:
        """Add another photo of a card's person. It waits until somebody said whose it is.

        Args:
            card: The card's id.
            number: The upload's id.

        Returns:
            Whether it looks like the same person.

        Raises:
            UnderstudyError: it is no photo, has no face, or it or the card is gone. The file is removed then.
        """
        assert card != SAMPLE, "what everybody may use is that photo only"
        photo, portrait = self._read(number)
        try:
            first = self.portrait(self[card].photos[0].path)

            def add() -> None:
                if card not in self._cards:
                    raise InputNotFoundError(Path(card), "face")
                had = self._cards[card]
                self._cards[card] = replace(had, photos=(*had.photos, photo))

            self._update(add)
        except BaseException:
            self._uploads.remove(number)
            raise
        return self._alike(first, portrait)

    def grant(self, photos: Sequence[CardPhoto], claim: ConsentClaim) -> None:
        """Record what was said about whose face it is. Of photos that are gone nothing is recorded.

        Raises:
            UnderstudyError: that can't be recorded, or all of them are gone.
        """
        here = {photo.id for card in self.all() for photo in card.photos}
        left = [photo for photo in photos if photo.id in here]
        if not left:
            raise InputNotFoundError(Path("photo"), "photo")
        for photo in left:
            Consents(self._app.resources.home).grant(photo.photo, claim)
        self.look()

    def look(self) -> None:
        """Read again which photos may be used: records are made and revoked elsewhere, too."""
        self._update(lambda: None)

    def keep_up(self) -> None:
        """Do so if there are other records than when that was done last; and now and then, as their time ends.

        Raises:
            UnderstudyError: they can't be read.
        """
        over = any(card.kept for card in self.all()) and time.monotonic() - self._looked > _OVER
        if over or Consents(self._app.resources.home).stamp != self._stamp:
            self.look()

    def remove(self, number: str) -> None:
        """Take a card away, the photos that were handed over for it, and what is kept. Consent stays recorded."""
        with self._lock:
            card = self._cards.pop(number, None)
        for tell in self._when_removed:
            tell(number)
        for photo in () if card is None else card.photos:
            self._uploads.remove(photo.id)
        if card is not None and card.kept:
            self._faces.forget(card.kept)

    def give_up(self, number: str, photos: Collection[str]) -> None:
        """Take those of these photos from a card, but for its first, of which nobody said whose they are.

        Args:
            number: The card's id.
            photos: The photos' ids.
        """
        gone: list[str] = []

        def take() -> None:
            card = self._cards.get(number)
            if card is not None:
                gone.extend(photo.id for photo in card.photos[1:] if photo.id in photos and not photo.uses)
                self._cards[number] = replace(card, photos=tuple(one for one in card.photos if one.id not in gone))

        self._update(take)
        for photo in gone:
            self._uploads.remove(photo)

    def when_removed(self, tell: Callable[[str], object]) -> None:
        """Have a function told the id of every card that is taken away."""
        self._when_removed.append(tell)

    def when_changed(self, tell: Callable[[str], object]) -> None:
        """Have a function told the id of every card of which other photos may be used now than before."""
        self._when_changed.append(tell)

    def portrait(self, path: Path) -> Portrait:
        """A photo and the largest face in it, as a session finds it. The first one opens the models.

        Raises:
            UnderstudyError: it is no photo, or has no face.
        """
        settings = self._app.settings
        perception = self._app.resources.models.perception(settings)
        (found,), _ = load_portraits([path], perception, source_face=None, max_pixels=settings.max_pixels)
        return found

    def _read(self, number: str) -> tuple[CardPhoto, Portrait]:
        """A photo that was handed over; the file is removed if it can't be used."""
        upload = self._uploads[number]
        try:
            portrait = self.portrait(upload.path)
            box = portrait.face.boxes_xyxy.reshape(-1, 4)[0].tolist()
            photo = _photo(upload.id, Path(upload.name).stem, upload.path, portrait.picture, box)
            return replace(photo, view=view_of(portrait)), portrait
        except BaseException:
            self._uploads.remove(number)
            raise

    def _alike(self, one: Portrait, other: Portrait) -> bool:
        """Whether two photos look like one person's; nothing speaks against it where a face is not seen well enough."""
        embedder = self._app.resources.models.embedder(self._app.settings)
        first, second = (embedder.embed(photo.picture, photo.face) for photo in (one, other))
        return not embedder.distances(first[0], second)[0] > embedder.same_person

    def _added(self, photo: CardPhoto) -> Card:
        self._update(lambda: self._cards.update({photo.id: Card(photo.id, (photo,))}))
        return self[photo.id]

    def _update(self, change: Callable[[], object]) -> None:
        """Change the cards, and what their photos may be used for; who wants to know is told of other faces."""
        consents = Consents(self._app.resources.home)
        stamp, records = consents.stamp, consents.all()  # not under the lock: they may be busy for seconds
        self._app.known.keep_up()
        with self._lock:
            self._stamp, self._looked = stamp, time.monotonic()
            before = {card.id: _usable(card) for card in self._cards.values()}
            self._look_at(records)  # by which the change may go
            change()
            self._look_at(records)
            cards = [*self._cards.values()]
            after = {card.id: _usable(card) for card in cards}
        for card in cards:
            if card.kept and before.get(card.id, after[card.id]) != after[card.id]:
                self._keep_up_with(card)
        for number, usable in after.items():
            if before.get(number, usable) != usable:
                for tell in self._when_changed:
                    tell(number)

    def _keep_up_with(self, card: Card) -> None:
        """Have those photos kept of a face that may be used now, and it no longer if there are none."""
        with suppress(UnderstudyError):  # it can't be written, or the card is gone: what is kept stays as it is
            self._keep(card.id, card.allowed)

    def _brought_back(self, kept: KeptPhoto) -> CardPhoto | None:
        try:
            picture = load_source(kept.path, self._app.settings.max_pixels)
            upload = self._uploads.take_kept(kept.path, kept.name, "photo")
        except UnderstudyError:
            return None
        return _photo(upload.id, Path(upload.name).stem, upload.path, picture, kept.box)

    def _look_at(self, records: Sequence[Consent]) -> None:
        for card in list(self._cards.values()):
            photos = tuple(replace(photo, uses=photo.uses_in(records)) for photo in card.photos)
            self._cards[card.id] = replace(card, photos=photos)

    async def _serve(self, request: Request) -> Response:
        number = request.path_params["number"]
        found = [photo for card in self.all() for photo in card.photos if photo.id == number]
        if not found:
            return Response(status_code=404)
        return Response(found[0].picture, media_type="image/jpeg")


def _photo(number: str, name: str, path: Path, picture: UInt8Array, box: Sequence[float]) -> CardPhoto:
    known = replace(Photo.of(path, input_digest(path), picture), name=name + path.suffix)
    x0, y0, x1, y1 = box
    return CardPhoto(number, known, path, _face(picture, box), (x0, y0, x1, y1))


def _usable(card: Card) -> list[tuple[str, ...]]:
    return [card.key(use) for use in USES]


def _face(picture: UInt8Array, box: Sequence[float]) -> bytes:
    """A square picture of the face in a box (x0, y0, x1, y1) and what is around it, as JPEG."""
    x0, y0, x1, y1 = box
    height, width = picture.shape[:2]
    side = int(min(max(x1 - x0, y1 - y0) * _AROUND, height, width))
    left = int(np.clip((x0 + x1 - side) / 2, 0, width - side))
    top = int(np.clip((y0 + y1 - side) / 2 - side * 0.04, 0, height - side))
    square = picture[top : top + side, left : left + side]
    small = cv2.resize(square, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
