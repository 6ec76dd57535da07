"""What comes live, a few seconds late: so that what is heard elsewhere, and takes its time there, fits the pictures."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from understudy.media.live.base import LiveInfo, LiveSource, Picture, Remark, Sound, SourceEnded
from understudy.media.live.microphone import SoundSource

#: Longest delay in seconds, and most bytes of pictures that wait: beyond that they come sooner.
MOST_SECONDS: Final = 5.0
MOST_BYTES: Final = 1_000_000_000
#: Seconds by which a picture may be late: what is later was made so by a delay that became shorter.
_LATE: Final = 0.2


class _Delayed:
    """Gives what comes from elsewhere, later, with its time moved by as much: pictures and sound stay in step.

    Args:
        source: From where.
        seconds: 0 to ``MOST_SECONDS``.

    Attributes:
        seconds: See above. May be set from any thread: longer, and nothing comes for a while; shorter, and what lies
            between is left out.
    """

    def __init__(self, source: LiveSource | SoundSource, seconds: float = 0.0) -> None:
        self._source, self.seconds = source, seconds
        self._waiting: deque[Picture | Sound] = deque()
        self._bytes, self._last = 0, 0.0
        self._ended = False

    def next(self) -> Picture | Sound | Remark | None:
        """What is due; see ``LiveSource.read``."""
        if (due := self._due()) is not None:
            return due
        if self._ended:
            if not self._waiting:
                raise SourceEnded
            time.sleep(_LATE / 10)
            return None
        try:
            item = self._source.read()
        except SourceEnded:
            self._ended = True
            return None
        if item is None or isinstance(item, Remark) or (self.seconds <= 0 and not self._waiting):
            return item
        # The source may use its memory again.
        kept = item._replace(picture=item.picture.copy()) if isinstance(item, Picture) else item
        self._waiting.append(kept)
        self._bytes += kept.picture.nbytes if isinstance(kept, Picture) else 0
        return self._due()

    def _due(self) -> Picture | Sound | None:
        """The oldest of what waits, if its time has come."""
        now, seconds = time.monotonic(), self.seconds
        while self._waiting and (self._waiting[0].at + seconds <= now or self._bytes > MOST_BYTES):
            item = self._waiting.popleft()
            if isinstance(item, Picture):
                self._bytes -= item.picture.nbytes
            if now - item.at - seconds <= _LATE or not self._waiting:
                self._last = max(self._last, min(item.at + seconds, now))  # time never steps back
                return item._replace(at=self._last)
        return None

    def abandon(self) -> None:
        """See ``LiveSource``."""
        self._source.abandon()

    def close(self) -> None:
        """See ``LiveSource``."""
        self._waiting.clear()
        self._bytes, self._ended = 0, False
        self._source.close()


class DelayedSource(_Delayed):
    """Another source, later."""

    def __init__(self, source: LiveSource, seconds: float = 0.0) -> None:
        super().__init__(source, seconds)
        self._opens = source

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        return self._opens.open()

    def read(self) -> Picture | Sound | Remark | None:
        """See ``LiveSource``."""
        return self.next()


class DelayedSound(_Delayed):
    """A microphone, later."""

    def __init__(self, source: SoundSource, seconds: float = 0.0) -> None:
        super().__init__(source, seconds)

    def open(self) -> None:
        """See ``SoundSource``."""
        self._source.open()

    def read(self) -> Sound | None:
        """See ``SoundSource``."""
        item = self.next()
        return item if isinstance(item, Sound) else None
