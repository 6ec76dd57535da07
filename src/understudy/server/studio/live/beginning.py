"""A session of the room: how it is made of what is chosen, and what of that it can still be told while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from understudy.app import Understudy
from understudy.casting.cast import PartList
from understudy.casting.person import Person
from understudy.errors import ConsentError, InputNotFoundError
from understudy.media.endpoints import SourceEndpoint
from understudy.media.live.base import CaptureOptions, LiveSource
from understudy.media.live.broadcast import BroadcastOptions
from understudy.media.live.capture import open_capture
from understudy.media.live.delayed import DelayedSound, DelayedSource
from understudy.media.live.microphone import Microphone
from understudy.server.studio.live.browser_camera import BrowserCamera
from understudy.server.studio.live.card import Card
from understudy.server.studio.live.cards import Cards
from understudy.server.studio.live.choices import Choice, Origin, SinkKind, microphone_named, stream_source
from understudy.server.studio.live.placing import at
from understudy.server.studio.live.preview import Preview, PreviewSink
from understudy.server.studio.live.recordings import Recordings
from understudy.server.studio.samples import SampleClip
from understudy.server.uploads import Uploads
from understudy.sessions import LiveSession
from understudy.sessions.fitting_settings import CHANGEABLE
from understudy.settings import Settings


@dataclass(frozen=True)
class Begun:
    """A session, and what it began with.

    Attributes:
        session: It.
        choice: What was chosen.
        cards: The keys of the faces that it knows, in its own order.
        kinds: Its outputs besides the page, in its own order.
        delayed: What makes its pictures, and sound that comes from elsewhere, late.
        recording: The file that it records to; None if it does not.
    """

    session: LiveSession
    choice: Choice
    cards: tuple[tuple[str, ...], ...]
    kinds: tuple[SinkKind, ...]
    delayed: tuple[DelayedSource | DelayedSound, ...]
    recording: Path | None

    def set(self, settings: Settings) -> None:
        """Have those of the settings hold at once that can change while it runs.

        Raises:
            UsageError: they can't be that while it runs.
        """
        now = {name: getattr(settings, name) for name in CHANGEABLE}
        if self.choice.several is not None:  # how far each face is shown is settled by then
            now["blend"] = replace(settings.blend, strength=self.session.settings.blend.strength)
        self.session.settings = replace(self.session.settings, **now)

    def delay(self, seconds: float) -> None:
        """Have all be late by so many seconds."""
        for one in self.delayed:
            one.seconds = seconds

    def put_on(self, choice: Choice, cards: Mapping[str, Card]) -> bool:
        """Have the faces shown that are chosen; whether it knows them.

        Args:
            choice: With them.
            cards: All, by id.
        """
        keys = tuple(cards[card].key("live") for card in choice.cards if card in cards)
        if self.choice.several is not None or choice.several is not None:
            return (self.choice.several, self.cards) == (choice.several, keys)
        if not set(keys) <= set(self.cards) or not keys:
            return False
        try:
            self.session.identity = self.cards.index(keys[0])
        except ConsentError:  # it may not be used any more: one that begins with it says so
            return False
        return True

    def matches(self, choice: Choice) -> bool:
        """Whether it is as one would be that began with this now, but for which face is put on."""
        settings, began = choice.settings, self.choice
        now = all(getattr(self.session.settings, name) == getattr(settings, name) for name in CHANGEABLE)
        kept = replace(began.settings, **{name: getattr(settings, name) for name in CHANGEABLE})
        # A face is put on at once, and so is a delay.
        return now and replace(began, settings=kept, card="", delay=0.0) == replace(choice, card="", delay=0.0)


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
            allowed = {card.id: card for card in self.cards.all() if card.usable("live")}
            if not choice.cards or not allowed.keys() >= set(choice.cards):
                raise ConsentError("no face is chosen that may be used", "Press its card and say whose it is.")
            cast, cards = _cast(choice, allowed)
        with at("source"):
            pictures = DelayedSource(self._opened(choice), choice.delay)
            sound = None
            if choice.microphone:
                sound = DelayedSound(Microphone(microphone_named(choice.microphone)), choice.delay)
        with at("outputs"):
            outputs = choice.outputs.endpoints(self.recordings.folder)
            if "recording" in outputs:
                self.recordings.make_folder()
        session: LiveSession
        session = self.app.live(
            cast,
            pictures,
            [lambda _: PreviewSink(self.preview, session.begun), *outputs.values()],
            settings=choice.settings,
            broadcast=BroadcastOptions(bitrate=choice.outputs.kilobits * 1000),
            microphone=sound,
        )
        delayed = (pictures,) if sound is None else (pictures, sound)
        file = outputs.get("recording")
        recording = None if file is None else Path(file.place)
        return Begun(session, choice, tuple(card.key("live") for card in cards), tuple(outputs), delayed, recording)

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

    def _opened(self, choice: Choice) -> LiveSource:
        """What pictures come from."""
        if choice.origin.kind == "browser":
            return self.camera.source(choice.camera)
        return open_capture(self._source(choice.origin), choice.camera.options)

    def named(self, origin: Origin, said: str) -> str:
        """What is said of where pictures come from, with the user's own name for a clip."""
        with suppress(InputNotFoundError):  # it was put away meanwhile
            return self.uploads[origin.place].named(said) if origin.kind == "clip" else said
        return said

    def _source(self, origin: Origin) -> SourceEndpoint:
        if origin.kind == "sample":
            return SourceEndpoint("file", str(self.clip.wait()))
        if origin.kind == "clip":
            return SourceEndpoint("file", str(self.uploads[origin.place].path))
        if origin.kind == "stream":
            return stream_source(origin.place)
        return SourceEndpoint("camera", origin.place)


def _cast(choice: Choice, allowed: Mapping[str, Card]) -> tuple[PartList | Sequence[Person], Sequence[Card]]:
    """Who gets whose face, and the cards that a session of that knows: those in use come first.

    Args:
        choice: What is chosen.
        allowed: The cards that may be used, by id.
    """
    chosen = [allowed[card] for card in choice.cards]
    if choice.several is not None:
        return choice.several.cast(allowed), chosen
    cards = [*chosen, *(card for card in allowed.values() if card.id != choice.card)]
    return [card.person("live") for card in cards], cards
