"""Errors as the API answers them: a status, what is wrong, and what to do."""

from __future__ import annotations

from typing import Final

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
from understudy.server.api.shelf import NotHereError
from understudy.server.receiving import TooLargeError

#: The first that fits.
_STATUS: Final[tuple[tuple[type[UnderstudyError], int], ...]] = (
    (TokenError, 401),
    (QuotaError, 429),
    (ScopeError, 403),
    (RefusedError, 403),
    (NotHereError, 404),
    (TooLargeError, 413),
    (InputTooLargeError, 413),
    (UnwieldyPictureError, 413),
    (NoSpaceError, 507),
    (UsageError, 422),
    (InputError, 422),
    (FetchError, 503),
    (ModelError, 503),
    (RunError, 500),
)


def status_of(fault: UnderstudyError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in _STATUS if isinstance(fault, kind)), 500)


async def answer_fault(_: Request, fault: Exception) -> JSONResponse:
    """The answer to a request that failed. Paths of the server's own are none of its business.

    Raises:
        Exception: it is none of the package's: a bug.
    """
    if not isinstance(fault, UnderstudyError):
        raise fault
    status, headers = status_of(fault), {}
    if isinstance(fault, QuotaError):
        headers["Retry-After"] = str(fault.seconds)
    if isinstance(fault, TokenError):
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": fault.message, "hint": fault.hint, "status": status}, status, headers)
