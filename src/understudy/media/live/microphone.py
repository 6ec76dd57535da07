"""Sound from a microphone, through FFmpeg's devices."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from understudy.errors import InputError
from understudy.media.live.base import Sound, SourceEnded, SourceLostError
from understudy.media.live.receiving import Received, Receiver

#: FFmpeg's kind of device by platform, and what stands before a device's name there.
_KINDS: Final = {"linux": ("alsa", ""), "darwin": ("avfoundation", ":"), "win32": ("dshow", "audio=")}
#: Where Linux says which sound devices there are, and how: "00-02: ALC257 Analog : ALC257 Analog : capture 1".
DEVICES: Final = Path("/proc/asound/pcm")
_DEVICE: Final = re.compile(r"(\d+)-(\d+): ([^:]*):.*: capture")


@dataclass(frozen=True)
class Device:
    """A device that sound can be taken from.

    Attributes:
        place: What ``Microphone`` calls it.
        name: For people.
    """

    place: str
    name: str


def list_microphones(devices: Path = DEVICES) -> list[Device]:
    """The devices that Linux knows of. Elsewhere there are none in the list; they can be used by name."""
    try:
        lines = devices.read_text(errors="replace").splitlines()
    except OSError:
        return []
    found = [match for line in lines if (match := _DEVICE.match(line))]
    # "plug": ALSA converts what the device delivers.
    return [Device(f"plughw:{int(one[1])},{int(one[2])}", one[3].strip()) for one in found]


class MicrophoneError(InputError):
    """A microphone can't be had."""


class SoundSource(Protocol):
    """Delivers sound, as it comes: a ``Microphone``, or one of your own. Used by one thread."""

    def open(self) -> object:
        """Begin; again after ``close``.

        Raises:
            InputError: it is not there, or busy.
        """
        ...

    def read(self) -> Sound | None:
        """The next piece, with the time at which its first sample was taken; None if there is none yet.

        Raises:
            SourceLostError: it is gone for now.
        """
        ...

    def close(self) -> None:
        """Give the device back."""
        ...

    def abandon(self) -> None:
        """From another thread: whatever ``open`` or ``read`` waits for is not worth it any more."""
        ...


class Microphone(Received):
    """A device that sound is taken from. Used by one thread; can be opened again after ``close``.

    Args:
        name: Of the device: on Linux ALSA's (``default``, ``hw:1``; ``arecord -L`` lists them), elsewhere the system's.
        kind: FFmpeg's kind of device; None for the platform's own.
    """

    def __init__(self, name: str, kind: str | None = None) -> None:
        usual, prefix = _KINDS.get(sys.platform, ("alsa", ""))
        self.name = name
        self._asked = {"address": name, "device": kind} if kind else {"address": prefix + name, "device": usual}

    def open(self) -> None:
        """Begin.

        Raises:
            InputError: it is not there, or busy.
        """
        self._receiver = Receiver("the microphone", self._asked)
        try:
            self._receiver.opened()
        except SourceLostError as fault:
            self.close()
            raise MicrophoneError(
                f"the microphone {self.name!r} can't be opened: {fault.message}",
                "Is it plugged in, is access allowed, is the name right? On Linux, `arecord -L` lists the names.",
            ) from fault

    def read(self) -> Sound | None:
        """The next piece, with the time at which its first sample was taken; None if there is none yet.

        Raises:
            SourceLostError: it is gone for now.
        """
        assert self._receiver is not None
        try:
            piece = self._receiver.read()
        except SourceEnded:
            raise SourceLostError("the microphone stopped", "Is it still plugged in?") from None
        return piece if isinstance(piece, Sound) else None
