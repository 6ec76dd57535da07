"""The frame that is looked at, as it is and as it will be, and the timeline below it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from nicegui import ui
from nicegui.events import GenericEventArguments

from understudy.server.faults import Fault
from understudy.server.studio.clips.clip import Clip
from understudy.server.studio.clips.edits import Stretch
from understudy.server.studio.controls import Button, Text, attribute, box, shown
from understudy.server.studio.fields import number_of
from understudy.server.studio.visitor import Visitor
from understudy.server.texts import Texts
from understudy.settings.lanes import Instead
from understudy.tasks.timeline import Doubt
from understudy.times import clock

#: What is said of somebody who may not come out as they should.
_DOUBTS: Final = {"lost": "clips.lost", "turned": "clips.turned", "faint": "clips.faint"}
#: What is done in a stretch.
_DOES: Final[Mapping[Instead | None, str]] = {
    None: "clips.own_look",
    "leave": "clips.left",
    "blur": "clips.blur",
}
#: What stands on the timeline.
_WORDS: Final = {
    "play": "clips.play",
    "pause": "clips.pause",
    "back": "clips.frame_back",
    "on": "clips.frame_on",
    "next": "clips.next_doubt",
    "none": "clips.no_doubt",
    "seek": "clips.seek",
    "stretches": "clips.stretches",
    "part": "clips.part",
    "start": "clips.edge_start",
    "end": "clips.edge_end",
    "part_start": "clips.part_start",
    "part_end": "clips.part_end",
    "here_start": "clips.here_start",
    "here_end": "clips.here_end",
    "all": "clips.part_all",
    "add": "clips.add_stretch",
}
#: Colours that lanes have, one after the other.
_TONES: Final = 6


class Wipe(ui.element, component="../assets/wipe.js"):
    """Original and result of one frame, left and right of a line."""


class TimelineView(ui.element, component="../assets/timeline.js"):
    """When each person is seen, and where to look twice."""


class Stage:
    """Puts both into a page.

    Args:
        visitor: Who looks at it.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.clips, visitor.texts
        self._clip: Clip | None = None
        self._known: tuple[object, ...] = ()
        self._place = box("clip-stage", "section", aria_label=self._texts("clips.stage"))
        with self._place:
            self._frame = box("wipe-place")
            self._under = box("timeline-place")
            with box("looking"):
                self._looking = box("looking-words")
                with self._looking:
                    self._said = Text("", "p", attributes={"role": "status"})
                    self._bar = box("", "progress", max=1, aria_label=self._texts("clips.looking"))
                    self._cancel = Button(self._texts("clips.cancel"), self._stop, look="bare", picture="close")
        self._wipe: Wipe | None = None
        self._timeline: TimelineView | None = None
        visitor.watch(self._look)

    async def _stop(self) -> None:
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.close_clip))

    def _look(self) -> None:
        clip = self._desk.clip
        if clip is not self._clip:
            self._clip, self._known = clip, ()
            self._frame.clear()
            self._under.clear()
            self._timeline = None
            if clip is not None:
                with self._frame:
                    self._wipe = self._new_wipe(clip)
        if clip is None:
            return
        self._look_at_progress(clip)
        if clip.moves and self._timeline is None:
            with self._under:
                self._timeline = self._new_timeline(clip)
        if self._timeline is not None:
            known = (clip.timeline is not None, clip.report is not None)
            if known != self._known:
                self._known = known
                _set(self._timeline, self._people(clip))
            _set(self._timeline, self._edits(clip))
        if self._wipe is not None:
            attribute(self._wipe, "version", self._desk.version)
            if self._wipe.props.get("swaps") != self._desk.changes:
                self._wipe.props["swaps"] = self._desk.changes

    def _look_at_progress(self, clip: Clip) -> None:
        shown(self._looking, clip.phase in ("people", "timeline"))
        said = self._texts("clips.looking") if clip.phase == "people" else self._texts("clips.following")
        if self._said.text != said:
            self._said.text = said
        attribute(self._bar, "value", round(clip.share, 3))
        shown(self._cancel, clip.phase == "people")

    def _new_wipe(self, clip: Clip) -> Wipe:
        texts, info = self._texts, clip.frames.info
        wipe = Wipe()
        ratio = info.width * float(info.pixel_aspect) / info.height
        wipe.style(f"--ratio: {ratio:.4f}")
        values = {
            "clip": clip.id,
            "version": self._desk.version,
            "swaps": self._desk.changes,
            "start": self._desk.seconds,
            "label": texts("clips.frame"),
            "wipe": texts("clips.wipe"),
            "left": texts("clips.before"),
            "right": texts("clips.after"),
            "busy": texts("clips.working"),
            "frame": clip.step,
        }
        _set(wipe, values)
        wipe.on("failed", self._failed)
        return wipe

    def _failed(self, event: GenericEventArguments) -> None:
        said = event.args
        if isinstance(said, dict) and isinstance(said.get("fault"), str) and said["fault"].startswith("fault."):
            self._desk.fault = Fault(said["fault"], str(said.get("detail", ""))[:500])
            self._visitor.look()

    def _new_timeline(self, clip: Clip) -> TimelineView:
        """A timeline. One for all of the time that a clip is open: what is typed or pulled in it stays."""
        view = TimelineView()
        words = {name: self._texts(text) for name, text in _WORDS.items()}
        _set(view, {"frame": clip.step, "start": self._desk.seconds, "words": words})
        view.on("seek", self._sought)
        view.on("trim", lambda event: self._told(self._desk.trim, event, "start", "end"))
        view.on("add", lambda event: self._told(self._desk.add_stretch, event))
        view.on("move", lambda event: self._told(self._moved, event, "id", "start", "end"))
        view.on("choose", self._chosen)
        view.on("remove", self._removed)
        return view

    def _people(self, clip: Clip) -> Mapping[str, object]:
        """When the clip's people are seen, as far as that is known."""
        texts, found = self._texts, clip.timeline
        names = (
            {} if clip.report is None else {one.number: texts("clips.person", number=one.number) for one in clip.report}
        )
        doubts = () if found is None else found.doubts
        lanes = [
            {
                "name": name,
                "tone": (number - 1) % _TONES,
                "seen": [list(part) for part in ((found.seen[number]) if found is not None else ())],
                "doubts": [{"when": list(one.when), "why": one.why} for one in doubts if one.number == number],
            }
            for number, name in names.items()
        ]
        return {
            "length": clip.seconds,
            "known": found is not None,
            "cuts": [] if found is None else list(found.cuts),
            "lanes": lanes,
            "doubts": [{"when": list(one.when), "text": _doubt(texts, one)} for one in doubts],
        }

    def _edits(self, clip: Clip) -> Mapping[str, object]:
        """The part that is written, and the stretches, as they are now."""
        now, edits = clip.edits.now, clip.edits
        until = clip.seconds if now.trim.until is None else now.trim.until
        return {
            "trim": {"start": now.trim.since, "end": until},
            "stretches": [
                {
                    "id": one.number,
                    "start": one.lane.since,
                    "end": edits.end_of(one),
                    "do": one.lane.do or "swap",
                    "short": self._texts(_DOES[one.lane.do]),
                    "text": stretch_text(self._texts, one, edits.end_of(one)),
                }
                for one in now.stretches
            ],
            "chosen": -1 if self._desk.chosen is None else self._desk.chosen.number,
        }

    def _told(self, change: Callable[..., object], event: GenericEventArguments, *names: str) -> None:
        """Have something changed by numbers that a page told: one, or several by name."""
        said = [event.args[name] for name in names] if names else [event.args]
        numbers = [number_of(one, 0, 1e6) for one in said]
        if None not in numbers:
            change(*numbers)
            self._visitor.look()

    def _moved(self, number: float, start: float, end: float) -> None:
        self._desk.move_stretch(int(number), start, end)

    def _chosen(self, event: GenericEventArguments) -> None:
        number = number_of(event.args, 0, 1e9)
        if number is not None:
            self._desk.stretch = None if self._desk.stretch == int(number) else int(number)
            self._visitor.look()

    def _removed(self, event: GenericEventArguments) -> None:
        number = number_of(event.args, 0, 1e9)
        if number is not None:
            self._desk.stretch = int(number)
            self._desk.remove_stretch()
            self._visitor.look()

    def _sought(self, event: GenericEventArguments) -> None:
        found = number_of(event.args, 0, 1e6)
        if found is not None:
            self._desk.seconds = found


def _set(element: ui.element, values: Mapping[str, object]) -> None:
    """Set properties of an element; nothing is sent of those that are so already."""
    for name, value in values.items():
        if element.props.get(name) != value:
            element.props[name] = value


def stretch_text(texts: Texts, one: Stretch, end: float) -> str:
    """A stretch in words: from when to when, and what is done in it."""
    return texts("clips.stretch", start=clock(one.lane.since), end=clock(end), what=texts(_DOES[one.lane.do]))


def _doubt(texts: Texts, one: Doubt) -> str:
    if one.why not in _DOUBTS:
        return texts("clips.unknown")
    return texts(_DOUBTS[one.why], name=texts("clips.person", number=one.number))
