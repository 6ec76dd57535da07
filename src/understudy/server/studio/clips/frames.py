"""Frames of the clip that is open, as pages show them: as they are, and as they will be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from understudy.app import Understudy
from understudy.arrays import UInt8Array
from understudy.casting.cast import PartList
from understudy.errors import InputNotFoundError
from understudy.frames import Frame, SealedFrame
from understudy.media.base import MediaInfo
from understudy.media.files.looking_up import FrameFinder
from understudy.settings import Settings
from understudy.tasks.preview import Preview

#: Widest and highest picture that is sent, and how well it is coded (JPEG).
_WIDEST, _HIGHEST = 1280, 1280
_QUALITY: Final = 88


class StaleError(Exception):
    """What was asked for is not wanted any more."""


class Frames:
    """Of one file. For several threads.

    Args:
        app: What is opened.
        path: The file.

    Attributes:
        info: What it is.

    Raises:
        InputError: it can't be read.
    """

    def __init__(self, app: Understudy, path: Path) -> None:
        self._app = app
        self._finder = FrameFinder(path, app.settings.max_pixels)
        self.info: MediaInfo = self._finder.info
        self._finding, self._swapping = threading.Lock(), threading.Lock()
        self._preview: tuple[int, Preview] | None = None
        self._closed = False

    def original(self, seconds: float) -> bytes:
        """The frame at a time, as JPEG.

        Raises:
            InputError: it can't be read.
        """
        return coded(self._at(seconds).picture)

    def swapped(
        self, seconds: float, version: int, cast: PartList, settings: Settings, wanted: Callable[[], bool]
    ) -> bytes:
        """The same as it will be: labelled and marked.

        Args:
            seconds: Its time.
            version: Of the cast and the settings: what is settled for one is kept for the next frame.
            cast: Who gets what.
            settings: How.
            wanted: Asked once it is this frame's turn: one is made at a time.

        Raises:
            StaleError: it is not wanted any more.
            UnderstudyError: it can't be made.
        """
        with self._swapping:
            if not wanted():
                raise StaleError
            frame = self._at(seconds)
            if self._preview is None or self._preview[0] != version:
                try:
                    made = Preview(cast, self.info, settings, resources=self._app.resources, people=self._app.known)
                except FileNotFoundError as fault:  # the clip was put away just now
                    raise InputNotFoundError(Path("clip"), "clip") from fault
                self._preview = version, made
            sealed: SealedFrame = self._preview[1](frame).frame
            return coded(sealed.picture)

    def close(self) -> None:
        """Close the file, once nobody reads it."""
        with self._finding:
            self._closed = True
            self._finder.__exit__(None, None, None)

    def _at(self, seconds: float) -> Frame:
        """The frame at a time. One may be asked for while the clip is put away: a closed file must not be read."""
        with self._finding:
            if self._closed:
                raise InputNotFoundError(Path("clip"), "clip")
            return self._finder.at(seconds)


def coded(picture: UInt8Array, quality: int = _QUALITY) -> bytes:
    """A picture, uint8 BGR (H, W, 3), as JPEG, no larger than a page shows it."""
    height, width = picture.shape[:2]
    scale = min(_WIDEST / width, _HIGHEST / height)
    if scale < 1:
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
