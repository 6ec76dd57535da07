"""A real HTTP server that serves files as well or as badly as it is told."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Files by path, and how each is served."""

    def __init__(self):
        #: By path: the bytes.
        self.files = {}
        #: By path: how it misbehaves, each word used up by one request; "" is well.
        self.manners = {}
        #: What was asked for: path and Range.
        self.asked = []
        self.sent = 0
        self.etags = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                server.serve(self)

        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._httpd.daemon_threads = True
        threading.Thread(target=self._httpd.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self._httpd.server_port}{path}"

    def close(self):
        self._httpd.shutdown()
        self._httpd.server_close()

    def serve(self, request):
        path, asked = request.path, request.headers.get("Range")
        self.asked.append((path, asked))
        waiting = self.manners.get(path, [])
        manner = waiting.pop(0) if len(waiting) > 1 else (waiting[0] if waiting else "")
        request.close_connection = True
        if path not in self.files or manner.isdecimal():
            request.send_error(int(manner or 404))
            return
        if manner.startswith("to "):
            request.send_response(302)
            request.send_header("Location", manner[3:])
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        if manner == "dripping head":
            with suppress(OSError):
                for _ in range(100):
                    request.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    time.sleep(0.05)
            return
        data, start, tag = self.files[path], 0, self.etags.get(path, '"one"')
        current = request.headers.get("If-Range") in (None, tag)
        if asked and manner != "no ranges" and current:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                request.send_error(416)
                return
            request.send_response(206)
            shown = 0 if manner == "elsewhere" else start
            request.send_header("Content-Range", f"bytes {shown}-{len(data) - 1}/{len(data)}")
        else:
            request.send_response(200)
        rest = data[start:]
        if manner != "no tag":
            request.send_header("ETag", tag)
        told = {"says more": len(rest) + 5000, "says less": len(rest) // 2}.get(manner, len(rest))
        if manner not in ("no length", "for ever"):
            request.send_header("Content-Length", str(told))
        request.end_headers()
        with suppress(OSError):  # whoever asked has gone
            self._body(request, rest, manner)

    def _body(self, request, rest, manner):
        if manner == "for ever":
            while True:
                self._send(request, bytes(1 << 16))
        if manner == "breaks off":
            self._send(request, rest[: len(rest) // 2])
            time.sleep(0.1)  # all of it has arrived before the connection ends
        elif manner == "stalls":
            self._send(request, rest[: len(rest) // 2])
            time.sleep(3)
        elif manner in ("drips", "slow"):
            step = 50 if manner == "drips" else 20_000
            for begin in range(0, len(rest), step):
                self._send(request, rest[begin : begin + step])
                time.sleep(0.05)
        elif manner == "says less":
            self._send(request, rest[: len(rest) // 2])
        else:
            self._send(request, rest)

    def _send(self, request, data):
        self.sent += len(data)
        request.wfile.write(data)
        request.wfile.flush()


@contextmanager
def lying_server():
    server = Server()
    try:
        yield server
    finally:
        server.close()
