"""What holds at each time of a clip: the settings, or those of the stretch of it that has settings of its own."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Final, NamedTuple

from understudy.casting.assignment import Assigned
from understudy.settings import Settings
from understudy.settings.lanes import Instead
from understudy.settings.schema import changed
from understudy.times import NEAR

#: Seconds before a stretch without faces ends, from which on they are drawn unseen: so what is learned of the light and
#: of shapes is known when they are shown again.
_READY: Final = 1.0


class Now(NamedTuple):
    """What holds for a frame.

    Attributes:
        settings: Those that hold.
        do: What is done in place of a swap; None for a swap.
        shape: How far faces take the photo's shape, where that is not what all of the clip has; else None.
        ready: Whether faces are drawn: unseen where something else is done.
    """

    settings: Settings
    do: Instead | None = None
    shape: float | None = None
    ready: bool = True

    def applied(self, assigned: Mapping[int, Assigned]) -> Mapping[int, Assigned]:
        """What tracks get now; what somebody was given for themselves stays.

        Args:
            assigned: What they get where all of the clip has the same settings.
        """
        if not self.ready:
            return {}
        if self.do is not None:
            return {track: one._replace(strength=0.0) for track, one in assigned.items()}
        strength, shape = self.settings.blend.strength, self.shape
        return {
            track: one._replace(
                strength=one.strength if one.own_strength else strength, shape=None if one.own_shape else shape
            )
            for track, one in assigned.items()
        }


class Course:
    """Of one clip.

    Args:
        settings: Of all of it, with the stretches that have their own.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lanes = settings, settings.lanes
        self._starts = [lane.since - NEAR for lane in self._lanes]

    @cached_property
    def each(self) -> tuple[Settings, ...]:
        """The settings of all that is not in a lane, and those of each lane."""
        plain = replace(self._settings, lanes=())
        return (plain, *(changed(plain, lane.values) if lane.settings else plain for lane in self._lanes))

    def at(self, seconds: float) -> Now | None:
        """What holds at a time of the clip; None where nothing but the settings ever does.

        Args:
            seconds: When the frame begins.
        """
        if not self._lanes:
            return None
        plain, *own = self.each
        place = bisect_right(self._starts, seconds) - 1
        lane = self._lanes[place] if place >= 0 else None
        if lane is None or (lane.until is not None and seconds >= lane.until - NEAR):
            return Now(plain)
        settings = own[place]
        if lane.do is not None:
            ending = lane.until is not None and lane.until - seconds <= _READY
            return Now(settings, lane.do, ready=ending and settings.blend.show == "swap")
        shape = settings.mesh.shape
        return Now(settings, shape=None if shape == plain.mesh.shape else shape)
