"""A clip as it will be, played before anything is written: frame after frame, as quickly as this machine makes them.

Who asks says which time is shown next. Frames between two that are asked for are read and left out, so time is kept
however long a frame takes. People are followed from one frame to the next, as in the finished file.
"""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from understudy.app import Understudy
from understudy.casting.cast import PartList
from understudy.errors import ContentRefusedError
from understudy.media.base import MediaInfo
from understudy.media.files.looking_up import FrameFinder
from understudy.server.studio.clips.frames import StaleError, coded
from understudy.settings import Settings
from understudy.tasks.preview import Playback

#: How well pictures are coded (JPEG), each of which is seen for a moment.
_QUALITY: Final = 80


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is played.

    Attributes:
        run: The name that who asks has given to this run: from a press on play, or a jump, on.
        version: Of cast and settings: with another it is begun anew.
        cast: Who gets what; None for the original alone.
        settings: How.
    """

    run: str
    version: int
    cast: PartList | None
    settings: Settings


class Played(NamedTuple):
    """One frame.

    Attributes:
        seconds: Its time.
        original: As JPEG; empty if it was not asked for.
        result: The same as it will be, labelled and marked; empty where nobody gets anything.
    """

    seconds: float
    original: bytes
    result: bytes

    def packed(self) -> bytes:
        """All of it: the time (8 bytes, big-endian), how long the original is (4 bytes), the original, the result."""
        return struct.pack(">dI", self.seconds, len(self.original)) + self.original + self.result


class Player:
    """Of one file. For several threads; one run at a time.

    Args:
        app: What is opened.
        path: The file.
        info: What it is.
    """

    def __init__(self, app: Understudy, path: Path, info: MediaInfo) -> None:
        self._app, self._path, self._info = app, path, info
        self._lock = threading.Lock()
        self._key: tuple[str, int] | None = None
        #: Names of runs that another one has taken the place of.
        self._over: set[str] = set()
        self._finder: FrameFinder | None = None
        self._playback: Playback | None = None
        self._last: Played | None = None
        #: Of which run nothing more is shown, and why: not every frame is looked at, and what comes is of the same.
        self._refused: tuple[str, ContentRefusedError] | None = None

    def at(self, seconds: float, wanted: Wanted, *, original: bool) -> Played:
        """The frame that is shown at a time; within a run times rise.

        Args:
            seconds: The time.
            wanted: What is played.
            original: Whether the frame as it is is asked for, too.

        Raises:
            StaleError: another run has begun since.
            ContentRefusedError: it is intimate, or was in this run.
            UnderstudyError: it can't be made.
        """
        with self._lock:
            if wanted.run in self._over:
                raise StaleError
            if self._refused is not None and self._refused[0] == wanted.run:
                raise self._refused[1]
            if self._key != (wanted.run, wanted.version) or (self._last and seconds < self._last.seconds):
                self._begin(wanted)
            assert self._finder is not None
            frame = self._finder.at(seconds)
            if self._last is not None and self._last.seconds == frame.seconds:
                return self._last
            shown = coded(frame.picture, _QUALITY) if original or self._playback is None else b""
            try:
                result = b"" if self._playback is None else coded(self._playback(frame).frame.picture, _QUALITY)
            except ContentRefusedError as refusal:
                self._refused = wanted.run, refusal
                raise
            self._last = Played(frame.seconds, shown, result)
            return self._last

    def stop(self) -> None:
        """Give back what the run has opened."""
        with self._lock:
            self._end()

    def _begin(self, wanted: Wanted) -> None:
        if self._key is not None and self._key[0] != wanted.run:
            self._over = {*list(self._over)[-100:], self._key[0]}
        self._end()
        self._finder = FrameFinder(self._path, self._app.settings.max_pixels)
        if wanted.cast is not None:
            self._playback = Playback(
                wanted.cast, self._info, wanted.settings, resources=self._app.resources, people=self._app.known
            )
        self._key = wanted.run, wanted.version

    def _end(self) -> None:
        if self._finder is not None:
            self._finder.__exit__(None, None, None)
        self._finder = self._playback = self._last = self._key = None
