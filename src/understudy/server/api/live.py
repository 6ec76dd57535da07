"""``/live``: swapping as it happens, for a program that hands over pictures one by one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from understudy.arrays import UInt8Array
from understudy.casting.person import Person
from understudy.errors import InputError, UnderstudyError, UsageError
from understudy.server.access.audit import entry
from understudy.server.access.quotas import QuotaError
from understudy.server.access.tokens import Token, TokenError
from understudy.server.api.bodies import EndingError
from understudy.server.api.handed import MOST_BYTES, HandedBack, HandedOver, decoded
from understudy.server.api.places import FullError, Places
from understudy.server.api.routing import Router
from understudy.server.api.service import Service, ordered
from understudy.server.api.swaps import AnId, photos_of
from understudy.server.api.words import told
from understudy.sessions import LiveSession
from understudy.settings.schema import changed

router = Router(tags=["live"])
#: As the audit log has it: with 101, or 403, when a session is asked for, and what came of it when it ended.
_ACTION: Final = "WS /live/frames"
#: Seconds of live swapping that are counted at a time.
_SLICE: Final = 10.0
#: What a page asks for before its token: scripts can't set other headers of a WebSocket.
_PROTOCOL: Final = "understudy"
#: Seconds without a picture after which a session ends.
_PATIENCE: Final = 30.0
#: Seconds between two looks whether the session goes on.
_LOOK: Final = 0.5
#: Seconds between two looks whether its token is good and its person there.
_CHECK: Final = 1.0
#: Seconds between two messages with figures.
_FIGURES: Final = 1.0


class Covered(BaseModel):
    """Whether nobody is to be seen."""

    model_config = ConfigDict(extra="forbid")

    covered: bool


class NewLive(BaseModel):
    """What a session is to do: the first message, as text."""

    model_config = ConfigDict(extra="forbid")

    person: AnId
    settings: dict[str, Any] = Field(default={}, description="By full name, such as blend.strength: GET /settings.")


@router.websocket("/live/frames")
async def frames(socket: WebSocket) -> None:
    """Pictures in, labelled pictures out.

    The token is in the header; for a page, which can't set that, it is the second subprotocol that is asked for.

    The first message is text: ``{"person": id, "settings": {…}}``. Then each message is a picture (JPEG, PNG or WebP,
    all of one size), and each that comes back is four bytes, the milliseconds of the session, and a JPEG. Of pictures
    that come faster than they are swapped the newest counts. Once a second there is a text with figures. A text
    ``{"covered": true}`` in between has nobody seen, from the next picture on.
    """
    service: Service = socket.app.state.service
    try:
        token = socket.state.token = _token(socket, service)
        token.require("live")
        service.rate.take(token.user, token.quotas)
    except UnderstudyError:
        await socket.close(1008)
        return
    address = "" if socket.client is None else socket.client.host
    await socket.accept(_PROTOCOL if _PROTOCOL in socket.scope["subprotocols"] else None)
    outcome, begun = 200, time.monotonic()
    try:
        await _serve(socket, service, token)
    except UnderstudyError as fault:
        outcome = 429 if isinstance(fault, QuotaError) else 503 if isinstance(fault, (FullError, EndingError)) else 422
        said: dict[str, Any] = dict(await asyncio.to_thread(told, service.shelf, token.user, fault.message, fault.hint))
        if isinstance(fault, (QuotaError, FullError, EndingError)):
            said["retry_after"] = fault.seconds
        code = 1013 if isinstance(fault, FullError) else 1012 if isinstance(fault, EndingError) else 1008
        with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
            await socket.send_text(json.dumps(said))
            await socket.close(code)
    finally:
        seconds = time.monotonic() - begun
        said_entry = entry(address, token.name, token.user, _ACTION, outcome, f"{seconds:.0f}s")
        await asyncio.to_thread(service.audit.note, said_entry)


async def _serve(socket: WebSocket, service: Service, token: Token) -> None:
    """One session, from its first message to its last.

    Raises:
        UnderstudyError: it ends for that.
    """
    try:
        async with _within(_PATIENCE):
            new = NewLive.model_validate_json(await socket.receive_text())
            covered, first = await _first(socket)
    except (ValidationError, KeyError) as fault:
        raise UsageError("this is not how a session begins", 'Send {"person": id}, then pictures.') from fault
    except (WebSocketDisconnect, TimeoutError):
        return
    async with _place(socket, service, token):
        session, source, made = await _begun(service, token, new, first, covered=covered)
        sending = asyncio.ensure_future(_send(socket, session, made))
        try:
            await _receive(socket, source, _Going(service, token, new.person, session))
        except ValidationError as fault:
            raise UsageError("this is no text that is understood", 'Send {"covered": true}, or pictures.') from fault
        finally:
            sending.cancel()
            source.end()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
            await asyncio.to_thread(_stop, session)
    if socket.client_state is WebSocketState.CONNECTED:
        await socket.close()


async def _begun(
    service: Service, token: Token, new: NewLive, first: UInt8Array, *, covered: bool
) -> tuple[LiveSession, HandedOver, asyncio.Queue[bytes]]:
    """A session that runs; its pictures come in the queue, the newest only."""
    person = service.shelf.get(token.user, "person", new.person)
    photos = photos_of(service, token, person, "live")
    settings = changed(service.settings, ordered(service.settings, dict(new.settings)))
    settings = replace(settings, home=service.settings.home)
    made: asyncio.Queue[bytes] = asyncio.Queue(1)
    loop = asyncio.get_running_loop()

    def offer(data: bytes) -> None:
        while not made.empty():
            made.get_nowait()
        made.put_nowait(data)

    def give(data: bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(offer, data)

    source = HandedOver(first)
    session = service.app.live([Person(photos)], source, [lambda _release: HandedBack(give)], settings=settings)
    session.covered = covered
    await asyncio.to_thread(session.start)
    return session, source, made


@dataclass(eq=False)
class _Going:
    """Whether a session goes on.

    Args:
        service: What all requests share.
        token: Whose it is.
        person: Id of whoever is shown.
        session: The session.
    """

    service: Service
    token: Token
    person: str
    session: LiveSession

    def __post_init__(self) -> None:
        self._counted = self._checked = time.monotonic()

    async def look(self) -> bool:
        """Look whether it does; seconds that passed are counted.

        Raises:
            UnderstudyError: why it does not: the server ends, the day's seconds are used up, the token was revoked, the
                person was removed, or what it failed for.
        """
        if self.service.ending.is_set():
            raise EndingError
        if not self.session.running:
            await asyncio.to_thread(self.session.stop)  # raises what ended it
            return False
        now = time.monotonic()
        if now - self._counted >= _SLICE:
            self._counted += _SLICE
            await asyncio.to_thread(self.service.usage.take, self.token.user, "live_seconds", _SLICE, self.token.quotas)
        if now - self._checked >= _CHECK:
            self._checked = now
            await asyncio.to_thread(self.service.check_still_there, self.token, self.person)
        return True


async def _receive(socket: WebSocket, source: HandedOver, going: _Going) -> None:
    """Take pictures until none come any more.

    Raises:
        UnderstudyError: what ended the session.
    """
    while await going.look() and (said := await _next(socket, going)) is not None:
        if said["type"] != "websocket.receive":
            return
        if (text := said.get("text")) is not None:
            going.session.covered = Covered.model_validate_json(text).covered
        else:
            source.hand_over(await asyncio.to_thread(decoded, _checked(said["bytes"])))


async def _next(socket: WebSocket, going: _Going) -> Message | None:
    """What comes next, or that nothing came for too long; None if the session has ended meanwhile.

    Raises:
        UnderstudyError: what ended the session.
    """
    coming = asyncio.ensure_future(socket.receive())
    try:
        for _ in range(round(_PATIENCE / _LOOK)):
            done, _pending = await asyncio.wait((coming,), timeout=_LOOK)
            if done:
                return coming.result()
            if not await going.look():
                return None
        return {"type": "websocket.disconnect"}
    finally:
        coming.cancel()


async def _send(socket: WebSocket, session: LiveSession, made: asyncio.Queue[bytes]) -> None:
    """Give pictures back, and figures."""
    said = time.monotonic()
    with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
        while True:
            await socket.send_bytes(await made.get())
            if time.monotonic() - said >= _FIGURES:
                said = time.monotonic()
                figures = session.statistics()
                await socket.send_text(json.dumps({"fps": figures.fps_out, "latency_ms": figures.latency_ms}))


async def _first(socket: WebSocket) -> tuple[bool, UInt8Array]:
    """Whether nobody is to be seen from the first picture on, and that picture.

    Raises:
        ValidationError, KeyError: what comes is neither.
        WebSocketDisconnect: nothing comes any more.
    """
    covered = False
    while (said := await socket.receive())["type"] == "websocket.receive":
        if (text := said.get("text")) is None:
            return covered, decoded(_checked(said["bytes"]))
        covered = Covered.model_validate_json(text).covered
    raise WebSocketDisconnect(said.get("code") or 1000)


def _checked(data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise InputError(f"a picture has {MOST_BYTES // 1_000_000} MB at most", "Send a smaller one.")
    return data


@asynccontextmanager
async def _place(socket: WebSocket, service: Service, token: Token) -> AsyncIterator[None]:
    """Take one of the server's places for live sessions, and the first seconds of the day's.

    Raises:
        FullError: all are taken.
        QuotaError: the day's seconds are used up.
    """
    places: Places = socket.app.state.places
    places.take()
    try:
        await asyncio.to_thread(service.usage.take, token.user, "live_seconds", _SLICE, token.quotas)
        yield
    finally:
        places.give_back()


@asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    """``asyncio.timeout``, which Python 3.10 lacks.

    Raises:
        TimeoutError: it took longer.
    """
    task = asyncio.current_task()
    assert task is not None
    late = False

    def end() -> None:
        nonlocal late
        late = True
        task.cancel()

    handle = asyncio.get_running_loop().call_later(seconds, end)
    try:
        yield
    except asyncio.CancelledError:
        if late:
            raise TimeoutError from None
        raise
    finally:
        handle.cancel()


def _token(socket: WebSocket, service: Service) -> Token:
    kind, _, secret = socket.headers.get("authorization", "").partition(" ")
    asked = socket.scope["subprotocols"]
    if not kind and len(asked) == 2 and asked[0] == _PROTOCOL:
        return service.tokens.known(asked[1])
    if kind.lower() != "bearer":
        raise TokenError("this needs a token", "Send it as: Authorization: Bearer TOKEN.")
    return service.tokens.known(secret)


def _stop(session: LiveSession) -> None:
    with contextlib.suppress(UnderstudyError):  # it was told already
        session.stop()
