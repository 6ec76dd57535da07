"""Pieces of broadcast streams put end to end: the clock of each starts anew, and here they follow each other.

The pictures decide where a piece begins, and by how much its times are moved; everything else is moved with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

#: Files whose clocks may start anew on the way.
FORMATS: Final = ("mpegts", "mpeg")
#: A clock that steps back by more than the first, or ahead by more than the second (seconds), has started anew.
_BACK, _AHEAD = Fraction(1, 10), Fraction(10)
#: Packets that wait for the pictures of their piece, at most.
_WAITING: Final = 1000


class Pictures:
    """Moves the packets of the pictures, so that each piece begins where the one before it ends."""

    def __init__(self) -> None:
        self.shifts = [Fraction(0)]
        self._last: Fraction | None = None
        self._end = Fraction(0)

    def move(self, packet: Any) -> None:
        """Move the next packet."""
        time, shown = _time(packet), _time(packet, shown=True)
        if time is None or shown is None:
            return
        if self._last is not None and _anew(self._last, time):
            self.shifts.append(self._end - shown)
        self._last = time
        _shift(packet, self.shifts[-1])
        lasts = (packet.duration or 0) * Fraction(packet.time_base)
        self._end = max(self._end, shown + self.shifts[-1] + lasts)


def joined(packets: Iterator[Any], main: int) -> Iterator[Any]:
    """What goes along with the pictures of a file, moved with them.

    Args:
        packets: Of the pictures and of everything else that is wanted, as the file holds them.
        main: The index of the pictures' stream, whose packets are not given on.
    """
    pictures = Pictures()
    pieces: dict[int, int] = {}
    lasts: dict[int, Fraction] = {}
    waiting: list[Any] = []

    def moved(packet: Any, *, at_once: bool) -> bool:
        """Move a packet into its piece; False if the pictures of that have not come yet."""
        index, time = packet.stream_index, _time(packet)
        if time is None:
            return True
        piece, last = pieces.get(index, 0), lasts.get(index, time)
        if time < last - _BACK or (time > last + _AHEAD and piece + 1 < len(pictures.shifts)):
            piece += 1
        if piece >= len(pictures.shifts):
            if not at_once:
                return False
            piece -= 1
        pieces[index], lasts[index] = piece, time
        _shift(packet, pictures.shifts[piece])
        return True

    for packet in packets:
        if packet.stream_index == main:
            if packet.size:
                pictures.move(packet)
        elif packet.size:
            waiting.append(packet)
        held: list[Any] = []
        for ready in waiting:
            behind = any(other.stream_index == ready.stream_index for other in held)
            if not behind and moved(ready, at_once=len(waiting) > _WAITING):
                yield ready
            else:
                held.append(ready)
        waiting = held
    for ready in waiting:
        moved(ready, at_once=True)
        yield ready


def _anew(last: Fraction, time: Fraction) -> bool:
    return time < last - _BACK or time > last + _AHEAD


def _time(packet: Any, *, shown: bool = False) -> Fraction | None:
    """When a packet is decoded or shown, in seconds."""
    first, second = (packet.pts, packet.dts) if shown else (packet.dts, packet.pts)
    stamp = second if first is None else first
    return None if stamp is None else stamp * Fraction(packet.time_base)


def _shift(packet: Any, seconds: Fraction) -> None:
    if not seconds:
        return
    units = round(seconds / Fraction(packet.time_base))
    packet.pts = None if packet.pts is None else packet.pts + units
    packet.dts = None if packet.dts is None else packet.dts + units
