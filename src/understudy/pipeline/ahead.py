"""Looks ahead in a clip until it is known who is in a frame.

Whose a face is an embedding says, and a face that turns up from the side or in a blur has none at first. Where it
matters, because each person gets another face, a frame is kept back until that is known of everybody in it, or nothing
more is to be expected: so nobody is shown raw, or as somebody else, in the first moments of a shot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from understudy.casting.gallery import NOBODY
from understudy.frames import Frame
from understudy.pipeline.perceiving import Perceiving, Seen

#: Seconds that are looked ahead, at most, and bytes of frames that are kept back as a rule.
_SECONDS: Final = 2.0
MOST_BYTES: Final = 400_000_000


class Ahead:
    """Of one clip.

    Args:
        perceiving: Says who is in a frame as far as is known when it comes.
        perceive: The same, timed by who wants to know what it costs.
        most_bytes: Of frames that are kept back.
    """

    def __init__(self, perceiving: Perceiving, perceive: Callable[[Frame], Seen], most_bytes: int = MOST_BYTES) -> None:
        self._perceiving, self._perceive, self._most_bytes = perceiving, perceive, most_bytes
        self._waiting: deque[tuple[Frame, Seen]] = deque()
        self._people: dict[int, int] = {}
        self._open: frozenset[int] = frozenset()

    def __call__(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Seen]]:
        """Each frame with who is in it, in order.

        Args:
            frames: As they came; they are only read.

        Raises:
            ModelError: a model failed.
        """
        for frame in frames:
            self._waiting.append((frame, self._look(frame)))
            now, size = frame.seconds, frame.picture.nbytes
            del frame  # of a large one there is no room for two
            while self._waiting and self._ready(now, size):
                yield self._next()
        while self._waiting:
            yield self._next()

    def _look(self, frame: Frame) -> Seen:
        seen = self._perceive(frame)
        self._open = seen.open
        if seen.faces.track_ids is not None and seen.faces.person_ids is not None:
            people = zip(seen.faces.track_ids.tolist(), seen.faces.person_ids.tolist(), strict=True)
            self._people.update((track, person) for track, person in people if person != NOBODY)
        return seen

    def _ready(self, now: float, size: int) -> bool:
        """Whether nothing more is to be learned of the longest-waiting frame: all are known, gone, or it takes long."""
        frame, seen = self._waiting[0]
        waited = not 0 <= now - frame.seconds < _SECONDS or len(self._waiting) * size >= self._most_bytes
        return waited or not seen.open & self._open

    def _next(self) -> tuple[Frame, Seen]:
        frame, seen = self._waiting.popleft()
        named = self._perceiving.named(seen, self._people)
        if not self._waiting and not self._open:
            self._people.clear()  # nobody asks for them any more
        return frame, named
