"""From a file's packets to its pictures; notes where the file is damaged, and goes on behind that."""

from __future__ import annotations

import heapq
import re
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av
import av.error
from av.sidedata.sidedata import SideDataContainer

from understudy.media.base import Damage
from understudy.media.files.splicing import FORMATS, Pictures
from understudy.media.reading import said

#: How far apart decoding and showing order may be, in frames.
REORDER: Final = 4
#: A file whose last frame comes so many seconds before the end that it names is damaged.
SHORT_BY_SECONDS: Final = 0.5


def carries(picture: av.VideoFrame, what: str) -> bool:
    """Whether a decoded picture carries something beside its pixels.

    Args:
        picture: As PyAV decoded it.
        what: PyAV's name of it, such as ``A53_CC``.
    """
    try:
        # Not as its own ``side_data``: see ``geometry.orientation``.
        return SideDataContainer(picture).get(what) is not None  # type: ignore[call-arg]
    except ValueError:
        return False  # something else that it carries is newer than PyAV


class Decoding:
    """The pictures of one video stream, in the order in which they are shown.

    Args:
        container: An open file.
        stream: The one of its streams that is decoded.
        counted: Whether it is read from its beginning, so that packets that are missing can be told by their number.

    Attributes:
        damage: Where the file was unreadable first, so far.
    """

    def __init__(self, container: Any, stream: Any, *, counted: bool = True) -> None:
        self._container, self._stream, self._counted = container, stream, counted
        self.damage: Damage | None = None
        self._packets = 0
        self._repeats: deque[int] = deque()
        self._pieces = Pictures() if container.format.name in FORMATS else None

    def __iter__(self) -> Iterator[av.VideoFrame]:
        """Once. A picture that is repeated comes as the same object again, with another ``pts``."""
        pictures = self._repeated(self._decoded())
        return _in_order(pictures) if "avi" in self._container.format.name else pictures

    def check_length(self, last: float, shown_until: float, shift: Fraction, rate: float) -> None:
        """Damage, too, is a file that ends before it should; after all pictures have been taken.

        Args:
            last: When the last frame starts, in seconds.
            shown_until: When it ends.
            shift: Seconds that were taken off the file's own times.
            rate: Frames a second.
        """
        promised = self._promised_packets() if self._counted else 0
        if self._packets < promised:
            self._note_damage(last, f"{self._packets} of {promised} frames are there")
        end = self._promised_end(shift)
        if end is not None and end - shown_until > max(SHORT_BY_SECONDS, 3 / rate):
            self._note_damage(last, f"the file names a length of {end:.2f} s")

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """Every frame that decodes; what does not is noted and passed over."""
        last = 0.0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as fault:
                self._note_damage(last, said(fault))
                packet = None
            if packet is not None and self._pieces is not None:
                self._pieces.move(packet)
            # An empty packet with a time repeats the picture before it; one without flushes the decoder.
            self._packets += packet is not None and (packet.size > 0 or packet.dts is not None)
            if packet is not None and not packet.size and packet.dts is not None:
                self._repeats.append(packet.dts if packet.pts is None else packet.pts)
                continue
            try:
                # After the last packet, or where reading broke off, the decoder still holds some pictures.
                pictures = self._stream.codec_context.decode(packet)
            except av.error.EOFError:
                return  # it was flushed by the demuxer's own last packet
            except av.error.FFmpegError as fault:
                self._note_damage(last, said(fault))
                if packet is None:
                    return
                continue
            for picture in pictures:
                if picture.is_corrupt:
                    self._note_damage(last, "damaged pictures")
                last = float(picture.time or last)
                yield picture
            if packet is None:
                return

    def _repeated(self, pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """The same pictures, and each once more at the time of every empty packet that came behind it."""
        before: av.VideoFrame | None = None
        for picture in pictures:
            yield from self._again(before, picture.pts)
            before = picture
            yield picture
        yield from self._again(before, None)

    def _again(self, picture: av.VideoFrame | None, until: int | None) -> Iterator[av.VideoFrame]:
        while self._repeats and (until is None or self._repeats[0] < until):
            time = self._repeats.popleft()
            if picture is not None:
                picture.pts = time
                yield picture

    def _note_damage(self, at_seconds: float, reason: str) -> None:
        if self.damage is None:
            self.damage = Damage(at_seconds, reason)

    def _promised_packets(self) -> int:
        """How many packets the file says that it has of the video; 0 where it does not say."""
        kind = self._container.format.name
        if "avi" in kind:
            return 0  # it counts repeated pictures, which it does not store
        if "mov" in kind:
            # What an edit list hides is counted, but never comes: the index has only what does.
            return len(self._stream.index_entries)
        return int(self._stream.frames)

    def _promised_end(self, shift: Fraction) -> float | None:
        """When the file says that its video ends, in seconds, as far as it says so of the video itself."""
        stream = self._stream
        if stream.duration is not None:
            start = stream.start_time or 0
            return float((start + stream.duration) * stream.time_base - shift)
        # Matroska keeps each stream's duration as a tag: 00:00:10.500000000.
        match = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
        if match:
            hours, minutes, seconds = (float(part) for part in match.groups())
            return hours * 3600 + minutes * 60 + seconds
        alone, length = len(self._container.streams) == 1, self._container.duration
        return length / av.time_base if alone and length else None


def _in_order(pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Frames of AVI, whose times are those of decoding: the same times, in rising order."""
    waiting: deque[av.VideoFrame] = deque()
    times: list[int] = []

    def released() -> av.VideoFrame:
        picture = waiting.popleft()
        if times:
            picture.pts = heapq.heappop(times)
        return picture

    for picture in pictures:
        waiting.append(picture)
        if picture.pts is not None:
            heapq.heappush(times, picture.pts)
        if len(waiting) > REORDER:
            yield released()
    while waiting:
        yield released()
