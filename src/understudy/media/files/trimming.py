"""A part of a clip as a source: what comes before it is hardly read, and what comes behind it not at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from types import TracebackType

from understudy.errors import UsageError
from understudy.frames import Frame
from understudy.media.base import Damage, Excerpt, MediaInfo, MediaKind, Source
from understudy.media.files.opening import open_source
from understudy.media.files.still_source import StillSource
from understudy.media.files.video_source import VideoSource
from understudy.times import NEAR, clock


def open_part(path: Path, max_pixels: int, since: float | None, until: float | None) -> Source:
    """Open a picture, animation or video, or a part of one: the frames that begin in it.

    Args:
        path: The file.
        max_pixels: Files with larger frames are refused.
        since: When the part begins, in seconds; None where nothing is said of it: with the file.
        until: When it ends; None for with the file.

    Raises:
        InputError: the file is missing, unreadable, no media, damaged or too large.
        UsageError: no frame begins in that part, or it is a picture.
    """
    if since or until is not None:
        return Trimmed(path, max_pixels, since or 0.0, until)
    source = open_source(path, max_pixels)
    if since is not None and source.info.kind is MediaKind.IMAGE:
        with source:
            raise _no_length(path)
    return source


class Trimmed:
    """A part of a file. Arguments and errors are those of ``open_part``; its beginning is said.

    Attributes:
        info: What the part is. Its frames keep the times that they have in the file.
    """

    def __init__(self, path: Path, max_pixels: int, since: float, until: float | None) -> None:
        self._path, self._max_pixels, self._since, self._until = path, max_pixels, since, until
        self._open = ExitStack()
        try:
            self._source = self._begun()
            self._frames = self._kept()
            first = next(self._frames, None)
            if first is None:
                raise empty(self._source.info, since, until)
            if isinstance(self._source, VideoSource):
                self._source.forgive()
            self._first: list[Frame] = [first]
            self.info = self._described(first)
        except BaseException:
            self._open.close()
            raise

    @property
    def damage(self) -> Damage | None:
        """See ``Source.damage``; of the part."""
        found = self._source.damage
        behind = found is not None and self._until is not None and found.at_seconds >= self._until
        return None if behind else found

    @property
    def remarks(self) -> list[str]:
        """See ``Source.remarks``."""
        return self._source.remarks

    def __enter__(self) -> Trimmed:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def __iter__(self) -> Iterator[Frame]:
        """The part's frames; once."""
        while self._first:
            yield self._first.pop()
        yield from self._frames

    def _begun(self) -> Source:
        """The file, from near before the part where that can be."""
        source = self._open.enter_context(open_source(self._path, self._max_pixels))
        if source.info.kind is MediaKind.IMAGE:
            raise _no_length(self._path)
        length = source.info.duration
        if length is not None and self._since >= length + NEAR and not isinstance(source, VideoSource):
            raise empty(source.info, self._since, self._until)
        if self._since > 0 and isinstance(source, VideoSource) and not source.begin_before(self._since):
            self._open.close()
            source = self._open.enter_context(open_source(self._path, self._max_pixels))
        return source

    def _kept(self) -> Iterator[Frame]:
        source = self._source
        least, most = self._since - NEAR, math.inf if self._until is None else self._until - NEAR
        if isinstance(source, VideoSource):
            time_base = source.info.time_base
            frames: Iterator[Frame] = source.frames(lambda pts: float(pts * time_base) >= least)
        else:
            frames = (frame for frame in source if frame.seconds >= least)
        for frame in frames:
            if frame.seconds >= most:
                return
            yield frame

    def _described(self, first: Frame) -> MediaInfo:
        info = excerpt_of(self._source.info, first.pts if self._since else 0, self._until)
        if not isinstance(self._source, StillSource):
            return info
        delays = self._source.delays
        begins = [0, *accumulate(delays)][:-1]
        stop = math.inf if self._until is None else self._until - NEAR
        kept = [own for at, own in zip(begins, delays, strict=True) if at >= first.pts and at / 1000 < stop]
        return replace(info, frames=len(kept), duration=sum(kept) / 1000, last_delay=kept[-1] / 1000)


def excerpt_of(info: MediaInfo, first: int, until: float | None, frames: int | None = None) -> MediaInfo:
    """What a part of a file is, by what the file is.

    Args:
        info: Of the file.
        first: When the part's first frame is shown, in units of the file's time base.
        until: When the part ends, in seconds; None for with the file.
        frames: How many frames it has, if that is known.
    """
    begins = float(first * info.time_base)
    ends = [one for one in (until, info.duration) if one is not None]
    seconds = max(min(ends) - begins, 0.0) if ends else None
    if frames is None and seconds is not None and info.rate is not None:
        frames = max(1, math.ceil(seconds * info.rate - NEAR))
    said = clock(until) if until is not None and seconds == until - begins else "the end"
    note = f"a part of {info.path.name}: from {clock(begins)} to {said}"
    notes = (*info.notes, note)
    return replace(info, excerpt=Excerpt(first, until, info.duration), frames=frames, duration=seconds, notes=notes)


def _no_length(path: Path) -> UsageError:
    """The error about a part of a picture."""
    return UsageError(f"{path.name} is a picture: it has no length", "Leave --start and --end out.")


def empty(info: MediaInfo, since: float, until: float | None) -> UsageError:
    """The error about a part of a file in which no frame begins."""
    to = " on" if until is None else f" to {clock(until)}"
    length = "" if info.duration is None else f": it is {clock(info.duration)} long"
    return UsageError(
        f"{info.path.name} has no frame from {clock(since)}{to}{length}", "Choose another --start or --end."
    )
