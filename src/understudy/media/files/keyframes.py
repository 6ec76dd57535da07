"""Where decoding of a video can begin: found in its packets, of which none is decoded."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import av.error

from understudy.media.files.video_source import main_video_stream
from understudy.media.reading import open_container
from understudy.times import NEAR

#: Kinds of files that say exactly when each picture is shown, and where it lies.
_EXACT: Final = ("mov", "matroska")


@dataclass(frozen=True)
class Keyframes:
    """When the pictures of a video are shown, and where decoding can begin.

    Attributes:
        times: When each is shown, in units of ``time_base``, rising.
        keys: Places in ``times`` of those with which decoding can begin, rising.
        sizes: Bytes of each: as a rule the more the more it differs from those before.
        time_base: Seconds a unit.
        entry: Of a part of a video: when the picture is shown with which decoding begins for its first; None for the
            video's beginning.
        ends: Whether no picture of the video comes behind them.
    """

    times: tuple[int, ...]
    keys: tuple[int, ...]
    sizes: tuple[int, ...]
    time_base: Fraction
    entry: int | None = None
    ends: bool = True

    def frame_at(self, time: int) -> int:
        """The place of the first picture that is not shown before a time."""
        return bisect_left(self.times, time)

    def seconds(self, frame: int) -> float:
        """When a picture is shown."""
        return float(self.times[frame] * self.time_base)

    def part(self, since: float, until: float | None) -> Keyframes | None:
        """Those pictures alone that begin in a part of the video; None if there are none.

        Args:
            since: When the part begins, in seconds.
            until: When it ends; None for with the video.
        """
        seconds = [float(time * self.time_base) for time in self.times]
        begin = bisect_left(seconds, since - NEAR)
        end = len(seconds) if until is None else bisect_left(seconds, until - NEAR)
        if begin >= end:
            return None
        return replace(
            self,
            times=self.times[begin:end],
            keys=tuple(key - begin for key in self.keys if begin <= key < end),
            sizes=self.sizes[begin:end],
            entry=self.times[max(key for key in self.keys if key <= begin)] if begin else None,
            ends=end == len(seconds),
        )


def keyframes(path: Path) -> Keyframes | None:
    """What the packets of a video say; None where they do not say it for certain.

    That is so of formats without exact times, of files that break off, of pictures that are stored without a time,
    twice at the same or as a repetition, and of those that an edit list hides.

    Raises:
        InputError: it can't be opened.
    """
    sizes: dict[int, int] = {}
    keys: list[int] = []
    with open_container(path) as container:
        stream = main_video_stream(container)
        if stream is None or not any(kind in container.format.name for kind in _EXACT):
            return None
        try:
            for packet in container.demux(stream):
                if packet.pts is None and packet.dts is None:
                    continue  # the demuxer's last, which holds nothing
                if not packet.size or packet.pts is None or packet.is_corrupt or packet.is_discard:
                    return None
                if packet.is_keyframe:
                    keys.append(packet.pts)
                if packet.pts in sizes:
                    return None
                sizes[packet.pts] = packet.size
            promised = len(stream.index_entries) if "mov" in container.format.name else int(stream.frames)
        except av.error.FFmpegError:
            return None
        if not keys or promised > len(sizes) or keys[0] != min(sizes):
            return None
        time_base = Fraction(stream.time_base)
    times = tuple(sorted(sizes))
    places = {time: place for place, time in enumerate(times)}
    return Keyframes(times, tuple(sorted(places[key] for key in keys)), tuple(sizes[time] for time in times), time_base)
