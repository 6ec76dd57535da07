"""What a stage remembers of each track of a clip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

Memory = TypeVar("Memory")

#: With more tracks than these those that are not there now are forgotten.
_MOST: Final = 16


class PerTrack(Generic[Memory]):
    """A memory for each track, made when the track is first seen.

    Args:
        make: Makes an empty one.
    """

    def __init__(self, make: Callable[[], Memory]) -> None:
        self._make = make
        self._known: dict[int, Memory] = {}

    def of(self, tracks: Sequence[int]) -> list[Memory]:
        """The memories of the tracks that are there now, in their order."""
        for track in tracks:
            if track not in self._known:
                self._known[track] = self._make()
        if len(self._known) > _MOST:
            self._known = {track: memory for track, memory in self._known.items() if track in tracks}
        return [self._known[track] for track in tracks]

    def forget(self, tracks: Iterable[int] | None = None) -> None:
        """Forget what is known of some tracks; of all if None."""
        for track in list(self._known) if tracks is None else tracks:
            self._known.pop(track, None)
