"""Swapping as it happens: pictures in, labelled pictures out, for a program that waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from ssl import SSLContext
from types import TracebackType
from typing import Any

from websockets.exceptions import ConnectionClosed, ConnectionClosedOK
from websockets.sync.client import ClientConnection, connect

from understudy.client import sockets
from understudy.client.sockets import Frame, Opening


class Live:
    """A live session. A context manager.

    Hand pictures over with ``give``, and take what comes back with ``for``. Where pictures come faster than
    they are swapped, the newest counts: not every one that is given comes back.

    Attributes:
        figures: The newest ones, about once a second: ``fps`` and ``latency_ms`` (p50, p95, p99); empty before the
            first.
    """

    def __init__(self, line: ClientConnection, opened: ExitStack) -> None:
        self._line, self._opened = line, opened
        self._refused: dict[str, Any] = {}
        self._closed = False
        self.figures: dict[str, Any] = {}

    @classmethod
    def begin(cls, opening: Opening, trusted: SSLContext | None, seconds: float) -> Live:
        """Begin a session: see ``Client.live``.

        Raises:
            ApiError: the server opens none.
        """
        with ExitStack() as opened:
            with sockets.faults():
                connecting = connect(opening.address, ssl=trusted, open_timeout=seconds, **sockets.words(opening))
                line = opened.enter_context(connecting)
                sockets.check_place(line.protocol.uri, opening)
                line.send(opening.first)
            return cls(line, opened.pop_all())

    def __enter__(self) -> Live:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def give(self, picture: bytes) -> None:
        """Hand a picture over: JPEG, PNG or WebP, all of one size.

        Raises:
            ApiError: the session has ended.
        """
        self._send(picture)

    def cover(self, covered: bool) -> None:
        """Have nobody seen, from the next picture on; or let them be seen again.

        Raises:
            ApiError: the session has ended.
        """
        self._send(sockets.covered(covered))

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        """The newest picture that came back, or the next one; until the session ends.

        Raises:
            ApiError: it ended for a fault: its error and hint are the server's.
        """
        if self._closed:  # what had come before that is not wanted any more
            raise StopIteration
        try:
            while (frame := self._taken(self._line.recv())) is None:
                pass
            with suppress(TimeoutError, ConnectionClosed):  # the end is told when there is nothing else
                while True:
                    frame = self._taken(sockets.waiting(self._line)) or frame
            return frame
        except ConnectionClosedOK:
            raise StopIteration from None
        except ConnectionClosed as fault:
            raise sockets.over(self._refused, fault) from fault

    def _send(self, message: bytes | str) -> None:
        try:
            self._line.send(message)
        except ConnectionClosed as fault:
            with suppress(ConnectionClosed):
                while True:  # why it ended may have come, and was not read yet
                    self._taken(self._line.recv())
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

    def close(self) -> None:
        """End the session."""
        self._closed = True
        self._opened.close()
