"""How much is being received: files that come together have the room of their user, and of the disk, together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from understudy.server.access.quotas import QuotaError

#: Seconds after which files that came may have made room.
_AGAIN: Final = 30.0


@dataclass(eq=False)
class Coming:
    """All files that are being received. Used in the server's loop."""

    _files: list[ComingFile] = field(default_factory=list, init=False)

    @contextmanager
    def file(self, user: str, room: float) -> Iterator[ComingFile]:
        """One more, until it is here and is counted elsewhere, or is gone.

        Args:
            user: Whose it is.
            room: Bytes that may come for them at a time.
        """
        found = ComingFile(user, room, self)
        self._files.append(found)
        try:
            yield found
        finally:
            self._files.remove(found)

    def of(self, user: str) -> int:
        """Bytes of a user's that came or are said to come."""
        return sum(one.bytes for one in self._files if one.user == user)

    @property
    def missing(self) -> int:
        """Bytes that are said to come, and are not on the disk yet."""
        return sum(one.bytes - one.here for one in self._files)


@dataclass(eq=False)
class ComingFile:
    """A file that is being received.

    Args:
        user: Whose it is.
        room: Bytes that may come for them at a time.
        coming: All that come.

    Attributes:
        bytes: How many there are, or are said to be.
        here: How many are on the disk.
    """

    user: str
    room: float
    coming: Coming
    bytes: int = field(default=0, init=False)
    here: int = field(default=0, init=False)

    def book(self, amount: int) -> None:
        """Make sure that so many bytes may come.

        Raises:
            QuotaError: with all else that comes for its user they are too many.
        """
        self.bytes = max(self.bytes, amount)
        if self.coming.of(self.user) > self.room:
            raise QuotaError(
                "there is no room for this beside what is coming from you already",
                _AGAIN,
                "Send one file after the other, or remove some of your media, photos or swaps.",
            )

    @property
    def missing_of_others(self) -> int:
        """Bytes of other files that are said to come, and are not on the disk yet."""
        return self.coming.missing - (self.bytes - self.here)
