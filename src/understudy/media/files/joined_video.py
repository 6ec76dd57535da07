"""Joins segments to one signed video. Nothing is encoded again: their packets are copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av

from understudy.errors import EncodingError
from understudy.media.base import MediaInfo
from understudy.media.files.encoders import EncodeOptions
from understudy.media.files.segments import SegmentFile, Timed
from understudy.media.files.video_file import VideoFile, lasting
from understudy.release import Release, identifier_of


class JoinedVideo(VideoFile):
    """Writes segments one behind the other, with the source's sound, subtitles and metadata. A context manager.

    Arguments are those of ``VideoSink``, and the segments in their order. The file is what the same encoder would have
    written in one go, but that each segment begins with a picture that can be decoded by itself.

    Raises:
        EncodingError: the segments do not fit each other, or this output.
    """

    def __init__(
        self,
        target: Path,
        info: MediaInfo,
        options: EncodeOptions,
        release: Release,
        copy_from: Path | None,
        segments: Sequence[SegmentFile],
        *,
        overwrite: bool = False,
        threads: int = 0,
    ) -> None:
        self._segments = list(segments)
        super().__init__(target, info, options, release, copy_from, overwrite=overwrite, threads=threads)
        try:
            self._check_fit()
        except BaseException:
            self._abandon()
            raise

    def __enter__(self) -> JoinedVideo:
        return self

    def join(self, joined: Callable[[], None] = lambda: None) -> None:
        """Copy all packets.

        Args:
            joined: Called after each segment; what it raises ends the work.

        Raises:
            OutputError, NoSpaceError, EncodingError: they can't be written.
        """
        packets = [packet for one in self._segments for packet in one.packets]
        shown = sorted(packet.pts for packet in packets)
        decoded = decoding_times(shown, max(delay(one.packets) for one in self._segments))
        first = (packets[0].pts, decoded[0])
        end = max((packet.pts + packet.duration for packet in packets if packet.duration), default=0)
        number = 0
        for segment in self._segments:
            with self._writing():
                for timed, data in zip(segment.packets, segment.data(), strict=True):
                    packet = self._packet(timed, data, decoded[number])
                    self._at(float((shown[number] + self._info.begins) * self._info.time_base))
                    number += 1
                    if number == len(packets):
                        if self._passthrough is not None:
                            self._passthrough.copy_until(None)
                        lasting([packet], first, end)
                    self._mux([packet])
            joined()

    @property
    def _pictures(self) -> int | None:
        return sum(len(one.packets) for one in self._segments)

    def _finish(self) -> None:
        """All was written by ``join``."""

    def _packet(self, timed: Timed, data: bytes, decoded: int) -> Any:
        packet: Any = av.Packet(data)
        packet.stream = self._encoder.stream
        packet.pts, packet.dts, packet.duration = timed.pts, decoded, timed.duration
        packet.time_base, packet.is_keyframe = Fraction(self._info.time_base), timed.key
        return packet

    def _check_fit(self) -> None:
        expected = (self._encoder.name, self._encoder.stream.codec_context.extradata or b"", self._info.time_base)
        ends = list(chain.from_iterable(_ends(one) for one in self._segments))
        if any((one.encoder, one.setup, one.time_base) != expected for one in self._segments):
            raise EncodingError("the segments were encoded in different ways", _ANEW)
        if any(identifier_of(self._release) not in (None, one.identifier) for one in self._segments):
            raise EncodingError("a segment is of another output", _ANEW)
        if not ends or sorted(ends) != ends or not all(one.packets[0].key for one in self._segments):
            raise EncodingError("the segments do not follow each other", _ANEW)


_ANEW = "They have to be made anew: `understudy swap` writes the file in one go."


def decoding_times(shown: Sequence[int], late: int) -> list[int]:
    """When packets are decoded: as they are shown, but so many pictures earlier, as encoders say it.

    Args:
        shown: When their pictures are shown, rising.
        late: By how many pictures showing may be behind decoding.
    """
    late = min(late, len(shown) - 1)
    ahead = shown[late] - shown[0]
    return [time - ahead for time in shown[:late]] + list(shown[: len(shown) - late])


def delay(packets: Sequence[Timed]) -> int:
    """By how many pictures showing is behind decoding in a stream, as its encoder said it."""
    first = min(packet.pts for packet in packets)
    return sum(packet.dts < first for packet in packets)


def _ends(segment: SegmentFile) -> tuple[int, int]:
    times = [packet.pts for packet in segment.packets]
    return min(times), max(times)
