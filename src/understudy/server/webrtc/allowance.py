"""How many bits a second may be sent to one who watches, by what the watcher says of what arrives.

A browser tells how much it thinks can arrive (REMB, draft-alvestrand-rmcat-remb-03) and which share was lost (RFC 3550,
6.4.1). What can arrive is an estimate from what is sent: of a link with room to spare it is half more than that. So it
says nothing about the link unless it is less than what is sent, and only then less is sent. From there on it grows
again: quickly, but for where it was too much before. Losses are taken as Google's congestion control takes them
(draft-ietf-rmcat-gcc-02, 6).
"""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import Final

#: The least that is ever allowed: a small picture that can still be looked at.
LEAST: Final = 250_000
#: Seconds over which it is measured what is sent, and seconds that are measured before an estimate is believed.
_WINDOW, _ENOUGH = 1.0, 0.5
#: An estimate below this share of what is sent is a link that is full; and the share of it that is sent then, so that
#: what has queued up drains.
_NEAR, _DRAINING = 0.95, 0.9
#: Shares of lost packets above which less is sent, and above which no more is; seconds until losses tell of what is
#: sent since.
_LOSS, _SOME, _TELLS = 0.1, 0.02, 0.5
#: The share of what is sent that may be packets which are sent again. All that a full link has lost would fill it anew.
_REPEATS: Final = 0.2
#: Bits of a packet, about.
PACKET: Final = 9_600
#: Seconds after which it grows again; by how much in a second, and by how much around what was the limit lately.
_HOLD, _QUICK, _SLOW, _AROUND = 1.0, 1.15, 1.05, 1.25
#: The limit grows up to so many times what is sent: more was never tried. And the longest time that it grows at once.
_TRIED, _LONGEST = 1.5, 60.0


class Allowance:
    """Of one who watches. For several threads; times are seconds of one clock that only goes forward."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: deque[tuple[float, int]] = deque()
        self._repeated: deque[float] = deque()
        self._limit = self._full = self._usual = math.inf
        #: Up to when it has grown, and when losses made it less.
        self._grown = self._lost = -math.inf

    def sent(self, bits: int, now: float) -> None:
        """So many bits go out now."""
        with self._lock:
            self._sent.append((now, bits))
            self._going(now)

    def can_arrive(self, bits: float, now: float) -> None:
        """The watcher thinks that so many bits a second can arrive at most."""
        with self._lock:
            going = self._going(now)
            if going is not None and bits < _NEAR * going:
                self._reduce(_DRAINING * min(bits, going), now)

    def lost(self, share: float, now: float) -> None:
        """Such a share of the packets was lost lately, 0-1."""
        with self._lock:
            if not self._going(now) or math.isinf(self._usual):
                return  # of what was sent before
            if share > _LOSS and now - self._lost >= _TELLS:
                self._lost = now
                self._reduce(min(self._limit, self._usual) * (1 - share / 2), now)
            elif share > _SOME:
                self._grown = max(self._grown, now + _TELLS)

    def repeat(self, now: float) -> bool:
        """Whether a packet that was lost may be sent again; it counts as sent then."""
        with self._lock:
            while self._repeated and self._repeated[0] < now - _WINDOW:
                self._repeated.popleft()
            room = _REPEATS * min(self._limit, max(self._going(now) or 0, LEAST))
            if (len(self._repeated) + 1) * PACKET > room:
                return False
            self._repeated.append(now)
            self._sent.append((now, PACKET))
            return True

    def bits(self, usual: int, now: float) -> int:
        """How many bits a second may go out from now on.

        Args:
            usual: Where nothing is in the way.
            now: The time.
        """
        with self._lock:
            seconds, self._usual = min(now - self._grown, _LONGEST), usual
            if self._limit < usual and seconds > 0:
                near = self._full / _AROUND < self._limit < self._full * _AROUND
                grown = self._limit * (_SLOW if near else _QUICK) ** seconds
                self._limit = max(self._limit, min(grown, _TRIED * max(self._going(now) or 0, LEAST)))
                self._grown = now
            if self._limit >= usual:
                self._limit = self._full = math.inf
            return round(min(self._limit, usual))

    def _going(self, now: float) -> float | None:
        """Bits a second that go out; None if it is too soon to say."""
        while len(self._sent) > 1 and self._sent[1][0] < now - _WINDOW:
            self._sent.popleft()
        since = self._sent[0][0] if self._sent else now
        if now - since < _ENOUGH:
            return None
        return sum(bits for at, bits in self._sent if at >= now - _WINDOW) / min(now - since, _WINDOW)

    def _reduce(self, to: float, now: float) -> None:
        if to < self._limit:
            self._full, self._limit = to, max(to, LEAST)
        self._grown = now + _HOLD
