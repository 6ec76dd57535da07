"""Jobs that the room orders: of the clip that is open, and the same for other files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from understudy.app import Understudy
from understudy.errors import UnderstudyError, UsageError
from understudy.jobs.job import Order
from understudy.media.files.looking_up import FrameFinder
from understudy.provenance import ConsentClaim, Consents
from understudy.provenance.records.consent import Use
from understudy.resources.trust import USE_OF
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.clips.render import FORMATS, Rendition, ordered_alike
from understudy.server.studio.jobs.desk import JobsDesk
from understudy.server.studio.live.card import SAMPLE, Card
from understudy.server.uploads import Uploads
from understudy.settings import Settings

#: Of how many files at most it is said that they were not taken.
_SHOWN: Final = 5


class Orders:
    """Adds jobs, each with all that it needs beside it.

    Args:
        app: With the records.
        jobs: Where they go.
        folder: Where they write to.

    Attributes:
        folder: See above.
    """

    def __init__(self, app: Understudy, jobs: JobsDesk, folder: Path) -> None:
        self._app, self._jobs, self.folder = app, jobs, folder

    def add(
        self,
        cards: Mapping[str, Card],
        use: Use,
        settings: Settings,
        suffix: str,
        ordered: Callable[[Rendition], Order],
    ) -> int:
        """Add one; two may not be added at once. Takes its time.

        Args:
            cards: The faces that are needed, by id.
            use: For what.
            settings: How.
            suffix: Of the format.
            ordered: Puts what is needed where the rendition says, and says what is to be done.

        Returns:
            The job's number.

        Raises:
            UnderstudyError: a face may not be used, or something can't be written or read.
        """
        if SAMPLE in cards:
            photo = cards[SAMPLE].photos[0].photo
            Consents(self._app.resources.home).require(photo, use, ConsentClaim("sample"))
        # Of what is done, too: its file may have been moved away, and the list would show another in its place.
        taken = [one.job.order.output for one in self._jobs.jobs]
        with self._jobs.kept.new() as kept:
            how = Rendition(use, settings, suffix, kept, self.folder, taken)
            (number,) = self._jobs.store.add(ordered(how))
        self._jobs.look()  # before anybody else gets a name for their output
        return number


class OneFace(NamedTuple):
    """What is done with the clip that is open.

    Attributes:
        face: That all get who get any; None where there are several, or none.
        settings: How.
        format: The suffix of what is rendered.
    """

    face: Card | None
    settings: Settings
    format: str


class Alike:
    """The same for other files: one face that all get who get any.

    Args:
        app: With the settings.
        uploads: Files that were handed over.
        orders: Where jobs are ordered.
        busy: Held while one is.

    Attributes:
        count: How many were ordered since the clip was opened.
        refused: Of which files that can't be done, and why: the last ones.
    """

    def __init__(self, app: Understudy, uploads: Uploads, orders: Orders, busy: threading.Lock) -> None:
        self._app, self._uploads, self._orders, self._busy = app, uploads, orders, busy
        self.count = 0
        self.refused: tuple[Fault, ...] = ()

    def forget(self) -> None:
        """Another clip is opened."""
        self.count, self.refused = 0, ()

    def render(self, number: str, same: Callable[[], OneFace]) -> None:
        """Order it for a file that was handed over. Takes its time. Why it can't be done is in ``refused``.

        Args:
            number: The file's.
            same: What is done with the clip; called while nobody changes it.
        """
        name = ""
        try:
            name = self._uploads[number].name
            self._render(number, same)
        except UnderstudyError as fault:
            self.refuse(fault_of(fault, "target").text, name)

    def refuse(self, text: str, name: str) -> None:
        """Show why the same can't be done for a file.

        Args:
            text: The name of the text that says it.
            name: What the user calls the file.
        """
        self.refused = (*self.refused, Fault(text, name))[-_SHOWN:]

    def _render(self, number: str, same: Callable[[], OneFace]) -> None:
        upload = self._uploads[number]
        try:
            with FrameFinder(upload.path, self._app.settings.max_pixels) as finder:
                kind = finder.info.kind
            formats: Sequence[str] = FORMATS[kind]
            with self._busy:
                face, settings, suffix = same()
                if face is None:
                    raise UsageError("there is not one face for all", "Put one and the same face on somebody.")
                suffix = suffix if suffix in formats else formats[0]

                def ordered(how: Rendition) -> Order:
                    return ordered_alike(upload.path, upload.name, face, how)

                self._orders.add({face.id: face}, USE_OF[kind], settings, suffix, ordered)
                self.count += 1
        finally:
            self._uploads.remove(number)
