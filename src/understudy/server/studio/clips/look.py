"""How faces look, in all of the clip or in the stretch of it that is chosen; and presets of that."""

from __future__ import annotations

from understudy.server.faults import Fault
from understudy.server.studio.clips.edits import Stretch
from understudy.server.studio.controls import Button, Text, box, shown
from understudy.server.studio.fields import choice
from understudy.server.studio.look_controls import LookControls
from understudy.server.studio.other_settings import OtherSettings
from understudy.server.studio.preset_list import PresetList
from understudy.server.studio.visitor import Visitor
from understudy.settings.lanes import OWN, Instead
from understudy.times import clock


class LookPanel:
    """Puts the settings into a page.

    Args:
        visitor: Who looks at them.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.clips, visitor.texts
        self._stretch: object = None
        texts = self._texts
        with box("panel", "section", aria_label=texts("clips.look")):
            self._title = Text(self._texts("clips.look"), "h2")
            self._head = box("stretch-head")
            with self._head:
                Button(self._texts("clips.look_all"), self._all_of_it, picture="film")
                label = self._texts("clips.remove_stretch")
                Button("", self._remove_stretch, look="bare", picture="trash", label=label)
            self._does = box("does")
            self._place = box("rows")
            with self._place:
                self._controls = LookControls(visitor, lambda: self._desk.looked_at, self._set, self._draw)
            self._others = box()
            with self._others:
                self._all = OtherSettings(texts, lambda: self._desk.looked_at, self._set, self._offered)
            presets, desk = visitor.studio.presets, self._desk
            self._presets = PresetList(visitor, presets, lambda: desk.looked_at, desk.use_preset, self._tell).place
        visitor.watch(self._look)

    def _look(self) -> None:
        chosen, clip = self._desk.chosen, self._desk.clip
        stretch = None if chosen is None else (chosen.number, chosen.lane.do)
        if stretch != self._stretch:
            self._stretch = stretch
            self._draw_does(chosen)
            self._controls.look(anew=True)
            self._all.look()
        title = self._texts("clips.look")
        if chosen is not None and clip is not None:
            end = clip.edits.end_of(chosen)
            title = self._texts("clips.look_from", start=clock(chosen.lane.since), end=clock(end))
        if self._title.text != title:
            self._title.text = title
        for one in (self._head, self._does):
            shown(one, chosen is not None)
        swaps = chosen is None or chosen.lane.do is None
        shown(self._place, swaps)
        shown(self._others, swaps)
        shown(self._presets, swaps)

    def _set(self, name: str, value: object) -> Fault | None:
        self._desk.change({name: value})
        self._visitor.look()
        return self._desk.fault

    def _tell(self, fault: Fault | None) -> None:
        self._desk.fault = fault

    def _draw_does(self, chosen: Stretch | None) -> None:
        """What is done in the stretch that is chosen."""
        texts = self._texts
        self._does.clear()
        if chosen is None:
            return
        with self._does:
            choice(
                texts("clips.does"),
                options={"swap": texts("clips.swapped"), "leave": texts("clips.left"), "blur": texts("clips.blur")},
                value=chosen.lane.do or "swap",
                change=self._do_in_stretch,
            )
            if chosen.lane.do is None:
                Text(texts("clips.stretch_more"), "p", classes="hint")

    def _do_in_stretch(self, word: str) -> None:
        words: dict[str, Instead] = {"leave": "leave", "blur": "blur"}
        self._desk.do_in_stretch(words.get(word))
        self._visitor.look()

    def _all_of_it(self) -> None:
        self._desk.stretch = None
        self._visitor.look()

    def _remove_stretch(self) -> None:
        self._desk.remove_stretch()
        self._visitor.look()

    def _draw(self, controls: LookControls) -> None:
        texts, whole = self._texts, self._desk.chosen is None
        if whole:  # a stretch has no engine of its own, and is as large as all of the clip
            controls.engine(texts("look.engine"))
        controls.strength(0.0)
        controls.shape(texts("look.shape"))
        controls.feather()
        controls.mouth(texts("clips.mouth"))
        controls.finish(texts("clips.finish"), ("enhancer", "upscaler") if whole else ("enhancer",))

    def _offered(self, name: str) -> bool:
        return self._desk.chosen is None or name in OWN
