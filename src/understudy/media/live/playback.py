"""A video file at its own pace, as if it were a camera; and its sound in step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av.error

from understudy.errors import CorruptMediaError, NotMediaError
from understudy.frames import Frame
from understudy.media.base import MAX_PIXELS, MediaKind
from understudy.media.files.opening import check_input, open_source
from understudy.media.files.video_source import packets_beside, start_shift
from understudy.media.live.base import PATIENCE, CaptureOptions, LiveInfo, Picture, Remark, Sound, SourceEnded
from understudy.media.live.sound import resampler, samples_of
from understudy.media.reading import open_container

#: Seconds that a picture may be late.
_LATE: Final = 0.5
#: Sound is delivered so many seconds before it is due: coding it takes a while.
_LEAD: Final = 0.1


class FileSource:
    """A video file, played at its own pace as if it were a camera."""

    def __init__(self, path: Path, options: CaptureOptions) -> None:
        self._path, self._options = path, options
        self._run: _Run | None = None
        self._ahead: ThreadPoolExecutor | None = None
        self._coming: Future[_Run] | None = None
        self._begun = self._last = 0.0
        self._period = 1 / 30

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        check_input(self._path)
        self._run = _Run(self._path)
        info, rate = self._run.info, self._run.rate
        self._period = float(1 / rate)
        self._begun = time.monotonic()
        if self._options.loop:
            self._ahead = ThreadPoolExecutor(1, "playback")
            self._coming = self._ahead.submit(_Run, self._path)
        fps = rate.limit_denominator(1001)
        return LiveInfo(self._path.name, info.width, info.height, fps, sound=self._run.sounds.there)

    def read(self) -> Picture | Sound | Remark | None:
        """See ``LiveSource``."""
        run = self._run
        assert run is not None
        frame = run.next
        due = None if frame is None else self._begun + frame.seconds - run.first
        if due is not None and (late := time.monotonic() - due) > _LATE:
            # Decoding can't keep up, or everything stood still: from here on pictures and sound are later, and in step.
            self._begun, due = self._begun + late, due + late
        if (sound := run.sounds.due(time.monotonic() + _LEAD - self._begun)) is not None:
            return Sound(sound[0], self._begun + sound[1])
        if frame is None or due is None:
            if (remark := run.remark()) is not None:
                return remark
            self._end(run)
            return None
        wait = due - time.monotonic()
        if wait > 0:
            time.sleep(min(wait, PATIENCE))
            if wait > PATIENCE:
                return None
        run.advance()
        self._last = due
        return Picture(frame.picture, due)

    def _end(self, run: _Run) -> None:
        if self._ahead is None or self._coming is None:
            raise SourceEnded
        # Opened long before: at the end of a pass there is no time for it.
        self._run, self._coming = self._coming.result(), self._ahead.submit(_Run, self._path)
        self._begun = self._last + self._period
        run.close()

    def abandon(self) -> None:
        """See ``LiveSource``: it waits for a moment only."""

    def close(self) -> None:
        """See ``LiveSource``."""
        if self._ahead is not None:
            self._ahead.shutdown()
        if self._coming is not None and self._coming.exception() is None:
            self._coming.result().close()
        if self._run is not None:
            self._run.close()
        self._run = self._ahead = self._coming = None


class _Run:
    """Once through the file."""

    def __init__(self, path: Path) -> None:
        self._path, self._source = path, open_source(path, MAX_PIXELS)
        self._remarked = False
        self.info = self._source.info
        try:
            if self.info.rate is None:
                raise NotMediaError(f"{path.name} is not a video", "Name a video, a camera or an address.")
            self.rate = Fraction(self.info.rate)
            self._frames = iter(self._source)
            self._next: Frame | None = next(self._frames)
            self.first = self._next.seconds
            self.sounds = _FileSound(path if self.info.kind is MediaKind.VIDEO else None, self.first)
        except BaseException:
            self._source.__exit__(None, None, None)
            raise

    @property
    def next(self) -> Frame | None:
        """The next frame; None at the end. Decoded when it is first asked for, before it is due."""
        if self._next is None:
            self._next = next(self._frames, None)
        return self._next

    def advance(self) -> None:
        """Go on to the one after it."""
        self._next = None

    def remark(self) -> Remark | None:
        """That not all of it could be read, if so; once."""
        damage = None if self._remarked else self._source.damage
        if damage is None:
            return None
        self._remarked = True
        return Remark(str(CorruptMediaError(self._path, damage.at_seconds, damage.reason)))

    def close(self) -> None:
        """Close the file."""
        self.sounds.close()
        self._source.__exit__(None, None, None)


class _FileSound:
    """The first sound track of a file, if one is given, piece by piece; ``first`` is the time of its first picture."""

    def __init__(self, path: Path | None, first: float) -> None:
        self._container = None if path is None else open_container(path)
        sounds = [] if self._container is None else self._container.streams.audio
        self.there = any(stream.codec_context is not None for stream in sounds)
        self._pieces = self._decoded(self._container, first) if self.there else iter(())
        self._waiting = next(self._pieces, None)

    @staticmethod
    def _decoded(container: Any, first: float) -> Iterator[tuple[Any, float]]:
        to_stereo, begin = resampler(), first + float(start_shift(container))
        try:
            for packet in packets_beside(container, [container.streams.audio[0]]):
                for frame in packet.decode():
                    for piece in to_stereo.resample(frame):
                        if piece.pts is not None:
                            yield samples_of(piece), float(piece.pts * piece.time_base) - begin
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
        self._waiting = None
