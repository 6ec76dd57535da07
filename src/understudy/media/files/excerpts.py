"""What goes along with the pictures of a part of a file: sound, subtitles and chapters, cut to it and moved with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import av

from understudy.media.base import MediaInfo
from understudy.media.files.bare_sound import frame_bytes

#: Seconds by which streams of one file may lie apart in it: so much is read before a part and behind it.
APART: Final = 10.0
#: Subtitles that are pictures (Blu-ray), and what is told at the beginning of one: that it begins, where it says
#: whether it needs none of those before, and where how many pictures it shows.
_PGS: Final = "hdmv_pgs_subtitle"
_PGS_BEGINS: Final = b"\x16"
_PGS_STATE: Final = 10
_PGS_WHOLE: Final = 0x80 | 0x40
_PGS_OBJECTS: Final = 13
#: Samples that a decoder of Opus throws away at the beginning lie before the start: at 48 kHz, in an ``OpusHead``.
_PRE_SKIP: Final = slice(10, 12)
_OPUS_RATE: Final = 48_000
#: Muxers that can say where showing begins, so that what lies before is not heard.
_WITH_EDIT_LISTS: Final = ("mp4", "mov")
#: A demuxer of Matroska names times that its muxer writes back as they were.
_AS_WRITTEN: Final = "matroska"


def shows_hidden(demuxer: str, muxer: str) -> bool:
    """Whether what is hidden in a file (by an edit list: sound before the start) would be heard in its copy.

    Args:
        demuxer: FFmpeg's name of what the file is.
        muxer: FFmpeg's name of what the copy is.
    """
    return muxer not in _WITH_EDIT_LISTS and _AS_WRITTEN not in demuxer


class PacketsOf:
    """The packets of a part of a file. Times begin anew with the first picture of the part.

    A packet of sound belongs to the part in which it begins: one lasts for some 20 ms. Of sound that is stored as bare
    numbers, whose packets may be long, they are cut.

    Args:
        info: What the pictures are; None for all of a file.
    """

    def __init__(self, info: MediaInfo | None) -> None:
        part = None if info is None else info.excerpt
        self._since = Fraction(0) if part is None or info is None else Fraction(part.first * info.time_base)
        self._until = None if part is None or part.until is None else Fraction(part.until)
        self._lasting: dict[int, list[Any]] = {}

    @property
    def since(self) -> float:
        """When the part begins, in seconds of the file."""
        return float(self._since)

    def over(self, seconds: float) -> bool:
        """Whether nothing of the part is behind a packet of that time."""
        return self._until is not None and seconds > self._until + Fraction(APART)

    def moved(self, packet: Any, *, strict: bool = False) -> Any | None:
        """A packet as the part has it; None if it is no part of it.

        Args:
            packet: As the file has it; may be changed.
            strict: Whether what the file hides is no part of it either: what it says so of, and what begins before 0.
        """
        stamp = packet.pts if packet.pts is not None else packet.dts
        kind = packet.stream.type
        if stamp is None or kind == "video":  # a cover belongs to all of it
            return packet
        if strict and packet.is_discard:
            return None
        unit = Fraction(packet.time_base)
        begins, lasts = stamp * unit, (packet.duration or 0) * unit
        if kind == "audio" and (each := frame_bytes(packet.stream.codec_context)):
            packet, begins, lasts = self._cut(packet, begins, lasts, each)
        elif kind == "subtitle" and begins < self._since < begins + lasts:
            lasts, begins = begins + lasts - self._since, self._since
        if packet is None:
            return None
        early = begins < self._earliest(packet.stream, strict=strict)
        if kind == "subtitle" and not lasts and _is_pgs(packet.stream):
            if early:
                self._keep(packet)
            elif begins == self._since:
                self._lasting.pop(packet.stream_index, None)  # it is replaced just then
        if early or (self._until is not None and begins >= self._until):
            return None
        if kind == "subtitle":
            lasts = lasts if self._until is None else min(lasts, self._until - begins)
            packet.duration = round(lasts / unit)
        behind = 0 if packet.pts is None or packet.dts is None else packet.pts - packet.dts
        time = round((begins - self._since) / unit)
        packet.pts = None if packet.pts is None else time
        packet.dts = None if packet.dts is None else time - behind
        return packet

    def lasting(self) -> list[Any]:
        """Subtitles from before the part that are shown when it begins, as the part has them; each once.

        To be asked once the packets before the part have been.
        """
        shown = [packets for packets in self._lasting.values() if not _clears(packets)]
        self._lasting = {}
        for packet in (packet for packets in shown for packet in packets):
            packet.pts = packet.dts = 0
        return [packet for packets in shown for packet in packets]

    def _keep(self, packet: Any) -> None:
        """Keep a packet of PGS, which has no end but the next one; those it needs, too."""
        packets = self._lasting.setdefault(packet.stream_index, [])
        head = bytes(packet)[: _PGS_OBJECTS + 1]
        if head[:1] == _PGS_BEGINS and len(head) > _PGS_OBJECTS and head[_PGS_STATE] & _PGS_WHOLE:
            packets.clear()
        packets.append(packet)

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

    def _earliest(self, stream: Any, *, strict: bool) -> Fraction | float:
        """Before when nothing of a stream may begin, in seconds of the file."""
        if self._since:
            return self._since
        if not strict:
            return -math.inf
        context = stream.codec_context
        head = (context.extradata or b"") if context is not None and context.codec.canonical_name == "opus" else b""
        return -Fraction(int.from_bytes(head[_PRE_SKIP], "little"), _OPUS_RATE)

    def _cut(self, packet: Any, begins: Fraction, lasts: Fraction, each: int) -> tuple[Any | None, Fraction, Fraction]:
        """Of bare sound what belongs to the part; when that begins, and how long it lasts.

        Args:
            packet: Of it.
            begins: When it begins, in seconds of the file.
            lasts: How long it lasts, in seconds.
            each: Bytes that all channels have at one moment.
        """
        rate = packet.stream.codec_context.sample_rate
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


def _is_pgs(stream: Any) -> bool:
    return stream.codec_context is not None and stream.codec_context.codec.canonical_name == _PGS


def _clears(packets: Sequence[Any]) -> bool:
    """Whether nothing is shown any more after some packets of PGS."""
    heads = [head for head in map(bytes, packets) if head[:1] == _PGS_BEGINS and len(head) > _PGS_OBJECTS]
    return not heads or heads[-1][_PGS_OBJECTS] == 0
