"""What all visitors of a run share: two pages, or one that is loaded anew, see the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import BaseRoute

from understudy.app import Understudy
from understudy.server.studio.check.desk import Checks
from understudy.server.studio.models.desk import Shelf
from understudy.server.studio.records.desk import Records
from understudy.server.uploads import Uploads
from understudy.settings import Settings


@dataclass(frozen=True)
class Samples:
    """What is there at the first start.

    Attributes:
        photo: A face that may be used by everybody.
        name: Whose.
        make_clip: Writes a clip of somebody to a path, on whom that face can be put.
        clip_name: What the clip is called.
    """

    photo: Path
    name: str
    make_clip: Callable[[Path], None]
    clip_name: str


class Studio:
    """The things of one run.

    Args:
        settings: How everything begins.
        samples: What is there at the first start.
        recordings: The folder that recordings are written to; made when it is needed.

    Attributes:
        settings, samples, recordings: See above.
        app: What does the work.
        uploads: Files that pages handed over.
        checks: What is looked at in the Check room.
        shelf: The models.
        records: Consents and the ledger.
    """

    def __init__(self, settings: Settings, samples: Samples, recordings: Path) -> None:
        self.settings, self.samples, self.recordings = settings, samples, recordings
        self.app = Understudy(settings)
        self.uploads = Uploads(self.app.resources.home.folder("studio"))
        self.checks = Checks(self.app.inspect, self.uploads)
        self.shelf = Shelf(self.app, self.uploads)
        self.records = Records(self.app, self.uploads)

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """What the rooms' pages ask for besides themselves."""
        return (*self.checks.routes, *self.records.routes)

    def open(self) -> None:
        """Begin what is done before anybody asks."""

    async def close(self) -> None:
        """End everything: sessions are stopped, recordings signed, files that were handed over removed."""
        try:
            await self.shelf.pulls.close()
            await self.checks.close()
            await asyncio.to_thread(self.app.close)
        finally:
            self.uploads.close()
