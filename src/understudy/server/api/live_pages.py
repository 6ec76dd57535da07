"""The pages at ``/live``: swap yourself in the browser, and one that shows a session and nothing else, for OBS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from understudy.server.texts import Texts, catalogue, preferred

_ASSETS: Final = Path(__file__).parent / "assets"
#: Groups of texts that the page needs.
_GROUPS: Final = ("remote.", "consent.")
#: Only the page's own files run, and they talk to this server only.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self' {sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: Only this page may ask for a camera, and nothing may ask for anything else.
_PERMISSIONS: Final = "camera=(self), microphone=(), geolocation=(), payment=(), usb=()"


def add_live_pages(api: FastAPI) -> None:
    """Add them."""

    @api.get("/live", include_in_schema=False)
    def live(request: Request) -> HTMLResponse:
        """Swap yourself in the browser."""
        language = preferred(None, request.headers.get("accept-language", ""))
        texts = {name: text for name, text in catalogue(language).items() if name.startswith(_GROUPS)}
        # In a block of data, which no browser runs; "<" would end it.
        said = json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c")
        page = (_ASSETS / "page.html").read_text(encoding="utf-8")
        return _page(request, page.replace("{lang}", Texts(language).html_code).replace("{texts}", said))

    @api.get("/live/view", include_in_schema=False)
    def view(request: Request) -> HTMLResponse:
        """Show a session and nothing else."""
        return _page(request, (_ASSETS / "view.html").read_text(encoding="utf-8"))

    api.mount("/live/assets", StaticFiles(directory=_ASSETS))


def _page(request: Request, text: str) -> HTMLResponse:
    host = request.headers.get("host", "")
    policy = _POLICY.format(sockets=f"ws://{host} wss://{host}")
    return HTMLResponse(text, headers={"Content-Security-Policy": policy, "Permissions-Policy": _PERMISSIONS})
