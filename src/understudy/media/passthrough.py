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

from understudy.media.reading import open_container
from understudy.media.video_source import main_video_stream, start_shift

#: The layout that encoders take for a number of channels.
USUAL_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
#: Bit rate of converted sound.
BITS_A_CHANNEL = 96_000
#: Suffix and type of the pictures that are covers, by codec.
COVER_TYPES = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png")}
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


def pictures_only(path: Path) -> list[str]:
    """What a file that holds pictures alone leaves out of another, in words."""
    with open_container(path) as container:
        kinds = sorted({s.type for s in container.streams if s.type in ("audio", "subtitle")})
        kinds += ["chapters"] if container.chapters() else []
    return [f"left out: {', '.join(kinds)}: an animation holds pictures only"] if kinds else []


def has_cover(path: Path) -> bool:
    """Whether a file carries a cover picture."""
    with open_container(path) as container:
        return any(s.disposition & av.stream.Disposition.attached_pic for s in container.streams.video)


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
        self._path, self._input, self._output = path, open_container(path), output
        self._copies: dict[int, Any] = {}
        self._converters: dict[int, _AudioConverter] = {}
        try:
            self._take_streams(output.supported_codecs)
            output.metadata.update(kept_tags(self._input.metadata))
            if chapters := self._input.chapters():
                output.set_chapters(chapters)
        except BaseException:
            self._input.close()
            raise
        self._shift = start_shift(self._input)
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

    def _take_streams(self, supported: set[str]) -> None:
        main = main_video_stream(self._input)
        for stream in self._input.streams:
            if main is not None and stream.index == main.index:
                shown = self._output.streams.video[0]
                shown.metadata.update(kept_tags(stream.metadata))
                shown.disposition = stream.disposition
            elif stream.type == "video":
                self._picture_stream(stream, supported)
            elif stream.type == "attachment":
                self._attachment(stream)
            elif stream.type in ("audio", "subtitle"):
                self._media_stream(stream, supported)
            elif not self._input.chapters():  # mp4 keeps its chapters in such a stream; they are copied
                self.notes.append(f"left out: stream {stream.index} ({stream.type})")

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
                if self._shift and packet.time_base:
                    shift = int(self._shift / Fraction(packet.time_base))
                    packet.pts = None if packet.pts is None else packet.pts - shift
                    packet.dts = None if packet.dts is None else packet.dts - shift
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
        if canonical in supported and not self._nameless_layout(stream):
            try:
                self._adopt(stream, self._output.add_stream_from_template(stream))
                return
            except (av.error.FFmpegError, ValueError):
                pass  # the container lists the codec but not this flavour of it
        layout = _AudioConverter.layout_for(stream, self._output) if stream.type == "audio" and codec else None
        if layout is not None:
            converter = _AudioConverter(stream, self._output, layout)
            self._converters[stream.index] = converter
            converter.target.metadata.update(kept_tags(stream.metadata))
            self.notes.append(f"converted: {name} to {converter.target.codec_context.name} ({layout})")
        else:
            self.notes.append(f"left out: {name}, which the file can't hold")

    def _nameless_layout(self, stream: Any) -> bool:
        """Sound of "2 channels" instead of "stereo", as AVI and MXF have it, which mp4 and mov refuse."""
        if stream.type != "audio" or self._output.format.name not in ("mp4", "mov"):
            return False
        return str(stream.codec_context.layout.name).endswith("channels")

    def _picture_stream(self, stream: Any, supported: set[str]) -> None:
        """Cover art is kept; a second video stream is not."""
        codec = stream.codec_context.codec.canonical_name
        if not stream.disposition & av.stream.Disposition.attached_pic:
            self.notes.append(f"left out: video stream {stream.index} ({codec}), which is not the main one")
        elif self._output.format.name == "matroska" and codec in COVER_TYPES:
            # Matroska keeps covers as attachments; a copied stream would become a second video.
            suffix, kind = COVER_TYPES[codec]
            self._output.add_attachment(f"cover.{suffix}", kind, self._cover(stream.index))
        elif codec in supported and self._output.format.name in ("mp4", "mov"):
            target = self._output.add_stream_from_template(stream)
            target.disposition = stream.disposition
            self._adopt(stream, target)
        else:
            self.notes.append("left out: the cover picture")

    def _cover(self, index: int) -> bytes:
        with open_container(self._path) as container:
            return bytes(next(container.demux(container.streams[index])))

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

    def __init__(self, stream: Any, output: Any, layout: str) -> None:
        self._context = stream.codec_context
        encoder, self._rate = self._encoder_and_rate(stream, output)
        self.target = output.add_stream(encoder, rate=self._rate)
        context = self.target.codec_context
        context.layout = layout
        context.bit_rate = BITS_A_CHANNEL * av.AudioLayout(layout).nb_channels
        context.open(strict=False)
        self._resampler = av.AudioResampler(context.format, layout, self._rate, frame_size=context.frame_size or None)

    @staticmethod
    def _encoder_and_rate(stream: Any, output: Any) -> tuple[str, int]:
        encoder = {"opus": "libopus"}.get(output.default_audio_codec, output.default_audio_codec)
        return encoder, 48000 if encoder == "libopus" else (stream.codec_context.sample_rate or 48000)

    @classmethod
    def layout_for(cls, stream: Any, output: Any) -> str | None:
        """The channel layout to convert to: the stream's own, the usual one of as many channels, or stereo.

        None if the encoder opens with none of them.
        """
        encoder, rate = cls._encoder_and_rate(stream, output)
        own = stream.codec_context.layout
        for layout in (own.name, USUAL_LAYOUTS.get(own.nb_channels, "stereo"), "stereo"):
            try:
                trial: Any = av.CodecContext.create(encoder, "w")
                trial.sample_rate, trial.layout, trial.format = rate, layout, trial.codec.audio_formats[0]
                trial.time_base = Fraction(1, rate)
                trial.open(strict=False)
            except (av.error.FFmpegError, ValueError):
                continue
            return str(layout)
        return None

    def convert(self, packet: Any | None) -> list[Any]:
        """The packets that one packet of the old stream becomes; None flushes."""
        packets = []
        for frame in [*self._decoded(packet), *([None] if packet is None else [])]:
            for part in self._resampler.resample(frame):
                packets += self.target.encode(part)
        if packet is None:
            packets += self.target.encode(None)
        return packets

    def _decoded(self, packet: Any | None) -> list[Any]:
        try:
            return list(self._context.decode(packet))
        except av.error.FFmpegError:
            return []  # a damaged packet is a short silence


def _seconds(packet: Any) -> float | None:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return None if stamp is None else float(stamp * Fraction(packet.time_base))
