"""Knows of people who are to be blurred where they will be seen in a moment.

Whoever comes round a corner, or out from behind somebody, is seen in part before they are found. A file has the frames
that come next, so their place can be blurred before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from understudy.arrays import FloatArray
from understudy.casting.roles import Roles
from understudy.face import Faces
from understudy.frames import Frame
from understudy.pipeline.perceiving import Seen

#: Seconds that are looked ahead, and bytes of frames that are kept back for that, at most.
_SECONDS: Final = 1 / 3
_MOST_BYTES: Final = 200_000_000


class Coming:
    """Of one clip.

    Args:
        roles: Say who is blurred.
    """

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._waiting: deque[tuple[Frame, Seen]] = deque()

    def __call__(self, looked: Iterable[tuple[Frame, Seen]]) -> Iterator[tuple[Frame, Seen]]:
        """Each frame with who is in it, in order, and who will be.

        Args:
            looked: Frames and who is in them.
        """
        for frame, seen in looked:
            self._waiting.append((frame, seen))
            now, most = frame.seconds, max(_MOST_BYTES // frame.picture.nbytes, 1)
            del frame  # of a large one there is no room for two
            while not 0 <= now - self._waiting[0][0].seconds < _SECONDS or len(self._waiting) > most:
                yield self._next()
        while self._waiting:
            yield self._next()

    def _next(self) -> tuple[Frame, Seen]:
        frame, seen = self._waiting.popleft()
        known = set(_tracks(seen.faces))
        coming: list[tuple[float, FloatArray]] = []
        for later, then in self._waiting:
            if then.cut:
                break
            if new := set(_tracks(then.faces)) - known:
                blurred, known = self._roles.blurred(then.chosen), known | new
                boxes = zip(_tracks(blurred), blurred.boxes_xyxy, strict=True)
                coming += [(later.seconds - frame.seconds, box) for track, box in boxes if track in new]
        return frame, seen._replace(coming=tuple(coming))


def _tracks(faces: Faces) -> list[int]:
    return [] if faces.track_ids is None else faces.track_ids.tolist()
