"""Reads video files, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import av
import av.error

from understudy.arrays import UInt8Array
from understudy.errors import NotMediaError
from understudy.frames import Frame
from understudy.geometry.orientation import Orientation, display_matrix, off_by, orientation_in
from understudy.geometry.transforms import letterboxed
from understudy.media.base import Damage, MediaInfo, MediaKind
from understudy.media.bounds import Moving, check_size, frames_waiting
from understudy.media.files.decoding import Decoding, carries
from understudy.media.files.splicing import FORMATS, joined
from understudy.media.pixels import (
    MATRIX_601,
    MATRIX_709,
    MATRIX_UNKNOWN,
    RANGE_LIMITED,
    Decoded,
    alpha_of,
    bgr,
    bits_of,
    has_holes,
    is_yuv,
    settle_colors,
)
from understudy.media.reading import open_container

#: Pixels of frames that one thread decodes several times as fast as they are swapped (a 720p frame takes 2 ms): more
#: threads would only keep more frames, 10 MB of them.
_ONE_THREAD: Final = 1_000_000


def start_shift(container: Any) -> Fraction:
    """Seconds to take off every time of a file.

    Broadcast streams start at whatever their clock shows, a day in at times; elsewhere a start is meant.
    """
    broadcast = container.format.name in ("mpegts", "mpeg") and container.start_time
    return Fraction(container.start_time, av.time_base) if broadcast else Fraction(0)


def main_video_stream(container: Any) -> Any | None:
    """The video that a player shows: the one marked so, else the largest; never a cover picture.

    None if there is no video, or none whose codec is known.
    """
    cover = av.stream.Disposition.attached_pic
    moving = [s for s in container.streams.video if s.codec_context is not None and not s.disposition & cover]

    def rank(stream: Any) -> tuple[bool, int]:
        marked = bool(stream.disposition & av.stream.Disposition.default)
        return marked, (stream.codec_context.width or 0) * (stream.codec_context.height or 0)

    return max(moving, key=rank, default=None)


def packets_beside(container: Any, streams: list[Any]) -> Iterator[Any]:
    """The packets of streams that go along with a file's pictures, in step with those (see ``splicing``)."""
    main = main_video_stream(container)
    if main is None or container.format.name not in FORMATS:
        return iter(container.demux(streams))
    return joined(container.demux([main, *streams]), main.index)


class VideoSource:
    """Frames of a video file, upright, with the file's own timestamps.

    Args:
        path: The file.
        max_pixels: Frames with more are refused.

    Raises:
        NotMediaError: no video in it, or no frame that decodes.
        InputTooLargeError: frames too large.
    """

    def __init__(self, path: Path, max_pixels: int) -> None:
        self._path, self._max_pixels = path, max_pixels
        self._container = open_container(path)
        try:
            self._stream = self._video_stream()
            self._stream.thread_type = "AUTO"
            width, height = self._stream.codec_context.width, self._stream.codec_context.height
            if width * height <= _ONE_THREAD or not frames_waiting(width, height):
                self._stream.codec_context.thread_count = 1  # each thread would hold frames of its own
            # Before anything is decoded: some decoders reset what the container says.
            self._tags = self._said_colors()
            self._shift = start_shift(self._container)
            self._remarks: list[str] = []
            self._decoding = Decoding(self._container, self._stream)
            self._frames = iter(self._decoding)
            self._first = next(self._frames, None)
            if self._first is None:
                raise NotMediaError(
                    f"{path.name} holds no frame that can be decoded", "Export it again, for instance as mp4."
                )
            self.info = self._describe(self._first)
        except BaseException:
            self._container.close()
            raise

    @property
    def damage(self) -> Damage | None:
        """See ``Source.damage``."""
        return self._decoding.damage

    def forgive(self) -> None:
        """Leave out of account that pictures were unreadable before the first whole one.

        Where reading begins in the middle, some build on what comes before.
        """
        if self._decoding.damage is not None and not self._decoding.damage.at_seconds:
            self._decoding.damage = None

    @property
    def remarks(self) -> list[str]:
        """See ``Source.remarks``."""
        return self._remarks

    def __enter__(self) -> VideoSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def begin_at(self, key: int) -> None:
        """Go on, in a file with exact times (see ``keyframes``), with the picture that is shown at a time.

        What it is, and how it is described, does not depend on what was read before. To be asked before any frame is.

        Args:
            key: When a picture with which decoding can begin is shown, in units of ``info.time_base``.

        Raises:
            NotMediaError: there is none at that time.
        """
        # Some files are indexed by when pictures are decoded: that is a little earlier.
        for seconds in (0, 1, 10, None):
            begin = self._stream.start_time or 0 if seconds is None else key - int(seconds / self.info.time_base)
            self._container.seek(begin, stream=self._stream)
            self._decoding = Decoding(self._container, self._stream, counted=False)
            self._frames = iter(self._decoding)
            found = next((one for one in self._frames if one.pts is None or one.pts >= key), None)
            if found is not None and found.pts == key:
                self._first = found
                return
        seconds_in = float(key * self.info.time_base)
        raise NotMediaError(f"{self._path.name} shows no picture at {seconds_in:.3f} s", "Copy it anew.")

    def __iter__(self) -> Generator[Frame, None, None]:
        """The frames; once.

        Times rise strictly: a frame that steps back in time is moved just behind its predecessor (broken
        muxers make such files, and encoders refuse them).
        """
        return self.frames(lambda _: True)

    def frames(self, wanted: Callable[[int], bool]) -> Generator[Frame, None, None]:
        """Those frames that are wanted, once: the others are decoded only, which takes a fraction of the time.

        Args:
            wanted: Asked of each frame's ``pts``, in order.
        """
        time_base, last = self.info.time_base, None
        step = max(1, round(1 / (self.info.rate or 25) / time_base))
        shown = 0
        picture, self._first = self._first, None  # not kept: it would be for as long as the clip is read
        shift = int(self._shift / time_base)
        while picture is not None:
            pts = picture.pts - shift if picture.pts is not None else (0 if last is None else last + step)
            if last is not None and pts <= last:
                pts = last + 1
            last, shown = pts, int(picture.duration or step)
            if wanted(pts):
                yield self._frame(picture, pts)
            picture = next(self._frames, None)
        start = 0 if last is None else last
        rate = float(self.info.rate or 25)
        self._decoding.check_length(float(start * time_base), float((start + shown) * time_base), self._shift, rate)

    def begin_before(self, seconds: float) -> bool:
        """Go on with a frame that is not later than a time, and not much earlier; to be asked before any is taken.

        Args:
            seconds: The time.

        Returns:
            Whether it does; if not, it is to be read from the beginning, and this source is of no more use.
        """
        if self._container.format.name in FORMATS:
            return False  # their clocks may start anew on the way: all packets before must have been seen
        try:
            self._container.seek(int((seconds + float(self._shift)) * av.time_base))
        except av.error.FFmpegError:
            return False
        self._stream.codec_context.flush_buffers()
        self._decoding = Decoding(self._container, self._stream, counted=False)
        self._frames = iter(self._decoding)
        self._first = next(self._frames, None)
        first = self._first
        if first is None or first.pts is None:
            return False
        return float((first.pts - int(self._shift / self.info.time_base)) * self.info.time_base) <= seconds

    def _frame(self, picture: av.VideoFrame, pts: int) -> Frame:
        settle_colors(picture)
        orientation = orientation_in(picture)
        origin = None
        if self._stored_as(picture, orientation) == self._stored:
            pixels, opacity = bgr(picture, orientation), self._opacity(picture, orientation)
            origin = Decoded(picture, orientation)
        else:
            pixels, opacity = self._refitted(picture, orientation, float(pts * self.info.time_base))
        return Frame(
            pixels,
            pts=pts,
            time_base=self.info.time_base,
            duration=int(picture.duration or 0),
            alpha=opacity,
            origin=origin,
        )

    def _opacity(self, picture: av.VideoFrame, orientation: Orientation) -> UInt8Array | None:
        return alpha_of(picture, orientation) if self.info.has_alpha else None

    def _stored_as(self, picture: av.VideoFrame, orientation: Orientation) -> tuple[object, ...]:
        """All that the sink takes for granted of a frame."""
        return (
            picture.width,
            picture.height,
            orientation,
            int(picture.colorspace) if is_yuv(picture.format) else None,
            int(picture.color_range) if is_yuv(picture.format) else None,
        )

    def _refitted(
        self, picture: av.VideoFrame, orientation: Orientation, seconds: float
    ) -> tuple[UInt8Array, UInt8Array | None]:
        """A picture that is stored unlike the first, and its opacity.

        In its own shape, as large as goes into the first; what is left over is black.
        """
        check_size(self._path, picture.width, picture.height, self._max_pixels, Moving.VIDEO)
        pixels, opacity = bgr(picture, orientation, exact=True), self._opacity(picture, orientation)
        (height, width), size = pixels.shape[:2], (self.info.width, self.info.height)
        aspect = self._pixel_aspect(picture, orientation) / self.info.pixel_aspect
        scale = min(size[0] / (width * aspect), Fraction(size[1], height))
        inner = max(1, round(width * aspect * scale)), max(1, round(height * scale))
        if not self._remarks and (inner != size or (width, height) != size):
            self._remarks.append(
                f"from {seconds:.2f} s on pictures are {width}x{height} instead of {size[0]}x{size[1]}: "
                "fitted in with their own shape"
            )
        return letterboxed(pixels, inner, size), None if opacity is None else letterboxed(opacity, inner, size)

    def _pixel_aspect(self, picture: av.VideoFrame, orientation: Orientation) -> Fraction:
        """How wide an upright pixel is for its height.

        What the container says holds for the whole clip. What the codec says may change with the size; decoders run
        ahead, so what they say when a size is first seen counts for it.
        """
        aspect = self._aspects.setdefault((picture.width, picture.height), self._codec_aspect())
        return 1 / aspect if orientation.lying else aspect

    def _codec_aspect(self) -> Fraction:
        stream = self._stream
        said = stream.codec_context.sample_aspect_ratio if self._by_codec else stream.sample_aspect_ratio
        return Fraction(said or 1) or Fraction(1)

    def _video_stream(self) -> Any:
        stream = main_video_stream(self._container)
        if stream is None:
            raise NotMediaError(
                f"{self._path.name} holds no video that can be decoded", "Name a file with pictures in it."
            )
        width, height = stream.codec_context.width or 0, stream.codec_context.height or 0
        check_size(self._path, width, height, self._max_pixels, Moving.VIDEO)
        return stream

    def _said_colors(self) -> dict[str, int]:
        context = self._stream.codec_context
        matrix = context.colorspace
        return {
            "primaries": int(context.color_primaries or 2),
            "transfer": int(context.color_trc or 2),
            "tagged_matrix": int(MATRIX_UNKNOWN if matrix is None else matrix),
        }

    def _describe(self, first: av.VideoFrame) -> MediaInfo:
        stream, context = self._stream, self._stream.codec_context
        check_size(self._path, first.width, first.height, self._max_pixels, Moving.VIDEO)
        settle_colors(first)
        orientation = orientation_in(first)
        self._by_codec = stream.sample_aspect_ratio == context.sample_aspect_ratio
        self._aspects: dict[tuple[int, int], Fraction] = {}
        self._stored = self._stored_as(first, orientation)
        colors = {
            "matrix": int(first.colorspace),
            "range": int(first.color_range),
            **self._tags,
        }
        if not is_yuv(first.format):
            # RGB and gray become YUV here: in the matrix that players expect of the size, and said so.
            matrix = MATRIX_709 if first.height >= 720 else MATRIX_601
            colors |= {"matrix": matrix, "tagged_matrix": matrix, "range": RANGE_LIMITED}
        size = (first.width, first.height)
        width, height = size[::-1] if orientation.lying else size
        notes = []
        turn = display_matrix(first)
        if turn is not None and abs(off_by(turn)) > 1:
            notes.append("turned by an odd angle: left as it is")
        if first.interlaced_frame:
            notes.append("interlaced video is processed and written as whole frames")
        if stream.metadata.get("alpha_mode") == "1":
            notes.append("the transparency of VP8 and VP9 video is not read")
        if carries(first, "A53_CC"):
            notes.append("left out: the closed captions, which are inside its pictures")
        if stream.duration is not None:
            duration: float | None = float(stream.duration * stream.time_base)
        else:
            duration = self._container.duration / av.time_base if self._container.duration else None
        return MediaInfo(
            path=self._path,
            kind=MediaKind.VIDEO,
            width=width,
            height=height,
            time_base=Fraction(stream.time_base or Fraction(1, 1000)),
            rate=stream.guessed_rate or stream.average_rate,
            frames=stream.frames or None,
            duration=duration,
            codec=context.name,
            pixel_format=first.format.name,
            bit_depth=bits_of(first.format),
            colors=colors,
            pixel_aspect=self._pixel_aspect(first, orientation),
            has_alpha=has_holes(first),
            stereoscopic=carries(first, "STEREO3D"),
            notes=tuple(notes),
        )
