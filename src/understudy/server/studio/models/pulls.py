"""Models that are fetched, one after the other, in a thread beside the pages."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from understudy.server.faults import Fault, fault_of

if TYPE_CHECKING:
    from understudy.models.entries import Entry
    from understudy.models.store import Store

#: Seconds that a pull has to end when the studio does.
_PATIENCE: Final = 3.0


@dataclass(eq=False)
class Pull:
    """Models that are fetched, or wait for it.

    Attributes:
        title: What was asked for: a model's or a bundle's name.
        entries: All that is fetched, in order.
        current: Which is fetched just now; empty before.
        done, total: Bytes of it; None where its size is not known.
        note: What went wrong on the way, in English; it goes on all the same.
        fault: Why it ended.
        stopping: Set to end it.
    """

    title: str
    entries: tuple[Entry, ...]
    current: str = ""
    done: int = 0
    total: int | None = None
    note: str = ""
    fault: Fault | None = None
    stopping: threading.Event = field(default_factory=threading.Event)


class _StoppedError(Exception):
    """The user does not want it any longer."""


class Pulls:
    """What is fetched, what waits, and what failed. Used by the server's own thread only.

    Args:
        store: Gives the store.
        changed: Told when something came, failed, or was asked for.
    """

    def __init__(self, store: Callable[[], Store], changed: Callable[[], None]) -> None:
        self._store, self._changed = store, changed
        self._pulls: list[Pull] = []
        self._worker: asyncio.Task[None] | None = None

    def all(self) -> Sequence[Pull]:
        """The pulls, the oldest first."""
        return tuple(self._pulls)

    @property
    def coming(self) -> frozenset[str]:
        """Names of the models that are fetched, or wait for it."""
        return frozenset(entry.name for pull in self._pulls if pull.fault is None for entry in pull.entries)

    def add(self, title: str, entries: Sequence[Entry]) -> None:
        """Fetch models, after what is fetched already. What failed under that title is forgotten."""
        if not entries or any(pull.title == title and pull.fault is None for pull in self._pulls):
            return
        self._pulls = [*(pull for pull in self._pulls if pull.title != title), Pull(title, tuple(entries))]
        self._changed()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    def stop(self, pull: Pull) -> None:
        """End a pull, or forget one that has ended. What came of it is kept, and gone on with next time."""
        pull.stopping.set()
        if not pull.current:
            self._forget(pull)

    async def close(self) -> None:
        """End all of them. A server that is silent is not waited for: the thread that asks it ends with the program."""
        for pull in self._pulls:
            pull.stopping.set()
        if self._worker is not None:
            await asyncio.wait({self._worker}, timeout=_PATIENCE)

    def _forget(self, pull: Pull) -> None:
        self._pulls = [other for other in self._pulls if other is not pull]
        self._changed()

    async def _work(self) -> None:
        """Fetch what waits, the oldest first."""
        while (pull := next((one for one in self._pulls if one.fault is None), None)) is not None:
            try:
                await _aside(lambda: self._fetch(pull))
                self._forget(pull)
            except _StoppedError:
                self._forget(pull)
            except Exception as fault:  # noqa: BLE001 - the page says what it was, and the next is fetched
                pull.fault, pull.current = fault_of(fault), ""
                self._changed()

    def _fetch(self, pull: Pull) -> None:
        from understudy.models.fetching import Fetcher

        def told(_: str, done: int, total: int | None) -> None:
            pull.done, pull.total = done, total
            if pull.stopping.is_set():
                raise _StoppedError

        def noted(said: str) -> None:
            pull.note = said

        with Fetcher(self._store(), progress=told, note=noted) as fetcher:
            for entry in pull.entries:
                if pull.stopping.is_set():
                    raise _StoppedError
                pull.current, pull.done, pull.total = entry.name, 0, entry.file.size
                fetcher.fetch(entry)
                self._changed()


async def _aside(work: Callable[[], None]) -> None:
    """Do something in a thread that does not keep the program from ending, as those of asyncio do."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(fault: BaseException | None) -> None:
        if not done.done():
            done.set_result(None) if fault is None else done.set_exception(fault)

    def run() -> None:
        fault: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # noqa: BLE001 - raised where it was asked for
            fault = raised
        with suppress(RuntimeError):  # the program has ended meanwhile
            loop.call_soon_threadsafe(tell, fault)

    threading.Thread(target=run, name="pull", daemon=True).start()
    await done
