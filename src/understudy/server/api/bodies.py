"""Files in the bodies of requests and answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request

from understudy.errors import InputError, RefusedError, UsageError

#: For the API's description: the body is a file.
FILE_AS_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
#: Seconds without a byte after which nothing more is waited for.
PATIENCE: Final = 30.0


class CutOffError(InputError):
    """A body did not come whole."""


def announced(request: Request) -> int:
    """How many bytes a request says that its body has; 0 where it does not say it."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isdecimal() else 0


class EndingError(RefusedError):
    """The server ends.

    Attributes:
        seconds: When to come back, in seconds from now.
    """

    seconds = 10

    def __init__(self) -> None:
        super().__init__("the server ends, and takes in nothing more", f"Send it again in {self.seconds} s or later.")


class KindError(UsageError):
    """A body is of another kind than is taken there."""


async def pieces(request: Request) -> AsyncIterator[bytes]:
    """The bytes of a request's body as they come.

    Raises:
        CutOffError: they stopped coming.
        EndingError: the server ends.
    """
    stream, ending = request.stream(), request.app.state.service.ending
    while True:
        if ending.is_set():
            raise EndingError
        try:
            yield await asyncio.wait_for(anext(stream), PATIENCE)
        except StopAsyncIteration:
            return
        except (ClientDisconnect, TimeoutError, asyncio.TimeoutError) as fault:
            raise CutOffError("the file did not come whole", "Send it again.") from fault
