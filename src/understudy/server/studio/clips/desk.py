"""The clips room's desk: the clip that is open, who gets what, how, and what is rendered. All pages share it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from understudy.app import Understudy
from understudy.casting.cast import PartList
from understudy.casting.roles import BLUR, LEAVE
from understudy.enhancement.options import Step
from understudy.errors import ConsentError, UnderstudyError, UsageError
from understudy.media.files import MediaKind
from understudy.media.files.looking_up import FrameFinder
from understudy.provenance import ConsentClaim, Consents
from understudy.provenance.records.consent import Use
from understudy.resources.trust import USE_OF
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.clips.clip import Clip
from understudy.server.studio.clips.edits import Edit, Edits, Stretch
from understudy.server.studio.clips.presets import Presets
from understudy.server.studio.clips.render import Rendition, ordered, ordered_alike
from understudy.server.studio.jobs.desk import JobsDesk
from understudy.server.studio.live.card import SAMPLE, Card
from understudy.server.studio.live.cards import Cards
from understudy.server.studio.samples import SampleClip, Samples
from understudy.server.uploads import Uploads
from understudy.settings import Settings, TrimOptions, changed
from understudy.settings.lanes import OWN, Instead, Lane
from understudy.settings.schema import values_of
from understudy.tasks.opened import check_compare
from understudy.text import listed

PLACE: Final = "/clips"
#: Of how many files at most it is said that they were not taken.
_SHOWN: Final = 5
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
        settings: How faces look, where no stretch says otherwise.
        stretch: The number of the stretch that is chosen, whose settings are changed; None for all of the clip.
        format: The suffix of what is rendered.
        version: Rises with everything that a swapped frame depends on.
        seconds: The frame that was looked at last.
        job: The number of what was rendered last of this clip; 0 for nothing.
        alike: How many other files were added since this clip was opened, for which the same is done.
        unlike: Of which of them that can't be said, and why: the last ones.
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
        self.settings = replace(app.settings, trim=TrimOptions(), lanes=())
        self.stretch: int | None = None
        self.format = ".mp4"
        self.version = 0
        self.seconds = 0.0
        self.job = self.alike = 0
        self.unlike: tuple[Fault, ...] = ()
        self.fault: Fault | None = None
        self._upload = ""
        self._rendered: Edit | None = None
        #: How often something was opened or closed, and which of these times what is open now came from.
        self._openings = self._taken = 0
        self._busy = threading.Lock()
        cards.when_removed(self._without)
        cards.when_changed(self._another)

    @property
    def folder(self) -> Path:
        """Where renders are written to."""
        return self._folder

    @property
    def use(self) -> Use:
        """What faces are used for in what is open."""
        return "video" if self.clip is None else USE_OF[self.clip.frames.info.kind]

    @property
    def changes(self) -> bool:
        """Whether anybody gets anything."""
        return self.clip is not None and self.clip.report is not None and bool(self.clip.edits.now.given)

    @property
    def can_render(self) -> bool:
        """Whether anybody gets a face: of a clip in which people are only blurred no swap is made."""
        given = {} if self.clip is None else self.clip.edits.now.given
        return self.changes and any(one != BLUR for one in given.values())

    @property
    def decided_since(self) -> bool:
        """Whether something was decided of the clip that is in no render yet."""
        clip = self.clip
        return clip is not None and clip.edits.can_undo and clip.edits.now != self._rendered

    @property
    def only_face(self) -> Card | None:
        """The face that all get who get any; None where there are several, or none."""
        given = set() if self.clip is None else {*self.clip.edits.now.given.values()} - {BLUR}
        found = [card for card in self.cards.all() if {card.id} == given]
        return found[0] if found else None

    @property
    def asked(self) -> Settings:
        """All that is asked for: with the part that is written, and its stretches."""
        if self.clip is None:
            return self.settings
        now = self.clip.edits.now
        return replace(self.settings, trim=now.trim, lanes=tuple(self._as_large(lane) for lane in now.lanes))

    def _as_large(self, lane: Lane) -> Lane:
        """A stretch that is enlarged as all of the clip is: one file has frames of one size."""
        if "enhance.steps" not in lane.values:
            return lane
        whole = [step for step in self.settings.enhance.steps if self._enlarges(step)]
        own = [step for step in lane.values["enhance.steps"] if not self._enlarges(step)]
        return replace(lane, settings={**lane.values, "enhance.steps": [*whole, *own]})

    def _enlarges(self, step: str) -> bool:
        entry = self._app.resources.models.named.store.catalogue.entries.get(Step.of(step).name)
        return entry is not None and entry.kind == "upscaler"

    @property
    def chosen(self) -> Stretch | None:
        """The stretch that is chosen, while it is there."""
        return None if self.clip is None else self.clip.edits.stretch(self.stretch)

    @property
    def looked_at(self) -> Settings:
        """The settings that are changed now: of all of the clip, or those that hold in the stretch that is chosen."""
        chosen = self.chosen
        return self.settings if chosen is None else changed(self.settings, chosen.lane.values)

    def open(self, number: str) -> None:
        """Open a file that was handed over, in place of what is open. Takes its time."""
        self._opened(lambda: (self._uploads[number].path, self._uploads[number].name), number)

    def open_sample(self) -> None:
        """Open the sample clip. Takes its time."""
        self._opened(lambda: (self._sample.wait(), f"{self._samples.clip_name}.mp4"), "")

    def close_clip(self) -> None:
        """Put the clip away; what was rendered of it stays. Takes its time."""
        with self._busy:
            self._openings, self.opening = self._openings + 1, False  # nor does what is being opened come any more
            self._put_away()
            self._taken, self.fault = self._openings, None

    def give(self, number: int, gets: str) -> None:
        """Give one of the clip's people, or ``OTHERS``, a face, by its card's id, or ``blur`` or ``leave``."""
        self.fault = None
        self._edit(lambda edits: edits.give(number, gets))

    def undo(self) -> None:
        """Take back what was decided of the clip last."""
        self._edit(lambda edits: edits.undo())

    def trim(self, start: float, end: float) -> None:
        """Have a part of the clip written only."""
        self._edit(lambda edits: edits.trim(start, end))

    def add_stretch(self, seconds: float) -> None:
        """Add a stretch from a time on, or choose the one that is there."""

        def add(edits: Edits) -> bool:
            before = edits.now
            self.stretch = edits.add(seconds)
            return edits.now is not before

        self._edit(add)

    def move_stretch(self, number: int, start: float, end: float) -> None:
        """Give a stretch other times."""
        self._edit(lambda edits: edits.move(number, start, end))

    def do_in_stretch(self, what: Instead | None) -> None:
        """Have faces left or blurred in the stretch that is chosen, or swapped."""
        if (chosen := self.chosen) is not None:
            self._edit(lambda edits: edits.do(chosen.number, what))

    def remove_stretch(self) -> None:
        """Remove the stretch that is chosen."""
        if (chosen := self.chosen) is not None:
            self._edit(lambda edits: edits.remove(chosen.number))
        self.stretch = None

    def change(self, values: Mapping[str, Any]) -> None:
        """Change settings, by full name."""
        self._attempt(lambda: self._set(values))

    def write(self, values: Mapping[str, Any]) -> None:
        """Change settings of all of the clip, by full name: how it is written."""

        def change() -> None:
            self.settings = changed(self.settings, values)
            self.version += 1

        self._attempt(change)

    def use_preset(self, name: str) -> None:
        """Change settings to those of a preset; what it does not name stays, and a stretch has no engine of its own."""

        def use() -> None:
            values = self.presets.all().get(name, {})
            own = self.chosen is not None
            self._set({name: value for name, value in values.items() if name in OWN or not own})

        self._attempt(use)

    def keep_preset(self, name: str) -> None:
        """Keep the settings under a name. Takes its time."""
        self._attempt(lambda: self.presets.keep(name, values_of(self.looked_at)))

    def remove_preset(self, name: str) -> None:
        """Remove a preset. Takes its time."""
        self._attempt(lambda: self.presets.remove(name))

    def render(self) -> None:
        """Write down what is to be rendered: a job. Takes its time."""
        self._attempt(self._render)

    def render_alike(self, number: str) -> None:
        """Do the same for another file that was handed over, with the one face that there is. Takes its time."""
        name = ""
        try:
            name = self._uploads[number].name
            self._render_alike(number)
        except UnderstudyError as fault:
            self.not_alike(fault_of(fault, "target").text, name)

    def not_alike(self, text: str, name: str) -> None:
        """Show why the same can't be done for a file.

        Args:
            text: The name of the text that says it.
            name: What the user calls the file.
        """
        self.unlike = (*self.unlike, Fault(text, name))[-_SHOWN:]

    def close(self) -> None:
        """End."""
        if self.clip is not None:
            self.clip.close()

    def _opened(self, find: Callable[[], tuple[Path, str]], upload: str) -> None:
        with self._busy:
            self._openings, self.opening, self.fault = self._openings + 1, True, None
            number = self._openings
        clip = None
        try:
            path, name = find()
            clip = Clip(self._app, path, name, partial(self._say, number))
        except UnderstudyError as fault:
            self._say(number, fault_of(fault, "target"))
        finally:
            self._take(number, clip, upload)

    def _take(self, number: int, clip: Clip | None, upload: str) -> None:
        """Have what was opened in place of what was open, unless something else was asked for meanwhile."""
        with self._busy:
            newest = number == self._openings
            self.opening = self.opening and not newest
            if newest and clip is not None:
                self._put_away()
                self.clip, self._upload, self._taken = clip, upload, number
                self.version += 1
                formats = FORMATS[clip.frames.info.kind]
                self.format = self.format if self.format in formats else formats[0]
                return
        if clip is not None:
            clip.close()
        if upload:
            self._uploads.remove(upload)

    def _put_away(self) -> None:
        clip, self.clip = self.clip, None
        if clip is not None:
            clip.close()
        if self._upload:
            self._uploads.remove(self._upload)
        self._upload, self.job, self.seconds, self.stretch = "", 0, 0.0, None
        self.alike, self.unlike, self._rendered = 0, (), None

    def _without(self, number: str) -> None:
        """A face was taken away, in whatever room: nobody gets it any more."""
        if self.clip is not None and self.clip.edits.without(number):
            self.version += 1

    def _another(self, number: str) -> None:
        """A face has another photo, or one less: whoever gets it looks otherwise."""
        if self.clip is not None and number in self.clip.edits.now.given.values():
            self.version += 1

    def _say(self, number: int, fault: Fault) -> None:
        """Show what is wrong with something that was opened, unless it was put away meanwhile."""
        if number >= self._taken:
            self.fault = fault

    def _attempt(self, work: Callable[[], object]) -> None:
        self.fault = None
        try:
            work()
        except UnderstudyError as fault:
            self.fault = fault_of(fault)

    def _set(self, values: Mapping[str, Any]) -> None:
        chosen = self.chosen
        if chosen is None:
            self.settings = changed(self.settings, values)
            self.version += 1
        elif self.clip is not None and self.clip.edits.set(chosen.number, values):
            self.version += 1

    def _edit(self, change: Callable[[Edits], bool]) -> None:
        """Change what was decided of the clip that is open."""
        self.fault = None
        if self.clip is not None and change(self.clip.edits):
            self.version += 1

    def _render(self) -> None:
        with self._busy:
            clip = self.clip
            if clip is None or clip.report is None:
                raise UsageError("no clip is open", "Open one.")
            decided = clip.edits.now
            given, known = clip.edits.said(clip.report.people), {card.id: card for card in self.cards.all()}
            cards = {gets: known[gets] for gets in given.values() if gets in known}
            given = {number: gets for number, gets in given.items() if gets in cards or gets in (BLUR, LEAVE)}
            self._record_sample(cards, self.use)
            cast = self.cast()
            if cast is not None:
                check_compare(cast, self.asked)
            with self.jobs.kept.new() as kept:
                how = Rendition(self.use, self.asked, self.format, kept, self._folder, self._outputs)
                (self.job,) = self.jobs.store.add(ordered(clip, given, cards, how))
            self._rendered = decided
            self.jobs.look()  # before anybody else gets a name for their output

    def _render_alike(self, number: str) -> None:
        upload = self._uploads[number]
        try:
            with FrameFinder(upload.path, self._app.settings.max_pixels) as finder:
                kind = finder.info.kind
            use, formats = USE_OF[kind], FORMATS[kind]
            with self._busy:
                face = self.only_face
                if face is None:
                    raise UsageError("there is not one face for all", "Put one and the same face on somebody.")
                suffix = self.format if self.format in formats else formats[0]
                self._record_sample({face.id: face}, use)
                with self.jobs.kept.new() as kept:
                    how = Rendition(use, self.settings, suffix, kept, self._folder, self._outputs)
                    self.jobs.store.add(ordered_alike(upload.path, upload.name, face, how))
                self.alike += 1
                self.jobs.look()
        finally:
            self._uploads.remove(number)

    @property
    def _outputs(self) -> list[Path]:
        """What jobs that are there will write."""
        return [one.job.order.output for one in self.jobs.jobs if one.job.state != "done"]

    def _record_sample(self, cards: Mapping[str, Card], use: Use) -> None:
        if SAMPLE in cards:
            photo = cards[SAMPLE].photos[0].photo
            Consents(self._app.resources.home).require(photo, use, ConsentClaim("sample"))

    def cast(self) -> PartList | None:
        """Who of the clip that is open gets what; None where nobody gets anything."""
        if self.clip is None or self.clip.report is None:
            return None
        given = {*self.clip.edits.now.given.values()}
        lacking = [card.name for card in self.cards.all() if card.id in given and not card.usable(self.use)]
        if lacking:
            raise ConsentError(
                f"there is no consent for using {listed(lacking)}", "Press the card and say whose it is."
            )
        faces = {card.id: card.person(self.use) for card in self.cards.all()}
        return self.clip.edits.cast(self.clip.report.people, faces)
