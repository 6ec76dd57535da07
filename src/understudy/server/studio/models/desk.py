"""The models of this machine: what there is, what is here, and what is done about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from understudy.app import Understudy
from understudy.errors import UsageError
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.models.pulls import Pulls
from understudy.server.uploads import Upload, Uploads

if TYPE_CHECKING:
    from understudy.models.entries import Bundle, Entry, Licence
    from understudy.models.store import State, Store
    from understudy.models.transfer import Imported
    from understudy.tasks.costs import ModelCost

Done = TypeVar("Done")


@dataclass(frozen=True)
class Item:
    """A model, as a page shows it.

    Attributes:
        entry: What it is.
        licence: Its licence.
        strictest: The one that allows least, of its own and those of all that it needs.
        state: Whether it is here.
        size: Bytes, of what is here or of what would come; None where that is not known.
        pinned: Whether the catalogue knows its digest; if not, whatever comes first is believed.
        coming: Whether it is fetched, or waits for it.
        cost: What it takes to run; None where that was not measured in this run.
        needed_by: Names of models here that do not work without it.
    """

    entry: Entry
    licence: Licence
    strictest: Licence
    state: State
    size: int | None
    pinned: bool
    coming: bool
    cost: ModelCost | None
    needed_by: tuple[str, ...]


class LicenceAskedError(Exception):
    """A model can't be taken in before its licence was accepted.

    Args:
        entry: The model.
    """

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.name)
        self.entry = entry


class Shelf:
    """The models. Used by the server's own thread only, but for what it does in others.

    Args:
        app: With the store.
        uploads: Where files lie that were handed over.

    Attributes:
        pulls: What is fetched.
        busy: The name of the text that says what else is done just now; empty for nothing.
        embedded: What the models cost that the package carries; None where that was not measured in this run.
        version: Another number, another list.
    """

    def __init__(self, app: Understudy, uploads: Uploads) -> None:
        self._app, self._uploads = app, uploads
        self.pulls = Pulls(lambda: self.store, self._changed)
        self.busy = ""
        self.embedded: tuple[ModelCost, ...] | None = None
        self.version = 0
        self._costs: dict[str, ModelCost] = {}
        self._turn = asyncio.Lock()

    @property
    def store(self) -> Store:
        """The store.

        Raises:
            CatalogueError, InputUnreadableError: the user's own entries can't be used.
        """
        return self._app.resources.models.named.store

    def items(self) -> Sequence[Item]:
        """All models, in the catalogue's order.

        Raises:
            UnderstudyError: the catalogue or the store can't be read.
        """
        store, entries = self.store, self.store.catalogue.entries
        states = {name: store.state(entry) for name, entry in entries.items()}
        here = [entry for name, entry in entries.items() if states[name] == "there"]
        found = []
        for name, entry in entries.items():
            record = store.record(entry) if states[name] == "there" else None
            found.append(
                Item(
                    entry=entry,
                    licence=store.catalogue.licence_of(entry),
                    strictest=store.catalogue.strictest(entry),
                    state=states[name],
                    size=entry.file.size if record is None else record.size,
                    pinned=entry.file.sha256 is not None,
                    coming=name in self.pulls.coming and states[name] != "there",
                    cost=self._costs.get(name),
                    needed_by=tuple(other.name for other in here if name in other.needs),
                )
            )
        return found

    def bundles(self) -> Sequence[Bundle]:
        """What is fetched together under one name."""
        return tuple(self.store.catalogue.bundles.values())

    def wanted(self, name: str) -> Sequence[Entry]:
        """What a pull would fetch: a model or a bundle with all that it needs, without what is here.

        Raises:
            UnknownModelError: there is none of that name.
        """
        return [entry for entry in self.store.catalogue.resolved([name]) if self.store.state(entry) != "there"]

    def unaccepted(self, entries: Sequence[Entry]) -> dict[str, Licence]:
        """The licences of models whose terms nobody accepted here yet, by key."""
        keys = dict.fromkeys(entry.licence for entry in entries if not self.store.accepted(entry))
        return {key: self.store.catalogue.licences[key] for key in keys}

    def accept(self, entries: Sequence[Entry]) -> None:
        """Note that the licences of models were accepted.

        Raises:
            ModelError, NoSpaceError: it can't be noted.
        """
        if self.unaccepted(entries):
            self.store.accept(entries)

    def pull(self, name: str) -> None:
        """Fetch a model or a bundle. That is only asked for where its licences are accepted.

        Raises:
            UnderstudyError: there is none of that name, or it can't be noted that they are.
        """
        entries = self.wanted(name)
        self.accept(entries)
        self.pulls.add(name, entries)

    async def measure(self, name: str) -> None:
        """Open a model that is here, run it a few times, and keep what that takes.

        Raises:
            UnderstudyError: it does not work.
        """
        from understudy.tasks.costs import fetched_cost

        runtime, models = self._app.settings.runtime, self._app.resources.models
        self._costs[name] = await self._doing("models.measuring", lambda: fetched_cost(models, name, runtime))
        self._changed()

    async def measure_embedded(self) -> None:
        """Likewise, the models that the package carries.

        Raises:
            UnderstudyError: one does not work.
        """
        from understudy.tasks.costs import embedded_costs

        self.embedded = await self._doing("models.measuring", embedded_costs)
        self._changed()

    async def verify(self) -> dict[str, State]:
        """Read every model that is here again, and compare it with what it was when it came.

        Returns:
            The state of each by name: ``there`` or ``altered``.

        Raises:
            UnderstudyError: the store can't be read.
        """

        def verified() -> dict[str, State]:
            states = {name: self.store.verify(entry) for name, entry in self.store.catalogue.entries.items()}
            return {name: state for name, state in states.items() if state in ("there", "altered")}

        return await self._doing("models.verifying", verified)

    async def remove(self, name: str) -> None:
        """Remove a model from this machine.

        Raises:
            UnderstudyError: it can't be.
        """
        entry = self.store.catalogue.entries[name]
        await self._doing("models.removing", lambda: self.store.remove(entry))
        self._costs.pop(name, None)
        self._changed()

    async def take_in(self, upload: Upload) -> Imported:
        """Take in models out of a file that was handed over. The file goes then, unless a licence is asked for.

        Args:
            upload: The file: a model, or an archive of some.

        Raises:
            LicenceAskedError: the licence of one must be accepted first: ``accept`` it and call again, or ``forget``.
            UnderstudyError: there is nothing to take in, or it is not what it should be.
        """
        from understudy.models.transfer import import_models

        def known(entry: Entry) -> None:
            if not self.store.accepted(entry):
                raise LicenceAskedError(entry)

        asked = False
        try:
            return await self._doing("models.importing", lambda: import_models(self.store, self._called(upload), known))
        except LicenceAskedError:
            asked = True
            raise
        finally:
            if not asked:
                self.forget(upload)
            self._changed()

    def forget(self, upload: Upload) -> None:
        """Remove a file that is not taken in."""
        folder = _folder(upload)
        for path in folder.glob("*"):
            path.unlink()
        if folder.exists():
            folder.rmdir()
        self._uploads.remove(upload.id)

    def said(self, error: Exception, upload: Upload) -> Fault:
        """How an error about a file that was handed over is shown: with the user's own name for it."""
        if isinstance(error, UsageError):
            return Fault("models.not_known")
        found = fault_of(error, "model")
        return found._replace(detail=upload.named(found.detail.replace(f"{_folder(upload)}/", "")))

    def _called(self, upload: Upload) -> Path:
        """An upload under the name that the catalogue has for such a file: models are known by their names, too."""
        wanted = upload.name.lower()
        for entry in self.store.catalogue.entries.values():
            if wanted in (entry.file.name.lower(), f"{entry.name}.onnx"):
                place = _folder(upload) / entry.file.name
                if not place.exists():
                    place.parent.mkdir(0o700, exist_ok=True)
                    upload.path.replace(place)
                return place
        return upload.path

    def _changed(self) -> None:
        self.version += 1

    async def _doing(self, what: str, work: Callable[[], Done]) -> Done:
        """Do something in a thread: one thing at a time."""
        async with self._turn:
            self.busy = what
            try:
                return await asyncio.to_thread(work)
            finally:
                self.busy = ""


def _folder(upload: Upload) -> Path:
    return upload.path.with_suffix(".named")
