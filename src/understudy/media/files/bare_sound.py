"""Sound that is stored as bare numbers (PCM): how many bytes each moment has, and silence for its gaps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av

#: Codecs whose packets hold the numbers of all channels in turn, and nothing else; the bits of a number.
_PLAIN: Final = re.compile(r"pcm_[sfu](8|16|24|32|64)(?:le|be)?")
_LAWS: Final = ("pcm_alaw", "pcm_mulaw")
#: The byte that silence is made of, where that is not 0.
_SILENT: Final = {"pcm_u8": b"\x80", "pcm_alaw": b"\xd5", "pcm_mulaw": b"\xff"}
#: Muxers that keep no times of such packets: each is heard right after the one before.
_UNTIMED: Final = ("mp4", "mov")
#: Seconds by which sound may be early before silence is put in: clocks drift, and some files round times.
_EARLY: Final = Fraction(1, 25)
#: Seconds of silence that are put into a stream at most: where more is missing its times are wrong, and fill disks.
_MOST: Final = 3600


def frame_bytes(context: Any) -> int | None:
    """How many bytes all channels have at one moment; None where sound is stored in another way.

    Args:
        context: The codec context of a stream of sound.
    """
    name = context.codec.canonical_name
    plain = _PLAIN.fullmatch(name)
    # Not those of a decoded sample: 24 bits are decoded to 32.
    bits = 8 if name in _LAWS else int(plain[1]) if plain else 0
    return bits // 8 * int(context.layout.nb_channels) or None


class Silence:
    """Fills the gaps in bare sound that is copied to where packets have no times, or all behind a gap would be early.

    Args:
        muxer: FFmpeg's name of what is written.
    """

    def __init__(self, muxer: str) -> None:
        self._needed = muxer in _UNTIMED
        self._ends: dict[int, Fraction] = {}
        self._left: dict[int, Fraction] = {}

    def before(self, packet: Any) -> Iterator[Any]:
        """Packets of silence between the one before of the same stream and this one, of a second at most.

        Args:
            packet: The next one to be written, its stream still that of the file that is read.
        """
        context = packet.stream.codec_context
        size = frame_bytes(context) if self._needed and packet.stream.type == "audio" and context is not None else None
        if size is None or packet.pts is None:
            return
        rate, begins = context.sample_rate, Fraction(packet.pts * packet.time_base)
        end = self._ends.get(packet.stream_index, begins)
        gap, left = begins - end, self._left.get(packet.stream_index, Fraction(_MOST))
        missing = round(gap * rate) if _EARLY < gap <= left else 0
        self._left[packet.stream_index] = left - Fraction(missing, rate)
        while missing > 0:
            count = min(missing, rate)
            silent: Any = av.Packet(_SILENT.get(context.codec.canonical_name, b"\0") * (count * size))
            silent.stream, silent.time_base = packet.stream, Fraction(1, rate)
            silent.pts = silent.dts = round(end * rate)
            silent.duration = count
            missing, end = missing - count, end + Fraction(count, rate)
            yield silent
        self._ends[packet.stream_index] = end + Fraction(packet.size // size, rate)
