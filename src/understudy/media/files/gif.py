"""What animations need beyond an encoder: fewer frames, and for GIF a palette for each, and holes that show nothing."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av
import av.error
import av.filter

#: The encoder's setting for frames that do not build on those before them.
WHOLE_PICTURES: Final = {"gifflags": "-offsetting-transdiff"}
#: How a graphic control extension begins (GIF89a, 23), and its disposal method "restore to background".
_CONTROL: Final = b"\x21\xf9\x04"
_RESTORE, _DISPOSAL_BITS, _HAS_HOLES = 2 << 2, 7 << 2, 1


def restored(packet: bytes) -> bytes:
    """A frame as FFmpeg encodes it, but cleared away before the next, to holes.

    FFmpeg leaves an opaque frame where it is, and it would shine through the next one's holes.

    Args:
        packet: Of pictures that ``GifPalette`` made: their palettes keep one entry for holes.
    """
    first = packet.startswith(b"GIF8")  # it comes with the file's head, and perhaps with a palette
    at = packet.find(_CONTROL, 13 + (3 << (packet[10] & 7) + 1 if packet[10] & 0x80 else 0) if first else 0)
    if at < 0:
        return packet
    flags, hole = packet[at + 3] & ~_DISPOSAL_BITS | _RESTORE, packet[at + 6]
    if first and not flags & _HAS_HOLES:
        # Without an entry for holes, viewers clear away to a colour: the head names that entry as the background.
        flags, hole = flags | _HAS_HOLES, packet[11]
    return packet[: at + 3] + bytes([flags]) + packet[at + 4 : at + 6] + bytes([hole]) + packet[at + 7 :]


class Thinning:
    """Leaves out frames of an animation, evenly.

    Args:
        most: Frames a second that stay at most; None for all.

    Attributes:
        apart: Seconds between two that stay, at least.
        left_out: How many were left out so far.
        kept: How many stay so far.
        last: When the last of those begins, in seconds.
    """

    def __init__(self, most: float | None) -> None:
        self.apart = 0.0 if most is None else 1 / most
        self._next: float | None = None
        self.left_out = self.kept = 0
        self.last = 0.0

    def keeps(self, seconds: float) -> bool:
        """Whether the frame of that time stays. Times rise."""
        # A hair of slack: the times of 30 frames a second are no exact halves of those of 15.
        if self._next is not None and seconds < self._next - self.apart / 100:
            self.left_out += 1
            return False
        due = seconds if self._next is None or seconds - self._next > self.apart else self._next
        self._next = due + self.apart
        self.kept, self.last = self.kept + 1, seconds
        return True


class GifPalette:
    """A palette of its own for every frame, with dithering, by FFmpeg's filters."""

    def __init__(self, width: int, height: int, pixel_format: str, time_base: Fraction) -> None:
        graph = av.filter.Graph()
        self._source = graph.add_buffer(
            width=width, height=height, format=av.VideoFormat(pixel_format), time_base=time_base
        )
        split = graph.add("split")
        generate = graph.add("palettegen", "stats_mode=single")
        use = graph.add("paletteuse", "dither=sierra2_4a:new=1")
        self._sink = graph.add("buffersink")
        self._source.link_to(split)
        split.link_to(generate, 0, 0)
        split.link_to(use, 1, 0)
        generate.link_to(use, 0, 1)
        use.link_to(self._sink)
        graph.configure()
        self._graph, self._last = graph, -1
        self.dropped = 0

    def apply(self, picture: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """The frames that are ready once ``picture`` is in; None says that no more come."""
        self._source.push(picture)
        while True:
            try:
                ready: Any = self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            pts = round(ready.pts * Fraction(ready.time_base) * 100)
            if pts <= self._last:
                self.dropped += 1  # GIF knows only hundredths of a second
                continue
            ready.duration = round((ready.duration or 0) * Fraction(ready.time_base) * 100)
            ready.pts, ready.time_base, self._last = pts, Fraction(1, 100), pts
            yield ready
