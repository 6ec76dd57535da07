"""Who asks: every route of the API names what its token must be for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from understudy.server.access.tokens import Scope, Token, TokenError
from understudy.server.api.service import Service

_BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="`understudy token add NAME` makes one.")


# What waits for nothing is asynchronous here: all else that a request depends on costs it a change of threads each.
async def service_of(request: Request) -> Service:
    """What all requests share."""
    return cast(Service, request.app.state.service)


TheService = Annotated[Service, Depends(service_of)]
#: What stands in a request's header ``Authorization``; None if nothing does.
Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


async def whoever_has_a_token(request: Request, service: TheService, given: Given) -> Token:
    """The token of a request, counted against its user's quota of requests.

    Raises:
        TokenError: there is none, or it is not good.
        QuotaError: its user asks too often.
    """
    if given is None:
        raise TokenError(
            "this needs a token", "Send it as: Authorization: Bearer TOKEN. `understudy token add NAME` makes one."
        )
    token = service.tokens.at_hand(given.credentials)
    if token is None:
        token = await run_in_threadpool(service.tokens.known, given.credentials)
    request.state.token = token
    service.rate.take(token.user, token.quotas)
    return token


Anybody = Annotated[Token, Depends(whoever_has_a_token)]


def _for(scope: Scope) -> Callable[..., Any]:
    async def whoever_may(token: Anybody) -> Token:
        token.require(scope)
        return token

    return whoever_may


ForPeople = Annotated[Token, Depends(_for("people"))]
ForMedia = Annotated[Token, Depends(_for("media"))]
ForSwaps = Annotated[Token, Depends(_for("swaps"))]
ForLive = Annotated[Token, Depends(_for("live"))]
ForInspect = Annotated[Token, Depends(_for("inspect"))]


def note(request: Request, *subjects: str, digests: tuple[str, ...] = ()) -> None:
    """Say for the audit log what a request was about.

    Args:
        request: The request.
        subjects: Ids.
        digests: SHA-256 of files.
    """
    request.state.subjects, request.state.digests = subjects, digests
