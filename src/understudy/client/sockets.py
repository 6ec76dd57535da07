"""What both live clients say over a WebSocket and how they take what comes back, without any network."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from understudy.client.asking import ApiError

#: Most bytes of a message: of a picture, as the server takes them.
_MOST_BYTES: Final = 16_000_000
#: Bytes of the milliseconds before a picture.
_NUMBER: Final = 4
#: The code with which a server hangs up that has no room: "try again later" (RFC 6455's registry).
_LATER: Final = 1013


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


def trust(address: str, verify: bool | str) -> ssl.SSLContext | None:
    """Which certificates are trusted; None where the line is not encrypted.

    Args:
        address: Of the WebSocket.
        verify: See ``Client``.
    """
    if not address.startswith("wss:"):
        return None
    context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
    if verify is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def words(how: Opening) -> dict[str, Any]:
    """What a connection is opened with. Pictures are packed already, and none waits for those before it."""
    return {
        "additional_headers": dict(how.headers),
        "compression": None,
        "max_size": _MOST_BYTES,
        "max_queue": 1,
    }


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
    except (OSError, WebSocketException) as fault:
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
    if not refused:
        cut = fault.rcvd is None or fault.rcvd.code not in (1000, 1001)
        return ApiError("the session was cut off" if cut else "the session has ended", "Begin another.", 0)
    after = refused.get("retry_after")
    seconds = int(after) if isinstance(after, (int, float)) else None
    status = 503 if fault.rcvd is not None and fault.rcvd.code == _LATER else 422 if seconds is None else 429
    return ApiError(str(refused["error"]), str(refused.get("hint") or ""), status, seconds)


def _strange() -> ApiError:
    return ApiError("the server says what is no part of a session", "Is this an Understudy server?", 0)
