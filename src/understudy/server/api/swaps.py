"""``/swaps``: orders, which are durable jobs: they survive the server and the machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from math import inf
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from understudy import toml
from understudy.casting.cast_file import LONGEST
from understudy.errors import ConsentError, UnderstudyError, UsageError
from understudy.jobs.job import Job, JobState, Order
from understudy.media.base import MediaKind
from understudy.provenance.records.consent import Use
from understudy.release import file_digest
from understudy.resources.trust import USE_OF
from understudy.server.access.tokens import Token
from understudy.server.api.asking import ForSwaps, TheService, note
from understudy.server.api.faults import Fault
from understudy.server.api.files import FileAnswer
from understudy.server.api.media import CAST
from understudy.server.api.people import Id
from understudy.server.api.routing import Router
from understudy.server.api.service import Service, ordered
from understudy.server.api.shelf import NotHereError, Thing
from understudy.server.api.words import told
from understudy.settings.schema import changed, unusual
from understudy.table_files import read_tables
from understudy.temporaries import SIDECAR

router = Router(tags=["swaps"])
AnId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
#: What a swap of each kind can be written to; the first is the usual.
FORMATS: Final = {
    "image": ("png", "jpg", "webp"),
    "animation": ("gif", "webp"),
    "video": ("mp4", "mov", "mkv", "webm"),
}
#: For the API's description: how else a removal is answered.
_STOPPING: Final[dict[int | str, dict[str, Any]]] = {
    409: {
        "model": Fault,
        "description": "It still runs, and is being stopped: the header Retry-After says when to ask again",
    }
}
#: Seconds between two looks at a job that somebody watches, and between two signs that the line still stands.
_LOOK: Final = 0.5
_ALIVE: Final = 15.0


class OnePart(BaseModel):
    """What one of a clip's people gets: a person's face, or something else."""

    model_config = ConfigDict(extra="forbid")

    who: int = Field(ge=1, le=1_000_000, description="Number of the person in the clip, as /media/{id}/people has it.")
    person: AnId | None = None
    do: Literal["blur", "leave"] | None = None
    strength: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _one(self) -> OnePart:
        if (self.person is None) == (self.do is None):
            raise ValueError("name a person, or what else to do: one of the two")
        return self


class NewSwap(BaseModel):
    """A swap to be made."""

    model_config = ConfigDict(extra="forbid")

    target: AnId = Field(description="Id of a picture or clip.")
    person: AnId | None = Field(default=None, description="Whose face; or say with `cast` who gets whose.")
    cast: list[OnePart] | None = Field(default=None, min_length=1, max_length=100)
    others: Literal["blur", "leave"] = Field(
        default="leave", description="What happens to people whom `cast` leaves out."
    )
    format: str | None = Field(
        default=None, max_length=5, description="png, mp4, …; by itself the target's kind decides."
    )
    settings: dict[str, Any] = Field(default={}, description="By full name, such as blend.strength: GET /settings.")

    @model_validator(mode="after")
    def _one(self) -> NewSwap:
        if (self.person is None) == (self.cast is None):
            raise ValueError("name a person, or a cast: one of the two")
        return self


class Swap(BaseModel):
    """A swap, and how far it is."""

    id: str
    target: str
    state: JobState | Literal["gone"] = Field(description="`gone`: somebody removed its job by hand.")
    share: float = Field(description="How much of it is done, 0-1.")
    frames_done: int
    frames: int
    error: str = ""
    hint: str = ""
    notes: list[str] = []
    identifier: str = Field(default="", description="Of the result: the mark's, the manifest's and the ledger's.")
    result: str = Field(default="", description="Where the finished file is.")
    expires: float


@router.post("/swaps", status_code=201)
def order_a_swap(request: Request, new: NewSwap, token: ForSwaps, service: TheService) -> Swap:
    """Order a swap. It is done by the server's runners, in its turn."""
    target = service.shelf.get(token.user, "media", new.target)
    if "kind" not in target.said:
        raise NotHereError("media", new.target)
    kind = str(target.said["kind"])
    suffix = (new.format or FORMATS[kind][0]).lower()
    if suffix not in FORMATS[kind]:
        raise UsageError(f"no {kind} is written as {suffix[:5]!r}", f"Choose one of: {', '.join(FORMATS[kind])}.")
    settings = ordered(service.settings, dict(new.settings))
    wanted = changed(service.settings, settings)
    service.check_models(wanted)
    people = [new.person] if new.person else [part.person for part in new.cast or () if part.person]
    known = {number: service.shelf.get(token.user, "person", number) for number in people if number}
    needs = [target.id, *known, *(photo for one in known.values() for photo in one.said["photos"])]
    note(request, new.target, *known)
    service.shelf.check_room(token.user, token.quotas.bytes)
    whole = float(target.said["seconds"] or 0)
    minutes = max(min(whole, inf if wanted.trim.until is None else wanted.trim.until) - wanted.trim.since, 0) / 60
    service.usage.take(token.user, "clips", 1, token.quotas)
    try:
        service.usage.take(token.user, "minutes", minutes, token.quotas)
    except BaseException:
        service.usage.give_back(token.user, "clips", 1)
        raise
    swap = service.shelf.add(token.user, "swap", target.name, f".{suffix}", {"target": target.id, "needs": needs})
    try:
        cast = None if new.cast is None else _cast(service, token, target, new, swap)
        photos = () if new.person is None else photos_of(service, token, known[new.person], _use_of(target))
        order = Order(
            service.shelf.path(target), service.shelf.path(swap), photos, cast, unusual(service.settings) | settings
        )
        (number,) = service.app.jobs.add(order)
    except BaseException:
        service.shelf.remove(swap)
        service.usage.give_back(token.user, "clips", 1)
        service.usage.give_back(token.user, "minutes", minutes)
        raise
    note(request, swap.id, new.target, *known)
    return _swap(service, service.shelf.say(swap, job=number))


@router.get("/swaps")
def list_swaps(token: ForSwaps, service: TheService) -> list[Swap]:
    """Your swaps, the oldest first."""
    swaps = [one for one in service.shelf.all(token.user, "swap") if "job" in one.said]
    return [_told(service, thing, job) for thing, job in zip(swaps, service.jobs_of(swaps), strict=True)]


@router.get("/swaps/{id}")
def one_swap(id: Id, token: ForSwaps, service: TheService) -> Swap:  # noqa: A002 - its name in the address
    """One of them."""
    return _swap(service, _get(service, token, id))


@router.post("/swaps/{id}/pause")
def pause(request: Request, id: Id, token: ForSwaps, service: TheService) -> Swap:  # noqa: A002
    """Keep a swap from going on; one that runs stops within seconds."""
    return _change(request, service, _get(service, token, id), "pause")


@router.post("/swaps/{id}/resume")
def resume(request: Request, id: Id, token: ForSwaps, service: TheService) -> Swap:  # noqa: A002
    """Let a paused swap go on."""
    return _change(request, service, _get(service, token, id), "resume")


@router.post("/swaps/{id}/cancel")
def cancel(request: Request, id: Id, token: ForSwaps, service: TheService) -> Swap:  # noqa: A002
    """Give a swap up; one that runs stops within seconds."""
    return _change(request, service, _get(service, token, id), "cancel")


@router.post("/swaps/{id}/retry")
def retry(request: Request, id: Id, token: ForSwaps, service: TheService) -> Swap:  # noqa: A002
    """Let a swap that failed or was cancelled be done after all."""
    swap = _get(service, token, id)
    if gone := service.shelf.missing(token.user, swap.said["needs"]):
        raise UsageError(
            f"what it is to be made of was removed, or its time is over ({', '.join(gone)})",
            "Hand that over again, and order the swap anew.",
        )
    return _change(request, service, swap, "retry")


@router.delete("/swaps/{id}", status_code=204, response_class=Response, responses=_STOPPING)
def remove_a_swap(request: Request, id: Id, token: ForSwaps, service: TheService) -> None:  # noqa: A002
    """Give a swap up if it is not done, and remove it with its result.

    One that runs stops within seconds: until then the answer is 409, and ``Retry-After`` says when to ask again.
    """
    swap = _get(service, token, id)
    note(request, id)
    service.forget(swap)


@router.get("/swaps/{id}/result", response_class=FileAnswer)
def fetch_the_result(request: Request, id: Id, token: ForSwaps, service: TheService) -> FileAnswer:  # noqa: A002
    """The finished file, labelled, marked and signed; ``Range`` gives a part of it."""
    swap = _get(service, token, id)
    path = service.shelf.path(swap)
    job = service.job_of(swap)
    if job is None or job.state != "done" or not path.exists():
        raise UsageError("this swap has no result", "GET /api/v1/swaps/{id} says how far it is.")
    if not swap.digest:
        service.shelf.wrote(swap, file_digest(path))
        swap = _get(service, token, id)
    note(request, id, digests=(swap.digest,))
    return FileAnswer(path, filename=_file_name(swap))


@router.get("/swaps/{id}/credentials", response_class=FileAnswer)
def fetch_the_credentials(request: Request, id: Id, token: ForSwaps, service: TheService) -> FileAnswer:  # noqa: A002
    """The signed Content Credentials of a result whose format can't hold them (mkv, webm): keep them beside it."""
    swap = _get(service, token, id)
    path = service.shelf.path(swap)
    beside = path.with_name(path.name + SIDECAR)
    if not path.exists() or not beside.exists():
        raise UsageError(
            "this swap has no credentials of their own", "They are in the result, if there is one: see its notes."
        )
    note(request, id)
    return FileAnswer(beside, filename=_file_name(swap) + SIDECAR)


def _file_name(swap: Thing) -> str:
    """What a result is called where it is saved."""
    return f"{Path(swap.name).stem or 'swap'}-swapped{swap.suffix}"


@router.get("/swaps/{id}/events", response_class=StreamingResponse)
async def watch(id: Id, token: ForSwaps, service: TheService) -> StreamingResponse:  # noqa: A002
    """How far a swap is, as server-sent events: one whenever something changed, until it ended."""
    _get(service, token, id)
    return StreamingResponse(_events(service, token, id), media_type="text/event-stream")


async def _events(service: Service, token: Token, number: str) -> AsyncIterator[str]:
    said, silent = "", 0.0

    def look() -> Swap:
        service.tokens.check(token)
        return _swap(service, _get(service, token, number))

    while not service.ending.is_set():
        try:
            service_says = await run_in_threadpool(look)
        except UnderstudyError:  # the token was revoked, or the swap removed
            return
        text = service_says.model_dump_json()
        if text != said:
            yield f"event: swap\ndata: {text}\n\n"
            said, silent = text, 0.0
        elif silent >= _ALIVE:
            yield ": still here\n\n"
            silent = 0.0
        if service_says.state in ("done", "failed", "cancelled", "gone"):
            return
        await asyncio.sleep(_LOOK)
        silent += _LOOK


def _cast(service: Service, token: Token, target: Thing, new: NewSwap, swap: Thing) -> Path:
    """A cast file of the clip's people with what each is to get, beside the swap.

    Raises:
        UsageError: nobody looked who is in the clip, or somebody is not in it.
    """
    known = service.shelf.beside(target, CAST)
    if not known.exists():
        raise UsageError("nobody looked who is in it yet", f"POST /api/v1/media/{target.id}/people")
    tables = read_tables(known, LONGEST, "cast", "")
    people = {int(one["number"]): one for one in tables["people"]}
    for part in new.cast or ():
        if part.who not in people:
            raise UsageError(f"there is no person {part.who} in it", f"GET /api/v1/media/{target.id}/people")
        gets: dict[str, Any] = {} if part.strength is None else {"strength": part.strength}
        if part.person is None:
            gets["do"] = part.do
        else:
            person = service.shelf.get(token.user, "person", part.person)
            gets["put"] = [str(path) for path in photos_of(service, token, person, _use_of(target))]
        people[part.who].update(gets)
    tables["others"] = {"do": new.others}
    path = service.shelf.beside(swap, "cast.toml")
    path.touch(0o600)
    path.write_text(toml.written(tables), "utf-8")
    return path


def _use_of(target: Thing) -> Use:
    return USE_OF[MediaKind(target.said["kind"])]


def photos_of(service: Service, token: Token, person: Thing, use: Use) -> tuple[Path, ...]:
    """The files of a user's person, to be used for something.

    Raises:
        ConsentError: it was not said of that person that they may be.
        NotHereError: one was removed.
    """
    if use not in person.said["uses"]:
        allowed = " and ".join(person.said["uses"])
        raise ConsentError(
            f"consent for {person.name or person.id} is for {allowed}, not for {use}",
            "Add the person again, with consent for that use.",
        )
    return tuple(service.shelf.path(service.shelf.get(token.user, "photo", one)) for one in person.said["photos"])


def _change(
    request: Request, service: Service, swap: Thing, what: Literal["pause", "resume", "cancel", "retry"]
) -> Swap:
    note(request, swap.id)
    job = service.job_of(swap)
    if job is None:
        raise NotHereError("job", swap.id)
    getattr(service.app.jobs, what)(job.number)
    return _swap(service, swap)


def _get(service: Service, token: Token, number: str) -> Thing:
    swap = service.shelf.get(token.user, "swap", number)
    if "job" not in swap.said:  # it is just being ordered
        raise NotHereError("swap", number)
    return swap


def _swap(service: Service, thing: Thing) -> Swap:
    return _told(service, thing, service.job_of(thing))


def _told(service: Service, thing: Thing, job: Job | None) -> Swap:
    expires = thing.expires if job is None else service.expires(thing, job)
    about = {"id": thing.id, "target": thing.said["target"], "expires": expires}
    if job is None:
        return Swap(**about, state="gone", share=0, frames_done=0, frames=0)
    return Swap(**about, **_progress(service, job, thing))


def _progress(service: Service, job: Job, thing: Thing) -> dict[str, Any]:
    said: dict[str, Any] = {
        "state": job.state,
        "share": job.share,
        "frames_done": job.frames_done,
        "frames": job.frames,
    }
    if job.failure is not None:
        said |= told(service.shelf, thing.user, job.failure.message, job.failure.hint, ids=True)
    if job.state == "done":
        own, shown = f"{thing.id}{thing.suffix}", _file_name(thing)
        notes = [str(one).replace(own, shown) for one in job.report.get("notes", ())]
        notes = [service.shelf.in_their_words(thing.user, one) for one in notes]
        said |= {"notes": notes, "identifier": str(job.report.get("identifier", ""))}
        said["result"] = f"/api/v1/swaps/{thing.id}/result"
    return said
