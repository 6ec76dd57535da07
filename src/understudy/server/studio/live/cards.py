"""Faces that may be put on: photos as cards, each with what was said about whose it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from understudy.app import Understudy
from understudy.arrays import UInt8Array
from understudy.casting.person import Person
from understudy.casting.portraits import load_portraits, load_source
from understudy.errors import InputNotFoundError
from understudy.provenance import ConsentClaim, Consents
from understudy.provenance.records.consent import Photo
from understudy.release import file_digest
from understudy.server.studio.samples import Samples
from understudy.server.uploads import Uploads
from understudy.swapping import Portrait

PLACE: Final = "/live/faces"
#: The card that is there at the first start.
SAMPLE: Final = "sample"
#: Side of a card's picture in pixels, and how much more than the face's box is on it.
_SIDE: Final = 224
_AROUND: Final = 1.7


@dataclass(frozen=True)
class Card:
    """A face.

    Attributes:
        id: That the server made.
        name: For people.
        photo: What consent knows the photo by.
        path: Where it lies.
        picture: A JPEG of the face.
        allowed: Whether a record says that it may be used live.
    """

    id: str
    name: str
    photo: Photo
    path: Path
    picture: bytes
    allowed: bool

    @property
    def address(self) -> str:
        """Where a page gets the picture."""
        return f"{PLACE}/{self.id}.jpg"


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
        self._when_removed: list[Callable[[str], object]] = []

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
        return self._added(SAMPLE, samples.name, samples.photo, picture, samples.face_box)

    def add(self, number: str) -> Card:
        """Add a photo that was handed over.

        Args:
            number: The upload's id.

        Raises:
            UnderstudyError: it is no photo, has no face, or is gone. The file is removed then.
        """
        upload = self._uploads[number]
        try:
            portrait = self.portrait(upload.path)
            box = portrait.face.boxes_xyxy.reshape(-1, 4)[0].tolist()
            return self._added(upload.id, Path(upload.name).stem, upload.path, portrait.picture, box)
        except BaseException:
            self._uploads.remove(number)
            raise

    def grant(self, number: str, claim: ConsentClaim) -> None:
        """Record what was said about whose face it is.

        Raises:
            UnderstudyError: that can't be recorded.
        """
        Consents(self._app.resources.home).grant(self[number].photo, claim)
        self.look()

    def look(self) -> None:
        """Read again which photos may be used: records are made and revoked elsewhere, too."""
        records = Consents(self._app.resources.home).all()
        with self._lock:
            for card in list(self._cards.values()):
                about = [record for record in records if card.photo.is_copy_of(record)]
                # As ``Consents.require`` has it: what was revoked last holds over what was granted before.
                revoked = bool(about) and about[-1].state == "revoked"
                granted = any(record.state == "valid" and "live" in record.uses for record in about)
                allowed = not revoked and (granted or card.id == SAMPLE)
                self._cards[card.id] = replace(card, allowed=allowed)

    def remove(self, number: str) -> None:
        """Take a card away, and the photo that was handed over for it. What was consented to stays recorded."""
        with self._lock:
            self._cards.pop(number, None)
        for tell in self._when_removed:
            tell(number)
        self._uploads.remove(number)

    def when_removed(self, tell: Callable[[str], object]) -> None:
        """Have a function told the id of every card that is taken away."""
        self._when_removed.append(tell)

    def person(self, card: Card) -> Person:
        """Whose face it is, as a session takes it."""
        return Person((card.path,), card.name, ConsentClaim("sample") if card.id == SAMPLE else None)

    def portrait(self, path: Path) -> Portrait:
        """A photo and the largest face in it, as a session finds it. The first one opens the models.

        Raises:
            UnderstudyError: it is no photo, or has no face.
        """
        settings = self._app.settings
        perception = self._app.resources.models.perception(settings)
        (found,), _ = load_portraits([path], perception, source_face=None, max_pixels=settings.max_pixels)
        return found

    def _added(self, number: str, name: str, path: Path, picture: UInt8Array, box: Sequence[float]) -> Card:
        photo = replace(Photo.of(path, file_digest(path), picture), name=name + path.suffix)
        with self._lock:
            self._cards[number] = Card(number, name, photo, path, _face(picture, box), number == SAMPLE)
        self.look()
        return self[number]

    async def _serve(self, request: Request) -> Response:
        try:
            card = self[request.path_params["number"]]
        except InputNotFoundError:
            return Response(status_code=404)
        return Response(card.picture, media_type="image/jpeg")


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
