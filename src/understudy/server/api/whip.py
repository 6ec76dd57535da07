"""``/live``: sessions by WebRTC. What is sent comes in by WHIP (RFC 9725), what is watched goes out by WHEP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Final, Literal, cast

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from understudy.casting.person import Person
from understudy.errors import ConsentError, UsageError
from understudy.server.access.tokens import Token
from understudy.server.api.asking import BEARER, ForLive, TheService, desk_of, note, token_of
from understudy.server.api.bodies import KindError
from understudy.server.api.desk import Check
from understudy.server.api.live import Covered
from understudy.server.api.people import Id
from understudy.server.api.routing import Router
from understudy.server.api.service import Service, ordered
from understudy.server.api.stream import KEY_PREFIX, Stream
from understudy.server.api.streams import Streams
from understudy.server.api.swaps import AnId, photos_of
from understudy.server.api.words import told
from understudy.server.receiving import TooLargeError
from understudy.server.webrtc.offers import MOST_BYTES, Offer, Purpose, read_offer
from understudy.settings import Settings
from understudy.settings.schema import changed

router = Router(tags=["live"])
_SDP: Final = "application/sdp"
#: For the API's description: the body is an offer, and so is what is answered.
_OFFER_AS_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {_SDP: {"schema": {"type": "string"}}}}
}
_ANSWERED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"description": "The answer; `Location` is the connection, which DELETE ends", "content": {_SDP: {}}},
    415: {"description": f"The body is not {_SDP}"},
}
#: Letters of settings in an address: 48 kB at most, percent-encoded, where an HTTP head ends at 64.
_SETTINGS: Final = 4_000
#: Most people whose faces one session may change over between.
_PEOPLE: Final = 8


class NewStream(BaseModel):
    """A session to be."""

    model_config = ConfigDict(extra="forbid")

    people: list[AnId] = Field(min_length=1, max_length=_PEOPLE, description="Whose faces; the first is used first.")
    settings: dict[str, Any] = Field(default={}, description="By full name, such as blend.strength: GET /settings.")


class Chosen(BaseModel):
    """Whose face is used from now on."""

    model_config = ConfigDict(extra="forbid")

    person: AnId


class NewKey(BaseModel):
    """A key for watching to be."""

    model_config = ConfigDict(extra="forbid")

    minutes: float = Field(default=240, gt=0, le=1440, description="For how long it is good.")


class Key(BaseModel):
    """A key with which one session can be watched, and nothing else."""

    key: str = Field(description="Send it as a token: Authorization: Bearer KEY.")
    minutes: float
    page: str = Field(description="A page that shows the session and nothing else, for OBS's browser source.")


class LiveState(BaseModel):
    """A session, and how it fares."""

    id: str
    state: Literal["waiting", "live", "silent", "ended"] = Field(
        description="`waiting` for the first picture; `silent`: none comes now; `ended`: see `error`."
    )
    people: list[str]
    person: str = Field(description="Whose face is used.")
    covered: bool
    sending: bool = Field(description="Whether somebody is connected who sends.")
    watching: int = Field(description="How many are connected who watch.")
    seconds: float
    width: int
    height: int
    fps_in: float
    fps_out: float
    latency_ms: dict[str, float] = Field(description="From a picture's arrival until it is handed over, p50 and p95.")
    why: str = Field(description="Why the last who sent was sent away; empty if they went by themselves.")
    error: str = ""
    hint: str = ""


class Live(BaseModel):
    """Your sessions, and how many the server carries."""

    sessions: list[LiveState]
    places: dict[str, Any]


def streams_of(request: Request) -> Streams:
    """All sessions."""
    return cast(Streams, request.app.state.streams)


TheStreams = Annotated[Streams, Depends(streams_of)]


async def _who_may_watch(
    request: Request,
    id: Id,  # noqa: A002 - its name in the address
    streams: TheStreams,
    given: Annotated[str | None, Depends(BEARER)],
) -> tuple[Stream, float]:
    """The session that a token or a key may watch, and until when.

    Raises:
        TokenError, ScopeError, NotHereError: it may not, or there is none.
    """
    if given is not None and given.startswith(KEY_PREFIX):
        stream = streams.get(id)
        return stream, stream.key_ends(given)
    token = await token_of(request, given, "live")
    return streams.get(id, token.user), float("inf")


MayWatch = Annotated[tuple[Stream, float], Depends(_who_may_watch)]


@router.post("/live/sessions", status_code=201)
async def begin(
    request: Request, new: NewStream, token: ForLive, service: TheService, streams: TheStreams
) -> LiveState:
    """Begin a session. It waits half a minute for whoever sends: POST /live/{id}/whip."""
    return _state(await _begun(request, token, service, streams, new.people, new.settings))


@router.post("/live/whip", status_code=201, response_class=Response, responses=_ANSWERED, openapi_extra=_OFFER_AS_BODY)
async def begin_and_send(
    request: Request,
    token: ForLive,
    service: TheService,
    streams: TheStreams,
    person: Annotated[
        list[AnId], Query(min_length=1, max_length=_PEOPLE, description="Whose face; several: the first.")
    ],
    settings: Annotated[str, Query(max_length=_SETTINGS, description="As JSON, by full name.")] = "{}",
) -> Response:
    """Begin a session and send to it, in one (WHIP): `Location` is the session, which DELETE ends."""
    offer = await _offer(request, "send")
    stream = await _begun(request, token, service, streams, person, _table(settings))
    try:
        _, answer = await stream.publish(offer)
    except BaseException:
        stream.end()
        raise
    return _answer(answer, f"/api/v1/live/{stream.id}")


@router.get("/live")
async def list_sessions(token: ForLive, streams: TheStreams) -> Live:
    """Your sessions, the oldest first, with those that ended lately; and how many the server carries."""
    return Live(sessions=[_state(one) for one in streams.of(token.user)], places=streams.places.as_json())


@router.get("/live/{id}")
async def one_session(id: Id, token: ForLive, streams: TheStreams) -> LiveState:  # noqa: A002
    """How a session fares."""
    return _state(streams.get(id, token.user))


@router.delete("/live/{id}", status_code=204, response_class=Response)
async def end_session(request: Request, id: Id, token: ForLive, streams: TheStreams) -> None:  # noqa: A002
    """End a session, and all connections to it."""
    stream = streams.get(id, token.user)
    note(request, id)
    stream.end()


@router.post(
    "/live/{id}/whip", status_code=201, response_class=Response, responses=_ANSWERED, openapi_extra=_OFFER_AS_BODY
)
async def send(request: Request, id: Id, token: ForLive, streams: TheStreams) -> Response:  # noqa: A002
    """Send to a session (WHIP), in place of whoever sent before: those who watch go on watching."""
    stream = streams.get(id, token.user)
    note(request, id)
    number, answer = await stream.publish(await _offer(request, "send"))
    return _answer(answer, f"/api/v1/live/{id}/connections/{number}")


@router.post(
    "/live/{id}/whep", status_code=201, response_class=Response, responses=_ANSWERED, openapi_extra=_OFFER_AS_BODY
)
async def watch(request: Request, watched: MayWatch) -> Response:
    """Watch a session (WHEP). A key for watching is enough."""
    stream, until = watched
    note(request, stream.id)
    number, answer = await stream.watch(await _offer(request, "watch"), until)
    return _answer(answer, f"/api/v1/live/{stream.id}/connections/{number}")


@router.delete("/live/{id}/connections/{number}", status_code=204, response_class=Response)
async def hang_up(request: Request, number: Id, watched: MayWatch) -> None:
    """End one connection to a session. The session goes on: somebody else may send, for half a minute."""
    note(request, watched[0].id)
    await watched[0].hang_up(number)


@router.post("/live/{id}/cover")
async def cover(request: Request, id: Id, new: Covered, token: ForLive, streams: TheStreams) -> LiveState:  # noqa: A002
    """Have all of every picture blurred, or take that back: from the picture on that is being made."""
    stream = streams.get(id, token.user)
    note(request, id)
    stream.cover(new.covered)
    return _state(stream)


@router.post("/live/{id}/person")
async def choose(request: Request, id: Id, new: Chosen, token: ForLive, streams: TheStreams) -> LiveState:  # noqa: A002
    """Use another face of those that the session was begun with."""
    stream = streams.get(id, token.user)
    note(request, id, new.person)
    await stream.choose(new.person)
    return _state(stream)


@router.post("/live/{id}/keys", status_code=201)
async def add_a_key(request: Request, id: Id, new: NewKey, token: ForLive, streams: TheStreams) -> Key:  # noqa: A002
    """Make a key with which this session can be watched, for a while, and nothing else."""
    stream = streams.get(id, token.user)
    note(request, id)
    key = stream.new_key(new.minutes)
    return Key(key=key, minutes=new.minutes, page=f"/live/view#{id}.{key}")


async def _begun(
    request: Request,
    token: Token,
    service: Service,
    streams: Streams,
    people: Sequence[str],
    settings: dict[str, Any],
) -> Stream:
    """A session that waits for pictures, of people whose faces may be used.

    Raises:
        UnderstudyError: one may not, a setting is none of those that may be ordered, there is no place, or the day's
            seconds are used up.
    """
    known = [service.shelf.get(token.user, "person", number) for number in people]
    note(request, *people)
    own = changed(service.settings, ordered(service.settings, dict(settings)))
    own = replace(own, home=service.settings.home)
    photos: dict[str, Person] = {}
    desk = await desk_of(request)
    for one in known:
        person = Person(photos_of(service, token, one, "live"))
        try:
            await desk.look(request, token.user, partial(_check, service, person, own))
        except ConsentError:
            # Who was named first is the one to be seen; another one that may not be used any more keeps nobody from it.
            if one is known[0]:
                raise
            continue
        photos[one.id] = person
    address = "" if request.client is None else request.client.host
    stream = await streams.add(token, tuple(photos), list(photos.values()), own, address)
    note(request, stream.id, *people)
    return stream


def _check(service: Service, person: Person, settings: Settings, _: Check) -> None:
    service.check_live(person.photos, settings)


async def _offer(request: Request, purpose: Purpose) -> Offer:
    """The offer in a request's body.

    Raises:
        TooLargeError, InputError: see ``read_offer``.
        KindError: the body is not said to be one.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _SDP:
        raise KindError(f"this takes {_SDP}", f"Send the header Content-Type: {_SDP}.")
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BYTES:
            raise TooLargeError(f"an offer has {MOST_BYTES // 1024} kB at most", "Send what createOffer gives.")
    return read_offer(data, purpose)


def _table(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise UsageError("these settings are no JSON", 'Send {"blend.strength": 0.8}, for example.') from fault
    if not isinstance(found, dict):
        raise UsageError("these settings are no table", 'Send {"blend.strength": 0.8}, for example.')
    return found


def _answer(sdp: str, location: str) -> Response:
    return Response(sdp, 201, {"Location": location}, _SDP)


def _state(stream: Stream) -> LiveState:
    said = stream.as_json()
    if (fault := stream.fault) is not None:
        said |= told(stream.service.shelf, stream.token.user, fault.message, fault.hint)
    return LiveState(**said)
