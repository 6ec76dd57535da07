"""Live pictures and sound from an address: RTMP, RTSP, UDP, HTTP."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from understudy.media.live.base import LiveInfo, Picture, Sound, SourceLostError, check_address, public_address
from understudy.media.live.receiving import Received, Receiver

#: Addresses that can be watched.
SCHEMES: Final = ("rtmp", "rtmps", "rtsp", "udp", "http", "https", "rtp", "tcp")


class StreamSource(Received):
    """A network stream.

    Attributes:
        name: The address as it may be shown: see ``public_address``.

    Raises:
        UsageError: it is no address.
    """

    def __init__(self, address: str) -> None:
        check_address(address)
        self._address = address
        self.name = public_address(address)

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        self._receiver = Receiver(self.name, {"address": self._address})
        try:
            found = self._receiver.opened()
        except SourceLostError as fault:
            self.close()
            raise SourceLostError(
                f"can't receive {self.name}: {fault.message}",
                "Is anything being sent there, and is the address right?",
            ) from fault
        return LiveInfo(self.name, found["width"], found["height"], Fraction(found["rate"]), sound=found["sound"])

    def read(self) -> Picture | Sound | None:
        """See ``LiveSource``."""
        assert self._receiver is not None
        return self._receiver.read()
