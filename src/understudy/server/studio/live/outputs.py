"""Where pictures go besides the page, and how each place fares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from understudy.installing import install_extra
from understudy.server.studio.controls import CopyButton, Text, attribute, box, shown
from understudy.server.studio.fields import field, slider, switch
from understudy.server.studio.live.choices import KILOBITS, SinkKind, missing
from understudy.server.studio.live.notices import Notice
from understudy.server.studio.live.recordings import PLACE as RECORDINGS
from understudy.server.studio.visitor import Visitor
from understudy.sessions import SinkState
from understudy.text import printable

#: Each output's name.
NAMES: Final[Mapping[SinkKind, str]] = {
    "recording": "outputs.recording",
    "virtual": "outputs.virtual",
    "stream": "outputs.stream",
    "window": "outputs.window",
}
#: What is said where an output's package is missing.
_LACKS: Final[Mapping[SinkKind, str]] = {"virtual": "outputs.virtual_missing", "window": "outputs.window_missing"}
#: The extras that bring those packages.
_EXTRAS: Final[Mapping[SinkKind, str]] = {"virtual": "virtualcam", "window": "window"}
#: What each state is called.
_STATES: Final = {
    "opening": "outputs.opening",
    "open": "outputs.open",
    "lost": "outputs.opening",
    "ended": "outputs.ended",
}


def is_away(state: SinkState) -> bool:
    """Whether an output was lost, or is not reached, and is tried again."""
    return bool(state.reason) and state.doing != "ended"


class OutputPanel:
    """Puts the outputs into a page.

    Args:
        visitor: Who looks at them.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.live, visitor.texts
        texts, outputs = self._texts, self._desk.outputs
        self._states: dict[SinkKind, Text] = {}
        self._switches = {}
        with box("panel", "section", aria_label=texts("outputs.title")):
            Text(texts("outputs.title"), "h2")
            for kind, name in NAMES.items():
                absent = kind in _LACKS and missing(kind)
                control = switch(
                    texts(name),
                    on=getattr(outputs, kind),
                    change=partial(self._set, kind),
                    hint=texts(_LACKS[kind], command=install_extra(_EXTRAS[kind])) if absent else self._hint(kind),
                )
                attribute(control, "disabled", absent)
                self._switches[kind] = control
                if kind == "stream":
                    self._where = box("indented")
                    with self._where:
                        self._address()
                self._states[kind] = Text("", classes="state", attributes={"role": "status"})
            self._rate = box()
            with self._rate:
                slider(
                    texts("outputs.kilobits"),
                    value=outputs.kilobits,
                    least=KILOBITS[0],
                    most=KILOBITS[1],
                    step=500,
                    change=lambda kilobits: self._set("kilobits", round(kilobits)),
                    show=lambda kilobits: texts("outputs.megabits", count=f"{kilobits / 1000:g}"),
                )
            self._notice = Notice(visitor, "outputs")
            self._recorded = box("recorded", "ul")
            slider(
                texts("outputs.delay"),
                value=self._desk.delay,
                least=0,
                most=5,
                step=0.1,
                change=self._desk.wait,
                show=lambda seconds: texts("outputs.seconds", seconds=f"{seconds:.1f}"),
            )
            Text(texts("outputs.delay_more"), "p", classes="hint")
        self._count = 0
        visitor.watch(self._look)

    def _hint(self, kind: SinkKind) -> str:
        if kind == "recording":
            return self._texts("outputs.folder", folder=printable(self._desk.recordings.folder))
        if kind == "virtual":
            return self._texts("outputs.virtual_more")
        return ""

    def _address(self) -> None:
        texts, outputs = self._texts, self._desk.outputs
        field(
            texts("outputs.address"),
            value=outputs.address,
            placeholder="rtmp://live.example.org/app",
            change=partial(self._set, "address"),
        )
        field(
            texts("outputs.key"),
            value=outputs.key,
            secret=True,
            change=partial(self._set, "key"),
            hint=texts("outputs.key_more"),
        )

    def _set(self, name: str, value: Any) -> None:  # noqa: ANN401 - of the field's own type
        self._desk.faults.pop("outputs", None)
        self._desk.outputs = replace(self._desk.outputs, **{name: value})
        self._visitor.look()

    def _fares(self, state: SinkState) -> str:
        """How an output fares, in words."""
        if state.failure is not None:
            return self._texts("outputs.failed", reason=f"{state.failure.message}. {state.failure.hint}")
        if is_away(state):
            return self._texts("outputs.lost" if state.reached else "outputs.unreached", reason=state.reason)
        return self._texts(_STATES[state.doing])

    def _look(self) -> None:
        desk, texts, states = self._desk, self._texts, self._desk.sinks()
        shown(self._where, desk.outputs.stream)
        shown(self._rate, desk.outputs.stream or desk.outputs.recording)
        for kind, control in self._switches.items():
            attribute(control, "checked", getattr(desk.outputs, kind))
            said, state = self._states[kind], states.get(kind)
            later = state is None and desk.phase == "live" and getattr(desk.outputs, kind)
            shown(said, later or state is not None)
            if later:
                said.text = texts("outputs.later")
                said.classes(replace="state bad")
            elif state is not None:
                said.text = self._fares(state)
                bad, good = state.failure is not None or bool(state.reason), state.doing == "open"
                said.classes(replace=f"state {'bad' if bad else 'good' if good else ''}")
        if len(desk.recordings.all) != self._count:
            self._count = len(desk.recordings.all)
            self._recorded.clear()
            with self._recorded:
                for recording in reversed(desk.recordings.all):
                    with box("", "li"):
                        Text(
                            texts("outputs.saved", name=recording.path.name),
                            "a",
                            attributes={"href": f"{RECORDINGS}/{recording.number}", "download": recording.path.name},
                        )
                        CopyButton(
                            str(recording.path),
                            texts("jobs.path_copied"),
                            label=texts("outputs.copy_path", name=recording.path.name),
                        )
