"""What a kind of file takes, found out by writing it: a header, a few packets, the end; all in memory.

FFmpeg's lists of codecs are no answer. A codec and its decoder have different names (``dts`` and ``dca``), a muxer
that is asked says yes to what it refuses in the header, and some refuse only the first packet, or fail at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any, Final

import av
import av.error

#: Packets of each stream that are tried, and how many of all streams are read in search of them.
TRIED, READ = 4, 3000
#: No packet is shown for longer, in seconds.
MOST_SECONDS: Final = 86_400
#: What PyAV raises where something is refused.
REFUSED: Final = (av.error.FFmpegError, ValueError, TypeError, NotImplementedError)


def first_packets(container: Any, streams: Iterable[Any]) -> dict[int, list[Any]]:
    """The first packets of each stream, by its index, as far as they come early in the file.

    Args:
        container: An open file, read from here on.
        streams: Of its streams, those that are asked about.
    """
    found: dict[int, list[Any]] = {stream.index: [] for stream in streams}
    if not found:
        return found
    packets = container.demux([container.streams[index] for index in found])
    for _ in range(READ):
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            break  # damaged from here on
        if packet is None or all(len(some) >= TRIED for some in found.values()):
            break
        if packet.size and len(found[packet.stream_index]) < TRIED:
            found[packet.stream_index].append(packet)
    return found


def takes_copy(muxer: str, stream: Any, packets: Iterable[Any]) -> bool:
    """Whether a kind of file takes a stream as it is.

    Args:
        muxer: FFmpeg's name of it.
        stream: Of an open file.
        packets: Some of its first; they are of no use afterwards.
    """
    try:
        with av.open(BytesIO(), "w", format=muxer) as trial:
            target = trial.add_stream_from_template(stream)
            target.disposition = stream.disposition
            trial.start_encoding()
            for packet in packets:
                packet.stream = target
                trial.mux(ended(packet))
    except REFUSED:
        return False
    return True


def ended(packet: Any) -> Any:
    """The packet, without an end where that is days away: so some files say that a subtitle stays until the next."""
    if packet.duration and packet.time_base and packet.duration * packet.time_base > MOST_SECONDS:
        packet.duration = 0
    return packet


def takes_codec(muxer: str, encoder: str) -> bool:
    """Whether a kind of file takes what an encoder makes."""
    try:
        with av.open(BytesIO(), "w", format=muxer) as trial:
            trial.add_stream(encoder)
    except REFUSED:
        return False
    return True
