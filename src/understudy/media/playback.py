"""A video file at its own pace, as if it were a camera; and its sound in step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av.error

from understudy.errors import NotMediaError
from understudy.media.base import MAX_PIXELS
from understudy.media.live import PATIENCE, CaptureOptions, LiveInfo, Picture, Sound, SourceEnded
from understudy.media.opening import check_input, open_source
from understudy.media.sound import resampler, samples_of
from understudy.media.video_source import open_container, start_shift

#: Sound is delivered so many seconds before it is due: coding it takes a while.
_LEAD: Final = 0.1


class FileSource:
    """A video file, played at its own pace as if it were a camera."""

    def __init__(self, path: Path, options: CaptureOptions) -> None:
        self._path, self._options = path, options
        self._source: Any = None
        self._frames: Iterator[Any] = iter(())
        self._next: Any = None
        self._sounds: _FileSound | None = None
        self._begun = 0.0
        self._period = 1 / 30

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        check_input(self._path)
        self._source = open_source(self._path, MAX_PIXELS)
        info = self._source.info
        if info.rate is None:
            self.close()
            raise NotMediaError(f"{self._path.name} is no video", "Name a video, a camera or an address.")
        self._period = float(1 / info.rate)
        self._sounds = _FileSound(self._path)
        self._begun = time.monotonic()
        self._rewind()
        fps = Fraction(info.rate).limit_denominator(1001)
        return LiveInfo(self._path.name, info.width, info.height, fps, sound=self._sounds.there)

    def _rewind(self) -> None:
        self._frames = iter(self._source)
        self._next = next(self._frames)
        self._first = self._next.seconds
        if self._sounds is not None:
            self._sounds.rewind(self._first)

    def read(self) -> Picture | Sound | None:
        """See ``LiveSource``."""
        now = time.monotonic()
        if self._sounds is not None and (sound := self._sounds.due(now + _LEAD - self._begun)) is not None:
            return Sound(sound[0], self._begun + sound[1])
        if self._next is None:
            self._end()
        due = self._begun + self._next.seconds - self._first
        if due > now:
            time.sleep(min(due - now, PATIENCE))
            if due > time.monotonic():
                return None
        picture, self._next = self._next.picture, next(self._frames, None)
        self._last = due
        return Picture(picture, due)

    def _end(self) -> None:
        if not self._options.loop:
            raise SourceEnded
        self._source.__exit__(None, None, None)
        self._source = open_source(self._path, MAX_PIXELS)
        self._begun = self._last + self._period
        self._rewind()

    def close(self) -> None:
        """See ``LiveSource``."""
        if self._sounds is not None:
            self._sounds.close()
            self._sounds = None
        if self._source is not None:
            self._source.__exit__(None, None, None)
            self._source = None


class _FileSound:
    """The first sound track of a file, piece by piece."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container: Any = None
        self._pieces: Iterator[tuple[Any, float]] = iter(())
        self._waiting: tuple[Any, float] | None = None
        with open_container(path) as container:
            self.there = any(stream.codec_context is not None for stream in container.streams.audio)

    def rewind(self, first: float) -> None:
        """Begin anew; ``first`` is the time of the file's first picture."""
        self.close()
        if not self.there:
            return
        self._container = open_container(self._path)
        self._pieces = self._decoded(first + float(start_shift(self._container)))
        self._waiting = next(self._pieces, None)

    def _decoded(self, first: float) -> Iterator[tuple[Any, float]]:
        to_stereo = resampler()
        try:
            for frame in self._container.decode(audio=0):
                for piece in to_stereo.resample(frame):
                    if piece.pts is not None:
                        yield samples_of(piece), float(piece.pts * piece.time_base) - first
        except av.error.FFmpegError:
            return  # damaged from here on: the pictures go on in silence

    def due(self, until: float) -> tuple[Any, float] | None:
        """The next piece, if it begins before ``until``."""
        if self._waiting is None or self._waiting[1] > until:
            return None
        piece, self._waiting = self._waiting, next(self._pieces, None)
        return piece

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
            self._container, self._waiting = None, None
