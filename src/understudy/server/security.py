"""Who may talk to the server: exact hosts and origins, a secret of this run, and headers that keep the page to itself.

A page of somebody else's that is open in the same browser can reach 127.0.0.1. It does not know the secret, it can't
make the browser send the cookie along (SameSite=Strict), and its own origin is refused; a name that it makes point
here (DNS rebinding) is none of the hosts.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The parameter of the address that holds the secret.
PARAMETER: Final = "token"
#: Answered to anybody who has the right host: it says nothing but that the server is there.
OPEN: Final = frozenset({"/health"})
#: Seconds in which a code that is good once must be used.
_SOON: Final = 60.0
#: Most bytes of a request's body, but for paths that count for themselves.
MOST_BYTES: Final = 1_000_000
#: Seconds in which such a body must be there. It is read before it is known who asks, so letters that come one by one
#: must not hold a connection for as long as they like.
_PATIENCE: Final = 30.0
_CHANGES_NOTHING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: Vue's compiler makes functions of text, so scripts can't do without unsafe-eval; which scripts run at all is said by
#: the nonce. Styles are set by scripts on elements: these can't have one.
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self' {sockets}; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
}
#: The secret leaves the address by a page of its own: a redirection of a link that was opened elsewhere would count as
#: that other page's, and the cookie would not be sent.
_WELCOME: Final = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={place}"><title>Understudy</title>'
)
_CLOSED: Final = "Open the address that `understudy studio` printed: it holds the key to this page.\n"


#: Where pages poll where they can't have a socket.
_POLLED: Final = "/_nicegui_ws/"


class Keys:
    """The secrets of one run.

    Attributes:
        token: Opens the door, in the address.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self._cookie = secrets.token_urlsafe(32)
        self._codes: dict[str, float] = {}

    def once(self) -> str:
        """A code that opens the door once, within a minute.

        Other programs of this machine can read the words that a browser is started with; the token is not among them.
        """
        code = secrets.token_urlsafe(32)
        self._codes[code] = time.monotonic() + _SOON
        return code

    def admits(self, given: str) -> bool:
        """Whether what stands in an address opens the door."""
        if secrets.compare_digest(given.encode(), self.token.encode()):
            return True
        return self._codes.pop(given, 0.0) > time.monotonic()

    def knows(self, cookie: str) -> bool:
        """Whether a cookie is the one that was given out."""
        return secrets.compare_digest(cookie.encode(), self._cookie.encode())

    def header(self, name: str) -> str:
        """The header that gives the cookie out."""
        return f"{name}={self._cookie}; Path=/; HttpOnly; SameSite=Strict"


class Doorkeeper:
    """Refuses what is not the user's own browser, before anything else sees it. An ASGI application around another.

    Args:
        app: What answers those who may ask.
        keys: The secrets of this run.
        port: On which it listens, on 127.0.0.1.
        unlimited: Beginnings of paths that count their bodies' bytes themselves.
    """

    def __init__(self, app: ASGIApp, keys: Keys, port: int, unlimited: tuple[str, ...] = ()) -> None:
        self._app, self._keys, self._unlimited = app, keys, unlimited
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        # Cookies do not know ports: another studio on this machine has another name for its own.
        self._cookie = f"understudy-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if scope["type"] == "websocket":
            if refusal is not None:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        sent = _Sender(send, Headers(scope=scope).get("host", ""), private=scope["path"] not in OPEN)
        if refusal is not None:
            await refusal(scope, receive, sent)
        elif scope["path"].startswith(self._unlimited or ("\0",)):
            await self._app(scope, receive, sent)
        else:
            await Counted(self._app)(scope, receive, sent)

    def _refusal(self, scope: Scope) -> Response | None:
        """What is answered in place of the page; None to whoever may see it."""
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return PlainTextResponse("This is not an address of this server.\n", 421)
        needed = scope["type"] == "websocket" or scope.get("method", "GET") not in _CHANGES_NOTHING
        if (origins or needed) and origins != [f"http://{hosts[0]}"]:
            return PlainTextResponse("Other pages may not ask this server.\n", 403)
        if scope["path"] in OPEN or any(map(self._keys.knows, _cookies(headers, self._cookie))):
            return self._without_token(scope) if scope["type"] == "http" else None
        given = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get(PARAMETER, "")
        if scope["type"] == "http" and scope["method"] == "GET" and self._keys.admits(given):
            return self._without_token(scope, cookie=True)
        return PlainTextResponse(_CLOSED, 401)

    def _without_token(self, scope: Scope, *, cookie: bool = False) -> Response | None:
        """A page that leads to the same address without the secret; None if it holds none."""
        pairs = parse_qsl(scope["query_string"].decode("latin-1"))
        kept = [pair for pair in pairs if pair[0] != PARAMETER]
        if len(kept) == len(pairs):
            return None
        # No second slash: //host would be another server's address.
        place = quote("/" + scope["path"].lstrip("/\\")) + (f"?{urlencode(kept)}" if kept else "")
        response = HTMLResponse(_WELCOME.format(place=place.replace("&", "&amp;").replace('"', "&quot;")))
        if cookie:
            response.headers["set-cookie"] = self._keys.header(self._cookie)
        return response


class _Sender:
    """Sends an answer with the headers that all have; a page's scripts get the nonce without which none runs."""

    def __init__(self, send: Send, host: str, *, private: bool) -> None:
        self._send, self._host, self._private = send, host, private
        self._nonce = secrets.token_urlsafe(16)
        self._start: Message | None = None
        self._page = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(_HEADERS)
            headers["Content-Security-Policy"] = _POLICY.format(nonce=self._nonce, sockets=f"ws://{self._host}")
            if self._private and "cache-control" not in headers:
                headers["Cache-Control"] = "no-store"
            if headers.get("content-type", "").startswith("text/html"):
                self._start = message
                return
        elif self._start is not None:
            self._page += message.get("body", b"")
            if message.get("more_body"):
                return
            # What comes from outside stands in it with its angle brackets escaped: these tags are the page's own.
            page = re.sub(rb"<script\b", b'<script nonce="%s"' % self._nonce.encode(), self._page)
            MutableHeaders(scope=self._start)["content-length"] = str(len(page))
            await self._send(self._start)
            self._start = None
            message = {"type": "http.response.body", "body": page}
        await self._send(message)


class _CutOffError(Exception):
    pass


def _plain(status: int, error: str, hint: str) -> Response:
    return PlainTextResponse(f"{error}. {hint}\n", status)


class Counted:
    """An application that is not given more than ``MOST_BYTES`` of a body, nor one that takes too long.

    Args:
        app: The application.
        refusal: Makes the answer in place of the application's, of its status, what is wrong, and what to do.
    """

    def __init__(self, app: ASGIApp, refusal: Callable[[int, str, str], Response] = _plain) -> None:
        self._app = app
        self._too_much = refusal(413, "this is too much at once", f"Send up to {MOST_BYTES // 1000} kB.")
        self._too_slow = refusal(408, "this takes too long", "Send it again.")
        self._too_slow.headers["Connection"] = "close"  # the rest would be read, letter by letter, and thrown away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > MOST_BYTES:
            await self._too_much(scope, receive, send)
            return
        count, begun, whole = 0, False, False
        refusal: Response | None = None
        until = asyncio.get_running_loop().time() + _PATIENCE

        async def counted() -> Message:
            nonlocal count, whole, refusal
            # What comes after the body is that whoever asked has gone: that may take its time.
            left = until - asyncio.get_running_loop().time()
            try:
                message = await (receive() if whole else asyncio.wait_for(receive(), left))
            except (TimeoutError, asyncio.TimeoutError) as fault:
                refusal = self._too_slow
                raise _CutOffError from fault
            if message["type"] == "http.disconnect" and not whole and scope["path"].startswith(_POLLED):
                raise _CutOffError  # Engine.IO takes whoever has gone for a request without a method, and fails
            whole = whole or not message.get("more_body", False)
            count += len(message.get("body", b""))
            if count > MOST_BYTES:
                refusal = self._too_much
                raise _CutOffError
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            if begun or refusal is None:  # else the application tells in its own words that it got no body
                begun = True
                await send(message)

        with suppress(_CutOffError):
            await self._app(scope, counted, noted)
        if refusal is not None and not begun:
            await refusal(scope, receive, send)


def _cookies(headers: Headers, name: str) -> Iterator[str]:
    """Values of the cookies of a name.

    There may be several, and others beside them that are no proper cookies: cookies do not know ports, so a browser
    sends those of every other program on 127.0.0.1 along.
    """
    for header in headers.getlist("cookie"):
        for one in header.split(";"):
            known_as, _, value = one.partition("=")
            if known_as.strip() == name:
                yield value.strip()
