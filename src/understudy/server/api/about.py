"""What the server can do, what a token is for, and what is known of a file."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.store import FOLDER, Store
from understudy.server.api.asking import Anybody, ForInspect, TheService, note
from understudy.server.api.bodies import FILE_AS_BODY, pieces
from understudy.server.api.people import Name
from understudy.server.api.service import may_be_ordered
from understudy.server.api.shelf import MOST_BYTES
from understudy.server.receiving import received
from understudy.settings.schema import in_a_file, schema, values_of
from understudy.text import printable

router = APIRouter()


@router.get("/me", tags=["about"])
def me(token: Anybody, service: TheService) -> dict[str, Any]:
    """What your token is for, how much its user may do, and did today."""
    used = {str(name): amount for name, amount in service.usage.today(token.user).items()}
    return token.as_json() | {"used_today": used, "bytes": service.shelf.bytes_of(token.user)}


@router.get("/models", tags=["about"])
def models(_: Anybody, service: TheService) -> list[dict[str, Any]]:
    """Models that are here, and those that whoever runs the server could fetch."""
    root = service.app.resources.home.root
    store = Store(root / FOLDER, Catalogue.load(root / OWN_FILE))
    return [
        {"name": name, "kind": entry.kind, "licence": entry.licence, "here": store.state(entry) == "there"}
        for name, entry in sorted(store.catalogue.entries.items())
    ]


@router.get("/settings", tags=["about"])
def settings(_: Anybody, service: TheService) -> dict[str, Any]:
    """Settings that a swap may say otherwise: what each may be (JSON Schema), and what it is by itself."""
    by_itself = values_of(service.settings)
    return {
        name: {"schema": TypeAdapter(setting.type).json_schema(), "by_itself": in_a_file(by_itself[name], setting.type)}
        for name, setting in schema().items()
        if may_be_ordered(name)
    }


@router.post("/inspect", tags=["inspect"], openapi_extra=FILE_AS_BODY)
async def inspect(request: Request, name: Name, _: ForInspect, service: TheService) -> dict[str, Any]:
    """Say what is known of where a file comes from. The request's body is the file; it is not kept."""
    suffix = "".join(letter for letter in name[-8:].rpartition(".")[2].lower() if letter.isascii() and letter.isalnum())
    home = service.app.resources.home
    path = home.folder("server", "things") / f"{secrets.token_hex(16)}.{suffix or 'bin'}"
    try:
        _bytes, digest = await received(path, pieces(request), MOST_BYTES["media"], printable(name)[:80])
        note(request, digests=(digest,))
        found = (await run_in_threadpool(service.app.inspect, path)).as_json()
    finally:
        path.unlink(missing_ok=True)
    return found | {"path": printable(name)[:80]}
