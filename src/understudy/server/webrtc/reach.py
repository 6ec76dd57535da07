"""How this machine is reached by those who send or watch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from understudy.errors import UsageError

#: Where a browser on the same machine comes.
LOCAL: Final = "127.0.0.1"
_STUN: Final = re.compile(r"(?:stun:)?([\w.-]{1,253})(?::(\d{1,5}))?")


@dataclass(frozen=True)
class Reach:
    """How this machine is reached.

    Attributes:
        addresses: Its own, at which connections are taken; all of its addresses if none are named.
        stun: A server that is asked by which address this machine is seen from elsewhere, as ``HOST`` or
            ``HOST:PORT``; none is asked if empty.

    Raises:
        UsageError: that is no such server.
    """

    addresses: tuple[str, ...] = ()
    stun: str = ""

    def __post_init__(self) -> None:
        found = _STUN.fullmatch(self.stun)
        if self.stun and (found is None or not 0 < int(found[2] or 3478) < 65536):
            raise UsageError(f"this is no STUN server: {self.stun[:80]!r}", "Name it as HOST:PORT.")

    @property
    def servers(self) -> list[str]:
        """STUN servers, as WebRTC names them."""
        return [f"stun:{self.stun.removeprefix('stun:')}"] if self.stun else []
