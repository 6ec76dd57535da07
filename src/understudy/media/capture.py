"""Live sources: cameras, files at their own pace, network streams, raw frames from a pipe."""

from __future__ import annotations

import os
import platform
import re
import select
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Final

import av
import av.error
import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import InputError, NotMediaError, UsageError
from understudy.media.base import MAX_PIXELS
from understudy.media.live import PATIENCE, SOUND_RATE, LiveInfo, Picture, Sound, SourceEnded, SourceLostError
from understudy.media.opening import check_input, open_source
from understudy.media.video_source import open_container, start_shift

#: What network sources may use; files are left out, because a stream could name them.
_PROTOCOLS: Final = "rtmp,rtmps,rtmpt,rtsp,rtp,udp,tcp,tls,http,https,crypto,srtp"
_SCHEMES: Final = ("rtmp", "rtmps", "rtsp", "udp", "http", "https", "rtp", "tcp")
#: Seconds to wait for a network source to answer, and for more of it to come.
_ANSWER, _MORE = 8.0, 3.0
#: Sound is delivered so many seconds before it is due: coding it takes a while.
_LEAD: Final = 0.1
#: OpenCV's name of each platform's cameras.
_CAMERAS: Final = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_DSHOW}


@dataclass(frozen=True)
class CaptureOptions:
    """What is asked of a source.

    Attributes:
        width, height: Of its pictures, in pixels; cameras come as near as they can.
        fps: Pictures a second.
        loop: Begin a file again at its end.
    """

    width: int = 1280
    height: int = 720
    fps: Fraction = Fraction(30)
    loop: bool = False


def open_capture(what: str, options: CaptureOptions) -> CameraSource | FileSource | StreamSource | RawSource:
    """The source that a word names: ``-`` for stdin, an address, a file, or a camera by number or name.

    Raises:
        UsageError: it names nothing.
    """
    if what == "-":
        return RawSource(sys.stdin.buffer, options)
    if (scheme := re.match(r"([a-z]+)://", what)) is not None:
        if scheme.group(1) not in _SCHEMES:
            raise UsageError(f"can't watch {scheme.group(1)}:// addresses", f"Known: {', '.join(_SCHEMES)}.")
        return StreamSource(what)
    if not what.startswith("/dev/") and (Path(what).is_file() or re.search(r"\.\w{2,4}$", what)):
        return FileSource(Path(what), options)
    return CameraSource(what, options)


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
                "Is another program using it, or is this one not allowed to? `understudy live --list` shows cameras.",
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

    def close(self) -> None:
        """See ``LiveSource``."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _number(self) -> int:
        if self._which.isdigit():
            return int(self._which)
        if (device := re.fullmatch(r"/dev/video(\d+)", self._which)) is not None:
            return int(device.group(1))
        wanted = self._which.casefold()
        for camera in list_cameras():
            if wanted in camera.name.casefold():
                return camera.number
        raise InputError(f"no camera is called {self._which!r}", "`understudy live --list` shows those that there are.")


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
        resampler = _resampler()
        try:
            for frame in self._container.decode(audio=0):
                for piece in resampler.resample(frame):
                    if piece.pts is not None:
                        yield _samples(piece), float(piece.pts * piece.time_base) - first
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


class StreamSource:
    """A network stream: RTMP, RTSP, UDP, HTTP."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._name = re.sub(r"//[^/@]*@", "//", address)  # without a password
        self._container: Any = None
        self._packets: Iterator[Any] = iter(())
        self._ready: deque[Picture | Sound] = deque()
        self._streams: list[Any] = []
        self._shift: float | None = None
        self._resampler: Any = None

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        options = {"protocol_whitelist": _PROTOCOLS, "fflags": "nobuffer", "flags": "low_delay"}
        if self._address.startswith("rtsp"):
            options["rtsp_transport"] = "tcp"
        try:
            self._container = av.open(self._address, options=options, timeout=(_ANSWER, _MORE))
            video = self._container.streams.video[0]
        except (av.error.FFmpegError, IndexError, OSError) as fault:
            self.close()
            raise SourceLostError(
                f"can't watch {self._name}: {_said(fault)}", "Is it being sent, and is the address right?"
            ) from fault
        self._streams = streams = [video, *self._container.streams.audio[:1]]
        self._packets = self._container.demux(streams)
        self._shift, self._resampler = None, _resampler()
        rate = video.average_rate or video.guessed_rate or Fraction(30)
        size = video.codec_context.width, video.codec_context.height
        if 0 in size:
            self.close()
            raise SourceLostError(f"{self._name} has sent no picture yet", "Try again when it does.")
        fps = Fraction(rate).limit_denominator(1001) if 1 <= rate <= 240 else Fraction(30)
        return LiveInfo(self._name, *size, fps, sound=len(streams) > 1)

    def read(self) -> Picture | Sound | None:
        """See ``LiveSource``."""
        while not self._ready:
            try:
                packet = next(self._packets)
                frames = packet.decode()
            except StopIteration:
                raise self._end() from None
            except (av.error.ExitError, av.error.TimeoutError) as fault:
                raise SourceLostError(f"{self._name} stalled", "It is opened again.") from fault
            except av.error.EOFError:
                raise self._end() from None
            except av.error.InvalidDataError:
                # A damaged packet: the next key frame mends it. The generator that raised is done for.
                self._packets = self._container.demux(self._streams)
                return None
            except (av.error.FFmpegError, OSError) as fault:
                raise SourceLostError(f"{self._name} broke off: {_said(fault)}", "It is opened again.") from fault
            for frame in frames:
                self._take(frame)
            if not frames and not self._ready:
                return None
        return self._ready.popleft()

    def _end(self) -> Exception:
        """A file on a server ends; whoever sends may come back."""
        if self._address.startswith("http"):
            return SourceEnded()
        return SourceLostError(f"{self._name} was closed by the other side", "It is opened again.")

    def _take(self, frame: Any) -> None:
        now = time.monotonic()
        if frame.pts is None:
            return
        own = float(frame.pts * frame.time_base)
        # The stream's own clock, tied to ours by the first packet; tied anew where they part.
        if self._shift is None or abs(own + self._shift - now) > 2.0:
            self._shift = now - own
        if isinstance(frame, av.VideoFrame):
            picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            self._ready.append(Picture(picture, min(own + self._shift, now)))
        else:
            for piece in self._resampler.resample(frame):
                self._ready.append(Sound(_samples(piece), own + self._shift))

    def close(self) -> None:
        """See ``LiveSource``."""
        self._ready.clear()
        if self._container is not None:
            self._container.close()
            self._container = None


class RawSource:
    """Raw BGR frames of a known size, from a pipe."""

    def __init__(self, pipe: IO[bytes], options: CaptureOptions) -> None:
        self._pipe, self._options = pipe, options
        self._part = bytearray()

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        options = self._options
        return LiveInfo("stdin", options.width, options.height, options.fps)

    def read(self) -> Picture | Sound | None:
        """See ``LiveSource``."""
        options = self._options
        size = options.width * options.height * 3
        while len(self._part) < size:
            if os.name == "posix" and not select.select([self._pipe], [], [], PATIENCE)[0]:
                return None
            part = os.read(self._pipe.fileno(), size - len(self._part))
            if not part:
                raise SourceEnded
            self._part += part
        picture: UInt8Array = (
            np.frombuffer(bytes(self._part), np.uint8).reshape(options.height, options.width, 3).copy()
        )
        self._part.clear()
        return Picture(picture, time.monotonic())

    def close(self) -> None:
        """See ``LiveSource``."""


def _resampler() -> Any:
    return av.AudioResampler(format="s16", layout="stereo", rate=SOUND_RATE)


def _samples(frame: Any) -> Any:
    return frame.to_ndarray().reshape(-1, 2)


def _said(fault: BaseException) -> str:
    return str(getattr(fault, "strerror", None) or fault or type(fault).__name__)
