"""Swapping as it happens: pictures in, labelled pictures out, for a program that does more meanwhile."""

# Written by tools/async_client.py from live.py.

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from ssl import SSLContext
from types import TracebackType
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

from understudy.client import sockets
from understudy.client.sockets import Frame, Opening


class AsyncLive:
    """A live session. An asynchronous context manager.

    Hand pictures over with ``give``, and take what comes back with ``async for``. Where pictures come faster than
    they are swapped, the newest counts: not every one that is given comes back.

    Attributes:
        figures: The newest ones, about once a second: ``fps`` and ``latency_ms`` (p50, p95, p99); empty before the
            first.
    """

    def __init__(self, line: ClientConnection, opened: AsyncExitStack) -> None:
        self._line, self._opened = line, opened
        self._refused: dict[str, Any] = {}
        self._closed = False
        self.figures: dict[str, Any] = {}

    @classmethod
    async def begin(cls, opening: Opening, trusted: SSLContext | None, seconds: float) -> AsyncLive:
        """Begin a session: see ``AsyncClient.live``.

        Raises:
            ApiError: the server opens none.
        """
        async with AsyncExitStack() as opened:
            with sockets.faults():
                connecting = connect(opening.address, ssl=trusted, open_timeout=seconds, **sockets.words(opening))
                line = await opened.enter_async_context(connecting)
                sockets.check_place(line.protocol.uri, opening)
                await line.send(opening.first)
            return cls(line, opened.pop_all())

    async def __aenter__(self) -> AsyncLive:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def give(self, picture: bytes) -> None:
        """Hand a picture over: JPEG, PNG or WebP, all of one size.

        Raises:
            ApiError: the session has ended.
        """
        await self._send(picture)

    async def cover(self, covered: bool) -> None:
        """Have nobody seen, from the next picture on; or let them be seen again.

        Raises:
            ApiError: the session has ended.
        """
        await self._send(sockets.covered(covered))

    def __aiter__(self) -> AsyncIterator[Frame]:
        return self

    async def __anext__(self) -> Frame:
        """The newest picture that came back, or the next one; until the session ends.

        Raises:
            ApiError: it ended for a fault: its error and hint are the server's.
        """
        if self._closed:  # what had come before that is not wanted any more
            raise StopAsyncIteration
        try:
            while (frame := self._taken(await self._line.recv())) is None:
                pass
            with suppress(TimeoutError, ConnectionClosed):  # the end is told when there is nothing else
                while True:
                    frame = self._taken(await sockets.waiting_async(self._line)) or frame
            return frame
        except ConnectionClosedOK:
            raise StopAsyncIteration from None
        except ConnectionClosed as fault:
            raise sockets.over(self._refused, fault) from fault

    async def _send(self, message: bytes | str) -> None:
        try:
            await self._line.send(message)
        except ConnectionClosed as fault:
            with suppress(ConnectionClosed):
                while True:  # why it ended may have come, and was not read yet
                    self._taken(await self._line.recv())
            raise sockets.over(self._refused, fault) from fault

    def _taken(self, said: str | bytes) -> Frame | None:
        """A picture; None of what is not one, but said of the session."""
        if isinstance(said, bytes):
            return sockets.frame(said)
        told = sockets.told(said)
        if "error" in told:
            self._refused = told  # and hangs up
        elif "fps" in told:
            self.figures = told
        return None

    async def close(self) -> None:
        """End the session."""
        self._closed = True
        await self._opened.aclose()
