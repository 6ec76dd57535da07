"""A session of the room: how it is made of what is chosen, and what of that it can still be told while it runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from understudy.app import Understudy
from understudy.errors import ConsentError
from understudy.media.endpoints import SourceEndpoint
from understudy.media.live.base import CaptureOptions, LiveSource
from understudy.media.live.capture import open_capture
from understudy.media.live.delayed import DelayedSource
from understudy.server.studio.live.browser_camera import BrowserCamera
from understudy.server.studio.live.cards import Cards
from understudy.server.studio.live.choices import Choice, Origin, Outputs, SinkKind, stream_source
from understudy.server.studio.live.placing import at
from understudy.server.studio.live.preview import Preview, PreviewSink
from understudy.server.studio.live.recordings import Recordings
from understudy.server.studio.samples import SampleClip
from understudy.server.uploads import Uploads
from understudy.sessions import LiveSession
from understudy.sessions.session import CHANGEABLE
from understudy.settings import Settings


@dataclass(frozen=True)
class Begun:
    """A session, and what it began with.

    Attributes:
        session: It.
        choice: What was chosen.
        cards: The ids of the faces that it knows, in its own order.
        kinds: Its outputs besides the page, in its own order.
        delayed: What makes it late.
        recording: The file that it records to; None if it does not.
    """

    session: LiveSession
    choice: Choice
    cards: tuple[str, ...]
    kinds: tuple[SinkKind, ...]
    delayed: DelayedSource
    recording: Path | None

    def set(self, settings: Settings) -> None:
        """Have those of the settings hold at once that can change while it runs.

        Raises:
            UsageError: they can't be that while it runs.
        """
        now = {name: getattr(settings, name) for name in CHANGEABLE}
        self.session.settings = replace(self.session.settings, **now)

    def matches(self, settings: Settings, origin: Origin, outputs: Outputs) -> bool:
        """Whether it is as one would be that began with these now."""
        began = self.choice
        now = all(getattr(self.session.settings, name) == getattr(settings, name) for name in CHANGEABLE)
        kept = replace(began.settings, **{name: getattr(settings, name) for name in CHANGEABLE})
        return now and (kept, began.origin, began.outputs) == (settings, origin, outputs)


@dataclass(frozen=True)
class SessionMaker:
    """Makes sessions.

    Attributes:
        app: What does the work.
        uploads: Files that were handed over.
        clip: The sample clip.
        cards: The faces.
        camera: The camera of the browser that looks at a page.
        preview: What is seen in the pages.
        recordings: Where recordings go.
    """

    app: Understudy
    uploads: Uploads
    clip: SampleClip
    cards: Cards
    camera: BrowserCamera
    preview: Preview
    recordings: Recordings

    def made(self, choice: Choice) -> Begun:
        """A session that has not begun. Every face that may be used can be put on in it.

        Raises:
            PlacedError: something that is chosen can't be.
            UnderstudyError: the same; where the page shows it hangs on what it is.
        """
        with at("faces"):
            self.cards.look()
            cards = [card for card in self.cards.all() if card.allowed]
            if all(card.id != choice.card for card in cards):
                raise ConsentError("no face is chosen that may be used", "Press its card and say whose it is.")
        # Whoever is chosen comes first, and so is used first.
        cards.sort(key=lambda card: card.id != choice.card)
        with at("source"):
            delayed = DelayedSource(self._opened(choice.origin), choice.delay)
        with at("outputs"):
            outputs = choice.outputs.endpoints(self.recordings.folder)
            if "recording" in outputs:
                self.recordings.make_folder()
        session: LiveSession
        session = self.app.live(
            [self.cards.person(card) for card in cards],
            delayed,
            [lambda _: PreviewSink(self.preview, session.begun), *outputs.values()],
            settings=choice.settings,
        )
        file = outputs.get("recording")
        recording = None if file is None else Path(file.place)
        return Begun(session, choice, tuple(card.id for card in cards), tuple(outputs), delayed, recording)

    def check_clip(self, number: str) -> None:
        """Make sure that a clip that was handed over can be played; it is removed if not.

        Raises:
            UnderstudyError: it can't.
        """
        source = open_capture(self._source(Origin("clip", number)), CaptureOptions())
        try:
            source.open()
        except BaseException:
            self.uploads.remove(number)
            raise
        finally:
            source.close()

    def _opened(self, origin: Origin) -> LiveSource:
        """What pictures come from."""
        if origin.kind == "browser":
            return self.camera.source()
        return open_capture(self._source(origin), CaptureOptions(loop=True))

    def _source(self, origin: Origin) -> SourceEndpoint:
        if origin.kind == "sample":
            return SourceEndpoint("file", str(self.clip.wait()))
        if origin.kind == "clip":
            return SourceEndpoint("file", str(self.uploads[origin.place].path))
        if origin.kind == "stream":
            return stream_source(origin.place)
        return SourceEndpoint("camera", origin.place)
