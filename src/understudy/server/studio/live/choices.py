"""Where pictures come from and where they go, as it is chosen in the room."""

from __future__ import annotations

import importlib.util
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

from understudy.errors import UsageError
from understudy.media.endpoints import SinkEndpoint, SourceEndpoint, sink_endpoint, source_endpoint
from understudy.media.live.base import CaptureOptions
from understudy.media.live.cameras import Camera, list_cameras
from understudy.media.live.microphone import MicrophoneError
from understudy.server.studio.live.several import Several
from understudy.settings import Settings
from understudy.text import printable

#: Names of devices: on Linux ALSA's own, or such as ``default`` that the user's settings explain; elsewhere words.
_ALSA: Final = re.compile(
    r"[A-Za-z]\w{0,40}"
    r"|(plug)?hw:\w{1,40}(,\d{1,3}){0,2}"
    r"|(sysdefault|dsnoop|front):(CARD=)?\w{1,40}(,(DEV=)?\d{1,3})?",
    re.ASCII,
)
_DEVICE: Final = re.compile(r"""[^'"|,/\\:{}=\x00-\x1f]{1,120}""")

#: Fewest and most kilobits a second that can be asked for.
KILOBITS: Final = (1000, 20000)

SourceKind = Literal["sample", "camera", "browser", "clip", "stream"]
SinkKind = Literal["recording", "virtual", "stream", "window"]


@dataclass(frozen=True)
class Origin:
    """Where pictures come from.

    Attributes:
        kind: The sample clip, a camera of this machine, one of the browser that looks at the page, a clip that was
            handed over, or an address.
        place: A camera's number, an upload's id, an address; empty for the sample.
        name: For people.
    """

    kind: SourceKind = "sample"
    place: str = ""
    name: str = ""


@dataclass(frozen=True)
class CameraFormat:
    """What a camera is asked for; it comes as near as it can.

    Attributes:
        size: Width and height in pixels; None for what is usual.
        fps: Pictures a second; None likewise.
    """

    size: tuple[int, int] | None = None
    fps: int | None = None

    @property
    def options(self) -> CaptureOptions:
        """The same, for a camera of this machine. A clip is played again and again."""
        usual = CaptureOptions(loop=True)
        width, height = self.size or (usual.width, usual.height)
        return replace(usual, width=width, height=height, fps=Fraction(self.fps or usual.fps))


@dataclass(frozen=True)
class Outputs:
    """Where pictures go, besides the page.

    Attributes:
        recording: Whether they are written to a file.
        virtual: Whether other programs see them as a camera's.
        window: Whether a window of its own shows them.
        stream: Whether they are sent to ``address``.
        address: Of a server.
        key: What is added to it, and shown to nobody.
        kilobits: Most of them a second, of what is sent or recorded.
    """

    recording: bool = False
    virtual: bool = False
    window: bool = False
    stream: bool = False
    address: str = ""
    key: str = ""
    kilobits: int = 6000

    def endpoints(self, folder: Path) -> dict[SinkKind, SinkEndpoint]:
        """Where that is.

        Args:
            folder: For recordings.

        Raises:
            UsageError: the address is none.
        """
        found: dict[SinkKind, SinkEndpoint] = {}
        if self.recording:
            found["recording"] = SinkEndpoint("file", str(_unused(folder)))
        if self.virtual:
            found["virtual"] = SinkEndpoint("virtual")
        if self.stream:
            key = self.key.strip().lstrip("/")
            address = self.address.strip().rstrip("/")
            found["stream"] = sink_endpoint(_address(f"{address}/{key}" if key else address))
        if self.window:
            found["window"] = SinkEndpoint("window")
        return found


@dataclass(frozen=True)
class Choice:
    """All that a session is made of.

    Attributes:
        card: The id of the face's card.
        origin, outputs: Where pictures come from and go.
        settings: How it is done.
        delay: Seconds by which all is late.
        several: Who gets which face; None where one face is for whomever the settings choose.
        camera: What a camera is asked for.
        microphone: The device that sound comes from; empty for the source's own.
    """

    card: str
    origin: Origin
    outputs: Outputs
    settings: Settings
    delay: float
    several: Several | None = None
    camera: CameraFormat = field(default_factory=CameraFormat)
    microphone: str = ""

    @property
    def cards(self) -> tuple[str, ...]:
        """The ids of the cards that are put on somebody."""
        return (self.card,) if self.several is None else self.several.cards


def stream_source(address: str) -> SourceEndpoint:
    """The stream at an address. Only addresses are taken, no words for anything else.

    Raises:
        UsageError: it is none, or nothing can be received from it.
    """
    return source_endpoint(_address(address.strip()))


def _address(written: str) -> str:
    """What was written, if it has a scheme: without one it would name a file, and no page names files.

    Raises:
        UsageError: it has none.
    """
    if "://" not in written:
        raise UsageError("this is no address: nothing like rtmp:// stands before it", "Write rtmp://HOST/PATH.")
    return written


def microphone_named(written: str) -> str:
    """The device of that name. A page names no file and no command: ALSA takes both in the names of its plugins.

    Raises:
        MicrophoneError: it is no device's name.
    """
    name = written.strip()
    if not (_ALSA if sys.platform == "linux" else _DEVICE).fullmatch(name):
        hint = "Choose one of the list, or write its name as the system has it."
        raise MicrophoneError(f"{printable(name)[:60]!r} is no microphone's name", hint)
    return name


def cameras() -> list[Camera]:
    """The cameras of this machine."""
    return list_cameras()


def found_again(origin: Origin, found: Sequence[Camera]) -> Origin:
    """A camera by its name, whatever its number is by now; anything else, and one that is not there, as it is.

    Args:
        origin: What is chosen.
        found: The cameras of this machine.
    """
    numbers = [str(camera.number) for camera in found if camera.name == origin.name]
    if origin.kind != "camera" or not numbers or origin.place in numbers:
        return origin
    return replace(origin, place=numbers[0])


def missing(kind: SinkKind) -> bool:
    """Whether the package for an output is not installed."""
    package = {"virtual": "pyvirtualcam", "window": "pygame"}.get(kind)
    return package is not None and importlib.util.find_spec(package) is None


def _unused(folder: Path) -> Path:
    """A name for a recording that begins now."""
    stem = time.strftime("Understudy %Y-%m-%d %H-%M-%S")
    number = 1
    while (path := folder / f"{stem}{f' ({number})' if number > 1 else ''}.mp4").exists():
        number += 1
    return path
