"""One open page: its language, and what it shows of what all pages share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from nicegui import ui

from understudy.server.studio.studio import Studio
from understudy.server.texts import Texts

#: Seconds between two looks at what may have changed meanwhile: in another page, or by itself.
_EVERY: Final = 0.25


class Visitor:
    """Who looks at a page. Made when the page is built; what is built with it says what it wants to be told.

    Args:
        studio: What all visitors share.
        texts: What is said to this one.
        theme: ``light``, ``dark``, or ``auto`` for what the system says.
    """

    def __init__(self, studio: Studio, texts: Texts, theme: str) -> None:
        self.studio, self.texts, self.theme = studio, texts, theme
        self._watchers: list[Callable[[], object]] = []

    def watch(self, look: Callable[[], object]) -> None:
        """Have a function look now, a few times a second, and after everything that this visitor does.

        Args:
            look: Compares what it shows with what is, and changes what differs. It is quick, and waits for nothing.
        """
        look()
        self._watchers.append(look)

    def look(self) -> None:
        """Have everything looked at."""
        for look in self._watchers:
            look()

    async def do(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do something that takes its time; what it changes at once is seen at once."""
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        self.look()
        await task
        self.look()

    def begin(self) -> None:
        """From now on, look."""
        ui.timer(_EVERY, self.look)
