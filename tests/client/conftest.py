"""A server that does what a real one does seldom."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from understudy.client import AsyncClient, Client


class Standin:
    """Answers what a test gives it, one thing after the other, and the last of them for ever.

    Attributes:
        address: Its address.
        answers: A status, what is said (bytes as they are), and headers; or None to hang up without a word.
        asked: Of each request its method, path and headers.
        received: Of each request how many bytes of a body came.
    """

    def __init__(self, address):
        self.address, self.answers, self.asked, self.received = address, [], [], []

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def standin():
    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            found.asked.append((self.command, self.path, dict(self.headers.items())))
            found.received.append(len(self.rfile.read(int(self.headers.get("Content-Length", 0)))))
            said = found.next()
            self.close_connection = True
            if said is None:
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, body, headers = said
            text = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": len(text), **headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    found = Standin(f"http://127.0.0.1:{server.server_port}")
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["client", "asynchronous client"])
def ask(request, standin):
    """Calls a method of each client by its name, and waits for what it answers; of an iterator, all."""

    async def called(name, *given, **options):
        async with AsyncClient(standin.address, "x", **options) as client:
            found = getattr(client, name)(*given)
            return [one async for one in found] if hasattr(found, "__aiter__") else await found

    def call(name, *given, **options):
        if request.param != "client":
            return asyncio.run(called(name, *given, **options))
        with Client(standin.address, "x", **options) as client:
            found = getattr(client, name)(*given)
            return list(found) if hasattr(found, "__next__") else found

    return call
