"""What the server can do, what a token is for, and what is known of a file."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from fastapi import Request
from pydantic import BaseModel, Field, TypeAdapter
from starlette.concurrency import run_in_threadpool

from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.store import FOLDER, Store
from understudy.server.access.tokens import Scope
from understudy.server.api.asking import Anybody, ForInspect, TheService, note
from understudy.server.api.bodies import FILE_AS_BODY, announced, pieces
from understudy.server.api.desk import Check, Desk
from understudy.server.api.people import Name
from understudy.server.api.routing import Router
from understudy.server.api.service import may_be_ordered
from understudy.server.api.shelf import MOST_BYTES
from understudy.server.receiving import received
from understudy.settings.schema import in_a_file, schema, values_of
from understudy.text import printable

router = Router()


class UsedToday(BaseModel):
    """How much a user did today (UTC)."""

    clips: float
    minutes: float
    live_seconds: float


class Me(BaseModel):
    """A token, and what its user did."""

    id: str
    name: str
    user: str = Field(description="Whose things it reaches.")
    scopes: list[Scope]
    quotas: dict[str, float]
    state: Literal["valid", "expired", "revoked"]
    made: str | None = Field(description="ISO 8601, UTC, as the times below.")
    expires: str | None
    revoked: str | None
    used: str | None = Field(description="When it was used last, to the minute.")
    used_today: UsedToday
    bytes: int = Field(description="Of the files that are kept for its user.")


class Model(BaseModel):
    """A model that the server knows."""

    name: str
    kind: str
    licence: str = Field(description="Its key: `understudy models list` on the server says more of it.")
    here: bool


class OneSetting(BaseModel):
    """A setting that a swap may say otherwise."""

    json_schema: dict[str, Any] = Field(alias="schema", description="What it may be (JSON Schema).")
    by_itself: Any = Field(description="What it is where nobody says anything.")


@router.get("/me", tags=["about"])
def me(token: Anybody, service: TheService) -> Me:
    """What your token is for, how much its user may do, and did today."""
    used = service.usage.today(token.user)
    return Me.model_validate(token.as_json() | {"used_today": used, "bytes": service.shelf.bytes_of(token.user)})


@router.get("/models", tags=["about"])
def models(_: Anybody, service: TheService) -> list[Model]:
    """Models that are here, and those that whoever runs the server could fetch."""
    root = service.app.resources.home.root
    store = Store(root / FOLDER, Catalogue.load(root / OWN_FILE))
    return [
        Model(name=name, kind=entry.kind, licence=entry.licence, here=store.state(entry) == "there")
        for name, entry in sorted(store.catalogue.entries.items())
    ]


@router.get("/settings", tags=["about"])
def settings(_: Anybody, service: TheService) -> dict[str, OneSetting]:
    """Settings that a swap may say otherwise: what each may be (JSON Schema), and what it is by itself."""
    by_itself = values_of(service.settings)
    return {
        name: OneSetting(
            schema=TypeAdapter(setting.type).json_schema(), by_itself=in_a_file(by_itself[name], setting.type)
        )
        for name, setting in schema().items()
        if may_be_ordered(name)
    }


#: What others are not told of a record: what it was made of, and what it looks like.
_NOT_TOLD: Final[Mapping[str, Any]] = {"sources": [], "target": "", "consents": [], "hashes": []}


@router.post("/inspect", tags=["inspect"], openapi_extra=FILE_AS_BODY)
async def inspect(request: Request, name: Name, token: ForInspect, service: TheService) -> dict[str, Any]:
    """Say what is known of where a file comes from. The request's body is the file; it is not kept.

    Of a record in this server's ledger, what it was made of is told to whoever ordered it only.
    """
    suffix = "".join(letter for letter in name[-8:].rpartition(".")[2].lower() if letter.isascii() and letter.isalnum())
    home = service.app.resources.home
    path = home.folder("server", "things") / f"{secrets.token_hex(16)}.{suffix or 'bin'}"
    shown, room = printable(name)[:80], token.quotas.bytes

    def inspected(check: Check) -> dict[str, Any]:
        return service.app.inspect(path, progress=lambda _done, _frames: check()).as_json()

    with service.shelf.coming.file(token.user, room) as coming:  # it takes its room as long as it is there
        try:
            most = min(MOST_BYTES["media"], int(room))
            _bytes, digest = await received(path, pieces(request), most, shown, announced(request), coming)
            note(request, digests=(digest,))
            found = await cast(Desk, request.app.state.inspecting).look(request, token.user, inspected)
        finally:
            path.unlink(missing_ok=True)
    record = found["record"]
    if isinstance(record, dict) and not await run_in_threadpool(service.made, token.user, record["identifier"]):
        found["record"] = {**record, **_NOT_TOLD}
    return found | {"path": shown}
