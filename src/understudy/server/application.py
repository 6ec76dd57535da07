"""The application that a server runs: every way in which it can be asked, behind the doorkeeper."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from understudy.imports import doing_without
from understudy.server.quiet import quietly
from understudy.server.security import Doorkeeper, Keys
from understudy.server.uploading import PLACE as UPLOADS
from understudy.server.uploading import upload_route
from understudy.version import __version__

if TYPE_CHECKING:
    from understudy.server.studio.studio import Studio

#: What Engine.IO's clients ask with where it is there: NiceGUI imports them along, and a server has none. To read it
#: takes as long as to read all else of NiceGUI.
_CLIENTS: Final = ("requests", "aiohttp")
_ASSETS: Final = Path(__file__).parent / "studio" / "assets"


def studio_application(studio: Studio, keys: Keys, port: int) -> Doorkeeper:
    """The page, and what it asks for. A process has one: NiceGUI keeps its pages once for all.

    Args:
        studio: What all visitors share. It is closed when the server ends.
        keys: The secrets of this run.
        port: On which the server listens.
    """
    with doing_without(*_CLIENTS):
        from understudy.server.studio.page import add_pages

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        studio.open()
        try:
            yield
        finally:
            await studio.close()

    api = FastAPI(title="Understudy", version=__version__, openapi_url=None, lifespan=life, **quietly())
    # Routers of an interface for programs are included here, before the pages: these take all that is left.
    api.add_route("/health", _health)
    api.router.routes.append(upload_route(studio.uploads))
    for route in studio.routes:
        api.router.routes.append(route)
    api.mount("/assets", StaticFiles(directory=_ASSETS))
    add_pages(api, studio)
    return Doorkeeper(api, keys, port, unlimited=(f"{UPLOADS}/",))


async def _health(_: Request) -> Response:
    """Whether the server answers."""
    return JSONResponse({"status": "ok", "version": __version__})
