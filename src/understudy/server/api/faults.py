"""Errors as the API answers them: a status, what is wrong, and what to do."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from understudy.errors import (
    FetchError,
    InputError,
    InputTooLargeError,
    ModelError,
    NoSpaceError,
    RefusedError,
    RunError,
    UnderstudyError,
    UnwieldyPictureError,
    UsageError,
)
from understudy.server.access.quotas import QuotaError
from understudy.server.access.tokens import ScopeError, TokenError
from understudy.server.api.bodies import EndingError, KindError
from understudy.server.api.desk import GoneError
from understudy.server.api.places import FullError
from understudy.server.api.service import StoppingError
from understudy.server.api.shelf import NotHereError
from understudy.server.api.words import told
from understudy.server.receiving import TooLargeError


class Fault(BaseModel):
    """What is answered when something is wrong."""

    error: str = Field(description="What is wrong.")
    hint: str = Field(description="What to do.")
    status: int = Field(description="The answer's HTTP status.")


#: For the API's description: how any route may answer when something is wrong.
ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Fault, "description": "No token, or none that is good"},
    403: {"model": Fault, "description": "The token is not for this, or a face or picture may not be used"},
    404: {"model": Fault, "description": "There is no such thing of yours"},
    408: {"model": Fault, "description": "The body did not come in time"},
    413: {"model": Fault, "description": "Larger than is taken"},
    422: {"model": Fault, "description": "It can't be done as it is asked"},
    429: {"model": Fault, "description": "Too much for now: the header Retry-After says when to come back"},
    503: {
        "model": Fault,
        "description": "A model is missing, all places are taken, the server ends, or the audit log can't be written",
    },
    507: {"model": Fault, "description": "The disk is full"},
}

#: The first that fits.
_STATUS: Final[tuple[tuple[type[UnderstudyError], int], ...]] = (
    (TokenError, 401),
    (QuotaError, 429),
    (FullError, 503),
    (EndingError, 503),
    (GoneError, 422),
    (ScopeError, 403),
    (RefusedError, 403),
    (NotHereError, 404),
    (TooLargeError, 413),
    (InputTooLargeError, 413),
    (UnwieldyPictureError, 413),
    (NoSpaceError, 507),
    (StoppingError, 409),
    (KindError, 415),
    (UsageError, 422),
    (InputError, 422),
    (FetchError, 503),
    (ModelError, 503),
    (RunError, 500),
)


def status_of(fault: UnderstudyError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in _STATUS if isinstance(fault, kind)), 500)


async def answer_fault(request: Request, fault: Exception) -> JSONResponse:
    """The answer to a request that failed. Paths of the server's own are none of its business.

    Raises:
        Exception: it is none of the package's: a bug.
    """
    if not isinstance(fault, UnderstudyError):
        raise fault
    status, headers = status_of(fault), {}
    if isinstance(fault, (QuotaError, FullError, EndingError, StoppingError)):
        headers["Retry-After"] = str(fault.seconds)
    if isinstance(fault, TokenError):
        headers["WWW-Authenticate"] = "Bearer"
    said = await run_in_threadpool(_said, request, fault)
    return JSONResponse({**said, "status": status}, status, headers)


def _said(request: Request, fault: UnderstudyError) -> dict[str, str]:
    """What is wrong and what to do, in the asker's words."""
    shelf, token = request.app.state.service.shelf, getattr(request.state, "token", None)
    user, names = None if token is None else token.user, getattr(request.state, "names", {})
    return told(shelf, user, fault.message, fault.hint, names=names)
