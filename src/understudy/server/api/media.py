"""``/media``: pictures and clips that are to be swapped, and who is in them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any, Literal

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from understudy.casting.cast_file import LONGEST, write_cast
from understudy.errors import UnderstudyError, UsageError
from understudy.media.files import open_source
from understudy.media.files.length import length_of
from understudy.server.access.tokens import Token
from understudy.server.api.asking import ForMedia, TheDesk, TheService, note
from understudy.server.api.bodies import FILE_AS_BODY, announced, pieces
from understudy.server.api.desk import Check
from understudy.server.api.files import FileAnswer
from understudy.server.api.people import Id, Name
from understudy.server.api.places import FullError
from understudy.server.api.routing import Router
from understudy.server.api.service import Service
from understudy.server.api.shelf import NotHereError, Thing
from understudy.server.api.words import told
from understudy.sessions.outlet import unexpected
from understudy.table_files import read_tables

router = Router(tags=["media"])
#: In how many clips somebody is looked for at a time, and in how many of one user: the others' turn comes nevertheless.
_LOOKS, _OF_ONE = 4, 2
#: What is kept beside a clip of who is in it.
CAST = "people.toml"


class Media(BaseModel):
    """A picture or clip that was handed over."""

    id: str
    name: str
    bytes: int
    sha256: str
    kind: Literal["image", "animation", "video"]
    width: int
    height: int
    seconds: float | None = Field(description="null for a picture")
    expires: float = Field(description="Unix time in seconds at which it is removed.")


class ClipPerson(BaseModel):
    """Somebody who is in a clip."""

    number: int
    share: float = Field(description="Of the clip's time, 0-1.")
    first_seconds: float | None
    last_seconds: float | None


class WhoIsThere(BaseModel):
    """Who is in a clip, as far as it was looked at."""

    state: Literal["looking", "known", "failed"]
    share: float = Field(default=1.0, description="How much was looked at, 0-1.")
    people: list[ClipPerson] = []
    error: str = ""
    hint: str = ""


@router.post("/media", status_code=201, openapi_extra=FILE_AS_BODY)
async def hand_over_media(request: Request, name: Name, token: ForMedia, service: TheService, desk: TheDesk) -> Media:
    """Hand over a picture or clip: the request's body is the file, streamed to disk as it comes."""
    size = announced(request)
    thing = await service.shelf.take(token.user, "media", name, pieces(request), token.quotas.bytes, size)
    note(request, thing.id, digests=(thing.digest,))
    try:
        said = await desk.look(request, token.user, lambda check: _looked_at(service, thing, check))
    except BaseException:
        request.state.names = {service.shelf.path(thing).name: thing.name}  # nobody else can say what it was
        service.shelf.remove(thing)
        raise
    return _media(service.shelf.say(thing, **said))


@router.get("/media")
def list_media(token: ForMedia, service: TheService) -> list[Media]:
    """Your pictures and clips, the oldest first."""
    return [_media(thing) for thing in service.shelf.all(token.user, "media") if "kind" in thing.said]


@router.get("/media/{id}")
def one_media(id: Id, token: ForMedia, service: TheService) -> Media:  # noqa: A002 - its name in the address
    """One of them."""
    return _media(_get(service, token, id))


@router.get("/media/{id}/content", response_class=FileAnswer)
def fetch_media(request: Request, id: Id, token: ForMedia, service: TheService) -> FileAnswer:  # noqa: A002
    """The file as it was handed over; ``Range`` gives a part of it."""
    thing = _get(service, token, id)
    note(request, id, digests=(thing.digest,))
    return FileAnswer(service.shelf.path(thing), media_type="application/octet-stream", filename=thing.name)


@router.delete("/media/{id}", status_code=204, response_class=Response)
def remove_media(request: Request, id: Id, token: ForMedia, service: TheService) -> None:  # noqa: A002
    """Remove a picture or clip. Swaps that need it must have ended."""
    thing = _get(service, token, id)
    note(request, id)
    swap = service.uses(token.user, thing)
    if swap is not None:
        raise UsageError(f"the swap {swap.id} needs it", "Wait until that ended, or remove it first.")
    service.shelf.remove(thing)


@router.post("/media/{id}/people", status_code=202)
async def look_who_is_there(request: Request, id: Id, token: ForMedia, service: TheService) -> WhoIsThere:  # noqa: A002
    """Have somebody look who is in a clip. It takes about a sixth of its length; ask how far it is with GET."""
    thing = _get(service, token, id)
    note(request, id)
    looks: dict[str, _Look] = request.app.state.looks
    if thing.id not in looks:
        if len(looks) >= _LOOKS or sum(look.user == token.user for look in looks.values()) >= _OF_ONE:
            raise FullError("several clips are being looked at already")
        path = service.shelf.path(thing)
        looks[thing.id] = _Look(token.user, lambda: service.ending.is_set() or not path.exists())
        task = asyncio.create_task(_look(service, thing, looks))
        request.app.state.tasks.add(task)
        task.add_done_callback(request.app.state.tasks.discard)
    return WhoIsThere(state="looking", share=looks[thing.id].share)


@router.get("/media/{id}/people")
def who_is_there(request: Request, id: Id, token: ForMedia, service: TheService) -> WhoIsThere:  # noqa: A002
    """Who is in a clip."""
    thing = _get(service, token, id)
    look = request.app.state.looks.get(thing.id)
    if look is not None:
        return WhoIsThere(state="looking", share=look.share)
    if "look_failed" in thing.said:
        return WhoIsThere(state="failed", share=0, **thing.said["look_failed"])
    if "people" not in thing.said:
        raise UsageError("nobody looked who is in it yet", f"POST /api/v1/media/{id}/people")
    return WhoIsThere(state="known", people=thing.said["people"])


@router.get("/media/{id}/people/{number}.jpg", response_class=Response)
def thumbnail(request: Request, id: Id, number: int, token: ForMedia, service: TheService) -> Response:  # noqa: A002
    """A picture of somebody who is in a clip."""
    thing = _get(service, token, id)
    note(request, id)
    path = service.shelf.beside(thing, CAST)
    people = read_tables(path, LONGEST, "cast", "")["people"] if path.exists() else []
    found = next((one for one in people if one["number"] == number and "thumbnail" in one), None)
    if found is None:
        raise NotHereError("person", str(number))
    return Response(base64.b64decode(found["thumbnail"]), media_type="image/jpeg")


class _EndingError(Exception):
    """The server ends, or the clip was removed: nobody waits for the rest of it."""


class _Look:
    """How far somebody is who looks at a clip.

    Args:
        user: For whom.
        ending: Whether nobody waits for it any more.
    """

    def __init__(self, user: str, ending: Callable[[], bool]) -> None:
        self.user, self._ending = user, ending
        self.share = 0.0

    def progress(self, done: int, frames: int | None) -> None:
        """Note it.

        Raises:
            _EndingError: nobody waits for it any more.
        """
        if self._ending():
            raise _EndingError
        self.share = min(done / frames, 1.0) if frames else 0.0


async def _look(service: Service, thing: Thing, looks: dict[str, _Look]) -> None:
    look = looks[thing.id]
    try:
        report = await asyncio.to_thread(service.app.people, service.shelf.path(thing), progress=look.progress)
        path = service.shelf.beside(thing, CAST)
        if report.people:
            await asyncio.to_thread(write_cast, path, report.people, thing.name, overwrite=True)
        people = [
            {
                "number": one.number,
                "share": one.share,
                "first_seconds": one.first_seconds,
                "last_seconds": one.last_seconds,
            }
            for one in report.people
        ]
        _say(service, thing, people=people)
    except _EndingError:
        pass  # if it is still there, it can be asked again at the next start
    except Exception as fault:  # noqa: BLE001 - of any library: who asks must not wait for ever
        own = fault if isinstance(fault, UnderstudyError) else unexpected(fault)
        _say(service, thing, look_failed=told(service.shelf, thing.user, own.message, own.hint, ids=True))
    finally:
        del looks[thing.id]


def _say(service: Service, thing: Thing, **said: Any) -> None:  # noqa: ANN401 - plain values of any kind
    """Note what came of a look. Of what was removed meanwhile nothing stays: faces that were found lie beside it."""
    try:
        service.shelf.say(thing, **said)
    except NotHereError:
        service.shelf.remove(thing)


def _looked_at(service: Service, thing: Thing, check: Check) -> dict[str, Any]:
    """What a file is; and how long, by its packets as well: that is counted, and its head may say anything.

    Raises:
        InputError: it is no picture or clip, or a larger one than is taken.
    """
    path = service.shelf.path(thing)
    with open_source(path, service.settings.max_pixels) as source:
        info = source.info
    seconds = None if info.kind.value == "image" else info.duration
    if info.kind.value == "video":
        seconds = max(seconds or 0, length_of(path, check))
    return {"kind": info.kind.value, "width": info.width, "height": info.height, "seconds": seconds}


def _get(service: Service, token: Token, number: str) -> Thing:
    thing = service.shelf.get(token.user, "media", number)
    if "kind" not in thing.said:  # it is still being looked at
        raise NotHereError("media", number)
    return thing


def _media(thing: Thing) -> Media:
    said = {name: thing.said[name] for name in ("kind", "width", "height", "seconds")}
    return Media(id=thing.id, name=thing.name, bytes=thing.bytes, sha256=thing.digest, expires=thing.expires, **said)
