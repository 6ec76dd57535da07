"""Files that are looked at for where they come from, one after the other; each goes when that was done."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from understudy.release import SIDECAR_SUFFIX
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.small import first_picture
from understudy.server.uploads import Upload, Uploads

if TYPE_CHECKING:
    from understudy.tasks.inspect import Inspection

PLACE: Final = "/check/pictures"
#: Most files that are remembered; the oldest go.
_MOST: Final = 60


@dataclass(frozen=True)
class Look:
    """One file.

    Attributes:
        id: That the server made.
        name: What the user calls it.
        state: ``beside``: credentials that wait for the file that they are of.
        found: What was found, once it was looked at.
        picture: A JPEG of it; None if it has no picture that can be read.
        fault: Why it could not be looked at.
    """

    id: str
    name: str
    state: Literal["beside", "waiting", "looking", "done", "failed"]
    found: Inspection | None = None
    picture: bytes | None = None
    fault: Fault | None = None

    @property
    def address(self) -> str:
        """Where a page gets the picture."""
        return f"{PLACE}/{self.id}.jpg"


class Checks:
    """All that was looked at in this run. Used by the server's own thread only.

    Args:
        inspect: Looks at a file.
        uploads: Where files lie that were handed over.
    """

    def __init__(self, inspect: Callable[[Path], Inspection], uploads: Uploads) -> None:
        self._inspect, self._uploads = inspect, uploads
        self._looks: dict[str, Look] = {}
        self._files: dict[str, Upload] = {}
        self._worker: asyncio.Task[None] | None = None

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Where pages get pictures."""
        return (Route(f"{PLACE}/{{number}}.jpg", self._serve),)

    def all(self) -> Sequence[Look]:
        """The files, the newest first."""
        return tuple(reversed(self._looks.values()))

    def add(self, number: str) -> None:
        """Look at a file that was handed over.

        Args:
            number: The upload's id.

        Raises:
            InputNotFoundError: it is gone.
        """
        upload = self._uploads[number]
        beside = upload.name.lower().endswith(SIDECAR_SUFFIX)
        look = Look(secrets.token_hex(16), upload.name, "beside" if beside else "waiting")
        self._looks[look.id], self._files[look.id] = look, upload
        while len(self._looks) > _MOST:
            self.remove(next(iter(self._looks)))
        if not beside and (self._worker is None or self._worker.done()):
            self._worker = asyncio.create_task(self._work())

    def remove(self, number: str) -> None:
        """Forget a file; nothing happens if it is gone. One that is just being looked at goes when that is over."""
        look = self._looks.pop(number, None)
        if look is not None and look.state != "looking" and (upload := self._files.pop(number, None)) is not None:
            self._uploads.remove(upload.id)

    def clear(self) -> None:
        """Forget all of them."""
        for number in list(self._looks):
            self.remove(number)

    async def close(self) -> None:
        """Look at no further file."""
        self.clear()
        if self._worker is not None:
            await self._worker

    async def _work(self) -> None:
        """Look at what waits, the oldest first."""
        while (look := next((one for one in self._looks.values() if one.state == "waiting"), None)) is not None:
            self._looks[look.id] = replace(look, state="looking")
            upload, beside = self._files[look.id], None
            try:
                beside = self._credentials_of(upload)
                seen = await asyncio.to_thread(self._seen, look, upload)
            except Exception as fault:  # noqa: BLE001 - the page says what it was, and the next file is looked at
                said = fault_of(fault, "file")
                seen = replace(look, state="failed", fault=said._replace(detail=upload.named(said.detail)))
            finally:
                if beside is not None:
                    beside.unlink(missing_ok=True)
                self._files.pop(look.id, None)
                self._uploads.remove(upload.id)
            if look.id in self._looks:
                self._looks[look.id] = seen

    def _seen(self, look: Look, upload: Upload) -> Look:
        found = self._inspect(upload.path)
        notes = tuple(upload.named(note) for note in found.notes)
        found = replace(found, path=Path(upload.name), notes=notes)
        return replace(look, state="done", found=found, picture=first_picture(upload.path))

    def _credentials_of(self, upload: Upload) -> Path | None:
        """The credentials that were handed over for a file, put beside it; None if there are none."""
        wanted = (upload.name + SIDECAR_SUFFIX).lower()
        waiting = [one for one in self._looks.values() if one.state == "beside" and one.name.lower() == wanted]
        if not waiting:
            return None
        place = upload.path.with_name(upload.path.name + SIDECAR_SUFFIX)
        self._files[waiting[-1].id].path.replace(place)
        for one in waiting:
            self.remove(one.id)
        return place

    async def _serve(self, request: Request) -> Response:
        look = self._looks.get(request.path_params["number"])
        if look is None or look.picture is None:
            return Response(status_code=404)
        return Response(look.picture, media_type="image/jpeg")
