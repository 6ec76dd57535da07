"""Writes video files and animations."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error

from understudy.errors import EncodingError, InputError, OutputError
from understudy.frames import LabelledFrame
from understudy.interruptions import deferred
from understudy.media.base import MediaInfo, MediaKind
from understudy.media.bounds import Moving, check_size, check_written
from understudy.media.files.atomic import AtomicFile, output_errors
from understudy.media.files.encoders import CONTAINERS, EncodeOptions, choose_encoder, encoder_settings
from understudy.media.files.gif import WHOLE_PICTURES, GifPalette, Thinning, restored
from understudy.media.files.passthrough import Passthrough, keeps_cover, pictures_only
from understudy.media.files.readback import check_video
from understudy.media.files.still import check_picture
from understudy.media.pixels import bits_of, for_encoder
from understudy.media.tags import add_xmp
from understudy.release import Release, identifier_of
from understudy.text import counted

#: Transfer curves of HDR (ITU-T H.273): PQ and HLG.
HDR_CURVES = {16: "PQ", 18: "HLG"}
#: Pixels that are shown wider than high, or higher, by more than this make letters unreadable.
MOST_STRETCHED = 4
#: Seconds between two frames that no container of a fixed time scale has to hold.
_LONG_GAP = 3600.0
#: What an encoder is given where it has the choice, best first, by bits a sample.
_PREFERRED = {8: ("yuv420p", "nv12"), 10: ("yuv420p10le", "p010le")}


class VideoSink:
    """Encodes frames and puts the source's sound, subtitles and metadata beside them.

    Args:
        target: The file to write; its suffix chooses the container.
        info: What the frames' source says of itself.
        options: Encoder, quality and effort.
        release: Signs the finished file.
        copy_from: File whose other streams are copied; None for none.
        overwrite: Whether a file that appears under the target's name meanwhile may be replaced.

    Raises:
        EncoderError: the encoder does not fit or open.
        InputError: the source's pixels are stretched so much that no label can be read.
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
        # Made anew: its limits hold for what a subclass says, too.
        options = EncodeOptions(options.encoder, options.quality, options.effort, options.animation_fps)
        if not 1 / MOST_STRETCHED <= info.pixel_aspect <= MOST_STRETCHED:
            raise InputError(
                f"its pixels are shown {float(info.pixel_aspect):.3g} times as wide as high: no label could be read",
                "Correct the pixel aspect ratio of the target first.",
            )
        suffix = target.suffix.lower()
        container = CONTAINERS[suffix]
        self._encoder = choose_encoder(suffix, options.encoder, info.bit_depth)
        self._info, self._target = info, target
        self.notes = list(info.notes)
        self._animated = suffix in (".gif", ".webp")
        self._thinning = Thinning(options.animation_fps if self._animated else None)
        if self._animated:
            check_size(info.path, info.width, info.height, sys.maxsize, Moving.ANIMATION)
        elif info.kind is MediaKind.VIDEO:
            check_written(info.path, info.width, info.height, info.pixel_format, info.bit_depth)
        self._file = AtomicFile(target, overwrite=overwrite)
        self._release = release
        self._passthrough: Passthrough | None = None
        self._durations: dict[int, int] = {}
        self._end = self._packets = 0
        #: The last frame's time, and the longest time between two frames, in seconds.
        self._last: float | None = None
        self._gap = 0.0
        self._first: tuple[int, int] | None = None
        self._palette: GifPalette | None = None
        muxer_options = dict(container.options)
        if suffix == ".gif":  # FFmpeg counts repetitions here, -1 for none
            muxer_options["loop"] = str(-1 if info.loop == 1 else max(info.loop - 1, 0))
            if info.last_delay is not None or self._thinning.apart:
                last_delay = max(info.last_delay or 0.0, self._thinning.apart)
                muxer_options["final_delay"] = str(round(last_delay * 100))
        elif suffix == ".webp":
            muxer_options["loop"] = str(info.loop)
        elif container.format in ("mp4", "mov") and (copy_from is None or not keeps_cover(copy_from, container.format)):
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
                self._begin()
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
            with self._writing():
                self._finish()
                self._container.close()
                add_xmp(self._file.path, self._target.suffix.lower(), self._release.tags.xmp)
            self._file.release(self._release, self._check)
            self.notes += self._release.notes
        except BaseException:
            self._abandon()
            raise
        finally:
            if self._passthrough is not None:
                self._passthrough.close()

    def _check(self, path: Path) -> None:
        """See ``AtomicFile.release``."""
        # The WebP encoder puts all frames into one packet.
        pictures = self._packets if self._encoder != "libwebp_anim" else None
        (check_picture if self._animated else check_video)(path, pictures)

    def write(self, labelled: LabelledFrame) -> None:
        """Encode one frame."""
        frame = LabelledFrame.opened(labelled, self._info.width, self._info.height, identifier_of(self._release))
        if self._last is not None:
            self._gap = max(self._gap, frame.seconds - self._last)
        self._last = frame.seconds
        if not self._thinning.keeps(frame.seconds):
            return
        with self._writing():
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

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """As ``output_errors``; what fails for the frames' times is told to do so, not to be the folder's fault."""
        try:
            with output_errors(self._target):
                yield
        except (OutputError, EncodingError) as fault:
            if self._gap < _LONG_GAP or not isinstance(fault.__cause__, av.error.FFmpegError):
                raise
            suffix = self._target.suffix
            raise EncodingError(
                f"two pictures that follow each other are {self._gap / 3600:.1f} hours apart: {suffix} can't hold that",
                "The target's times are damaged, or it has a long gap: cut it there, or write an .mkv.",
            ) from fault

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
        self._packets += sum(packet.size > 0 for packet in packets)
        for packet in packets:
            if self._encoder == "gif" and self._info.has_alpha:
                packet.update(restored(bytes(packet)))
            if self._first is None and packet.dts is not None:
                self._first = (packet.pts, packet.dts)
            # Encoders guess a packet's duration from the next one's time; the last has no next one.
            duration = self._durations.pop(packet.pts, None)
            if duration and packet.time_base == self._info.time_base:
                packet.duration = duration
        return packets

    def _begin(self) -> None:
        """Write the file's head: what it refuses is told before any work is done."""
        try:
            self._container.start_encoding()
        except (av.error.ArgumentError, av.error.InvalidDataError, av.error.ExternalError) as fault:
            raise EncodingError(
                f"{self._encoder} does not go into {self._target.name}: {fault.strerror}",
                "Try another suffix, such as .mkv, or another --encoder.",
            ) from fault

    def _finish(self) -> None:
        if self._palette:
            for ready in self._palette.apply(None):
                self._container.mux(self._encode(ready))
            if self._palette.dropped:
                self.notes.append(f"{counted(self._palette.dropped, 'frame')} left out: GIF holds at most 100 a second")
        if self._thinning.left_out:
            self.notes.append(
                f"{counted(self._thinning.left_out, 'frame')} left out: as few a second as were asked for"
            )
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
        with deferred():
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
        settings = encoder_settings(self._encoder, options, info.width * info.height)
        if self._encoder == "gif" and info.has_alpha:
            settings |= WHOLE_PICTURES
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
            self._palette = GifPalette(*self._size, self._frame_format, info.time_base)
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
