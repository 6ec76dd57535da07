"""Sound from a microphone, through FFmpeg's devices."""

from __future__ import annotations

import sys
from typing import Final

from understudy.errors import InputError
from understudy.media.live.base import Sound, SourceEnded, SourceLostError
from understudy.media.live.receiving import Received, Receiver

#: FFmpeg's kind of device by platform, and what stands before a device's name there.
_KINDS: Final = {"linux": ("alsa", ""), "darwin": ("avfoundation", ":"), "win32": ("dshow", "audio=")}


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
            raise InputError(
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
