"""How long a video is, whatever its head says, or does not say: found in its packets, none is decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av.error

from understudy.media.files.video_source import main_video_stream
from understudy.media.reading import open_container


def length_of(path: Path, check: Callable[[], None]) -> float:
    """How long a video is, in seconds: until its last picture is over, as far as it can be read.

    Args:
        path: The file; all of it is read.
        check: Called for every packet; what it raises ends the reading.

    Raises:
        InputError: it can't be opened.
    """
    first = last = None
    count = 0
    with open_container(path) as container:
        stream = main_video_stream(container)
        if stream is None:
            return 0.0
        step = float(1 / (stream.guessed_rate or stream.average_rate or 25))
        try:
            for packet in container.demux(stream):
                check()
                if packet.is_discard:  # it is not shown: the file has a list of the parts that are
                    continue
                time = packet.dts if packet.pts is None else packet.pts
                count += packet.size > 0
                if time is not None:
                    end = time + (packet.duration or 0)
                    first = time if first is None else min(first, time)
                    last = end if last is None else max(last, end)
        except av.error.FFmpegError:
            pass  # damaged from here on: what comes before counts
        return count * step if first is None or last is None else float((last - first) * stream.time_base)
