"""Runs a server on this machine until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from understudy.errors import UsageError
from understudy.server.patience import PatientProtocol

#: Where nobody from elsewhere comes.
HERE: Final = "127.0.0.1"
#: Seconds that pages have to let go when the server ends.
_PATIENCE: Final = 2
#: Seconds between two looks whether WebSockets are closed.
_LOOK: Final = 0.05
#: Most bytes of a WebSocket's message: a little more than of a picture that is taken (see ``api.handed``).
_MESSAGE: Final = 5_000_000
#: What uvicorn says, a line for each, of what is no request that it knows.
_NO_HTTP: Final = frozenset({"Invalid HTTP request received.", "Unsupported upgrade request."})


def listening(port: int, host: str = HERE) -> socket.socket:
    """A socket that nobody else has.

    Args:
        port: Its number; 0 for any that is free.
        host: An address of this machine.

    Raises:
        UsageError: it is taken, or not for us.
    """
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(128)
    except OSError as fault:  # gaierror, of a name that there is not, is one, too
        found.close()
        raise UsageError(
            f"port {port} of {host} can't be used: {fault.strerror}",
            "Name another with --port, or leave that out for any.",
        ) from fault
    return found


def check_certificate(cert: Path, key: Path) -> None:
    """Make sure that a certificate and its key can be used for TLS.

    Args:
        cert: File with the certificate chain.
        key: File with its private key.

    Raises:
        UsageError: they can't.
    """
    asked = False

    def passphrase() -> str:
        nonlocal asked  # which would be asked for on the terminal, if there is one, by each start of the server
        asked = True
        return ""

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, passphrase)
    except OSError as fault:  # ssl.SSLError is one, too
        if asked:
            raise UsageError(
                f"the key {key.name} has a passphrase", f"Make one without: openssl pkey -in {key.name} -out NEW.pem"
            ) from fault
        raise UsageError(
            f"the certificate or its key can't be used: {fault.strerror or fault}",
            "Name files in PEM's format that belong together.",
        ) from fault


def serve(
    app: ASGIApp,
    listener: socket.socket,
    stop: threading.Event,
    *,
    parting: float = 0.0,
    cert: Path | None = None,
    key: Path | None = None,
) -> None:
    """Answer until a signal comes, or ``stop`` is set. Nothing of what is asked is logged: addresses hold secrets.

    Args:
        app: What answers.
        listener: A socket that listens.
        stop: Ends it, from any thread.
        parting: Seconds that WebSockets have, once ``stop`` is set, to say why they end, before they are cut off.
        cert: File with the certificate chain; None for no TLS.
        key: File with its private key.
    """
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=_PATIENCE,
        ws_max_size=_MESSAGE,
        ws_per_message_deflate=False,  # pictures are compressed, and the rest stays on this machine
    )
    if cert is not None and key is not None:
        config.ssl_certfile, config.ssl_keyfile = str(cert), str(key)
    config.load()
    log = logging.getLogger("uvicorn.error")
    log.addFilter(_is_told)
    try:
        _Server(config, stop, parting).run([listener])
    finally:
        log.removeFilter(_is_told)


def _is_told(record: logging.LogRecord) -> bool:
    """Whether something is worth a line.

    That the end of the server cuts a transfer off is nobody's fault; and who sends what is no HTTP, for which no token
    is asked, would fill a disk with lines.
    """
    kind = record.exc_info[0] if record.exc_info else None
    cut_off = kind is not None and issubclass(kind, asyncio.CancelledError)
    return not (cut_off or record.getMessage().endswith("timeout graceful shutdown exceeded") or record.msg in _NO_HTTP)


class _Server(uvicorn.Server):
    """Ends by signals without ending the process."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event, parting: float) -> None:
        super().__init__(config)
        self._stop, self._parting = stop, parting

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """In place of uvicorn's own, which raises them again afterwards."""
        before: dict[int, Any] = {}

        def tell(_number: int, _frame: FrameType | None) -> None:
            if self._stop.is_set():
                self.force_exit = True
            self._stop.set()

        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)
                # What is ignored (by nohup, of a job in the background) stays so.
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.getsignal(number)
                    signal.signal(number, tell)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def on_tick(self, counter: int) -> bool:
        """See ``uvicorn.Server``."""
        self.should_exit = self.should_exit or self._stop.is_set()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See ``uvicorn.Server``, which waits for answers that are being given, but not for WebSockets."""
        until = time.monotonic() + self._parting
        while not self.force_exit and self._any_websocket() and time.monotonic() < until:
            await asyncio.sleep(_LOOK)
        await super().shutdown(sockets)

    def _any_websocket(self) -> bool:
        return any(not isinstance(one, PatientProtocol) for one in self.server_state.connections)
