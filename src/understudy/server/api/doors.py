"""What every request to the API passes: exact hosts, no other page's origin, caps, headers, and the audit log."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from understudy.errors import UnderstudyError
from understudy.server.access.audit import entry
from understudy.server.api.metrics import Metrics, method_of, route_of
from understudy.server.api.service import Service
from understudy.server.api.words import without_places
from understudy.server.security import Counted

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
#: Refusals that are entered in the audit log a minute, of each address: it is not for strangers to fill.
_REFUSALS: Final = 30
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Doors:
    """Looks at every request before and after it is answered. An ASGI application around another.

    Args:
        app: What answers.
        service: What all requests share.
        metrics: Counts them.
        hosts: The names, with ports, that this server is asked by.
        origins: Of pages that may ask; those of the hosts themselves.
        unlimited: Beginnings of paths that count their bodies' bytes themselves.
    """

    def __init__(
        self,
        app: ASGIApp,
        service: Service,
        metrics: Metrics,
        hosts: Collection[str],
        origins: Collection[str],
        unlimited: tuple[str, ...],
    ) -> None:
        self._app, self._service, self._metrics = app, service, metrics
        self._counted = Counted(app, _refusal)
        self._hosts, self._origins, self._unlimited = frozenset(hosts), frozenset(origins), unlimited
        self._refusals: dict[tuple[str, int], int] = {}

    @property
    def home(self) -> Path:
        """The private folder, whose place is nobody's business."""
        return self._service.app.resources.home.root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        refusal = None
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            refusal = (421, "this is not an address of this server", "Ask it by a name that it was started with.")
        elif origins and (len(origins) > 1 or origins[0] not in self._origins):
            refusal = (403, "other pages may not ask this server", "Ask it from a program.")
        if scope["type"] == "websocket":
            told = _SocketSender(self, scope, send)
            if refusal is None:
                await self._app(scope, receive, told)
                return
            await receive()
            await told({"type": "websocket.close", "code": 1008})
            return
        sent = _Sender(self, scope, send)
        if refusal is not None:
            status, error, hint = refusal
            await _refusal(status, error, hint)(scope, receive, sent)
        elif scope["path"].startswith(self._unlimited):
            await self._app(scope, receive, sent)
        else:
            await self._counted(scope, receive, sent)

    async def answered(self, scope: Scope, status: int) -> None:
        """Count a request and enter it in the audit log, before its answer is sent.

        Raises:
            UnderstudyError: the log can't be written.
        """
        self._metrics.count(scope, status)
        state: dict[str, Any] = scope.get("state", {})
        token, subjects = state.get("token"), state.get("subjects")
        address = (scope.get("client") or ("", 0))[0]
        refused = status in (401, 403, 421, 429)
        if refused and not self._may_note(address):
            return
        if method_of(scope) in _READS and subjects is None and not refused:
            return  # a look at lists and progress
        name, user = ("", "") if token is None else (token.name, token.user)
        said = entry(address, name, user, f"{method_of(scope)} {_shown(scope)}", status, " ".join(subjects or ()))
        await asyncio.to_thread(self._service.audit.note, replace(said, digests=tuple(state.get("digests") or ())))

    def _may_note(self, address: str) -> bool:
        minute = int(asyncio.get_running_loop().time() // 60)
        if len(self._refusals) > 10_000 or not any(when == minute for _, when in self._refusals):
            self._refusals.clear()
        count = self._refusals.get((address, minute), 0) + 1
        self._refusals[address, minute] = count
        return count <= _REFUSALS


class _Sender:
    """Sends an answer once the audit log has it."""

    def __init__(self, doors: Doors, scope: Scope, send: Send) -> None:
        self._doors, self._scope, self._send = doors, scope, send
        self._failed = False

    async def __call__(self, message: Message) -> None:
        if self._failed:
            return
        if message["type"] == "http.response.start":
            try:
                await self._doors.answered(self._scope, message["status"])
            except UnderstudyError as fault:
                self._failed = True
                home = self._doors.home
                answer = _refusal(503, without_places(fault.message, home), without_places(fault.hint, home))
                await answer(self._scope, _nothing, self._send)
                return
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


class _SocketSender:
    """Sends whether a WebSocket is opened once the audit log has it; what came of it is entered where that is known."""

    def __init__(self, doors: Doors, scope: Scope, send: Send) -> None:
        self._doors, self._scope, self._send = doors, scope, send
        self._answered = False

    async def __call__(self, message: Message) -> None:
        if not self._answered and message["type"] in ("websocket.accept", "websocket.close"):
            self._answered = True
            if message["type"] == "websocket.accept":
                await self._doors.answered(self._scope, 101)
            else:
                with suppress(UnderstudyError):  # it is refused all the same
                    await self._doors.answered(self._scope, 403)
        await self._send(message)


def _refusal(status: int, error: str, hint: str) -> JSONResponse:
    return JSONResponse({"error": error, "hint": hint, "status": status}, status)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _shown(scope: Scope) -> str:
    """The path of a request as the log has it: the route's own, so that nobody writes into it what they like."""
    return route_of(scope) or "(no such place)"
