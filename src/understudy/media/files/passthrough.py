"""What goes along with the pictures: sound, subtitles, attachments, chapters and metadata.

Packets are copied as they are, by a second reader of the same file that keeps just ahead of the pictures:
nothing is decoded, nothing piles up in memory. Sound that the output's container can't hold is converted to
the container's usual codec; what can't be kept at all is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import av.error

from understudy.media.base import MediaInfo
from understudy.media.files.bare_sound import Silence
from understudy.media.files.converting import SoundConverter, form_for
from understudy.media.files.excerpts import APART, PacketsOf, shows_hidden
from understudy.media.files.splicing import FORMATS
from understudy.media.files.stream_tags import kept_tags, language_in
from understudy.media.files.trying import ended, first_packets, takes_copy
from understudy.media.files.video_source import main_video_stream, packets_beside, start_shift
from understudy.media.reading import open_container

#: Suffix and type of the pictures that are covers, by codec.
COVER_TYPES = {
    "mjpeg": ("jpg", "image/jpeg"),
    "png": ("png", "image/png"),
    "gif": ("gif", "image/gif"),
    "tiff": ("tif", "image/tiff"),
    "webp": ("webp", "image/webp"),
    "bmp": ("bmp", "image/bmp"),
}


def pictures_only(path: Path) -> list[str]:
    """What a file that holds pictures alone leaves out of another, in words."""
    with open_container(path) as container:
        kinds = sorted({s.type for s in container.streams if s.type in ("audio", "subtitle")})
        kinds += ["chapters"] if container.chapters() else []
    return [f"left out: {', '.join(kinds)}: an animation holds pictures only"] if kinds else []


def keeps_cover(path: Path, muxer: str) -> bool:
    """Whether a file carries a cover picture that goes into an mp4 as one."""
    if muxer != "mp4":
        return False
    with open_container(path) as container:
        return any(s.disposition & av.stream.Disposition.attached_pic for s in container.streams.video)


class Passthrough:
    """Copies everything but the pictures from one file to an open output container.

    Args:
        path: The file to copy from.
        output: An ``av`` output container whose video stream has been added.
        info: What the pictures are: of a part of the file only that part is copied. None for all of the file.

    Attributes:
        notes: What was converted or left out.
    """

    def __init__(self, path: Path, output: Any, info: MediaInfo | None = None) -> None:
        self.notes: list[str] = []
        self._path, self._input, self._output = path, open_container(path), output
        self._strict = shows_hidden(self._input.format.name, output.format.name)
        whole = info is None or info.excerpt is None
        self._part = None if whole and not self._strict else PacketsOf(info)
        self._copies: dict[int, Any] = {}
        self._converters: dict[int, SoundConverter] = {}
        self._last: dict[int, int] = {}
        self._silence = Silence(output.format.name)
        try:
            self._tried = self._first_packets()
            self._take_streams()
            output.metadata.update(self._tags(self._input.metadata))
            if chapters := self._input.chapters():
                output.set_chapters(chapters if self._part is None else self._part.chapters(chapters))
        except BaseException:
            self._input.close()
            raise
        self._shift = start_shift(self._input)
        self._begin_near()
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
                break
            self._waiting = None
            if self._part is not None and time is not None and self._part.over(time):
                self._packets = iter(())
                continue
            self._mux(packet)
        for packet in self._part.lasting() if self._part is not None else ():
            self._write(packet)
        if seconds is None:
            for converter in self._converters.values():
                self._convert(converter, None)

    def close(self) -> None:
        """Close the reader."""
        self._input.close()

    def _first_packets(self) -> dict[int, list[Any]]:
        """Some packets of all that may be copied; they keep their own reader open."""
        with open_container(self._path) as container:
            main = main_video_stream(container)
            shown = main.index if main is not None else None
            kinds = ("video", "audio", "subtitle", "data")
            return first_packets(container, [s for s in container.streams if s.type in kinds and s.index != shown])

    def _takes(self, stream: Any) -> bool:
        return takes_copy(self._output.format.name, stream, self._tried.get(stream.index, ()))

    def _take_streams(self) -> None:
        main = main_video_stream(self._input)
        for stream in self._input.streams:
            if main is not None and stream.index == main.index:
                shown = self._output.streams.video[0]
                shown.metadata.update(self._stream_tags(stream))
                shown.disposition = stream.disposition
            elif stream.type == "video":
                self._picture_stream(stream)
            elif stream.type == "attachment":
                self._attachment(stream)
            elif stream.type in ("audio", "subtitle"):
                self._media_stream(stream)
            elif not self._is_chapters(stream) and "timecode" not in stream.metadata:
                # A timecode is a tag of the picture's, too, and becomes a stream again where that is usual.
                self._data_stream(stream)

    def _is_chapters(self, stream: Any) -> bool:
        """Whether it is the stream in which mp4 keeps its chapters, which are copied as such."""
        if not self._input.chapters() or stream.type != "data":
            return False
        discard = getattr(stream, "discard", None)  # PyAV 17 does not say
        return stream.name == "bin_data" if discard is None else discard is av.stream.Discard.all

    def _demuxed(self) -> Iterator[Any]:
        wanted = [self._input.streams[index] for index in (*self._copies, *self._converters)]
        if not wanted:
            return
        packets = packets_beside(self._input, wanted)
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

    def _begin_near(self) -> None:
        """Pass over what lies long before a part, where nothing is shown for so long that it could reach into it."""
        streams = [self._input.streams[index] for index in (*self._copies, *self._converters)]
        since = 0.0 if self._part is None else self._part.since - APART
        if since > 0 and self._input.format.name not in FORMATS and all(one.type == "audio" for one in streams):
            with suppress(av.error.FFmpegError):  # then it is read from the beginning
                self._input.seek(int((since + float(self._shift)) * av.time_base))

    def _tags(self, metadata: dict[str, str]) -> dict[str, str]:
        """The tags that are true of what is written."""
        tags = kept_tags(metadata)
        if self._part is not None and self._part.since and tags.pop("timecode", None) is not None:
            note = "left out: the timecode, which is that of the file's beginning"
            self.notes += [] if note in self.notes else [note]
        return tags

    def _stream_tags(self, stream: Any) -> dict[str, str]:
        """The tags of a stream, and its language as the file can say it."""
        tags = self._tags(stream.metadata)
        if language := tags.pop("language", None):
            named = language_in(self._output.format.name, language)
            if named is None:
                self.notes.append(f"left out: that {_name(stream)} is in {language!r}, which the file has no name for")
            else:
                tags["language"] = named
        return tags

    def _mux(self, packet: Any) -> None:
        index = packet.stream_index
        # What is converted is decoded first, and decoders leave out what is hidden.
        strict = self._strict and index in self._copies
        if self._part is not None and (packet := self._part.moved(packet, strict=strict)) is None:
            return
        if index in self._converters:
            self._convert(self._converters[index], packet)
            return
        self._write(packet)

    def _write(self, packet: Any) -> None:
        """Write a packet that is copied."""
        if packet.dts is None and packet.pts is None:
            if packet.stream.type != "video":
                return  # sound without a time has no place
            packet.pts = packet.dts = 0  # the cover picture
        target = self._copies[packet.stream_index]
        for one in chain(self._silence.before(packet), (packet,)):  # not all at once: it may be an hour
            one.stream = target
            self._keep_order(ended(one), target)
            self._output.mux(one)

    def _convert(self, converter: SoundConverter, packet: Any | None) -> None:
        for made in converter.convert(packet):
            self._keep_order(made, converter.target)
            self._output.mux(made)

    def _keep_order(self, packet: Any, target: Any) -> None:
        """Move a packet that steps back in time, as broken muxers write them, just behind its predecessor.

        In the units of the file that is written: what is apart in finer ones may be one time there.
        """
        if packet.dts is None or not target.time_base:
            return
        unit = Fraction(packet.time_base) / Fraction(target.time_base)
        time, last = round(packet.dts * unit), self._last.get(target.index)
        if last is not None and time <= last:
            time = last + 1
            packet.pts = None if packet.pts is None else max(round(packet.pts * unit), time)
            packet.duration = round((packet.duration or 0) * unit)
            packet.dts, packet.time_base = time, Fraction(target.time_base)
        self._last[target.index] = time

    def _media_stream(self, stream: Any) -> None:
        name = _name(stream)
        if self._takes(stream):
            self._adopt(stream, self._output.add_stream_from_template(stream))
            return
        form = form_for(stream, self._output.format.name) if stream.type == "audio" else None
        if form is None:
            self.notes.append(f"left out: {name}, which the file can't hold")
            return
        converter = SoundConverter(stream, self._output, form)
        self._converters[stream.index] = converter
        converter.target.metadata.update(self._stream_tags(stream))
        converter.target.disposition = stream.disposition
        self.notes.append(f"converted: {name} to {converter.target.codec_context.name} ({form.layout})")

    def _data_stream(self, stream: Any) -> None:
        """Positions, timed tags and the like: each kind of file has its own, known by a name that others lack."""
        kin = "mov" in self._input.format.name and self._output.format.name in ("mp4", "mov")
        if kin and stream.type == "data" and self._tried.get(stream.index) and self._takes(stream):
            self._adopt(stream, self._output.add_stream_from_template(stream))
        else:
            self.notes.append(f"left out: {_name(stream)}, which the file can't hold")

    def _picture_stream(self, stream: Any) -> None:
        """Cover art is kept; a second video stream is not."""
        codec = stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
        muxer = self._output.format.name
        if not stream.disposition & av.stream.Disposition.attached_pic:
            self.notes.append(f"left out: video stream {stream.index} ({codec}), which is not the main one")
        elif muxer == "matroska" and codec in COVER_TYPES and self._tried[stream.index]:
            # Matroska keeps covers as attachments; a copied stream would become a second video.
            suffix, kind = COVER_TYPES[codec]
            name = stream.metadata.get("filename", f"cover.{suffix}")
            self._output.add_attachment(name, kind, bytes(self._tried[stream.index][0]))
        elif muxer == "mp4" and codec in COVER_TYPES and self._takes(stream):
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
        target.metadata.update(self._stream_tags(stream))
        target.disposition = stream.disposition
        self._copies[stream.index] = target


def _name(stream: Any) -> str:
    """What a stream is called in a note."""
    context = stream.codec_context
    # A decoder may have another name than its codec (libdav1d, dca): the codec's own is the one that people know.
    codec = context.codec.canonical_name if context is not None else (getattr(stream, "name", None) or "unknown")
    return f"{stream.type} stream {stream.index} ({codec})"


def _seconds(packet: Any) -> float | None:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return None if stamp is None else float(stamp * Fraction(packet.time_base))
