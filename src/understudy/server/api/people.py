"""``/photos`` and ``/people``: whose faces may be used."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from understudy.errors import UsageError
from understudy.provenance import ConsentClaim
from understudy.provenance.records.consent import Ground, Use
from understudy.server.api.asking import ForPeople, TheDesk, TheService, note
from understudy.server.api.bodies import FILE_AS_BODY, announced, pieces
from understudy.server.api.routing import Router
from understudy.server.api.service import Service
from understudy.server.api.shelf import Thing

router = Router(tags=["people"])
Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="32 hexadecimal digits that the server chose.")]
Name = Annotated[str, Query(min_length=1, max_length=255, description="What you call the file; its suffix counts.")]


class ConsentSaid(BaseModel):
    """Who said that the photos may be used, and for what."""

    model_config = ConfigDict(extra="forbid")

    ground: Ground = Field(description="self, granted (by the person; needs a note), fictional (nobody real) or sample")
    note: str = Field(default="", max_length=1000, description="How the person gave consent.")
    uses: list[Use] = Field(default=["image", "video"], min_length=1, description="What the photos may be used for.")
    days: int = Field(default=365, ge=1, le=3660)


class NewPerson(BaseModel):
    """A person to be."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=80)
    photos: list[Annotated[str, Field(pattern="^[0-9a-f]{32}$")]] = Field(
        min_length=1, max_length=16, description="Ids of photos of that person only."
    )
    consent: ConsentSaid


class Photo(BaseModel):
    """A photo that was handed over."""

    id: str
    name: str
    bytes: int
    sha256: str
    expires: float = Field(description="Unix time in seconds at which it is removed.")


class Person(BaseModel):
    """Somebody whose face may be used."""

    id: str
    name: str
    photos: list[str]
    ground: str
    uses: list[str]
    expires: float


@router.post("/photos", status_code=201, openapi_extra=FILE_AS_BODY)
async def hand_over_a_photo(request: Request, name: Name, token: ForPeople, service: TheService) -> Photo:
    """Hand over a photo: the request's body is the file."""
    size = announced(request)
    thing = await service.shelf.take(token.user, "photo", name, pieces(request), token.quotas.bytes, size)
    note(request, thing.id, digests=(thing.digest,))
    return _photo(thing)


@router.get("/photos")
def list_photos(token: ForPeople, service: TheService) -> list[Photo]:
    """Your photos, the oldest first."""
    return [_photo(thing) for thing in service.shelf.all(token.user, "photo")]


@router.delete("/photos/{id}", status_code=204, response_class=Response)
def remove_a_photo(request: Request, id: Id, token: ForPeople, service: TheService) -> None:  # noqa: A002 - its name in the address
    """Remove a photo, the people it is of, and what is kept of that face. Swaps that need it must have ended."""
    thing = service.shelf.get(token.user, "photo", id)
    note(request, id, digests=(thing.digest,))
    _unneeded(service, token.user, thing)
    for person in service.shelf.all(token.user, "person"):
        if id in person.said["photos"]:
            _unneeded(service, token.user, person)
            service.shelf.remove(person)
    service.forget_face(thing)
    service.shelf.remove(thing)


@router.post("/people", status_code=201)
async def add_a_person(
    request: Request, new: NewPerson, token: ForPeople, service: TheService, desk: TheDesk
) -> Person:
    """Say whose face is on photos and who said that it may be used. The photos are looked at: there must be a face."""
    photos = [service.shelf.get(token.user, "photo", number) for number in new.photos]
    note(request, *new.photos, digests=tuple(photo.digest for photo in photos))
    claim = ConsentClaim(new.consent.ground, new.consent.note, tuple(new.consent.uses), new.consent.days)
    paths = [service.shelf.path(photo) for photo in photos]
    await desk.look(request, token.user, lambda _: service.check_person(paths, claim))
    said: dict[str, Any] = {"photos": new.photos, "ground": claim.ground, "uses": list(claim.uses)}
    thing = service.shelf.add(token.user, "person", new.name, said=said)
    note(request, thing.id, *new.photos, digests=tuple(photo.digest for photo in photos))
    return _person(thing)


@router.get("/people")
def list_people(token: ForPeople, service: TheService) -> list[Person]:
    """Your people, the oldest first."""
    return [_person(thing) for thing in service.shelf.all(token.user, "person")]


@router.delete("/people/{id}", status_code=204, response_class=Response)
def remove_a_person(request: Request, id: Id, token: ForPeople, service: TheService) -> None:  # noqa: A002
    """Remove a person. Their photos stay until they are removed."""
    thing = service.shelf.get(token.user, "person", id)
    note(request, id)
    _unneeded(service, token.user, thing)
    service.shelf.remove(thing)


def _unneeded(service: Service, user: str, thing: Thing) -> None:
    """Make sure that nothing which is to be done needs a thing.

    Raises:
        UsageError: a swap does.
    """
    swap = service.uses(user, thing)
    if swap is not None:
        raise UsageError(f"the swap {swap.id} needs it", "Wait until that ended, or remove it first.")


def _photo(thing: Thing) -> Photo:
    return Photo(id=thing.id, name=thing.name, bytes=thing.bytes, sha256=thing.digest, expires=thing.expires)


def _person(thing: Thing) -> Person:
    return Person(id=thing.id, name=thing.name, expires=thing.expires, **thing.said)
