"""A live session by WebRTC: one who sends, any number who watch, and what is between them.

It waits for whoever sends, runs while pictures come, waits again when they stop, and ends when they stay away,
its token is revoked, whoever is shown is removed, or the day's seconds are used up.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from understudy.casting.person import Person
from understudy.errors import InputError, RunError, UnderstudyError, UsageError
from understudy.server.access.audit import entry
from understudy.server.access.quotas import Rate
from understudy.server.access.tokens import Token, TokenError
from understudy.server.api.faults import status_of
from understudy.server.api.places import FullError, Places
from understudy.server.api.service import Service
from understudy.server.api.shelf import NotHereError
from understudy.server.webrtc.incoming import IncomingPictures
from understudy.server.webrtc.offers import Offer
from understudy.server.webrtc.outgoing import Watched, Watchers
from understudy.server.webrtc.peers import Peer
from understudy.server.webrtc.reach import Reach
from understudy.sessions import LiveSession
from understudy.settings import Settings

State = Literal["waiting", "live", "silent", "ended"]
#: As the audit log has it when a session has ended.
ACTION: Final = "live session"
#: Seconds without a picture after which a session ends, and after which it counts as silent.
PATIENCE: Final = 30.0
_SILENT: Final = 2.0
#: Seconds with a place that are counted at a time, and between two looks at everything else.
SLICE: Final = 10.0
_LOOK: Final = 0.5
#: Most who watch one session.
_WATCHERS: Final = 8
#: Before each key for watching: whoever finds one in a file knows what it is of.
KEY_PREFIX: Final = "view_"


@dataclass(eq=False)
class Stream:
    """One session. Used in the server's loop.

    Args:
        id: 32 hexadecimal digits.
        service: What all requests share.
        token: Whose it is.
        people: Ids of those whose faces may be used, the one that is used first.
        photos: Their photos.
        settings: Everything else.
        reach: How this machine is reached.
        address: Of whoever began it, for the audit log.

    Attributes:
        fault: Why it ended, if that was not as it should be.
    """

    id: str
    service: Service
    token: Token
    people: Sequence[str]
    photos: Sequence[Person]
    settings: Settings
    reach: Reach
    address: str

    def __post_init__(self) -> None:
        self.fault: UnderstudyError | None = None
        self.ended_at: float | None = None
        self._watchers = Watchers()
        self._pictures = IncomingPictures()
        self._session: LiveSession | None = None
        self._covered, self._chosen = False, 0
        self._publisher: tuple[str, Peer] | None = None
        self._watching: dict[str, tuple[Peer, Watched, float]] = {}
        self._keys: dict[str, float] = {}
        self._rate = Rate()
        self._begun = self._sent = time.monotonic()
        self._why = ""
        self._over = asyncio.Event()
        self._closing: set[asyncio.Future[None]] = set()

    @property
    def state(self) -> State:
        """What it does."""
        if self.ended_at is not None:
            return "ended"
        last = self._pictures.last_at
        if self._session is None or last is None:
            return "waiting"
        return "silent" if time.monotonic() - last > _SILENT else "live"

    @property
    def pixels(self) -> int:
        """Of its pictures; 0 before there is one."""
        info = None if self._session is None or self._session.stopped else self._session.info
        return 0 if info is None else info.width * info.height

    @property
    def frames(self) -> int:
        """How many were made so far."""
        if self._session is None or self._session.stopped:
            return 0
        figures = self._session.statistics()
        return figures.frames_swapped + figures.frames_covered

    async def publish(self, offer: Offer) -> tuple[str, str]:
        """Take pictures from somebody, in place of whoever sent before.

        Returns:
            The connection's id, and the answer.

        Raises:
            NotHereError: it has ended.
            InputError: the offer can't be answered.
        """
        self._check()
        peer = Peer(self.reach, self._lost)
        answer = await peer.take(offer, self._pictures)
        try:
            self._check()  # it may have ended meanwhile: nobody's camera goes on sending to it
        except NotHereError:
            await peer.close()
            raise
        before, self._publisher = self._publisher, (secrets.token_hex(16), peer)
        self._sent = time.monotonic()
        if before is not None:
            await before[1].close()
        return self._publisher[0], answer

    async def watch(self, offer: Offer, until: float = float("inf")) -> tuple[str, str]:
        """Show it to somebody.

        Args:
            offer: What they offer.
            until: When they have to go (``time.monotonic``).

        Returns:
            The connection's id, and the answer.

        Raises:
            NotHereError: it has ended.
            FullError: as many watch it as may.
            InputError: the offer can't be answered.
        """
        self._check()
        if len(self._watching) >= _WATCHERS:
            raise FullError(f"{_WATCHERS} watch this session already")
        number, peer = secrets.token_hex(16), Peer(self.reach, self._lost)
        track = Watched("h264" if "h264" in offer.codecs else "vp8")
        self._watching[number] = (peer, track, until)
        try:
            answer = await peer.show(offer, track)
            self._check()
        except BaseException as fault:
            self._watching.pop(number, None)
            track.stop()
            await peer.close()
            if isinstance(fault, InputError):
                self._check()  # that it has ended meanwhile says more
            raise
        self._watchers.add(track)
        return number, answer

    async def hang_up(self, number: str) -> None:
        """End one connection of it.

        Raises:
            NotHereError: there is no such connection.
        """
        if self._publisher is not None and self._publisher[0] == number:
            (_, peer), self._publisher = self._publisher, None
        elif number in self._watching:
            peer, track, _ = self._watching.pop(number)
            self._watchers.remove(track)
        else:
            raise NotHereError("connection", number)
        await peer.close()

    def new_key(self, minutes: float) -> str:
        """A key with which this session can be watched, and nothing else."""
        secret = secrets.token_urlsafe(32)
        now = time.monotonic()
        self._keys = {digest: until for digest, until in self._keys.items() if until > now}
        if len(self._keys) >= 100:
            raise UsageError("this session has 100 keys already", "Use one of them.")
        self._keys[_digest(secret)] = now + 60 * minutes
        return f"{KEY_PREFIX}{secret}"

    def key_ends(self, given: str) -> float:
        """When a key ends (``time.monotonic``). Each look counts as a request.

        Raises:
            TokenError: it is not one of this session's, or no more.
            QuotaError: somebody asks too often.
        """
        self._rate.take(self.id, self.token.quotas)
        until = self._keys.get(_digest(given.removeprefix(KEY_PREFIX)), 0.0)
        if until <= time.monotonic() or self.ended_at is not None:
            raise TokenError("this key is not good, or no longer", "Ask whoever runs the session for another one.")
        return until

    def cover(self, covered: bool) -> None:
        """Have nobody seen, or take that back: at once, for all who watch."""
        self._covered = covered
        if self._session is not None:
            self._session.covered = covered

    async def choose(self, person: str) -> None:
        """Use another of its people's faces, from the next frame on.

        Raises:
            UsageError: it was not begun with that one.
            NotHereError: that person was removed.
            ConsentError: that face may not be used any more.
        """
        if person not in self.people:
            raise UsageError("this session was not begun with that person", "Name all of its people when you begin it.")
        chosen = list(self.people).index(person)
        await asyncio.to_thread(self.service.shelf.get, self.token.user, "person", person)
        if self._session is not None:
            await asyncio.to_thread(setattr, self._session, "identity", chosen)  # reads the records of consent
        self._chosen = chosen

    def as_json(self) -> dict[str, Any]:
        """How it fares."""
        session, figures = self._session, None
        if session is not None and not session.stopped:
            figures = session.statistics()
        known = None if figures is None or session is None else session.info
        said = {} if self.fault is None else {"error": self.fault.message, "hint": self.fault.hint}
        return {
            "id": self.id,
            "state": self.state,
            "people": list(self.people),
            "person": self.people[self._chosen],
            "covered": self._covered,
            "sending": self._publisher is not None and self._publisher[1].connected,
            "watching": sum(peer.connected for peer, _, _ in self._watching.values()),
            "seconds": round((self.ended_at or time.monotonic()) - self._begun, 1),
            "width": 0 if known is None else known.width,
            "height": 0 if known is None else known.height,
            "fps_in": 0.0 if figures is None else round(figures.fps_in, 1),
            "fps_out": 0.0 if figures is None else round(figures.fps_out, 1),
            "latency_ms": {} if figures is None else figures.latency_ms,
            "why": self._why,
        } | said

    async def run(self, places: Places) -> None:
        """Do it until it ends. Whoever calls this has taken its place, and counted its first seconds."""
        outcome = 200
        try:
            await self._go_on()
        except UnderstudyError as fault:
            self.fault, outcome = fault, status_of(fault)
        except Exception as fault:  # noqa: BLE001 - of any library: whoever watches must be told
            self.fault = RunError(f"the session failed: {type(fault).__name__}", "Begin another one.")
            outcome = 500
        finally:
            self.ended_at = time.monotonic()
            self._pictures.end()
            await self._close()
            places.give_back()
            seconds = f"{self.id} {self.ended_at - self._begun:.0f}s"
            said = entry(self.address, self.token.name, self.token.user, ACTION, outcome, seconds)
            with contextlib.suppress(UnderstudyError):  # a log that can't be written refuses what comes next
                await asyncio.to_thread(self.service.audit.note, said)

    def end(self) -> None:
        """Have it end; does not wait."""
        self._over.set()

    async def _go_on(self) -> None:
        counted, checked = self._begun, 0.0
        while not await self._ending():
            now = time.monotonic()
            last = self._pictures.last_at
            if now - max(last or 0.0, self._sent) > PATIENCE:
                raise InputError(f"nobody sent a picture for {PATIENCE:.0f} s", "Begin another session.")
            if now - checked >= 2 * _LOOK:
                await asyncio.to_thread(self.service.check_still_there, self.token, self.people[self._chosen])
                checked = now
            if self._session is None and last is not None:
                await self._start()
            if now - counted >= SLICE:  # of those that wait or are silent, too: nobody else has their place
                quotas = self.token.quotas
                await asyncio.to_thread(self.service.usage.take, self.token.user, "live_seconds", SLICE, quotas)
                counted += SLICE
            session = self._session
            if session is not None and not session.running:
                await asyncio.to_thread(session.stop)  # raises what ended it
                return
            await self._send_away(now)

    async def _ending(self) -> bool:
        with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
            await asyncio.wait_for(self._over.wait(), _LOOK)
        return self._over.is_set()

    async def _start(self) -> None:
        session = self.service.app.live(
            list(self.photos), self._pictures, [lambda _release: self._watchers], settings=self.settings
        )
        session.covered, session.identity = self._covered, self._chosen
        self._session = session
        await asyncio.to_thread(session.start)

    async def _send_away(self, now: float) -> None:
        """End the connections of those whose key has ended, and of those who are gone."""
        for number in [number for number, (_, _, until) in self._watching.items() if until <= now]:
            await self.hang_up(number)

    def _lost(self, peer: Peer) -> None:
        """A connection has ended by itself."""
        if self._publisher is not None and self._publisher[1] is peer:
            self._publisher, self._why = None, peer.why
        for number in [number for number, (one, _, _) in self._watching.items() if one is peer]:
            self._watchers.remove(self._watching.pop(number)[1])
        task = asyncio.ensure_future(peer.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self) -> None:
        peers = [peer for peer, _, _ in self._watching.values()]
        if self._publisher is not None:
            peers.append(self._publisher[1])
        for _, track, _ in self._watching.values():
            self._watchers.remove(track)
        self._publisher = None
        self._watching.clear()
        await asyncio.gather(*(peer.close() for peer in peers), return_exceptions=True)
        session = self._session
        if session is not None:
            with contextlib.suppress(UnderstudyError):  # it was told already
                await asyncio.to_thread(session.stop)

    def _check(self) -> None:
        if self.ended_at is not None or self._over.is_set():
            raise NotHereError("live session", self.id)


def _digest(secret: str) -> str:
    """SHA-256: 256 random bits can't be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()
