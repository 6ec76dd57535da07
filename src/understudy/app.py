"""What a developer holds: opened once, for any number of photos, clips and sessions, from several threads.

with Understudy() as app:
me = app.person("me.jpg", consent="self")
app.swap("clip.mp4", "out.mp4", me)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from understudy.casting.person import People, Person
from understudy.errors import UsageError
from understudy.provenance import ConsentClaim, Home
from understudy.provenance.content import ContentClassifier
from understudy.provenance.records.consent import Ground
from understudy.resources import Resources
from understudy.settings import Settings

if TYPE_CHECKING:
    from understudy.media.live.base import LiveSource
    from understudy.media.live.microphone import Microphone
    from understudy.sessions import LiveSession
    from understudy.sessions.session import MakeSink
    from understudy.tasks.checkup import Checkup
    from understudy.tasks.faces import FacesReport
    from understudy.tasks.inspect import Inspection
    from understudy.tasks.swap import Progress, SwapReport

Name = str | PathLike[str]


class Understudy:
    """Holds the private folder, keys, the ledger and the models. A context manager.

    Args:
        settings: How everything is done that does not say otherwise.
        classifier: Looks at what is swapped, in the place of the catalogue's; None for that.

    Attributes:
        settings: See above.
        resources: What is opened.
        known: Whose faces are known already.
    """

    def __init__(self, settings: Settings | None = None, *, classifier: ContentClassifier | None = None) -> None:
        self.settings = settings or Settings()
        home = self.settings.home
        self.resources = Resources(None if home is None else Home(home), classifier)
        self.known = People(self.resources)
        self._sessions: WeakSet[LiveSession] = WeakSet()

    def person(
        self, *photos: Name, name: str = "", consent: Ground | ConsentClaim | None = None, note: str = ""
    ) -> Person:
        """Somebody whose face is to be used. Nothing is read yet.

        Args:
            photos: Of that person only.
            name: For reports.
            consent: On what ground the photos are used: ``self``, ``granted`` (with a note), ``fictional`` or
                ``sample``; None where a consent record says so already.
            note: How consent was granted.

        Raises:
            ValueError: there is no such ground.
            UsageError: no photo.
        """
        if not photos:
            raise UsageError("no source photo", "Name one at least.")
        claim = ConsentClaim(consent, note) if isinstance(consent, str) else consent
        return Person(tuple(Path(photo) for photo in photos), name, claim)

    def swap(
        self,
        target: Name,
        output: Name,
        cast: Person,
        *,
        settings: Settings | None = None,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> SwapReport:
        """Put a face onto the chosen faces of a picture or video.

        Args:
            target: A picture, animation or video.
            output: The file to write; its suffix says the format.
            cast: Whose face.
            settings: How; the object's own if None. The private folder stays the object's.
            overwrite: Whether an existing output may be replaced.
            progress: Told about every frame.

        Raises:
            UnderstudyError: nothing was written then, but for ``CorruptMediaError``.
        """
        from understudy.tasks.swap import swap_file

        return swap_file(
            cast,
            Path(target),
            Path(output),
            self._own(settings),
            resources=self.resources,
            people=self.known,
            overwrite=overwrite,
            progress=progress,
        )

    def live(
        self,
        cast: Person | Sequence[Person],
        source: LiveSource,
        sinks: Sequence[MakeSink],
        *,
        settings: Settings | None = None,
        mirror: bool = False,
        stats_file: Path | None = None,
        overwrite_stats: bool = False,
        microphone: Microphone | None = None,
    ) -> LiveSession:
        """A session, not started yet: see ``LiveSession``.

        Args:
            cast: Whose face; of several the first is used first.
            source: Where pictures come from.
            sinks: Where they go.
            settings: How; the object's own if None.
            mirror: Turn the picture as a mirror does.
            stats_file: Where statistics are written every second; None for nowhere.
            overwrite_stats: Whether a file that is there already may be replaced by them.
            microphone: Where sound comes from, in place of the source's own.

        Raises:
            UsageError: no person or sink.
        """
        from understudy.sessions import LiveSession

        session = LiveSession(
            [cast] if isinstance(cast, Person) else cast,
            source,
            sinks,
            self._own(settings),
            resources=self.resources,
            known=self.known,
            mirror=mirror,
            stats_file=stats_file,
            overwrite_stats=overwrite_stats,
            microphone=microphone,
        )
        self._sessions.add(session)
        return session

    def faces(
        self,
        file: Name,
        *,
        ask: Sequence[str] = (),
        settings: Settings | None = None,
        progress: Progress | None = None,
    ) -> FacesReport:
        """Say who is in a picture or video.

        Args:
            file: A picture, animation or video.
            ask: Models of the catalogue that are asked about each face, by name.
            settings: Whose detector finds faces; the object's own if None.
            progress: Told about every frame.

        Raises:
            UnderstudyError: the file can't be read, or a model is not there or does not work.
        """
        from understudy.tasks.faces import faces_in_file

        return faces_in_file(Path(file), self._own(settings), self.resources.models, progress, ask=ask)

    def inspect(self, file: Name) -> Inspection:
        """Say what is known of where a picture or video comes from.

        Raises:
            UnderstudyError: the file can't be read.
        """
        from understudy.tasks.inspect import inspect_file

        return inspect_file(Path(file), self.resources.home.root)

    def doctor(self) -> Checkup:
        """Say what is installed, what of it really opens, what is missing and how to mend it."""
        from understudy.tasks.checkup import checkup

        return checkup(self.settings, self.resources.models)

    def close(self) -> None:
        """End sessions that still run, and give models and what is known of people back.

        Raises:
            UnderstudyError: what ended such a session, if that was a failure.
        """
        try:
            for session in [one for one in self._sessions if one.running]:
                session.stop()
        finally:
            self.resources.close()
            self.known.clear()

    def __enter__(self) -> Understudy:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def _own(self, settings: Settings | None) -> Settings:
        """The settings of a call, with the private folder that is open.

        Raises:
            UsageError: they name another one.
        """
        if settings is None:
            return self.settings
        if settings.home is not None and settings.home.resolve() != self.resources.home.root.resolve():
            raise UsageError(
                f"the private folder is {self.resources.home.root}, not {settings.home}",
                "Open another Understudy for another folder.",
            )
        return replace(settings, home=self.settings.home)
