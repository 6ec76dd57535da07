"""What a developer holds: opened once, for any number of photos, clips and sessions, from several threads.

with Understudy() as app:
me = app.person("me.jpg", consent="self")
app.swap("clip.mp4", "out.mp4", me)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from understudy.casting.cast import Cast, PartList, parts_of, people_of
from understudy.casting.person import People, Person
from understudy.errors import UsageError, beside
from understudy.provenance import ConsentClaim, Home
from understudy.provenance.content import ContentClassifier
from understudy.provenance.records.consent import Ground
from understudy.resources import Resources
from understudy.settings import Settings
from understudy.settings.schema import check_values
from understudy.text import words_of

if TYPE_CHECKING:
    from understudy.jobs.jobs import Jobs
    from understudy.media.live.base import CaptureOptions
    from understudy.media.live.broadcast import BroadcastOptions
    from understudy.media.live.microphone import SoundSource
    from understudy.sessions import LiveSession
    from understudy.sessions.endpoints import AnySink, AnySource
    from understudy.tasks.checkup import Checkup
    from understudy.tasks.faces import FacesReport
    from understudy.tasks.inspect import Inspection
    from understudy.tasks.people import PeopleReport
    from understudy.tasks.progress import Progress
    from understudy.tasks.report import SwapReport


class Understudy:
    """Holds the private folder, keys, the ledger and the models. A context manager.

    Args:
        settings: How everything is done that does not say otherwise.
        classifier: Looks at what is swapped, besides the package's own; None for nothing more.

    Attributes:
        settings: See above.

    Raises:
        UsageError: a setting is of another type than it should be, or a word that there is not.
    """

    def __init__(self, settings: Settings | None = None, *, classifier: ContentClassifier | None = None) -> None:
        self.settings = Settings() if settings is None else _checked(settings)
        home = self.settings.home
        # For this package's own programs: what is opened, and whose faces are known already.
        self.resources = Resources(None if home is None else Home(home), classifier)
        self.known = People(self.resources)
        self._sessions: WeakSet[LiveSession] = WeakSet()

    def person(
        self, *photos: str | PathLike[str], name: str = "", consent: Ground | ConsentClaim | None = None, note: str = ""
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
        if not isinstance(consent, (str, ConsentClaim, type(None))):
            raise TypeError(f"a ground of consent is a word or a ConsentClaim, not {type(consent).__name__}")
        claim = ConsentClaim(consent, note) if isinstance(consent, str) else consent
        return Person(tuple(Path(photo) for photo in photos), name, claim)

    def swap(
        self,
        target: str | PathLike[str],
        output: str | PathLike[str],
        cast: Cast,
        *,
        settings: Settings | None = None,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> SwapReport:
        """Put a face onto the chosen faces of a picture or video.

        Args:
            target: A picture, animation or video.
            output: The file to write; its suffix says the format.
            cast: Whose face: a person's, for the faces that the settings choose. Or a mapping from who is meant, a word
                as ``--faces`` takes it, one of ``people(target)``, their number, or a ``Like``, to what they get: a
                person's face, ``"blur"`` or ``"leave"``. Or a ``PartList``, which says what others get, too.
            settings: How; the object's own if None. The private folder stays the object's.
            overwrite: Whether an existing output may be replaced.
            progress: Told about every frame.

        Raises:
            UsageError: a mapping of anything else, or somebody who is not there.
            UnderstudyError: nothing was written then, but for ``CorruptMediaError``.
        """
        from understudy.tasks.swap import swap_file

        own = self._own(settings)
        found = parts_of(cast, own.faces)
        asked, faces = (found, own.faces) if isinstance(found, PartList) else found
        return swap_file(
            asked,
            Path(target),
            Path(output),
            replace(own, faces=faces),
            resources=self.resources,
            people=self.known,
            overwrite=overwrite,
            progress=progress,
        )

    def live(
        self,
        cast: Cast | Sequence[Person],
        source: AnySource = "0",
        sinks: AnySink | Sequence[AnySink] = "window",
        *,
        settings: Settings | None = None,
        capture: CaptureOptions | None = None,
        broadcast: BroadcastOptions | None = None,
        mirror: bool = False,
        stats_file: str | PathLike[str] | None = None,
        overwrite: bool = False,
        microphone: str | SoundSource | None = None,
    ) -> LiveSession:
        """A session, not started yet: see ``LiveSession``.

        Args:
            cast: Whose face; of several people in a list the first is used first. Or who gets whose, as ``swap`` takes
                it. Nobody is looked for beforehand, so people are known from a cast file, by a ``Like``, or by the
                place where they are first seen; whoever is not known yet is blurred.
            source: Where pictures come from, in a word as ``--from`` takes it: a camera by number or name, a video
                file, an address, ``-`` for stdin. Or a path, or a source of your own.
            sinks: Where they go, in words as ``--to`` takes them: ``window``, ``virtual``, an address, a file to
                record, ``-`` for stdout. Or paths, or functions that make a sink.
            settings: How; the object's own if None.
            capture: What a source that is named is asked for.
            broadcast: How what is sent or recorded is coded, where that is named.
            mirror: Turn the picture as a mirror does.
            stats_file: Where statistics are written every second; None for nowhere.
            overwrite: Whether a recording that is named, or the statistics, may replace a file that is there.
            microphone: The device that sound comes from, in place of the source's own.

        Raises:
            UsageError, InputError, OutputError: there is no person, or no such source or sink, as far as can be told
                before it is opened.
        """
        from understudy.sessions.endpoints import session_between

        own = replace(self._own(settings), lanes=())  # what comes live has no stretches
        asked: Sequence[Person] | PartList
        if isinstance(cast, (Mapping, PartList)):
            found = parts_of(cast, own.faces)
            asked, faces = (found, own.faces) if isinstance(found, PartList) else ([found[0]], found[1])
            own = replace(own, faces=faces)
        else:
            asked = people_of(cast)
        session = session_between(
            source,
            sinks,
            asked,
            own,
            resources=self.resources,
            known=self.known,
            capture=capture,
            broadcast=broadcast,
            mirror=mirror,
            stats_file=None if stats_file is None else Path(stats_file),
            overwrite=overwrite,
            microphone=microphone,
        )
        self._sessions.add(session)
        return session

    def faces(
        self,
        file: str | PathLike[str],
        *,
        ask: str | Sequence[str] = (),
        settings: Settings | None = None,
        progress: Progress | None = None,
    ) -> FacesReport:
        """Say who is in a picture or video.

        Args:
            file: A picture, animation or video.
            ask: ``blendshapes``, ``emotion``, and models of the catalogue: who is asked about each face, by
                name. One may stand alone.
            settings: Whose detector finds faces; the object's own if None.
            progress: Told about every frame.

        Raises:
            UnderstudyError: the file can't be read, or a model is not there or does not work.
        """
        from understudy.tasks.faces import faces_in_file

        return faces_in_file(Path(file), self._own(settings), self.resources.models, progress, ask=words_of(ask))

    def people(
        self,
        file: str | PathLike[str],
        *,
        ask: str | Sequence[str] = (),
        settings: Settings | None = None,
        progress: Progress | None = None,
    ) -> PeopleReport:
        """Who is in a clip, each once, whoever is seen longest first; in a picture from the left. The report iterates.

        Args:
            file: A picture, animation or video.
            ask: Models of the catalogue: who is asked about each person, by name. One may stand alone.
            settings: Whose detector finds faces; the object's own if None.
            progress: Told about every frame.

        Raises:
            UnderstudyError: the file can't be read, or a model is not there or does not work.
        """
        from understudy.tasks.people import people_of_file

        return people_of_file(Path(file), self._own(settings), self.resources.models, progress, ask=words_of(ask))

    def inspect(self, file: str | PathLike[str], *, progress: Progress | None = None) -> Inspection:
        """Say what is known of where a picture or video comes from.

        Args:
            file: A picture, animation or video.
            progress: Told about every frame that is looked at.

        Raises:
            UnderstudyError: the file can't be read.
        """
        from understudy.tasks.inspect import inspect_file

        return inspect_file(Path(file), self.resources.home.root, progress)

    @property
    def jobs(self) -> Jobs:
        """Swaps that are written down in the private folder, and done later."""
        from understudy.jobs.jobs import Jobs

        return Jobs(self.resources, self.known, self.settings)

    def doctor(self) -> Checkup:
        """Say what is installed, what of it really opens, what is missing and how to mend it."""
        from understudy.tasks.checkup import checkup

        return checkup(self.settings, self.resources.models)

    def close(self) -> None:
        """Stop sessions that were not stopped, and give models and what is known of people back.

        Raises:
            UnderstudyError: what ended such a session, if that was a failure.
        """
        with ExitStack() as closing:  # all of it, whatever fails
            closing.callback(self.known.clear)
            closing.callback(self.resources.close)
            for session in [one for one in self._sessions if not one.stopped]:
                closing.callback(session.stop)

    def __enter__(self) -> Understudy:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with beside(error):
            self.close()

    def _own(self, settings: Settings | None) -> Settings:
        """The settings of a call, with the private folder that is open.

        Raises:
            UsageError: they name another one, or one of them is not what it may be.
        """
        if settings is None:
            return self.settings
        _checked(settings)
        if settings.home is not None and Home(settings.home).root.resolve() != self.resources.home.root.resolve():
            raise UsageError(
                f"the private folder is {self.resources.home.root}, not {settings.home}",
                "Open another Understudy for another folder.",
            )
        return replace(settings, home=self.settings.home)


def _checked(settings: object) -> Settings:
    """Settings that hold what they may.

    Raises:
        TypeError: they are none.
        UsageError: one of them is of another type, or a word that there is not.
    """
    if not isinstance(settings, Settings):
        raise TypeError(f"settings are a Settings, not {type(settings).__name__}: read_settings(FILE) reads a file's")
    check_values(settings)
    return settings
