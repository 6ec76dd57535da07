"""A thorough search of what a camera shows, some parts of the picture in each frame.

All at once it takes the time of several frames, and nothing would move meanwhile.
"""

from __future__ import annotations

import math
from threading import Lock
from typing import Final

from understudy.arrays import UInt8Array
from understudy.detection.base import Detector
from understudy.face import Faces
from understudy.frames import Frame

#: Parts that are searched in one frame, at most: each takes some 5 ms.
_MOST: Final = 4
#: Seconds from one frame to the next, as long as only one was seen.
_USUAL: Final = 1 / 30


class Sweep:
    """Of one live clip; for several threads. Whoever asks first in a frame has it searched, all others get the same.

    Args:
        detector: Searches.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector, self._lock = detector, Lock()
        self._picture: UInt8Array | None = None
        self._found = Faces.empty()
        self._next = 0
        self._seconds: float | None = None
        self._left: int | None = None

    def begin(self) -> None:
        """Nothing is known any more of what is in the picture: another shot, or in the dark."""
        with self._lock:
            self._next, self._left, self._seconds = 0, None, None

    @property
    def complete(self) -> bool:
        """Whether every part was searched since it began."""
        return self._left == 0

    def look(self, frame: Frame, within: float) -> Faces:
        """Search some parts of a frame.

        Args:
            frame: As it came.
            within: Seconds in which all parts of the picture are to be searched, as far as there is time.

        Returns:
            What was found in them, as of ``Detector.part``.
        """
        picture = frame.picture
        with self._lock:
            if picture is self._picture:
                return self._found
            parts = self._detector.parts(picture)
            if self._picture is not None and self._picture.shape != picture.shape:
                self._next, self._left = 0, None
            step = _USUAL if self._seconds is None else frame.seconds - self._seconds
            due = math.ceil(parts * step / within) if 0 < step < within else parts
            numbers = [(self._next + n) % parts for n in range(min(due, _MOST, parts))]
            found = [self._detector.part(picture, number) for number in numbers]
            self._next = (numbers[-1] + 1) % parts
            self._left = max((parts if self._left is None else self._left) - len(numbers), 0)
            self._seconds, self._picture = frame.seconds, picture
            self._found = Faces.concatenate(found)
            return self._found
