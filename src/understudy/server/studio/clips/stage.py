"""The frame that is looked at, as it is and as it will be, and the timeline below it."""

from __future__ import annotations

import asyncio
from typing import Final

from nicegui import ui
from nicegui.events import GenericEventArguments

from understudy.server.faults import Fault
from understudy.server.studio.clips.clip import Clip
from understudy.server.studio.controls import Button, Text, attribute, box, number_of, shown
from understudy.server.studio.visitor import Visitor
from understudy.server.texts import Texts
from understudy.tasks.timeline import Doubt

#: What is said of somebody who may not come out as they should.
_DOUBTS: Final = {"lost": "clips.lost", "turned": "clips.turned", "faint": "clips.faint"}
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
        self._drawn: tuple[object, ...] = ()
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
        visitor.watch(self._look)

    async def _stop(self) -> None:
        await self._visitor.do(lambda: asyncio.to_thread(self._desk.close_clip))

    def _look(self) -> None:
        clip = self._desk.clip
        if clip is not self._clip:
            self._clip, self._drawn = clip, ()
            self._frame.clear()
            self._under.clear()
            if clip is not None:
                with self._frame:
                    self._wipe = self._new_wipe(clip)
        if clip is None:
            return
        self._look_at_progress(clip)
        drawn = (clip.timeline is not None, clip.report is not None)
        if clip.moves and drawn != self._drawn:
            self._drawn = drawn
            self._under.clear()
            with self._under:
                self._new_timeline(clip)
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
        }
        for name, value in values.items():
            wipe.props[name] = value
        wipe.on("failed", self._failed)
        return wipe

    def _failed(self, event: GenericEventArguments) -> None:
        said = event.args
        if isinstance(said, dict) and isinstance(said.get("fault"), str) and said["fault"].startswith("fault."):
            self._desk.fault = Fault(said["fault"], str(said.get("detail", ""))[:500])
            self._visitor.look()

    def _new_timeline(self, clip: Clip) -> None:
        texts, found = self._texts, clip.timeline
        view = TimelineView()
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
        values = {
            "length": clip.seconds,
            "frame": clip.step,
            "start": self._desk.seconds,
            "known": found is not None,
            "cuts": [] if found is None else list(found.cuts),
            "lanes": lanes,
            "doubts": [{"when": list(one.when), "text": _doubt(texts, one)} for one in doubts],
            "words": {
                "back": texts("clips.frame_back"),
                "on": texts("clips.frame_on"),
                "next": texts("clips.next_doubt"),
                "none": texts("clips.no_doubt"),
                "seek": texts("clips.seek"),
            },
        }
        for name, value in values.items():
            view.props[name] = value
        view.on("seek", self._sought)

    def _sought(self, event: GenericEventArguments) -> None:
        found = number_of(event.args, 0, 1e6)
        if found is not None:
            self._desk.seconds = found


def _doubt(texts: Texts, one: Doubt) -> str:
    if one.why not in _DOUBTS:
        return texts("clips.unknown")
    return texts(_DOUBTS[one.why], name=texts("clips.person", number=one.number))
