"""The application that ``understudy serve`` runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

from understudy.errors import UnderstudyError
from understudy.server.api import about, live, media, people, swaps, whip
from understudy.server.api.desk import Desk
from understudy.server.api.doors import Doors
from understudy.server.api.faults import ANSWERS, answer_fault
from understudy.server.api.live_pages import add_live_pages
from understudy.server.api.metrics import Metrics
from understudy.server.api.pages import reference
from understudy.server.api.places import Places
from understudy.server.api.runners import Runners
from understudy.server.api.service import Service
from understudy.server.api.streams import Streams
from understudy.server.quiet import quietly
from understudy.version import __version__

PLACE = "/api/v1"
#: Beginnings of paths whose bodies are files: they are counted where they are written.
_FILES = (f"{PLACE}/photos", f"{PLACE}/media", f"{PLACE}/inspect")
_ABOUT = (
    "Face swaps with consent, labelled and signed by construction. Every route needs a token in the header "
    "`Authorization: Bearer …`; an error is answered as `{error, hint, status}`."
)


def api_application(service: Service, hosts: Collection[str], origins: Collection[str]) -> ASGIApp:
    """The API.

    Args:
        service: What all requests share. It is opened and closed with the server.
        hosts: The names, with ports, that the server is asked by.
        origins: Of pages that may ask.
    """
    metrics, runners = Metrics(), Runners(service.app.resources.home, service.options.runners)
    places = Places(service.options.live)
    streams = Streams(service, places, service.options.reach)

    api = FastAPI(
        title="Understudy", version=__version__, description=_ABOUT, lifespan=_life,
        openapi_url=f"{PLACE}/openapi.json", docs_url=None, redoc_url=None,
        # Who asks by https:// before a proxy that ends TLS would be led to http://, and send the token in the clear.
        redirect_slashes=False, **quietly(),
    )  # fmt: skip
    api.state.service, api.state.looks, api.state.tasks = service, {}, set()
    # To inspect a file takes as long as the file; of the others a head or a photo is read.
    api.state.inspecting, api.state.looking = Desk(2, 1, service.ending), Desk(4, 2, service.ending)
    api.state.places, api.state.streams, api.state.runners = places, streams, runners
    for router in (people.router, media.router, swaps.router, live.router, whip.router, about.router):
        api.include_router(router, prefix=PLACE, responses=ANSWERS)
    api.add_exception_handler(UnderstudyError, answer_fault)
    api.add_exception_handler(RequestValidationError, _misformed)
    api.add_exception_handler(HTTPException, _refused)

    add_live_pages(api)
    _add_state(api, metrics)
    return Doors(api, service, metrics, hosts, origins, _FILES)


@asynccontextmanager
async def _life(api: FastAPI) -> AsyncIterator[None]:
    """From the server's start to its end: what runs meanwhile is put back, or waited for."""
    state = api.state
    state.service.open()
    state.runners.start()
    measuring = asyncio.create_task(state.streams.measure())
    try:
        yield
    finally:
        state.service.ending.set()  # nobody has where it ends without being told to
        measuring.cancel()
        await state.streams.close()
        await asyncio.to_thread(state.runners.stop)
        for task in list(state.tasks):
            await task
        state.service.close()


def _add_state(api: FastAPI, metrics: Metrics) -> None:
    """Add what is asked of the server itself, without a token: how it is, and what it takes."""

    @api.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(reference(api.openapi()))

    @api.get("/health", include_in_schema=False)
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @api.get("/ready", include_in_schema=False)
    async def ready() -> Response:
        lost = api.state.runners.lost() or api.state.service.overdue or api.state.service.full
        if api.state.service.ending.is_set() or lost:
            return JSONResponse({"status": "not ready", "why": lost or "it is ending"}, 503)
        return JSONResponse({"status": "ready"})

    @api.get("/metrics", include_in_schema=False)
    def measured() -> PlainTextResponse:
        return PlainTextResponse(
            metrics.text(
                {str(state): count for state, count in api.state.service.app.jobs.counts().items()},
                api.state.places.taken,
            ),
            media_type="text/plain; version=0.0.4",
        )


async def _refused(_: Request, fault: Exception) -> JSONResponse:
    """The answer where the framework itself refuses: no such place, no such method, no JSON."""
    assert isinstance(fault, HTTPException)
    status = 422 if fault.status_code == 400 else fault.status_code
    return JSONResponse({"error": str(fault.detail), "hint": "See /docs.", "status": status}, status, fault.headers)


async def _misformed(_: Request, fault: Exception) -> JSONResponse:
    """The answer to a request that is not of the form that the route asks for."""
    assert isinstance(fault, RequestValidationError)
    said = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in fault.errors()[:5])
    return JSONResponse(
        {"error": f"this is not what the route takes: {said[:1000]}", "hint": "See /docs.", "status": 422}, 422
    )
