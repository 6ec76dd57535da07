"""What is fetched just now, with its progress, what waits, and what failed: before the list of all models."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from nicegui import ui

from understudy.server.studio.controls import Button, Text, attribute, box, shown
from understudy.server.studio.models import words
from understudy.server.studio.models.pulls import Pull
from understudy.server.studio.notices import notice, original
from understudy.server.studio.rows import Rows
from understudy.server.studio.visitor import Visitor


class FetchingList:
    """The list.

    Args:
        visitor: Who looks.
        again: Fetches what is called so once more.
    """

    def __init__(self, visitor: Visitor, again: Callable[[str], None]) -> None:
        self._visitor, self._again = visitor, again
        self._pulls = visitor.studio.shelf.pulls
        self._bars: dict[str, tuple[ui.element, Text]] = {}
        self._list = box("pulls", "ul", aria_label=visitor.texts("models.pulls"))
        self._rows = Rows[Pull](
            self._list,
            key=lambda pull: f"{id(pull)}",
            stamp=lambda pull: (pull.fault, pull.note, bool(pull.current), pull.stopping.is_set()),
            build=self._row,
            classes="card pull",
        )
        visitor.watch(self._follow)

    def _follow(self) -> None:
        pulls = self._pulls.all()
        shown(self._list, bool(pulls))
        self._rows.show(pulls)
        for pull in pulls:
            if pull.fault is None and pull.current and pull.title in self._bars:
                bar, said = self._bars[pull.title]
                attribute(bar, "value", None if not pull.total else round(min(pull.done / pull.total, 1), 3))
                said.text = self._progress(pull)

    def _row(self, pull: Pull) -> None:
        texts = self._visitor.texts
        if pull.fault is not None:
            with box("pull-top"):
                Text(texts("models.failed", name=pull.title), "h3", classes="model-name")
            notice(texts, pull.fault)
            with box("answers"):
                Button(texts("models.forget"), partial(self._pulls.stop, pull))
                Button(texts("models.again"), partial(self._again, pull.title), picture="refresh")
            return
        stopping = pull.stopping.is_set()
        with box("pull-top"):
            said = "models.stopping" if stopping else "models.fetching" if pull.current else "models.queued"
            Text(texts(said, name=pull.title), "h3", classes="model-name")
            Button(
                texts("models.cancel"),
                partial(self._pulls.stop, pull),
                disabled=stopping,
                label=texts("models.cancel_named", name=pull.title),
            )
        if pull.current:
            bar = box("", "progress", max=1, aria_label=texts("models.fetching", name=pull.title))
            self._bars[pull.title] = bar, Text("", classes="hint")
        if pull.note:
            original(texts, pull.note)

    def _progress(self, pull: Pull) -> str:
        texts = self._visitor.texts
        done = words.size(texts, pull.done)
        number = next((i for i, entry in enumerate(pull.entries, 1) if entry.name == pull.current), 1)
        if pull.total:
            return texts(
                "models.progress",
                name=pull.current,
                done=done,
                total=words.size(texts, pull.total),
                number=number,
                count=len(pull.entries),
            )
        return texts("models.progress_open", name=pull.current, done=done, number=number, count=len(pull.entries))
