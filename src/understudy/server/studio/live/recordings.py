"""What was recorded in this run."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from understudy.errors import OutputError
from understudy.text import printable

PLACE: Final = "/live/recordings"
#: What a recording is called while it grows; after so many seconds without a write nobody is recording to it.
_GROWING: Final = re.compile(r"\.recording\.(mp4|mov)$")
_STILL: Final = 10.0


@dataclass(frozen=True)
class Recording:
    """A file that was recorded: known by a number, so that no page names a path."""

    number: int
    path: Path


class Recordings:
    """All of them.

    Args:
        folder: That they are written to.

    Attributes:
        folder: See above.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._all: list[Recording] = []

    @property
    def all(self) -> Sequence[Recording]:
        """These, the newest last."""
        return tuple(self._all)

    @property
    def cut_off(self) -> Sequence[str]:
        """Names of those in the folder that nobody finished: the program or the machine ended abruptly."""
        return sorted(printable(name) for name, still in self._growing().items() if still > _STILL)

    @property
    def sure_after(self) -> float:
        """Seconds until it can be told of all whether they were cut off; 0 if it can."""
        return max((_STILL - still for still in self._growing().values() if still <= _STILL), default=0.0)

    def _growing(self) -> Mapping[str, float]:
        """What is called as recordings are while they grow, and for how many seconds nothing was written to it."""
        try:
            found = [path for path in self.folder.iterdir() if _GROWING.search(path.name)]
            return {path.name: time.time() - path.stat().st_mtime for path in found}
        except OSError:
            return {}  # there is no folder yet, or one went meanwhile

    @property
    def route(self) -> Route:
        """Where pages get them."""
        return Route(f"{PLACE}/{{number:int}}", self._serve)

    def add(self, path: Path) -> None:
        """Note one that has ended; a file that was never begun is none."""
        if path.exists():
            self._all.append(Recording(len(self._all), path))

    def make_folder(self) -> None:
        """Make the folder, if it is not there.

        Raises:
            OutputError: that can't be.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise OutputError(
                f"recordings can't be written to {self.folder}: {fault.strerror}", "Name another with --recordings."
            ) from fault

    async def _serve(self, request: Request) -> Response:
        number = request.path_params["number"]
        if number >= len(self._all) or not self._all[number].path.is_file():
            return Response(status_code=404)
        path = self._all[number].path
        return FileResponse(path, filename=path.name, content_disposition_type="attachment")
