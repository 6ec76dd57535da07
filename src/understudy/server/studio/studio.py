"""What all visitors of a run share: two pages, or one that is loaded anew, see the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import BaseRoute

from understudy.app import Understudy
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
    """

    def __init__(self, settings: Settings, samples: Samples, recordings: Path) -> None:
        self.settings, self.samples, self.recordings = settings, samples, recordings
        self.app = Understudy(settings)
        self.uploads = Uploads(self.app.resources.home.folder("studio"))

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """What the rooms' pages ask for besides themselves."""
        return ()

    def open(self) -> None:
        """Begin what is done before anybody asks."""

    async def close(self) -> None:
        """End everything: sessions are stopped, recordings signed, files that were handed over removed."""
        try:
            await asyncio.to_thread(self.app.close)
        finally:
            self.uploads.close()
