"""Looks for the invisible mark in a file: how much of a clip is searched, and what of each picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import InputError
from understudy.frames import Frame, PixelBox
from understudy.geometry.transforms import resized
from understudy.media.base import MediaKind, Source
from understudy.media.files import open_source
from understudy.media.files.video_source import VideoSource
from understudy.provenance.fingerprint import picture_hash
from understudy.provenance.watermark import Mark, MarkReader
from understudy.tasks.progress import Progress

#: Seconds of a clip that the mark is read from at a time, how many such parts of its beginning are looked at, and at
#: how many places further on one is.
PART: Final = 3.0
PARTS: Final = 5
LATER: Final = 6
#: Most frames that are read of the beginning, and of each later part.
_FRAMES, _LATER_FRAMES = 600, 200
#: By how many grey levels the pixels of an even border differ from its edge at most, which share of a line's may
#: differ by more, and the least side of what is within borders, in pixels.
_EVEN, _UNEVEN_SHARE, _LEAST_SIDE = 10, 0.005, 64


@dataclass(frozen=True)
class Search:
    """What came of it.

    Attributes:
        mark: The mark; None if none was found.
        looks: Hashes of the pictures in which it was found, one a second, in each way in which they may have been
            marked: with borders and without, turned back where they are mirror images, and of a part in which clips
            were cut together its first picture and its last. Where none was found, of the beginning.
        seconds: How much of a clip was searched; None if all of it was, or as much as was needed.
    """

    mark: Mark | None
    looks: tuple[list[int], ...]
    seconds: float | None = None


def search(path: Path, source: Source, progress: Progress | None = None) -> Search:
    """Look for the mark: in the beginning, part by part until it is found, then at places further on.

    Args:
        path: The file.
        source: The same, opened and not read yet.
        progress: Told about every frame that is looked at.

    Raises:
        InputError: it can't be read.
    """
    frames = iter(source)
    whole, part = _View(), _Part()
    begin, last, parts, count = None, 0.0, 0, 0
    for count, frame in enumerate(frames, 1):
        if progress is not None:
            progress(count, None)
        last = frame.seconds
        begin = last if begin is None else begin
        whole.add(frame.picture, last)
        part.add(frame)
        if last - begin >= PART:
            found = part.found() or (whole.found() if parts else None)
            if found is not None:
                return found
            parts, begin, part = parts + 1, last, _Part()
        if parts >= PARTS or count >= _FRAMES:
            break
    found = part.found() or (whole.found() if parts else None)
    if found is not None:
        return found
    if next(frames, None) is None:
        return Search(None, whole.looks())
    seconds = last
    for place in _places(source, last):
        part, end = _Part(), place
        for frame in _from(path, place):
            count += 1
            if progress is not None:
                progress(count, None)
            part.add(frame)
            end = frame.seconds
        seconds += end - place
        if (found := part.found()) is not None:
            return found
    all_of_it = source.info.duration is not None and seconds > source.info.duration - PART / 2
    return Search(None, whole.looks(), None if all_of_it else seconds)


def _places(source: Source, since: float) -> list[float]:
    """Where parts further on begin, in seconds: evenly apart, up to the end."""
    length = source.info.duration
    if source.info.kind is not MediaKind.VIDEO or length is None or length <= since:
        return []
    number = min(LATER, math.ceil((length - since) / PART))
    step = (length - since) / number
    return [since + step * index + (step - PART) / 2 * (step > PART) for index in range(number)]


def _from(path: Path, place: float) -> Iterator[Frame]:
    """The frames of the part that begins there; none where reading can't begin in the middle."""
    with suppress(InputError), open_source(path) as source:
        if not isinstance(source, VideoSource) or not source.begin_before(place):
            return
        unit = source.info.time_base
        for count, frame in enumerate(source.frames(lambda pts: float(pts * unit) >= place)):
            if frame.seconds >= place + PART or count >= _LATER_FRAMES:
                return
            yield frame


class _Part:
    """A part of a clip: its pictures as they are, and what is within their borders if they have any."""

    def __init__(self) -> None:
        self._views: list[tuple[PixelBox | None, _View]] = []

    def add(self, frame: Frame) -> None:
        if not self._views:
            boxes = (None, within_borders(luma_of(frame.picture)))
            self._views = [(box, _View()) for box in boxes[: 1 + (boxes[1] is not None)]]
        for box, view in self._views:
            view.add(frame.picture if box is None else frame.part(box), frame.seconds)

    def found(self) -> Search | None:
        mark = next(filter(None, (view.mark() for _, view in self._views)), None)
        if mark is None:
            return None
        looks = [look for _, view in self._views for look in view.looks(mirrored=mark.mirrored)]
        return Search(mark, tuple(looks))


class _View:
    """Pictures of one size, the mark that is in them, and their hashes."""

    def __init__(self) -> None:
        self._reader = MarkReader()
        self._hashes: list[tuple[int, int]] = []
        self._last = -math.inf

    def add(self, picture: UInt8Array, seconds: float) -> None:
        if seconds - self._last >= 1.0:
            small = resized(picture, (64, 64))  # of all of a large picture there is no room for another
            self._hashes.append((picture_hash(small), picture_hash(np.ascontiguousarray(small[:, ::-1]))))
            self._last = seconds
        self._reader.add(luma_of(picture))

    def looks(self, *, mirrored: bool = False) -> tuple[list[int], ...]:
        hashes = [pair[mirrored] for pair in self._hashes]
        return hashes, hashes[:1], hashes[-1:]

    def mark(self) -> Mark | None:
        return self._reader.read() if self._reader.frames else None

    def found(self) -> Search | None:
        mark = self.mark()
        return None if mark is None else Search(mark, self.looks(mirrored=mark.mirrored))


def luma_of(picture: UInt8Array) -> UInt8Array:
    """Its luma: uint8 (H, W)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def within_borders(luma: UInt8Array) -> PixelBox | None:
    """What of a picture is within borders of one shade, as players, pages and phones put around one.

    Args:
        luma: uint8 (H, W).

    Returns:
        Its place; None if there are no borders, or hardly anything is within them.
    """
    top, bottom = _even_lines(luma)
    left, right = _even_lines(np.ascontiguousarray(luma[top : len(luma) - bottom].T))
    box = PixelBox(left, top, luma.shape[1] - right, len(luma) - bottom)
    if not top + bottom + left + right or min(box.x1 - box.x0, box.y1 - box.y0) < _LEAST_SIDE:
        return None
    return box


def _even_lines(luma: UInt8Array) -> tuple[int, int]:
    """How many rows at the top, and at the bottom, have the shade of the outermost."""

    def even(rows: UInt8Array) -> int:
        shade = int(np.median(rows[0]))
        for number, row in enumerate(rows):
            if np.mean(np.abs(row.astype(np.int16) - shade) > _EVEN) > _UNEVEN_SHARE:
                return number
        return 0

    if not luma.size:
        return 0, 0
    return even(luma), even(luma[::-1])
