"""What both live clients say over a WebSocket and how they take what comes back, without any network."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import httpx
from websockets.asyncio.client import ClientConnection as AsyncConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection
from websockets.uri import WebSocketURI, parse_uri

from understudy.client.asking import ApiError

#: Most bytes of a message that is taken: no picture that comes back has as many.
_MOST_BYTES: Final = 16_000_000
#: Messages that may wait to be read; and seconds that closing waits for the server, which it does where more wait.
_WAITING, _CLOSING = 64, 1.0
#: Seconds for what is there already.
_AT_ONCE: Final = 0.001
#: Bytes of the milliseconds before a picture.
_NUMBER: Final = 4
#: The code with which a server hangs up that has no room: "try again later" (RFC 6455's registry).
_LATER: Final = 1013
#: And where a message is too large for it.
_TOO_LARGE: Final = 1009


class Frame(NamedTuple):
    """A picture that came back.

    Attributes:
        milliseconds: When the picture that it was made of came to the server, in those of the session.
        picture: A JPEG, with the label on it.
    """

    milliseconds: int
    picture: bytes


class Opening(NamedTuple):
    """How a session is begun.

    Attributes:
        address: Of the WebSocket.
        headers: Of the request for it.
        first: The first message.
    """

    address: str
    headers: Mapping[str, str]
    first: str


def opening(base: str, headers: Mapping[str, str], person: str, settings: Mapping[str, Any] | None) -> Opening:
    """How a session is begun.

    Args:
        base: The API's address.
        headers: With the token.
        person: Id of whose face.
        settings: By full name.
    """
    address = "ws" + base.removeprefix("http") + "/live/frames"
    return Opening(address, headers, json.dumps({"person": person, "settings": dict(settings or {})}))


def trust(address: str, trusted: bool | ssl.SSLContext) -> ssl.SSLContext | None:
    """Which certificates are trusted; None where the line is not encrypted.

    Args:
        address: Of the WebSocket.
        trusted: See ``asking.trusted``.
    """
    if not address.startswith("wss:"):
        return None
    return httpx.create_ssl_context(verify=trusted) if isinstance(trusted, bool) else trusted


def words(how: Opening) -> dict[str, Any]:
    """What a connection is opened with. Pictures are packed already."""
    return {
        "additional_headers": dict(how.headers),
        "compression": None,
        "max_size": _MOST_BYTES,
        "max_queue": _WAITING,
        "close_timeout": _CLOSING,
    }


def check_place(opened: WebSocketURI, how: Opening) -> None:
    """Whether a connection is with the server that was named: nobody's face goes where that one leads.

    Raises:
        ApiError: it is not.
    """
    named = parse_uri(how.address)
    if (opened.secure, opened.host, opened.port) != (named.secure, named.host, named.port):
        raise ApiError(
            "the server leads to another address", "Give the API's own address: the token is for no other.", 307
        )


def waiting(line: ClientConnection) -> str | bytes:
    """The next message, if it is there.

    Raises:
        TimeoutError: it is not.
        ConnectionClosed: none comes any more.
    """
    return line.recv(0)


async def waiting_async(line: AsyncConnection) -> str | bytes:
    """The same of a connection that is waited for beside other things."""
    try:
        return await asyncio.wait_for(line.recv(), _AT_ONCE)
    except asyncio.TimeoutError:  # which is another one in Python 3.10
        raise TimeoutError from None


@contextmanager
def faults() -> Iterator[None]:
    """Tells of a connection that can't be opened.

    Raises:
        ApiError: so it is.
    """
    try:
        yield
    except InvalidStatus as fault:
        status = fault.response.status_code
        raise ApiError(
            f"the server opens no live session: it answered with {status}",
            "Is the token good, and for live? Is this the address of an Understudy server?",
            status,
        ) from fault
    except (OSError, ValueError, WebSocketException) as fault:  # ValueError: led from an open line to one with TLS
        raise ApiError(f"the server can't be reached: {fault}", "Is it running, and its address right?", 0) from fault


def covered(now: bool) -> str:
    """The message that has nobody seen, or lets them be seen again."""
    return json.dumps({"covered": now})


def frame(data: bytes) -> Frame:
    """A message that is a picture.

    Raises:
        ApiError: it is none.
    """
    if len(data) <= _NUMBER:
        raise _strange()
    return Frame(int.from_bytes(data[:_NUMBER], "big"), data[_NUMBER:])


def told(said: str) -> dict[str, Any]:
    """A message that is text: figures, or why the session ends.

    Raises:
        ApiError: it is neither.
    """
    try:
        found = json.loads(said)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _strange()
    return found


def over(refused: Mapping[str, Any], fault: ConnectionClosed) -> ApiError:
    """The error of a session that has ended: the server's own where it told one before it hung up."""
    if fault.rcvd is not None and fault.rcvd.code == _TOO_LARGE:
        return ApiError("a picture is larger than the server takes", "Send a smaller one.", 413)
    if not refused:
        cut = fault.rcvd is None or fault.rcvd.code not in (1000, 1001)
        return ApiError("the session was cut off" if cut else "the session has ended", "Begin another.", 0)
    after = refused.get("retry_after")
    seconds = int(after) if isinstance(after, (int, float)) else None
    status = 503 if fault.rcvd is not None and fault.rcvd.code == _LATER else 422 if seconds is None else 429
    return ApiError(str(refused["error"]), str(refused.get("hint") or ""), status, seconds)


def _strange() -> ApiError:
    return ApiError("the server says what is no part of a session", "Is this an Understudy server?", 0)
