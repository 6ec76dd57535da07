"""Any frame of a file, by its time: what a player would show then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

from understudy.errors import NotMediaError
from understudy.frames import Frame
from understudy.media.base import MAX_PIXELS, MediaInfo
from understudy.media.files.opening import open_source
from understudy.media.files.video_source import VideoSource

#: Seconds up to which going on from where the last frame was found is quicker than looking for a key frame.
_NEAR: Final = 1.0
#: Of a frame's time that is asked for: half of the shortest that frames are apart.
_EXACT: Final = 0.001


class FrameFinder:
    """Finds frames of one file. A context manager; for one thread at a time.

    Args:
        path: A picture, animation or video.
        max_pixels: Files with larger frames are refused.

    Attributes:
        info: What the file is.

    Raises:
        InputError: it can't be read.
    """

    def __init__(self, path: Path, max_pixels: int = MAX_PIXELS) -> None:
        self._path, self._max_pixels = path, max_pixels
        self._open = ExitStack()
        self._frames: Iterator[Frame] = iter(())
        self._before: Frame | None = None
        self._next: Frame | None = None
        self.info: MediaInfo = self._opened(None)

    def at(self, seconds: float) -> Frame:
        """The frame that is shown at a time: the last one that has begun by then, or the first of all.

        Args:
            seconds: Within the file; beyond its end it is the last frame.

        Raises:
            InputError: the file can't be read there.
        """
        wanted = seconds + _EXACT
        if self._before is None or not self._before.seconds <= wanted <= self._before.seconds + _NEAR:
            self._opened(wanted)
        while self._next is not None and self._next.seconds <= wanted:
            self._before, self._next = self._next, next(self._frames, None)
        found = self._before or self._next
        if found is None:
            raise NotMediaError(f"{self._path.name} shows nothing at {seconds:.2f} s", "Export it again.")
        return Frame(
            found.picture.copy(), pts=found.pts, time_base=found.time_base, duration=found.duration, alpha=found.alpha
        )

    def _opened(self, seconds: float | None) -> MediaInfo:
        """Open the file, and take the frames from near before a time; from the beginning if None."""
        self._open.close()
        source = self._open.enter_context(open_source(self._path, self._max_pixels))
        if seconds is not None and isinstance(source, VideoSource) and not source.begin_before(seconds):
            return self._opened(None)
        self._frames = iter(source)
        self._before, self._next = None, next(self._frames, None)
        return source.info

    def __enter__(self) -> FrameFinder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
