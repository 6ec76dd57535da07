"""From labelled frames to the packets of a video stream: the same of a whole file and of a part of one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import av
import av.error

from understudy.errors import EncodingError
from understudy.frames import SealedFrame
from understudy.media.base import MediaInfo, MediaKind
from understudy.media.files.encoders import EncodeOptions, choose_encoder, encoder_settings
from understudy.media.files.gif import WHOLE_PICTURES, GifPalette, restored
from understudy.media.pixels import bits_of, for_encoder, is_yuv
from understudy.text import counted

#: Transfer curves of HDR (ITU-T H.273): PQ and HLG.
HDR_CURVES: Final = {16: "PQ", 18: "HLG"}
#: What an encoder is given where it has the choice, best first, by bits a sample.
_PREFERRED: Final = {8: ("yuv420p", "nv12"), 10: ("yuv420p10le", "p010le")}


class VideoEncoder:
    """Encodes frames for one output.

    Args:
        output: An ``av`` output container, nothing of which is written yet: the stream is added to it.
        suffix: Of the file that it shall be, in lower case.
        info: What the frames' source says of itself.
        options: Encoder, quality and effort.
        threads: Of the encoder, on which what it makes depends; 0 for as many as suit this machine.

    Attributes:
        name: FFmpeg's name of the encoder.
        stream: The video stream.
        notes: What the user should know of how it is encoded.
        packets: How many were made that hold a picture.
        first: Times of the first packet: shown, decoded; None before it.
        end: When the last frame ends, in units of its time base; 0 as long as that is not known.

    Raises:
        EncoderError: the encoder does not fit or open.
    """

    def __init__(self, output: Any, suffix: str, info: MediaInfo, options: EncodeOptions, threads: int = 0) -> None:
        self._info, self._suffix = info, suffix
        self.name = choose_encoder(suffix, options.encoder, info.bit_depth)
        self.notes: list[str] = []
        self.packets = self.end = 0
        self.first: tuple[int, int] | None = None
        self._animated = suffix in (".gif", ".webp")
        self._durations: dict[int, int] = {}
        self._palette: GifPalette | None = None
        self.stream = self._added_to(output, options, threads)

    def encode(self, frame: SealedFrame) -> list[Any]:
        """The packets that are ready once a frame has come.

        Raises:
            EncodingError: the encoder failed.
        """
        picture = for_encoder(frame, self._frame_format, self._info.colors, self._size)
        shown = frame.pts - self._info.begins
        picture.pts, picture.time_base = shown, frame.time_base
        if frame.duration:
            picture.duration = frame.duration
            self._durations[shown] = frame.duration
            self.end = shown + frame.duration
        ready = self._palette.apply(picture) if self._palette else [picture]
        return [packet for one in ready for packet in self._encoded(one)]

    def finish(self) -> list[Any]:
        """The rest of the packets, once no frame comes any more."""
        last = list(self._palette.apply(None)) if self._palette else []
        packets = [packet for one in last for packet in self._encoded(one)]
        if self._palette and self._palette.dropped:
            self.notes.append(f"{counted(self._palette.dropped, 'frame')} left out: GIF holds at most 100 a second")
        return packets + self._encoded(None)

    def close(self) -> None:
        """Free the encoder, after the last packet: its frames are the largest part of what a process holds."""
        del self.stream

    def _encoded(self, picture: av.VideoFrame | None) -> list[Any]:
        if picture is not None and picture.format.name != self.stream.codec_context.pix_fmt:
            picture = picture.reformat(format=self.stream.codec_context.pix_fmt)
        try:
            packets = list(self.stream.encode(picture))
        except (av.error.InvalidDataError, av.error.ExternalError, ValueError) as fault:
            raise EncodingError(
                f"the encoder {self.name} failed: {getattr(fault, 'strerror', None) or fault}",
                "Try another with --encoder; `understudy doctor` lists those that open.",
            ) from fault
        self.packets += sum(packet.size > 0 for packet in packets)
        for packet in packets:
            if self.name == "gif" and self._info.has_alpha:
                packet.update(restored(bytes(packet)))
            if self.first is None and packet.dts is not None:
                self.first = (packet.pts, packet.dts)
            # Encoders guess a packet's duration from the next one's time; the last has no next one.
            duration = self._durations.pop(packet.pts, None)
            if duration and packet.time_base == self._info.time_base:
                packet.duration = duration
        return packets

    def _added_to(self, output: Any, options: EncodeOptions, threads: int) -> Any:
        info = self._info
        settings = encoder_settings(self.name, options, info.width * info.height)
        if self.name == "gif" and info.has_alpha:
            settings |= WHOLE_PICTURES
        stream: Any = output.add_stream(self.name, rate=info.rate or 25, options=settings)
        context = stream.codec_context
        if threads:
            context.thread_count = threads
        context.pix_fmt = self._pixel_format(stream)
        self._frame_format = context.pix_fmt if "v12" not in context.pix_fmt else "yuv420p"
        if context.pix_fmt == "p010le":
            self._frame_format = "yuv420p10le"
        if self.name == "gif":
            self._frame_format, context.pix_fmt = "bgra" if info.has_alpha else "bgr24", "pal8"
        self._size = self._even_size(context.pix_fmt)
        context.width, context.height = self._size
        context.time_base = info.time_base
        if self.name == "gif":
            context.time_base = Fraction(1, 100)
            self._palette = GifPalette(*self._size, self._frame_format, info.time_base)
        stream.time_base = context.time_base
        context.sample_aspect_ratio = info.pixel_aspect
        if context.codec.canonical_name == "hevc" and output.format.name in ("mp4", "mov"):
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
        if self.name == "libwebp_anim":
            return "bgra"
        wanted = _PREFERRED[10 if self._info.bit_depth > 8 else 8] + _PREFERRED[8]
        return next((form for form in wanted if form in offered), offered[0] if offered else "yuv420p")

    def _even_size(self, pixel_format: str) -> tuple[int, int]:
        width, height = self._info.width, self._info.height
        if pixel_format in ("pal8", "bgra") or self.name == "libvpx-vp9":
            return width, height
        even = (width + width % 2, height + height % 2)
        if even != (width, height):
            self.notes.append(f"{width}x{height} is odd, which {self.name} can't encode: one edge is repeated once")
        return even

    def _say_what_changes(self) -> None:
        info = self._info
        bits = 8 if self._animated else bits_of(av.VideoFormat(self._frame_format))
        if not self._animated:
            self._say_depth(bits)
        elif info.bit_depth > bits and info.kind is MediaKind.VIDEO:
            self.notes.append(f"{info.bit_depth}-bit video is written with {bits} bits")
        if info.kind is MediaKind.VIDEO and _less_colour(info.pixel_format, self._frame_format):
            self.notes.append(f"{info.pixel_format} is written as {self._frame_format}: half the colour resolution")
        if info.pixel_aspect != 1 and self._animated:
            # A GIF does say it, and next to no program heeds that.
            square = "shown square in WebP" if self.name == "libwebp_anim" else "shown square by most that show a GIF"
            self.notes.append(f"pixels that are {float(info.pixel_aspect):.3g} times as wide as high are {square}")
        if info.has_alpha and not self._animated:
            self.notes.append(f"transparency is left out: {self._suffix} is written opaque")

    def _say_depth(self, bits: int) -> None:
        """Say what becomes of the bits of a sample, and of HDR.

        Args:
            bits: With how many a sample is written.
        """
        info = self._info
        moving = info.kind is MediaKind.VIDEO
        # Only what was decoded as YUV, and is written as such, keeps the samples that were not changed.
        by_8_bits = moving and (info.composed or not is_yuv(av.VideoFormat(info.pixel_format)))
        if curve := HDR_CURVES.get(info.colors.get("transfer", 2)):
            kept = "curve and depth are kept" if bits >= info.bit_depth and not by_8_bits else "the curve is kept"
            computed = "every picture" if by_8_bits else "the swapped face"
            self.notes.append(
                f"HDR ({curve}): {kept}, mastering data is not; {computed} is computed with 8 bits in that curve"
            )
        if info.bit_depth > bits and moving:
            computed = ", and computed with 8" if by_8_bits and bits > 8 else ""
            self.notes.append(f"{info.bit_depth}-bit video is written with {bits} bits{computed}")
        elif info.bit_depth > 8 and by_8_bits:
            self.notes.append(f"{info.bit_depth}-bit video is computed with 8 bits, and written with {bits}")


def _less_colour(before: str, after: str) -> bool:
    """Whether colour has fewer samples in one pixel format than in another.

    Args:
        before: FFmpeg's name of the other.
        after: FFmpeg's name of the one.
    """
    old, new = av.VideoFormat(before, 64, 64), av.VideoFormat(after, 64, 64)
    if len(old.components) < 3:
        return False  # grey, and perhaps opacity
    return new.chroma_width() < old.chroma_width() or new.chroma_height() < old.chroma_height()
