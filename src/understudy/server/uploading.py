"""Where a browser hands files over: ``POST /uploads/KIND/NAME`` with the file's bytes as the body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final, cast

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from understudy.errors import UnderstudyError
from understudy.server.faults import text_of
from understudy.server.uploads import MOST_BYTES, SUFFIXES, Kind, Uploads

PLACE: Final = "/uploads"
#: Seconds without a byte after which a browser is not waited for any longer.
_PATIENCE: Final = 30.0


def upload_route(uploads: Uploads) -> Route:
    """The route by which files come.

    The answer holds the file's ``id``, or ``fault``: the name of a text that says what is wrong.

    Args:
        uploads: Where they are kept.
    """

    async def take(request: Request) -> Response:
        kind = request.path_params["kind"]
        if kind not in SUFFIXES:
            return JSONResponse({"fault": "fault.not_here"}, 404)
        announced = request.headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > MOST_BYTES[cast(Kind, kind)]:
            return JSONResponse({"fault": "fault.file_too_large"}, 422)  # before the first byte of it
        try:
            upload = await uploads.take(request.path_params["name"], cast(Kind, kind), _pieces(request))
        except (ClientDisconnect, TimeoutError, asyncio.TimeoutError):
            return JSONResponse({"fault": "fault.cut_off"}, 408, {"Connection": "close"})
        except UnderstudyError as fault:
            return JSONResponse({"fault": text_of(fault, kind)}, 422)
        return JSONResponse({"id": upload.id})

    return Route(f"{PLACE}/{{kind}}/{{name}}", take, methods=["POST"])


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            yield await asyncio.wait_for(anext(stream), _PATIENCE)
        except StopAsyncIteration:
            return
