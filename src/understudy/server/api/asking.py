"""Who asks: every route of the API names what its token must be for."""

from __future__ import annotations

from typing import Annotated, Final, cast

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.concurrency import run_in_threadpool

from understudy.server.access.tokens import Scope, Token, TokenError
from understudy.server.api.desk import Desk
from understudy.server.api.service import Service


# Each thing that a route depends on costs every request its time: there are as few as can be, and what waits for
# nothing is asynchronous, for all else costs a change of threads, too.
async def service_of(request: Request) -> Service:
    """What all requests share."""
    return cast(Service, request.app.state.service)


TheService = Annotated[Service, Depends(service_of)]


async def desk_of(request: Request) -> Desk:
    """Where photos and the heads of files are looked at."""
    return cast(Desk, request.app.state.looking)


TheDesk = Annotated[Desk, Depends(desk_of)]


class Bearer(SecurityBase):
    """What stands in a request's header ``Authorization``; None if no token does."""

    def __init__(self) -> None:
        self.model = HTTPBearer(description="`understudy token add NAME` makes one.")
        self.scheme_name = "token"

    async def __call__(self, request: Request) -> str | None:
        """See FastAPI."""
        return self.secret(request)

    def secret(self, request: Request) -> str | None:
        """The token as it was sent."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        return secret.strip() or None if scheme.lower() == "bearer" else None


async def token_of(request: Request, secret: str | None, scope: Scope | None = None) -> Token:
    """The token of a request, counted against its user's quota of requests.

    Args:
        request: The request.
        secret: The token as it was sent.
        scope: What it must be for; None where any will do.

    Raises:
        TokenError: there is none, or it is not good.
        QuotaError: its user asks too often.
        ScopeError: it is not for that.
    """
    service = await service_of(request)
    if secret is None:
        raise TokenError(
            "this needs a token", "Send it as: Authorization: Bearer TOKEN. `understudy token add NAME` makes one."
        )
    token = service.tokens.at_hand(secret)
    if token is None:
        token = await run_in_threadpool(service.tokens.known, secret)
    request.state.token = token
    service.rate.take(token.user, token.quotas)
    if scope is not None:
        token.require(scope)
    return token


class _TokenFor(SecurityBase):
    """A request's token, which must be for something."""

    def __init__(self, scope: Scope | None) -> None:
        self.model, self.scheme_name = BEARER.model, BEARER.scheme_name
        self._scope = scope

    async def __call__(self, request: Request) -> Token:
        """See FastAPI."""
        return await token_of(request, BEARER.secret(request), self._scope)


BEARER: Final = Bearer()
Anybody = Annotated[Token, Depends(_TokenFor(None))]
ForPeople = Annotated[Token, Depends(_TokenFor("people"))]
ForMedia = Annotated[Token, Depends(_TokenFor("media"))]
ForSwaps = Annotated[Token, Depends(_TokenFor("swaps"))]
ForLive = Annotated[Token, Depends(_TokenFor("live"))]
ForInspect = Annotated[Token, Depends(_TokenFor("inspect"))]


def note(request: Request, *subjects: str, digests: tuple[str, ...] = ()) -> None:
    """Say for the audit log what a request was about.

    Args:
        request: The request.
        subjects: Ids.
        digests: SHA-256 of files.
    """
    request.state.subjects, request.state.digests = subjects, digests
