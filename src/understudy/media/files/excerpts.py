"""What goes along with the pictures of a part of a file: sound, subtitles and chapters, cut to it and moved with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import av

from understudy.media.base import MediaInfo

#: Seconds by which streams of one file may lie apart in it: so much is read before a part and behind it.
APART: Final = 10.0
#: Sound that is stored as bare numbers, any of which may be the first.
_BARE: Final = "pcm_"


class PacketsOf:
    """The packets of a part of a file. Times begin anew with the first picture of the part.

    A packet of sound belongs to the part in which it begins: one lasts for some 20 ms. Of sound that is stored as bare
    numbers, whose packets may be long, they are cut.

    Args:
        info: What the pictures are.
    """

    def __init__(self, info: MediaInfo) -> None:
        assert info.excerpt is not None
        self._since = Fraction(info.excerpt.first * info.time_base)
        self._until = None if info.excerpt.until is None else Fraction(info.excerpt.until)

    @property
    def since(self) -> float:
        """When the part begins, in seconds of the file."""
        return float(self._since)

    def over(self, seconds: float) -> bool:
        """Whether nothing of the part is behind a packet of that time."""
        return self._until is not None and seconds > self._until + Fraction(APART)

    def moved(self, packet: Any) -> Any | None:
        """A packet as the part has it; None if it is no part of it."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        kind = packet.stream.type
        if stamp is None or kind == "video":  # a cover belongs to all of it
            return packet
        unit = Fraction(packet.time_base)
        begins, lasts = stamp * unit, (packet.duration or 0) * unit
        if kind == "audio" and packet.stream.codec_context.name.startswith(_BARE):
            packet, begins, lasts = self._cut(packet, begins, lasts)
        elif kind == "subtitle" and begins < self._since < begins + lasts:
            lasts, begins = begins + lasts - self._since, self._since
        if (
            packet is None
            or (begins < self._since and self._since)
            or (self._until is not None and begins >= self._until)
        ):
            return None
        if kind == "subtitle" and self._until is not None:
            lasts = min(lasts, self._until - begins)
            packet.duration = round(lasts / unit)
        behind = 0 if packet.pts is None or packet.dts is None else packet.pts - packet.dts
        time = round((begins - self._since) / unit)
        packet.pts = None if packet.pts is None else time
        packet.dts = None if packet.dts is None else time - behind
        return packet

    def chapters(self, chapters: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The chapters of which anything is in the part, as far as it is."""
        found = []
        for chapter in chapters:
            unit = Fraction(chapter["time_base"])
            begins, ends = (max(chapter[name] * unit - self._since, Fraction(0)) for name in ("start", "end"))
            if self._until is not None:
                ends = min(ends, self._until - self._since)
            if begins < ends:
                found.append({**chapter, "start": round(begins / unit), "end": round(ends / unit)})
        return found

    def _cut(self, packet: Any, begins: Fraction, lasts: Fraction) -> tuple[Any | None, Fraction, Fraction]:
        """Of bare sound what belongs to the part; when that begins, and how long it lasts."""
        context = packet.stream.codec_context
        rate, each = context.sample_rate, context.format.bytes * context.layout.nb_channels
        count = packet.size // each
        ends = begins + Fraction(count, rate)
        first = max(0, -((begins - self._since) * rate // 1)) if begins < self._since else 0
        last = count if self._until is None or self._until >= ends else int((self._until - begins) * rate)
        if not 0 <= first < last or (first, last) == (0, count):
            return (packet if first < last else None), begins, lasts
        part: Any = av.Packet(bytes(packet)[int(first) * each : last * each])
        part.stream, part.time_base = packet.stream, packet.time_base
        part.pts, part.dts = packet.pts, packet.dts
        lasts = Fraction(last - int(first), rate)
        part.duration = round(lasts / Fraction(packet.time_base))
        return part, begins + Fraction(int(first), rate), lasts
