"""The live sessions by WebRTC that run, and those that ended lately."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from understudy.casting.person import Person
from understudy.server.access.tokens import Token
from understudy.server.api.places import LEAST_PIXELS, Places
from understudy.server.api.service import Service
from understudy.server.api.shelf import NotHereError
from understudy.server.api.stream import SLICE, Stream
from understudy.server.webrtc.reach import Reach
from understudy.settings import Settings

#: Seconds for which it can be asked why a session ended, and most of them that are known.
_REMEMBERED, _KNOWN = 120.0, 200


@dataclass(eq=False)
class Streams:
    """All sessions. Used in the server's loop.

    Args:
        service: What all requests share.
        places: How many there may be.
        reach: How this machine is reached.
    """

    service: Service
    places: Places
    reach: Reach
    _all: dict[str, Stream] = field(default_factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def add(
        self, token: Token, people: Sequence[str], photos: Sequence[Person], settings: Settings, address: str
    ) -> Stream:
        """Begin a session: it waits for whoever sends. From now on it has a place, and seconds of the day's count.

        Args:
            token: Whose it is.
            people: Ids of those whose faces may be used, the one that is used first.
            photos: Their photos.
            settings: Everything else.
            address: Of whoever begins it.

        Raises:
            FullError: there is no place.
            QuotaError: the day's seconds are used up.
        """
        self.places.take()
        try:
            await asyncio.to_thread(self.service.usage.take, token.user, "live_seconds", SLICE, token.quotas)
        except BaseException:
            self.places.give_back()
            raise
        stream = Stream(secrets.token_hex(16), self.service, token, people, photos, settings, self.reach, address)
        self._forget_old()
        self._all[stream.id] = stream
        task = asyncio.ensure_future(stream.run(self.places))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return stream

    def get(self, number: str, user: str | None = None) -> Stream:
        """A session.

        Args:
            number: Its id.
            user: Whose it is; None where a key of its own says who may see it.

        Raises:
            NotHereError: there is none, or it is another user's.
        """
        stream = self._all.get(number)
        if stream is None or (user is not None and stream.token.user != user):
            raise NotHereError("live session", number)
        return stream

    def of(self, user: str) -> list[Stream]:
        """A user's sessions, the oldest first, with those that ended lately."""
        self._forget_old()
        return [stream for stream in self._all.values() if stream.token.user == user]

    async def measure(self) -> None:
        """Learn what sessions cost, for ever."""
        while True:
            await asyncio.sleep(1.0)
            running = [stream for stream in self._all.values() if stream.state == "live"]
            if running and all(stream.pixels >= LEAST_PIXELS for stream in running):
                self.places.look(sum(stream.frames for stream in running))

    async def close(self) -> None:
        """End all of them."""
        for stream in self._all.values():
            stream.end()
        await asyncio.gather(*self._tasks)

    def _forget_old(self) -> None:
        ended = [one for one in self._all.values() if one.ended_at is not None]
        now = time.monotonic()
        for place, one in enumerate(reversed(ended)):
            if place >= _KNOWN or now - (one.ended_at or now) > _REMEMBERED:
                del self._all[one.id]
