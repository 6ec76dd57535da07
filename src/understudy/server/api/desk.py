"""Where files are looked at: a few at a time, on threads of their own, so that all else is answered meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final, TypeAlias, TypeVar

from starlette.requests import Request

from understudy.errors import RefusedError
from understudy.server.api.bodies import EndingError
from understudy.server.api.places import FullError

Found = TypeVar("Found")
#: Raises if nobody waits for what is found any more.
Check: TypeAlias = Callable[[], None]
#: Seconds for which somebody waits for their turn, and between two looks whether it has come.
_PATIENCE: Final = 20.0
_LOOK: Final = 0.1


class GoneError(RefusedError):
    """Whoever asked has gone, and hears no answer."""

    def __init__(self) -> None:
        super().__init__("whoever asked for this has gone", "Ask again, and wait for the answer.")


class Desk:
    """Where files are looked at. Used in the server's loop.

    Args:
        most: How many are looked at at a time.
        each: How many of these for one user: the others' turn comes nevertheless.
        ending: Set when the server ends.
        patience: Seconds for which somebody waits for their turn.
    """

    def __init__(self, most: int, each: int, ending: threading.Event, patience: float = _PATIENCE) -> None:
        self._most, self._each, self._ending, self._patience = most, each, ending, patience
        self._threads = ThreadPoolExecutor(most, "desk")
        self._taken: Counter[str] = Counter()

    async def look(self, request: Request, user: str, work: Callable[[Check], Found]) -> Found:
        """Do something that takes its time, as soon as it is its turn.

        Args:
            request: What asks for it; its body was read to the end.
            user: For whom.
            work: What is done, on another thread. It may call what it is given now and then, to end early.

        Raises:
            FullError: its turn did not come in time.
            EndingError: the server ends.
            GoneError: whoever asked has gone.
        """
        gone = threading.Event()

        def check() -> None:
            if self._ending.is_set():
                raise EndingError
            if gone.is_set():
                raise GoneError

        watching = asyncio.ensure_future(_watch(request, gone))
        try:
            async with self._turn(user, check):
                return await asyncio.get_running_loop().run_in_executor(self._threads, work, check)
        finally:
            watching.cancel()

    @asynccontextmanager
    async def _turn(self, user: str, check: Check) -> AsyncIterator[None]:
        until = time.monotonic() + self._patience
        check()
        while self._taken[user] >= self._each or sum(self._taken.values()) >= self._most:
            if time.monotonic() >= until:
                raise FullError("too many files are being looked at already")
            await asyncio.sleep(_LOOK)
            check()
        self._taken[user] += 1
        try:
            yield
        finally:
            self._taken[user] -= 1
            self._taken += Counter()  # forgets who has none


async def _watch(request: Request, gone: threading.Event) -> None:
    """Wait until whoever asked has gone: nothing else comes behind a body."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
