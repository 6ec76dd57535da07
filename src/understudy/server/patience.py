"""Connections that ask for nothing, or never come to the end of asking: they are not kept open.

uvicorn waits for the head of a request as long as it takes, and for as many bytes as come. A few hundred connections
that send a letter now and then would leave no room for anybody else, and one needs no secret for that.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.auto import AutoHTTPProtocol

#: Seconds in which the head of a request must be there, and most bytes of it.
HEAD_SECONDS: Final = 15.0
HEAD_BYTES: Final = 65_536


class PatientProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """HTTP on one connection, with an end to the waiting."""

    _waited: asyncio.TimerHandle | None = None
    _head: int = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """See ``asyncio.Protocol``."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            self._wait_no_longer()  # it is over, or a WebSocket now
        elif self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_longer()  # the head is there: whoever answers sees to the rest
        else:
            self._head += len(data)
            if self._head > HEAD_BYTES:
                self.transport.abort()
            else:
                self._wait()

    def _wait(self) -> None:
        if self._waited is None:
            self._waited = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _wait_no_longer(self) -> None:
        self._head = 0
        if self._waited is not None:
            self._waited.cancel()
            self._waited = None
