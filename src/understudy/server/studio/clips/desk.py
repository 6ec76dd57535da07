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
from understudy.provenance.records.consent import Use
from understudy.resources.trust import USE_OF
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.clips.clip import Clip
from understudy.server.studio.clips.edit_file import Decided
from understudy.server.studio.clips.edits import Edit, Edits, Stretch
from understudy.server.studio.clips.going_on import Found, gone_on
from understudy.server.studio.clips.keeper import Keeper, OpenEdit
from understudy.server.studio.clips.kept_edits import Holding
from understudy.server.studio.clips.orders import Alike, OneFace, Orders
from understudy.server.studio.clips.render import FORMATS, ordered
from understudy.server.studio.jobs.desk import JobsDesk
from understudy.server.studio.live.card import Card
from understudy.server.studio.live.cards import Cards
from understudy.server.studio.samples import SampleClip, Samples
from understudy.server.uploads import Uploads
from understudy.settings import Settings, TrimOptions, changed
from understudy.settings.lanes import OWN, Instead, Lane
from understudy.settings.schema import values_of
from understudy.tasks.opened import check_compare
from understudy.text import listed

PLACE: Final = "/clips"


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
        keeper: Keeps what is decided, for the next studio.
        clip: What is open; None for nothing.
        opening: Whether something is being opened.
        settings: How faces look, where no stretch says otherwise.
        stretch: The number of the stretch that is chosen, whose settings are changed; None for all of the clip.
        format: The suffix of what is rendered.
        version: Rises with everything that a swapped frame depends on.
        seconds: The frame that was looked at last.
        job: The number of what was rendered last of this clip; 0 for nothing.
        orders: Where jobs are ordered.
        alike: Other files, for which the same is done.
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
        self._app, self._uploads, self._samples, self._sample = app, uploads, samples, sample
        self.cards, self.jobs = cards, jobs
        self.clip: Clip | None = None
        self.opening = False
        self.settings = replace(app.settings, trim=TrimOptions(), lanes=())
        self.stretch: int | None = None
        self.format = ".mp4"
        self.version = 0
        self.seconds = 0.0
        self.job = 0
        self.fault: Fault | None = None
        self._upload = ""
        #: What was ordered last, as ``job``; without one, an earlier run has finished it.
        self._ordered: Decided | None = None
        #: How often something was opened or closed, and which of these times what is open now came from.
        self._openings = self._taken = 0
        self._busy = threading.Lock()
        self.orders = Orders(app, jobs, folder)
        self.alike = Alike(app, uploads, self.orders, self._busy)
        self._usual = self.settings
        self.keeper = Keeper(app.resources.home, self._busy, self._open_edit, self._tell)
        cards.when_removed(self._without)
        cards.when_changed(self._another)

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
        """Whether something was decided of the clip that is in no finished file yet."""
        clip = self.clip
        return clip is not None and clip.edits.now != Edit() and not self._is_finished(self._decided(clip))

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

    def begin(self) -> None:
        """Keep what is decided from now on, and look with what one can go on."""
        self.keeper.begin()

    def open(self, number: str) -> None:
        """Open a file that was handed over, in place of what is open. Takes its time."""
        self._opened(lambda: Found(self._uploads[number].path, self._uploads[number].name, number))

    def open_sample(self) -> None:
        """Open the sample clip. Takes its time."""
        self._opened(lambda: Found(self._sample.wait(), f"{self._samples.clip_name}.mp4"))

    def go_on(self, number: str) -> None:
        """Open a clip on which somebody was at work when a studio ended, as it was then. Takes its time.

        Args:
            number: The kept edit's id.
        """

        def taken() -> Found:
            with self._busy:
                holding = self.keeper.take(number)
            return gone_on(holding, self._uploads, self.cards, self._tell)

        self._opened(taken)

    def forget(self, number: str) -> None:
        """Remove what is kept of such a clip. Takes its time."""
        with self._busy:
            self.keeper.forget(number)

    def close_clip(self) -> None:
        """Put the clip away: with what was decided of it one can go on, unless a file has it all. Takes its time."""
        with self._busy:
            self._openings, self.opening = self._openings + 1, False  # nor does what is being opened come any more
            self.fault = None
            self._put_away(forget=not self.decided_since)
            self._taken = self._openings

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

    def use_preset(self, values: Mapping[str, Any]) -> None:
        """Change settings to those of a preset; what it does not name stays, and a stretch has no engine of its own."""
        own = self.chosen is not None
        self._attempt(lambda: self._set({name: value for name, value in values.items() if name in OWN or not own}))

    def render(self) -> None:
        """Write down what is to be rendered: a job. Takes its time."""
        self._attempt(self._render)

    def render_alike(self, number: str) -> None:
        """Do the same for another file that was handed over, with the one face that there is. Takes its time."""
        self.alike.render(number, lambda: OneFace(self.only_face, self.settings, self.format))

    def close(self) -> None:
        """End. What was decided is kept for the next studio."""
        with self._busy:
            self._openings += 1  # what is being opened comes no more
        self.keeper.close()
        if self.clip is not None:
            self.clip.close()

    def _opened(self, find: Callable[[], Found]) -> None:
        with self._busy:
            self._openings, self.opening, self.fault = self._openings + 1, True, None
            number = self._openings
        clip = found = None
        try:
            found = find()
            clip = Clip(self._app, found.path, found.name, partial(self._say, number), found.earlier)
        except UnderstudyError as fault:
            self._say(number, fault_of(fault, "target"))
        finally:
            self._take(number, clip, found)

    def _take(self, number: int, clip: Clip | None, found: Found | None) -> None:
        """Have what was opened in place of what was open, unless something else was asked for meanwhile."""
        with self._busy:
            newest = number == self._openings
            self.opening = self.opening and not newest
            if newest and clip is not None and found is not None:
                self._put_away(forget=False)
                self.clip, self._upload, self._taken = clip, found.upload, number
                if found.holding is not None and found.decided is not None:
                    self._go_on(found.holding, found.decided, found.seconds)
                self.version += 1
                formats = FORMATS[clip.frames.info.kind]
                if found.decided is None or self.format not in formats:
                    self.format = formats[0]
                return
            if found is not None and found.holding is not None:
                found.holding.release()
            self.keeper.look()  # with what can be gone on may be other than it was
        if clip is not None:
            clip.close()
        if found is not None and found.upload:
            self._uploads.remove(found.upload)

    def _go_on(self, holding: Holding, decided: Decided, seconds: float) -> None:
        """Have settings, format and frame as they were."""
        self.format, self.seconds = decided.format, seconds
        self._ordered = replace(decided, rendered=False) if decided.rendered else None
        try:
            own = {name: value for name, value in decided.settings.items() if name != "home"}
            self.settings = changed(self._usual, own)
        except UnderstudyError as fault:  # those of another version: the clip has what is usual
            self._tell(fault_of(fault))
        assert self.clip is not None
        now = self._decided(self.clip)
        self.keeper.hold(holding, replace(now, rendered=now == self._ordered))

    def _open_edit(self) -> OpenEdit | None:
        """What is to be kept of the clip that is open."""
        clip = self.clip
        if clip is None or clip.edits.now == Edit():
            return None
        decided = self._decided(clip)
        cards = [card for card in self.cards.all() if card.id in decided.edit.given.values()]
        people = None if clip.report is None else clip.report.people
        decided = replace(decided, rendered=self._is_finished(decided))
        return OpenEdit(clip.path, clip.name, people, cards, decided, self.seconds)

    def _is_finished(self, decided: Decided) -> bool:
        """Whether a file has all of that: a job that waits, fails or is cancelled has none."""
        job = self.jobs.shown(self.job)
        done = not self.job or (job is not None and job.job.state == "done")
        return done and decided == self._ordered

    def _decided(self, clip: Clip) -> Decided:
        usual = values_of(self._usual)
        own = {name: value for name, value in values_of(self.settings).items() if value != usual[name]}
        return Decided(clip.edits.now, own, self.format)

    def _put_away(self, *, forget: bool) -> None:
        self.keeper.put_away(forget=forget)
        clip, self.clip = self.clip, None
        if clip is not None:
            clip.close()
        if self._upload:
            self._uploads.remove(self._upload)
        self._upload, self.job, self.seconds, self.stretch = "", 0, 0.0, None
        self._ordered = None
        # The look is often that of the next one, too; what is written beside it, into it or around it is not.
        self.settings = replace(self.settings, compare=self._usual.compare, frame=self._usual.frame)
        self.alike.forget()

    def _without(self, number: str) -> None:
        """A face was taken away, in whatever room: nobody gets it any more."""
        if self.clip is not None and self.clip.edits.without(number):
            self.version += 1

    def _another(self, number: str) -> None:
        """A face has another photo, or one less: whoever gets it looks otherwise."""
        if self.clip is not None and number in self.clip.edits.now.given.values():
            self.version += 1

    def _tell(self, fault: Fault) -> None:
        self.fault = fault

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
            decided = self._decided(clip)
            given, known = clip.edits.said(clip.report.people), {card.id: card for card in self.cards.all()}
            cards = {gets: known[gets] for gets in given.values() if gets in known}
            given = {number: gets for number, gets in given.items() if gets in cards or gets in (BLUR, LEAVE)}
            cast = self.cast()
            if cast is not None:
                check_compare(cast, self.asked)
            order = partial(ordered, clip, given, cards)
            self.job = self.orders.add(cards, self.use, self.asked, self.format, order)
            self._ordered = decided

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
