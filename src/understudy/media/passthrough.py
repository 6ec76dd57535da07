"""What goes along with the pictures: sound, subtitles, attachments, chapters and metadata.

Packets are copied as they are, by a second reader of the same file that keeps just ahead of the pictures:
nothing is decoded, nothing piles up in memory. Sound that the output's container can't hold is converted to
the container's usual codec; what can't be kept at all is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from understudy.media.video_source import open_container

#: Tags that describe the old file, not its content.
STALE_TAGS = frozenset(
    [
        "encoder",
        "major_brand",
        "minor_version",
        "compatible_brands",
        "duration",
        "rotate",
        "vendor_id",
        "_statistics_tags",
        "_statistics_writing_app",
        "_statistics_writing_date_utc",
        "bps",
        "number_of_frames",
        "number_of_bytes",
    ]
)


def kept_tags(metadata: dict[str, str]) -> dict[str, str]:
    """Metadata without the tags that would be untrue of a new file."""
    return {key: value for key, value in metadata.items() if key.lower().split("-")[0] not in STALE_TAGS}


class Passthrough:
    """Copies everything but the pictures from one file to an open output container.

    Args:
        path: The file to copy from.
        output: An ``av`` output container whose video stream has been added.

    Attributes:
        notes: What was converted or left out.
    """

    def __init__(self, path: Path, output: Any) -> None:
        self.notes: list[str] = []
        self._input, self._output = open_container(path), output
        self._copies: dict[int, Any] = {}
        self._converters: dict[int, _AudioConverter] = {}
        supported = output.supported_codecs
        for stream in self._input.streams:
            if stream.type == "video":
                self._picture_stream(stream, supported)
            elif stream.type == "attachment":
                self._attachment(stream)
            elif stream.type in ("audio", "subtitle"):
                self._media_stream(stream, supported)
            else:
                self.notes.append(f"left out: stream {stream.index} ({stream.type} data)")
        output.metadata.update(kept_tags(self._input.metadata))
        if chapters := self._input.chapters():
            output.set_chapters(chapters)
        self._packets = self._demuxed()
        self._waiting: Any | None = None

    def copy_until(self, seconds: float | None) -> None:
        """Mux everything up to a time; to the end if None. A damaged file ends early."""
        while True:
            packet = self._waiting if self._waiting is not None else next(self._packets, None)
            if packet is None:
                break
            time = _seconds(packet)
            if seconds is not None and time is not None and time > seconds:
                self._waiting = packet
                return
            self._waiting = None
            self._mux(packet)
        if seconds is None:
            for converter in self._converters.values():
                self._output.mux(converter.convert(None))

    def close(self) -> None:
        """Close the reader."""
        self._input.close()

    def _demuxed(self) -> Iterator[Any]:
        wanted = [self._input.streams[index] for index in (*self._copies, *self._converters)]
        if not wanted:
            return
        packets = self._input.demux(wanted)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                return  # the picture's reader sees the same damage and reports it
            if packet is None:
                return
            if packet.size:
                yield packet

    def _mux(self, packet: Any) -> None:
        index = packet.stream_index
        if index in self._converters:
            self._output.mux(self._converters[index].convert(packet))
        else:
            if packet.dts is None and packet.pts is None:
                if packet.stream.type != "video":
                    return  # sound without a time has no place
                packet.pts = packet.dts = 0  # the cover picture
            packet.stream = self._copies[index]
            self._output.mux(packet)

    def _media_stream(self, stream: Any, supported: set[str]) -> None:
        codec = stream.codec_context.name if stream.codec_context else ""
        name = f"{stream.type} stream {stream.index} ({codec or 'unknown'})"
        # A decoder may have another name than its codec (libdav1d, libopus): the canonical one counts.
        canonical = stream.codec_context.codec.canonical_name if codec else ""
        if canonical in supported:
            try:
                self._adopt(stream, self._output.add_stream_from_template(stream))
                return
            except (av.error.FFmpegError, ValueError):
                pass  # the container lists the codec but not this flavour of it
        if stream.type == "audio" and codec:
            converter = _AudioConverter(stream, self._output)
            self._converters[stream.index] = converter
            converter.target.metadata.update(kept_tags(stream.metadata))
            self.notes.append(f"converted: {name} to {converter.target.codec_context.name}, which the file can hold")
        else:
            self.notes.append(f"left out: {name}, which the file can't hold")

    def _picture_stream(self, stream: Any, supported: set[str]) -> None:
        """Cover art is kept; a second video stream is not."""
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return
        if stream.codec_context.codec.canonical_name in supported and self._output.format.name != "webm":
            target = self._output.add_stream_from_template(stream)
            target.disposition = stream.disposition
            self._adopt(stream, target)
        else:
            self.notes.append("left out: the cover picture")

    def _attachment(self, stream: Any) -> None:
        if self._output.format.name != "matroska":
            self.notes.append(f"left out: the attachment {stream.metadata.get('filename', stream.index)}")
            return
        name = stream.metadata.get("filename", f"attachment-{stream.index}")
        self._output.add_attachment(name, stream.mimetype or "application/octet-stream", stream.data)

    def _adopt(self, stream: Any, target: Any) -> None:
        target.metadata.update(kept_tags(stream.metadata))
        target.disposition = stream.disposition
        self._copies[stream.index] = target


class _AudioConverter:
    """Re-encodes one sound stream with the output container's usual codec."""

    def __init__(self, stream: Any, output: Any) -> None:
        self._context = stream.codec_context
        encoder = {"opus": "libopus"}.get(output.default_audio_codec, output.default_audio_codec)
        rate = 48000 if encoder == "libopus" else (self._context.sample_rate or 48000)
        self.target = output.add_stream(encoder, rate=rate)
        self.target.codec_context.layout = self._context.layout
        self.target.codec_context.bit_rate = 96_000 * max(1, self._context.layout.nb_channels)
        self._resampler: av.AudioResampler | None = None
        self._rate = rate

    def convert(self, packet: Any | None) -> list[Any]:
        """The packets that one packet of the old stream becomes; None flushes."""
        frames = [] if packet is None else self._decoded(packet)
        if self._resampler is None:
            self.target.codec_context.open(strict=False)
            self._resampler = av.AudioResampler(
                self.target.codec_context.format,
                self.target.codec_context.layout,
                self._rate,
                frame_size=self.target.codec_context.frame_size or None,
            )
        packets = []
        for frame in [*frames, *([None] if packet is None else [])]:
            for part in self._resampler.resample(frame):
                packets += self.target.encode(part)
        if packet is None:
            packets += self.target.encode(None)
        return packets

    @staticmethod
    def _decoded(packet: Any) -> list[Any]:
        try:
            return list(packet.decode())
        except av.error.FFmpegError:
            return []  # a damaged packet is a short silence


def _seconds(packet: Any) -> float | None:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return None if stamp is None else float(stamp * Fraction(packet.time_base))
