"""Writes video files and animations."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import av.filter

from understudy.errors import EncodingError
from understudy.frames import LabelledFrame
from understudy.media.atomic import AtomicFile, output_errors
from understudy.media.base import MediaInfo, MediaKind
from understudy.media.encoders import CONTAINERS, ENCODERS, EncodeOptions, choose_encoder, sparing
from understudy.media.passthrough import Passthrough, has_cover, pictures_only
from understudy.media.pixels import bits_of, for_encoder
from understudy.media.tags import add_xmp
from understudy.release import Release

#: Transfer curves of HDR (ITU-T H.273): PQ and HLG.
HDR_CURVES = {16: "PQ", 18: "HLG"}
#: What an encoder is given where it has the choice, best first, by bits a sample.
_PREFERRED = {8: ("yuv420p", "nv12"), 10: ("yuv420p10le", "p010le")}


class VideoSink:
    """Encodes frames and puts the source's sound, subtitles and metadata beside them.

    Args:
        target: The file to write; its suffix chooses the container.
        info: What the frames' source says of itself.
        options: Encoder and quality.
        release: Signs the finished file.
        copy_from: File whose other streams are copied; None for none.
        overwrite: Whether a file that appears under the target's name meanwhile may be replaced.

    Raises:
        EncoderError: the encoder does not fit or open.
    """

    def __init__(
        self,
        target: Path,
        info: MediaInfo,
        options: EncodeOptions,
        release: Release,
        copy_from: Path | None,
        *,
        overwrite: bool = False,
    ) -> None:
        suffix = target.suffix.lower()
        container = CONTAINERS[suffix]
        self._encoder = choose_encoder(suffix, options.encoder, info.bit_depth)
        self._info, self._target = info, target
        self.notes = list(info.notes)
        self._animated = suffix in (".gif", ".webp")
        self._file = AtomicFile(target, overwrite=overwrite)
        self._release = release
        self._passthrough: Passthrough | None = None
        self._durations: dict[int, int] = {}
        self._end = 0
        self._first: tuple[int, int] | None = None
        self._palette: _GifPalette | None = None
        muxer_options = dict(container.options)
        if suffix == ".gif":  # FFmpeg counts repetitions here, -1 for none
            muxer_options["loop"] = str(-1 if info.loop == 1 else max(info.loop - 1, 0))
            if info.last_delay is not None:
                muxer_options["final_delay"] = str(round(info.last_delay * 100))
        elif suffix == ".webp":
            muxer_options["loop"] = str(info.loop)
        elif container.format in ("mp4", "mov") and (copy_from is None or not has_cover(copy_from)):
            # Fields of any name, AIGC among them. FFmpeg leaves a cover out then: where there is one, XMP must do.
            muxer_options["movflags"] += "+use_metadata_tags"
        try:
            with output_errors(target):
                # Absolute, or FFmpeg takes "12:30.mp4" for an address.
                path = str(self._file.path.absolute())
                self._container = av.open(path, "w", format=container.format, options=muxer_options)
                self._stream = self._add_stream(options)
                if copy_from is not None and self._animated:
                    self.notes += pictures_only(copy_from)
                elif copy_from is not None:
                    self._passthrough = Passthrough(copy_from, self._container)
                    self.notes += self._passthrough.notes
                self._container.metadata.update(release.tags.fields)
        except BaseException:
            self._abandon()
            raise

    def __enter__(self) -> VideoSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            with output_errors(self._target):
                self._finish()
                self._container.close()
                add_xmp(self._file.path, self._target.suffix.lower(), self._release.tags.xmp)
            self._file.release(self._release)
            self.notes += self._release.notes
        except BaseException:
            self._abandon()
            raise
        finally:
            if self._passthrough is not None:
                self._passthrough.close()

    def write(self, labelled: LabelledFrame) -> None:
        """Encode one frame."""
        frame = LabelledFrame.opened(labelled)
        with output_errors(self._target):
            if self._passthrough is not None:
                self._passthrough.copy_until(frame.seconds)
            picture = for_encoder(frame, self._frame_format, self._info.colors, self._size)
            picture.pts, picture.time_base = frame.pts, frame.time_base
            if frame.duration:
                picture.duration = frame.duration
                self._durations[frame.pts] = frame.duration
                self._end = frame.pts + frame.duration
            for ready in self._palette.apply(picture) if self._palette else [picture]:
                self._container.mux(self._encode(ready))

    def _encode(self, picture: av.VideoFrame | None) -> list[Any]:
        if picture is not None and picture.format.name != self._stream.codec_context.pix_fmt:
            picture = picture.reformat(format=self._stream.codec_context.pix_fmt)
        try:
            packets = list(self._stream.encode(picture))
        except (av.error.InvalidDataError, av.error.ExternalError, ValueError) as fault:
            raise EncodingError(
                f"the encoder {self._encoder} failed: {getattr(fault, 'strerror', None) or fault}",
                "Try another with --encoder; `understudy doctor` lists those that open.",
            ) from fault
        for packet in packets:
            if self._first is None and packet.dts is not None:
                self._first = (packet.pts, packet.dts)
            # Encoders guess a packet's duration from the next one's time; the last has no next one.
            duration = self._durations.pop(packet.pts, None)
            if duration and packet.time_base == self._info.time_base:
                packet.duration = duration
        return packets

    def _finish(self) -> None:
        if self._palette:
            for ready in self._palette.apply(None):
                self._container.mux(self._encode(ready))
            if self._palette.dropped:
                self.notes.append(f"{self._palette.dropped} frames left out: GIF holds at most 100 a second")
        if self._passthrough is not None:
            self._passthrough.copy_until(None)
        packets = self._encode(None)
        if packets and packets[-1].dts is not None and packets[-1].time_base == self._info.time_base:
            # A file's length is its last packet's, in decoding order, and that need not be the frame shown last.
            first_pts, first_dts = self._first or (0, 0)
            rest = (self._end - first_pts) - (packets[-1].dts - first_dts)
            packets[-1].duration = max(packets[-1].duration or 0, rest)
        self._container.mux(packets)

    def _abandon(self) -> None:
        """Close everything without a word and remove what was written."""
        if self._passthrough is not None:
            self._passthrough.close()
        container = getattr(self, "_container", None)
        if container is not None:
            # Closing writes a trailer, which on a full disk fails once more; the first error is the one told.
            with contextlib.suppress(av.error.FFmpegError, OSError):
                container.close()
        self._file.discard()

    def _add_stream(self, options: EncodeOptions) -> Any:
        info = self._info
        settings = ENCODERS[self._encoder](options.quality) | sparing(self._encoder, info.width * info.height)
        stream: Any = self._container.add_stream(self._encoder, rate=info.rate or 25, options=settings)
        context = stream.codec_context
        context.pix_fmt = self._pixel_format(stream)
        self._frame_format = context.pix_fmt if "v12" not in context.pix_fmt else "yuv420p"
        if context.pix_fmt == "p010le":
            self._frame_format = "yuv420p10le"
        if self._encoder == "gif":
            self._frame_format, context.pix_fmt = "bgra" if info.has_alpha else "bgr24", "pal8"
        self._size = self._even_size(context.pix_fmt)
        context.width, context.height = self._size
        context.time_base = info.time_base
        if self._encoder == "gif":
            context.time_base = Fraction(1, 100)
            self._palette = _GifPalette(*self._size, self._frame_format, info.time_base)
        stream.time_base = context.time_base
        context.sample_aspect_ratio = info.pixel_aspect
        if context.codec.canonical_name == "hevc" and self._container.format.name in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # the only one that Apple's players take
        if not self._animated:
            context.color_range = info.colors["range"]
            context.color_primaries = info.colors["primaries"]
            context.color_trc = info.colors["transfer"]
            context.colorspace = info.colors["tagged_matrix"]
        self._say_what_changes()
        return stream

    def _pixel_format(self, stream: Any) -> str:
        offered = [form.name for form in stream.codec.video_formats or ()]
        if self._encoder == "libwebp_anim":
            return "bgra"
        wanted = _PREFERRED[10 if self._info.bit_depth > 8 else 8] + _PREFERRED[8]
        return next((form for form in wanted if form in offered), offered[0] if offered else "yuv420p")

    def _even_size(self, pixel_format: str) -> tuple[int, int]:
        width, height = self._info.width, self._info.height
        if pixel_format in ("pal8", "bgra") or self._encoder == "libvpx-vp9":
            return width, height
        even = (width + width % 2, height + height % 2)
        if even != (width, height):
            self.notes.append(f"{width}x{height} is odd, which {self._encoder} can't encode: one edge is repeated once")
        return even

    def _say_what_changes(self) -> None:
        info = self._info
        bits = 8 if self._animated else bits_of(av.VideoFormat(self._frame_format))
        curve = HDR_CURVES.get(info.colors.get("transfer", 2))
        if curve and not self._animated:
            self.notes.append(
                f"HDR ({curve}): curve and depth are kept, mastering data is not; "
                "the swapped face is computed with 8 bits in that curve"
            )
        if info.bit_depth > bits and info.kind is MediaKind.VIDEO:
            self.notes.append(f"{info.bit_depth}-bit video is written with {bits} bits")
        if any(kind in info.pixel_format for kind in ("444", "422")) and "420" in self._frame_format:
            self.notes.append(f"{info.pixel_format} is written as {self._frame_format}: half the colour resolution")
        if info.has_alpha and not self._animated:
            self.notes.append(f"transparency is left out: {self._target.suffix} is written opaque")


class _GifPalette:
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
