"""Cameras: which there are, and their pictures."""

from __future__ import annotations

import platform
import re
import sys
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from understudy.errors import InputError
from understudy.media.live.base import CaptureOptions, LiveInfo, Picture, Sound, SourceLostError

#: OpenCV's name of each platform's cameras.
_CAMERAS: Final = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_DSHOW}


@dataclass(frozen=True)
class Camera:
    """A camera of this machine: its number and name."""

    number: int
    name: str


def list_cameras() -> list[Camera]:
    """The cameras that can be named."""
    found: list[Camera] = []
    if platform.system() == "Linux":
        for folder in sorted(Path("/sys/class/video4linux").glob("video*")):
            try:
                found.append(Camera(int(folder.name[5:]), (folder / "name").read_text().strip()))
            except (OSError, ValueError):
                continue
        return found
    for number in range(6):  # no names there without another library: tried one by one
        capture = cv2.VideoCapture(number, _CAMERAS.get(sys.platform, cv2.CAP_ANY))
        if capture.isOpened():
            found.append(Camera(number, f"camera {number}"))
        capture.release()
    return found


class CameraSource:
    """A camera by number, device file, or (part of) its name."""

    def __init__(self, which: str, options: CaptureOptions) -> None:
        self._which, self._options = which, options
        self._capture: Any = None

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        number = self._number()
        capture = cv2.VideoCapture(number, _CAMERAS.get(sys.platform, cv2.CAP_ANY))
        if not capture.isOpened():
            capture.release()
            raise InputError(
                f"camera {self._which} can't be opened",
                "Is another program using it? Is access allowed? `understudy live --list` shows the cameras.",
            )
        options = self._options
        # Most cameras deliver larger pictures at full rate as JPEG only.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.height)
        capture.set(cv2.CAP_PROP_FPS, float(options.fps))
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        good, picture = capture.read()
        if not good:
            capture.release()
            raise InputError(f"camera {self._which} delivers no picture", "Another program may be using it.")
        self._capture = capture
        fps = capture.get(cv2.CAP_PROP_FPS)
        rate = Fraction(fps).limit_denominator(1001) if 1 <= fps <= 240 else options.fps
        return LiveInfo(f"camera {self._which}", picture.shape[1], picture.shape[0], rate)

    def read(self) -> Picture | Sound | None:
        """See ``LiveSource``."""
        good, picture = self._capture.read()
        if not good:
            raise SourceLostError(f"camera {self._which} stopped", "Is it still plugged in?")
        return Picture(np.asarray(picture, np.uint8), time.monotonic())

    def abandon(self) -> None:
        """See ``LiveSource``: it waits for a moment only."""

    def close(self) -> None:
        """See ``LiveSource``."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _number(self) -> int:
        if (device := re.fullmatch(r"(?:/dev/video)?([0-9]{1,4})", self._which)) is not None:
            return int(device.group(1))
        wanted = self._which.casefold()
        for camera in list_cameras():
            if wanted in camera.name.casefold():
                return camera.number
        raise InputError(f"no camera is called {self._which!r}", "`understudy live --list` shows the cameras.")
