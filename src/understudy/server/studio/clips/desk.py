"""The clips room's desk: the clip that is open, who gets what, how, and what is rendered. All pages share it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from understudy.app import Understudy
from understudy.casting.roles import BLUR
from understudy.errors import InputNotFoundError, UnderstudyError, UsageError
from understudy.media.files import MediaKind
from understudy.provenance import ConsentClaim, Consents
from understudy.provenance.records.consent import Use
from understudy.resources.trust import USE_OF
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.clips.clip import Clip
from understudy.server.studio.clips.frames import StaleError
from understudy.server.studio.clips.presets import Presets
from understudy.server.studio.clips.render import ordered
from understudy.server.studio.jobs.desk import JobsDesk
from understudy.server.studio.live.cards import SAMPLE, Card, Cards
from understudy.server.studio.samples import SampleClip, Samples
from understudy.server.uploads import Uploads
from understudy.settings import changed
from understudy.settings.schema import values_of

PLACE: Final = "/clips"
#: What can be written of each kind, by the suffix; the first is what is usual.
FORMATS: Final[Mapping[MediaKind, tuple[str, ...]]] = {
    MediaKind.VIDEO: (".mp4", ".mov", ".webm", ".mkv", ".gif"),
    MediaKind.ANIMATION: (".gif", ".webp", ".mp4", ".mov", ".webm"),
    MediaKind.IMAGE: (".png", ".jpg", ".webp"),
}


class ClipsDesk:
    """What one does in the room. Methods that take their time say so; they are called in threads.

    Args:
        app: What does the work.
        uploads: Files that were handed over.
        cards: The faces.
        samples, sample: What is there at the first start.
        jobs: Where renders go.
        folder: Where they are written to.

    Attributes:
        cards, jobs: See above.
        presets: Settings under names.
        clip: What is open; None for nothing.
        opening: Whether something is being opened.
        settings: How faces look.
        format: The suffix of what is rendered.
        version: Rises with everything that a swapped frame depends on.
        seconds: The frame that was looked at last.
        job: The number of what was rendered last of this clip; 0 for nothing.
        fault: What went wrong last; None for nothing.
    """

    def __init__(
        self,
        app: Understudy,
        uploads: Uploads,
        cards: Cards,
        samples: Samples,
        sample: SampleClip,
        jobs: JobsDesk,
        folder: Path,
    ) -> None:
        self._app, self._uploads, self._samples, self._sample, self._folder = app, uploads, samples, sample, folder
        self.cards, self.jobs = cards, jobs
        self.presets = Presets(app.resources.home.folder("studio") / "presets.json")
        self.clip: Clip | None = None
        self.opening = False
        self.settings = app.settings
        self.format = ".mp4"
        self.version = 0
        self.seconds = 0.0
        self.job = 0
        self.fault: Fault | None = None
        self._upload = ""
        self._busy = threading.Lock()

    @property
    def folder(self) -> Path:
        """Where renders are written to."""
        return self._folder

    @property
    def routes(self) -> list[BaseRoute]:
        """What pages ask for: frames, and the people's pictures."""
        return [
            Route(f"{PLACE}/{{clip}}/original.jpg", self._original),
            Route(f"{PLACE}/{{clip}}/swapped.jpg", self._swapped),
            Route(f"{PLACE}/{{clip}}/person/{{number:int}}.jpg", self._person),
        ]

    @property
    def use(self) -> Use:
        """What faces are used for in what is open."""
        return "video" if self.clip is None else USE_OF[self.clip.frames.info.kind]

    @property
    def changes(self) -> bool:
        """Whether anybody gets anything."""
        return self.clip is not None and self.clip.report is not None and bool(self.clip.given.now)

    @property
    def can_render(self) -> bool:
        """Whether anybody gets a face: of a clip in which people are only blurred no swap is made."""
        return self.changes and self.clip is not None and any(one != BLUR for one in self.clip.given.now.values())

    def open(self, number: str) -> None:
        """Open a file that was handed over, in place of what is open. Takes its time."""
        self._opened(lambda: (self._uploads[number].path, self._uploads[number].name), number)

    def open_sample(self) -> None:
        """Open the sample clip. Takes its time."""
        self._opened(lambda: (self._sample.wait(), f"{self._samples.clip_name}.mp4"), "")

    def close_clip(self) -> None:
        """Put the clip away; what was rendered of it stays. Takes its time."""
        with self._busy:
            clip, self.clip = self.clip, None
            if clip is not None:
                clip.close()
            if self._upload:
                self._uploads.remove(self._upload)
            self._upload, self.job, self.seconds, self.fault = "", 0, 0.0, None

    def may_be_used(self, card: Card) -> bool:
        """Whether a record says that a face may be used for what is open. Takes its time."""
        if card.id == SAMPLE:
            return True
        about = [record for record in Consents(self._app.resources.home).all() if card.photo.is_copy_of(record)]
        # As ``Consents.require`` has it: what was revoked last holds over what was granted before.
        revoked = bool(about) and about[-1].state == "revoked"
        return not revoked and any(record.state == "valid" and self.use in record.uses for record in about)

    def give(self, number: int, gets: str) -> None:
        """Give one of the clip's people a face, by its card's id, or ``blur`` or ``leave``."""
        self.fault = None
        if self.clip is not None and self.clip.given.give(number, gets):
            self.version += 1

    def undo(self) -> None:
        """Take back what somebody was given last."""
        if self.clip is not None:
            self.clip.given.undo()
            self.version += 1

    def forget_face(self, number: str) -> None:
        """Take a face away from everybody, and the photo with it."""
        if self.clip is not None and self.clip.given.without(number):
            self.version += 1
        self.cards.remove(number)

    def change(self, values: Mapping[str, Any]) -> None:
        """Change settings, by full name."""
        self._attempt(lambda: self._set(values))

    def use_preset(self, name: str) -> None:
        """Change settings to those of a preset; what it does not name stays."""
        self._attempt(lambda: self._set(self.presets.all().get(name, {})))

    def keep_preset(self, name: str) -> None:
        """Keep the settings under a name. Takes its time."""
        self._attempt(lambda: self.presets.keep(name, values_of(self.settings)))

    def remove_preset(self, name: str) -> None:
        """Remove a preset. Takes its time."""
        self._attempt(lambda: self.presets.remove(name))

    def render(self) -> None:
        """Write down what is to be rendered: a job. Takes its time."""
        self._attempt(self._render)

    def close(self) -> None:
        """End."""
        if self.clip is not None:
            self.clip.close()

    def _opened(self, find: Callable[[], tuple[Path, str]], upload: str) -> None:
        self.opening = True
        try:
            path, name = find()
            clip = Clip(self._app, path, name, self._say)
        except UnderstudyError as fault:
            self.fault = fault_of(fault, "target")
            if upload:
                self._uploads.remove(upload)
            return
        finally:
            self.opening = False
        self.close_clip()
        with self._busy:
            self.clip, self._upload = clip, upload
            self.version += 1
            formats = FORMATS[clip.frames.info.kind]
            self.format = self.format if self.format in formats else formats[0]

    def _say(self, fault: Fault) -> None:
        self.fault = fault

    def _attempt(self, work: Callable[[], object]) -> None:
        self.fault = None
        try:
            work()
        except UnderstudyError as fault:
            self.fault = fault_of(fault)

    def _set(self, values: Mapping[str, Any]) -> None:
        self.settings = changed(self.settings, values)
        self.version += 1

    def _render(self) -> None:
        with self._busy:
            clip = self.clip
            if clip is None or clip.report is None:
                raise UsageError("no clip is open", "Open one.")
            given = dict(clip.given.now)
            cards = {gets: self.cards[gets] for gets in given.values() if gets in self._faces()}
            if SAMPLE in cards:
                photo = cards[SAMPLE].photo
                Consents(self._app.resources.home).require(photo, self.use, ConsentClaim("sample"))
            taken = [one.job.order.output for one in self.jobs.jobs if one.job.state != "done"]
            with self.jobs.kept.new() as kept:
                order = ordered(clip, given, cards, self.settings, self.format, kept, self._folder, taken)
                (self.job,) = self.jobs.store.add(order)
        self.jobs.look()

    def _faces(self) -> set[str]:
        return {card.id for card in self.cards.all()}

    def _wanted(self, request: Request) -> tuple[Clip, float]:
        """The clip that a page asks about, and a time in it.

        Raises:
            InputNotFoundError: it is not open any more, or that is no time.
        """
        clip = self.clip
        try:
            seconds = float(request.query_params.get("at", "0"))
        except ValueError:
            seconds = float("nan")
        if clip is None or clip.id != request.path_params["clip"] or not 0 <= seconds <= 1e6:
            raise InputNotFoundError(Path("clip"), "clip")
        return clip, seconds

    async def _original(self, request: Request) -> Response:
        try:
            clip, seconds = self._wanted(request)
            data = await asyncio.to_thread(clip.frames.original, seconds)
        except UnderstudyError as fault:
            return _refused(fault)
        return Response(data, media_type="image/jpeg")

    async def _swapped(self, request: Request) -> Response:
        loop = asyncio.get_running_loop()

        def wanted() -> bool:
            gone = asyncio.run_coroutine_threadsafe(request.is_disconnected(), loop)
            return not gone.result()

        try:
            clip, seconds = self._wanted(request)
            version, settings = self.version, self.settings
            people: Sequence[Any] = () if clip.report is None else clip.report.people
            faces = {card.id: self.cards.person(card) for card in self.cards.all()}
            cast = clip.given.cast(people, faces)
            if cast is None:
                return Response(status_code=204)
            data = await asyncio.to_thread(clip.frames.swapped, seconds, version, cast, settings, wanted)
        except StaleError:
            return Response(status_code=204)
        except UnderstudyError as fault:
            return _refused(fault)
        return Response(data, media_type="image/jpeg")

    async def _person(self, request: Request) -> Response:
        clip = self.clip
        if clip is None or clip.id != request.path_params["clip"]:
            return Response(status_code=404)
        data = clip.thumbnail(request.path_params["number"])
        return Response(status_code=404) if data is None else Response(data, media_type="image/jpeg")


def _refused(fault: UnderstudyError) -> Response:
    said = fault_of(fault, "target")
    return JSONResponse({"fault": said.text, "detail": said.detail}, 422)
