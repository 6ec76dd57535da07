"""What all visitors of a run share: two pages, or one that is loaded anew, see the same."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from starlette.routing import BaseRoute

from understudy.app import Understudy
from understudy.server.studio.check.desk import Checks
from understudy.server.studio.clips.desk import ClipsDesk
from understudy.server.studio.clips.routes import ClipRoutes
from understudy.server.studio.jobs.desk import JobsDesk
from understudy.server.studio.live.desk import Desk
from understudy.server.studio.live.kept_setup import KeptSetUp
from understudy.server.studio.models.desk import Shelf
from understudy.server.studio.presets import Presets
from understudy.server.studio.records.desk import Records
from understudy.server.studio.samples import SampleClip, Samples
from understudy.server.uploads import Uploads
from understudy.settings import Settings

#: The sample clip's file. Another name for another clip.
_CLIP: Final = "sample-1.mp4"


class Studio:
    """The things of one run.

    Args:
        settings: How everything begins.
        samples: What is there at the first start.
        recordings: The folder that recordings and renders are written to; made when it is needed.
        rehearse: Begins what makes a machine's first session begin as soon as the others.

    Attributes:
        settings, samples: See above.
        app: What does the work.
        uploads: Files that pages handed over.
        clip: The sample clip.
        live: The live room's desk.
        jobs, clips: Those of the jobs' and the clips' rooms.
        presets: Settings under a name.
        checks: What is looked at in the Check room.
        shelf: The models.
        records: Consents and the ledger.
    """

    def __init__(
        self, settings: Settings, samples: Samples, recordings: Path, rehearse: Callable[[], object] = lambda: None
    ) -> None:
        self.settings, self.samples = settings, samples
        self.app = Understudy(settings)
        folder = self.app.resources.home.folder("studio")
        self.uploads = Uploads(folder)
        self.clip = SampleClip(samples, folder / _CLIP)
        self.live = Desk(self.app, self.uploads, samples, self.clip, recordings)
        self._set_up = KeptSetUp(self.app.resources.home, self.live, settings)
        self.jobs = JobsDesk(self.app)
        self.clips = ClipsDesk(self.app, self.uploads, self.live.cards, samples, self.clip, self.jobs, recordings)
        self.presets = Presets(folder / "presets.json")
        self.checks = Checks(self.app.inspect, self.uploads)
        self.shelf = Shelf(self.app, self.uploads)
        self.records = Records(self.app, self.uploads)
        self._rehearse = rehearse
        self._prepared = threading.Lock()
        self._preparing = threading.Thread(target=self._prepare, name="prepare", daemon=True)

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """What the rooms' pages ask for besides themselves."""
        return [
            *self.live.routes,
            *self.jobs.routes,
            *ClipRoutes(self.clips).all,
            *self.checks.routes,
            *self.records.routes,
        ]

    def open(self) -> None:
        """Have the sample face there for the first page, and take up what an earlier run left."""
        self.live.begin()
        self._set_up.begin()
        self.jobs.begin()
        self.clips.begin()

    def prepare(self) -> None:
        """Begin, once, what the first visitor will want soon: beside the page, and after it."""
        if self._prepared.acquire(blocking=False):
            self._preparing.start()

    def _prepare(self) -> None:
        self._rehearse()
        self.live.warm_up()
        self.clip.make()

    def _end_preparing(self) -> None:
        """Have no thread of ours draw or look when Python ends: OpenCV would abort it."""
        self.clip.close()
        if self._preparing.ident is not None:
            self._preparing.join()

    async def close(self) -> None:
        """End everything: sessions are stopped, recordings signed, jobs parked, what was handed over removed."""
        async with AsyncExitStack() as closing:  # all of it, whatever fails; the last first
            closing.callback(self.uploads.close)
            closing.push_async_callback(asyncio.to_thread, self.app.close)
            closing.push_async_callback(self.checks.close)
            closing.push_async_callback(self.shelf.pulls.close)
            for close in (self._set_up.close, self.live.stop, self.clips.close, self.jobs.close, self._end_preparing):
                closing.push_async_callback(asyncio.to_thread, close)
