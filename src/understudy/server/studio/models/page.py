"""The Models room: what there is, what is here, under what terms; fetch, check, take in, remove."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from understudy.errors import UnderstudyError
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.controls import Button, Text, attribute, box, icon, shown
from understudy.server.studio.fields import Picker, choice, switch
from understudy.server.studio.models import words
from understudy.server.studio.models.desk import Item, LicenceAskedError
from understudy.server.studio.models.fetching import FetchingList
from understudy.server.studio.models.licences import tell
from understudy.server.studio.models.row import Actions, Bundled, bundle_card, model_row, stamp
from understudy.server.studio.notices import notice
from understudy.server.studio.questions import Question
from understudy.server.studio.rows import Rows
from understudy.server.studio.visitor import Visitor
from understudy.server.uploads import Upload

_ALL = "all"


def build(visitor: Visitor) -> None:
    """Put the room into the page."""
    _Room(visitor).build()


class _Room:
    """One visitor's view of the models."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._texts, self._shelf = visitor, visitor.texts, visitor.studio.shelf
        self._kind, self._here_only, self._seen = _ALL, False, -1

    def build(self) -> None:
        """Put it into the page."""
        texts = self._texts
        with box("page models"):
            with box("lead"):
                Text(texts("models.title"), "h2", classes="title")
                Text(texts("models.about"), "p", classes="about")
            self._faults = box("faults")
            self._question = Question(texts)
            FetchingList(self._visitor, self._pull)
            with box("busy", role="status") as self._busy:
                box("spinner", "span", aria_hidden="true")
                self._doing = Text()
            with box("done", role="status") as self._told:
                icon("check")
                self._said = Text()
            shown(self._told, False)
            self._overview()
            Text(texts("models.bundles"), "h2", classes="section")
            self._bundles = box("bundles", "ul")
            self._filters()
            self._groups = box("groups")
        self._lists = self._made_lists()
        self._bundled = Rows[Bundled](
            self._bundles,
            key=lambda one: one.name,
            stamp=lambda one: (one.here, one.coming),
            build=lambda one: bundle_card(texts, one, self._ask_pull),
            classes="card bundle",
        )
        self._visitor.watch(self._follow)

    def _overview(self) -> None:
        """What is here, and what may be done with all of it."""
        texts = self._texts
        with box("overview"):
            self._count = Text("", "p", classes="count")
            check = partial(self._visitor.do, self._verify)
            self._check = Button(texts("models.verify"), check, picture="shield")
            Picker(
                kind="model",
                accept=".onnx,.zip",
                words={
                    "button": texts("models.import"),
                    "beside": texts("models.import_how"),
                    "busy": texts("models.coming"),
                    "cancel": texts("ask.cancel"),
                },
                done=self._handed_over,
                failed=lambda name: self._fail(Fault(name)),
            ).classes("drop-small")

    def _filters(self) -> None:
        texts = self._texts
        options = {_ALL: texts("models.all")} | {kind: texts(name) for kind, (name, _) in words.KINDS.items()}
        with box("list-head"):
            Text(texts("models.list"), "h2", classes="section")
            with box("filters"):
                choice(texts("models.kind"), options=options, value=_ALL, change=self._choose_kind, hidden=True)
                switch(texts("models.here_only"), on=False, change=self._choose_here)

    def _made_lists(self) -> dict[str, Rows[Item]]:
        """An empty list for each kind, with what that kind is for; the package's own first."""
        texts, lists = self._texts, dict[str, Rows[Item]]()
        actions = Actions(
            get=self._ask_pull,
            measure=lambda name: self._visitor.do(partial(self._measure, name)),
            remove=self._ask_remove,
        )
        self._sections: dict[str, ui.element] = {}
        with self._groups:
            with box("kind-group", "section") as self._own:
                Text(texts("models.own"), "h3", classes="group-title")
                with box("group-about"):
                    Text(texts("models.own_about"), "p", classes="hint")
                    Button(
                        texts("models.measure"),
                        partial(self._visitor.do, self._measure_own),
                        look="bare",
                        picture="chart",
                        label=texts("models.measure_own"),
                    )
                self._own_rows = box("listed", "ul")
            for kind, (name, about) in words.KINDS.items():
                with box("kind-group", "section") as section:
                    Text(texts(name), "h3", classes="group-title")
                    Text(texts(about), "p", classes="hint")
                    rows = box("listed", "ul", aria_label=texts(name))
                self._sections[kind] = section
                lists[kind] = Rows[Item](
                    rows,
                    key=lambda item: item.entry.name,
                    stamp=stamp,
                    build=lambda item: model_row(texts, item, actions),
                    classes="model",
                )
        return lists

    # What changes.

    def _follow(self) -> None:
        shown(self._busy, bool(self._shelf.busy))
        if self._shelf.busy:
            self._doing.text = self._texts(self._shelf.busy)
        if self._seen != self._shelf.version:
            self._seen = self._shelf.version
            self._show()

    def _show(self) -> None:
        try:
            items, bundles = self._shelf.items(), self._shelf.bundles()
        except UnderstudyError as fault:
            self._fail(fault_of(fault))
            return
        here = [item for item in items if item.state == "there"]
        total = words.size(self._texts, sum(item.size or 0 for item in here))
        # One that is here and altered is found by the check.
        attribute(self._check, "disabled", not any(item.state in ("there", "altered") for item in items))
        self._count.text = (
            self._texts("models.count", count=len(here), size=total) if here else self._texts("models.none")
        )
        for kind, rows in self._lists.items():
            wanted = [
                item
                for item in items
                if item.entry.kind == kind
                and self._kind in (_ALL, kind)
                and (item.state != "missing" or item.coming or not self._here_only)
            ]
            rows.show(wanted)
            shown(self._sections[kind], bool(wanted))
        shown(self._own, self._kind == _ALL)
        self._show_own()
        names = {item.entry.name for item in here}
        coming = {pull.title for pull in self._shelf.pulls.all() if pull.fault is None}
        self._bundled.show(
            [
                Bundled(one.name, one.title, one.models, names.issuperset(one.models), one.name in coming)
                for one in bundles
            ]
        )

    def _show_own(self) -> None:
        from understudy.tasks.costs import EMBEDDED

        costs = {one.name: one for one in self._shelf.embedded or ()}
        self._own_rows.clear()
        with self._own_rows:
            for name in EMBEDDED:
                with box("own", "li"):
                    Text(words.own(self._texts, name), classes="own-for")
                    Text(words.cost(self._texts, costs.get(name)), classes="hint")

    # What is done.

    def _choose_kind(self, kind: str) -> None:
        self._kind, self._seen = kind, -1
        self._visitor.look()

    def _choose_here(self, on: bool) -> None:
        self._here_only, self._seen = on, -1
        self._visitor.look()

    def _fail(self, fault: Fault) -> None:
        shown(self._told, False)
        self._faults.clear()
        with self._faults:
            notice(self._texts, fault, self._faults.clear)

    def _tell(self, said: str) -> None:
        self._faults.clear()
        self._said.text = said
        shown(self._told, True)

    def _ask_pull(self, name: str) -> None:
        """Show what would be fetched, and under what terms."""
        try:
            entries = self._shelf.wanted(name)
            licences = self._shelf.unaccepted(entries)
        except UnderstudyError as fault:
            self._fail(fault_of(fault))
            return
        texts = self._texts
        self._question.ask(
            texts("models.get_question", name=name),
            lambda: tell(texts, entries, licences),
            texts("models.accept_and_get" if licences else "models.get"),
            partial(self._pull, name),
        )

    def _pull(self, name: str) -> None:
        try:
            self._shelf.pull(name)
        except UnderstudyError as fault:
            self._fail(fault_of(fault))
        self._visitor.look()

    def _ask_remove(self, item: Item) -> None:
        texts, name = self._texts, item.entry.name

        def say() -> None:
            Text(texts("models.remove_means", size=words.size(texts, item.size)), "p")
            if item.needed_by:
                Text(texts("models.needed_by", names=", ".join(item.needed_by)), "p", classes="warned")

        self._question.ask(
            texts("models.remove_question", name=name),
            say,
            texts("models.remove"),
            partial(self._visitor.do, partial(self._remove, name)),
            look="danger",
        )

    async def _remove(self, name: str) -> None:
        await self._try(lambda: self._shelf.remove(name), self._texts("models.removed", name=name))

    async def _measure(self, name: str) -> None:
        await self._try(lambda: self._shelf.measure(name), self._texts("models.measured", name=name))

    async def _measure_own(self) -> None:
        await self._try(self._shelf.measure_embedded, self._texts("models.measured_own"))

    async def _try(self, work: Callable[[], Awaitable[None]], said: str) -> None:
        try:
            await work()
        except Exception as fault:  # noqa: BLE001 - the page says what it was
            self._fail(fault_of(fault))
        else:
            self._tell(said)

    async def _verify(self) -> None:
        try:
            states = await self._shelf.verify()
        except UnderstudyError as fault:
            self._fail(fault_of(fault))
            return
        altered = [name for name, state in states.items() if state == "altered"]
        if altered:
            self._fail(Fault("models.some_altered", ", ".join(altered)))
        elif states:
            self._tell(self._texts("models.all_fine", count=len(states)))
        self._seen = -1

    def _handed_over(self, number: str) -> object:
        try:
            upload = self._visitor.studio.uploads[number]
        except UnderstudyError as fault:
            self._fail(fault_of(fault))
            return None
        return self._visitor.do(lambda: self._take_in(upload))

    async def _take_in(self, upload: Upload) -> None:
        texts = self._texts
        try:
            done = await self._shelf.take_in(upload)
        except LicenceAskedError as asked:
            entries = [asked.entry]

            async def again() -> None:
                self._shelf.accept(entries)
                await self._take_in(upload)

            self._question.ask(
                texts("models.import_question", name=asked.entry.name),
                partial(tell, texts, entries, self._shelf.unaccepted(entries)),
                texts("models.accept_and_import"),
                partial(self._visitor.do, again),
                otherwise=partial(self._shelf.forget, upload),
            )
            return
        except Exception as fault:  # noqa: BLE001 - the page says what it was
            self._fail(self._shelf.said(fault, upload))
            return
        names = [*done.models, *done.there]
        self._tell(texts("models.imported" if done.models else "models.imported_before", names=", ".join(names)))
