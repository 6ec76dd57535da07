"""Reads video files, frame by frame."""

from __future__ import annotations

import heapq
import re
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error

from understudy.errors import NotMediaError
from understudy.frames import Frame
from understudy.media.base import Damage, MediaInfo, MediaKind
from understudy.media.bounds import Moving, check_size, frames_waiting
from understudy.media.pixels import (
    MATRIX_601,
    MATRIX_709,
    MATRIX_UNKNOWN,
    RANGE_LIMITED,
    Decoded,
    alpha_of,
    bgr,
    bits_of,
    has_alpha,
    is_yuv,
    settle_colors,
)
from understudy.media.reading import open_container, said

#: How far apart decoding and showing order may be, in frames.
REORDER = 4
#: A file whose last frame comes so many seconds before the end that it names is damaged.
SHORT_BY_SECONDS = 0.5


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
        self._damage: Damage | None = None
        try:
            self._stream = self._video_stream()
            self._stream.thread_type = "AUTO"
            width, height = self._stream.codec_context.width, self._stream.codec_context.height
            if not frames_waiting(width, height):
                self._stream.codec_context.thread_count = 1  # each thread would hold a frame of its own
            # Before anything is decoded: some decoders reset what the container says.
            self._tags = self._said_colors()
            self._shift = start_shift(self._container)
            self._packets = 0
            self._frames = self._decoded()
            if "avi" in self._container.format.name:
                self._frames = _in_order(self._frames)
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
        return self._damage

    def __enter__(self) -> VideoSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames; once.

        Times rise strictly: a frame that steps back in time is moved just behind its predecessor (broken
        muxers make such files, and encoders refuse them).
        """
        time_base, last = self.info.time_base, None
        step = max(1, round(1 / (self.info.rate or 25) / time_base))
        shown = 0
        picture = self._first
        shift = int(self._shift / time_base)
        while picture is not None:
            pts = picture.pts - shift if picture.pts is not None else (0 if last is None else last + step)
            if last is not None and pts <= last:
                pts = last + 1
            last, shown = pts, int(picture.duration or step)
            yield self._frame(picture, pts)
            picture = next(self._frames, None)
        start = 0 if last is None else last
        self._check_length(float(start * time_base), float((start + shown) * time_base))

    def _frame(self, picture: av.VideoFrame, pts: int) -> Frame:
        if (picture.width, picture.height) != self._coded_size:
            picture = picture.reformat(width=self._coded_size[0], height=self._coded_size[1])
        settle_colors(picture)
        return Frame(
            bgr(picture, self._rotation),
            pts=pts,
            time_base=self.info.time_base,
            duration=int(picture.duration or 0),
            alpha=alpha_of(picture, self._rotation) if self.info.has_alpha else None,
            origin=Decoded(picture, self._rotation),
        )

    def _video_stream(self) -> Any:
        stream = main_video_stream(self._container)
        if stream is None:
            raise NotMediaError(
                f"{self._path.name} holds no video that can be decoded", "Name a file with pictures in it."
            )
        width, height = stream.codec_context.width or 0, stream.codec_context.height or 0
        check_size(self._path, width, height, self._max_pixels, Moving.VIDEO)
        return stream

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """Every frame that decodes; what does not is noted and passed over."""
        last = 0.0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as fault:
                self._note_damage(last, said(fault))
                packet = None
            # An empty packet with a time repeats the picture before it; one without flushes the decoder.
            self._packets += packet is not None and (packet.size > 0 or packet.dts is not None)
            try:
                # After the last packet, or where reading broke off, the decoder still holds some pictures.
                pictures = self._stream.codec_context.decode(packet)
            except av.error.EOFError:
                return  # it was flushed by the demuxer's own last packet
            except av.error.FFmpegError as fault:
                self._note_damage(last, said(fault))
                if packet is None:
                    return
                continue
            for picture in pictures:
                if picture.is_corrupt:
                    self._note_damage(last, "damaged pictures")
                last = float(picture.time or last)
                yield picture
            if packet is None:
                return

    def _note_damage(self, at_seconds: float, reason: str) -> None:
        if self._damage is None:
            self._damage = Damage(at_seconds, reason)

    def _check_length(self, last: float, shown_until: float) -> None:
        """Damage, too, is a file that ends before it should.

        Args:
            last: When the last frame starts, in seconds.
            shown_until: When it ends.
        """
        stream = self._stream
        # AVI counts repeated pictures, which it does not store, as frames.
        if stream.frames and self._packets < stream.frames and "avi" not in self._container.format.name:
            self._note_damage(last, f"{self._packets} of {stream.frames} frames are there")
        end = _promised_end(self._container, stream)
        if end is not None and end - shown_until > max(SHORT_BY_SECONDS, 3 / float(self.info.rate or 25)):
            self._note_damage(last, f"the file names a length of {end:.2f} s")

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
        self._rotation = round(first.rotation / 90) % 4
        self._coded_size = (first.width, first.height)
        check_size(self._path, first.width, first.height, self._max_pixels, Moving.VIDEO)
        settle_colors(first)
        colors = {
            "matrix": int(first.colorspace),
            "range": int(first.color_range),
            **self._tags,
        }
        if not is_yuv(first.format):
            # RGB and gray become YUV here: in the matrix that players expect of the size, and said so.
            matrix = MATRIX_709 if first.height >= 720 else MATRIX_601
            colors |= {"matrix": matrix, "tagged_matrix": matrix, "range": RANGE_LIMITED}
        turned = self._rotation % 2 == 1
        width, height = self._coded_size[::-1] if turned else self._coded_size
        aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
        notes = []
        if first.rotation % 90:
            notes.append(f"rotated by {first.rotation} degrees: left as it is")
        if first.interlaced_frame:
            notes.append("interlaced video is processed and written as whole frames")
        if stream.metadata.get("alpha_mode") == "1":
            notes.append("the transparency of VP8 and VP9 video is not read")
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
            pixel_aspect=1 / aspect if turned else aspect,
            has_alpha=has_alpha(first.format),
            notes=tuple(notes),
        )


def _in_order(pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Frames of AVI, whose times are those of decoding: the same times, in rising order."""
    waiting: deque[av.VideoFrame] = deque()
    times: list[int] = []

    def released() -> av.VideoFrame:
        picture = waiting.popleft()
        if times:
            picture.pts = heapq.heappop(times)
        return picture

    for picture in pictures:
        waiting.append(picture)
        if picture.pts is not None:
            heapq.heappush(times, picture.pts)
        if len(waiting) > REORDER:
            yield released()
    while waiting:
        yield released()


def _promised_end(container: Any, stream: Any) -> float | None:
    """When the file says that its video ends, in seconds, as far as it says so of the video itself."""
    if stream.duration is not None:
        start = stream.start_time or 0
        return float((start + stream.duration) * stream.time_base - start_shift(container))
    # Matroska keeps each stream's duration as a tag: 00:00:10.500000000.
    match = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if match:
        hours, minutes, seconds = (float(part) for part in match.groups())
        return hours * 3600 + minutes * 60 + seconds
    alone = len(container.streams) == 1
    return container.duration / av.time_base if alone and container.duration else None
