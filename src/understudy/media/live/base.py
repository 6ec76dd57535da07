"""What live sources and sinks do. Times are seconds of the monotonic clock (``time.monotonic``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple, Protocol

from understudy.arrays import Int16Array, UInt8Array
from understudy.errors import InputError, RunError, UsageError
from understudy.frames import LabelledFrame

#: Seconds that ``read`` blocks at most, where the device lets it: so long a stop may take.
PATIENCE = 0.2
#: Host and port of an address (RFC 3986, 3.2), as far as all that takes addresses agrees.
_AUTHORITY: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+(?:%[\w.~-]+)?\]|[^\s:\[\]]*)(?::(?P<port>\d{1,5})?)?")
_LAST_PORT: Final = 65535
#: Protocols of which none has a port of its own.
_PORTLESS: Final = ("udp", "tcp", "srt", "rtp")
#: Smallest and largest width and height of a picture (8K), and fewest and most of them a second.
_WIDTHS: Final = (16, 7680)
_HEIGHTS: Final = (16, 4320)
_RATES: Final = (1, 240)


class SourceLostError(InputError):
    """A source that worked is gone for now: unplugged, stalled, closed by the other side. It may come back."""


class SinkLostError(RunError):
    """A sink that worked is gone for now. It may come back."""


class SourceEnded(Exception):  # noqa: N818 - no error: a clip ends
    """There is no more."""


class SinkClosed(Exception):  # noqa: N818 - no error: somebody closed the window
    """The user closed it."""


class Picture(NamedTuple):
    """A picture as it was captured.

    Attributes:
        picture: uint8 BGR (H, W, 3). The receiver copies it before the next one is read: a source may use its memory
            again.
        at: When it was captured.
    """

    picture: UInt8Array
    at: float


class Sound(NamedTuple):
    """Some sound.

    Attributes:
        samples: int16 (n, 2) at ``media.helpers.encoder.SOUND_RATE``.
        at: When its first sample was captured.
    """

    samples: Int16Array
    at: float


class Remark(NamedTuple):
    """What the user should know of what came so far.

    Attributes:
        text: In words.
    """

    text: str


@dataclass(frozen=True)
class LiveInfo:
    """What a live source delivers.

    Attributes:
        name: For people.
        width, height: Of its pictures, in pixels.
        fps: Pictures a second, as it says.
        sound: Whether it delivers sound.
    """

    name: str
    width: int
    height: int
    fps: Fraction
    sound: bool = False


@dataclass(frozen=True)
class CaptureOptions:
    """What is asked of a source.

    Attributes:
        width, height: Of its pictures, in pixels; cameras come as near as they can.
        fps: Pictures a second.
        loop: Begin a file again at its end.

    Raises:
        UsageError: a size outside 16x16 to 7680x4320, or a rate outside 1 to 240.
    """

    width: int = 1280
    height: int = 720
    fps: Fraction = Fraction(30)
    loop: bool = False

    def __post_init__(self) -> None:
        ranges = ((self.width, _WIDTHS), (self.height, _HEIGHTS))
        if not all(least <= side <= most for side, (least, most) in ranges):
            raise UsageError(
                f"pictures can't be {self.width}x{self.height}",
                "Give WIDTHxHEIGHT: 16x16 to 7680x4320, such as 1280x720.",
            )
        if not _RATES[0] <= self.fps <= _RATES[1]:
            raise UsageError(f"a source can't be asked for {self.fps} pictures a second", "Give 1 to 240.")


class LiveSource(Protocol):
    """Delivers pictures, and perhaps sound, as they come. Used by one thread; can be opened again after ``close``."""

    def open(self) -> LiveInfo:
        """Begin.

        Raises:
            InputError: it is not there, or busy.
        """
        ...

    def read(self) -> Picture | Sound | Remark | None:
        """What came next; None if nothing did within ``PATIENCE``.

        Raises:
            SourceEnded: there is no more.
            SourceLostError: it is gone for now.
        """
        ...

    def close(self) -> None:
        """Give the device back."""
        ...

    def abandon(self) -> None:
        """From another thread: whatever ``open`` or ``read`` waits for is not worth it any more."""
        ...


class LiveSink(Protocol):
    """Takes labelled frames as they are made. Used by one thread."""

    @property
    def name(self) -> str:
        """For people and statistics."""
        ...

    @property
    def depth(self) -> int:
        """How many frames may wait for it, such as 1 for what is looked at, a few for what is encoded."""
        ...

    @property
    def steady(self) -> bool:
        """Whether the last frame is repeated when none comes in time."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether it makes a file, which gets every frame, and may take its time to end."""
        ...

    def open(self, info: LiveInfo) -> None:
        """Begin; again after ``SinkLostError``.

        Raises:
            SinkLostError: it is not there now; trying again may help.
            UnderstudyError: it can't be used.
        """
        ...

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        """Show or send a frame.

        Args:
            labelled: The frame.
            seconds: Its time since the session began; rises from call to call.

        Raises:
            SinkLostError, SinkClosed, UnderstudyError: see ``open``.
        """
        ...

    def hear(self, sound: Sound, seconds: float) -> None:
        """Send some sound; ``seconds`` is its time since the session began."""
        ...

    def close(self) -> list[str]:
        """End. What the user should know of it."""
        ...

    def abandon(self) -> None:
        """From another thread: whatever the sink is waiting for is not worth it any more."""
        ...

    def discard(self) -> None:
        """From another thread: once it is closed, nothing may stay of a file that it was making."""
        ...


def check_address(address: str) -> None:
    """Refuse an address that can't be one, before anything is opened: it would be tried again and again.

    Raises:
        UsageError: it has no host, or one that is none, or a port that is none, or lacks one that it needs.
    """
    # A password may hold anything: the host begins behind the last @.
    authority = re.split(r"[/?#]", address.partition("://")[2].rpartition("@")[2], maxsplit=1)[0]
    found = _AUTHORITY.fullmatch(authority)
    if found is None or not any(found.groups()) or int(found["port"] or 0) > _LAST_PORT:
        raise UsageError(
            f"this is not an address: {public_address(address)}",
            "It is SCHEME://HOST:PORT/PATH; the port is 65535 at most, and an IPv6 address stands in brackets.",
        )
    scheme = address.partition("://")[0].lower()
    if scheme in _PORTLESS and not found["port"]:
        raise UsageError(
            f"this address lacks its port: {public_address(address)}", f"It is {scheme}://HOST:PORT, such as :9000."
        )


def public_address(address: str) -> str:
    """An address as it may be shown and logged: without user, password, query, and a server's stream key."""
    scheme, _, rest = address.partition("://")
    # A password may hold slashes and question marks: the host begins behind the last @.
    parts = rest.rpartition("@")[2].split("?", 1)[0].strip("/").split("/")
    kept = parts[:2] if scheme.startswith("rtmp") else parts
    return f"{scheme}://{'/'.join(kept)}"
