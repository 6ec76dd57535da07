"""Situations before a camera in which a face might be shown as it is: what ``benchmarks.guard`` goes through.

And ``PEOPLE``, in which people might be taken for each other: what ``benchmarks.people`` goes through.

Each is a function from a frame's number to a scene, at 25 frames a second, 640 x 360 pixels.
"""

from typing import Final

from understudy.testing.situations.base import RATE, SIZE, Group, Situation, Story, room
from understudy.testing.situations.crowds import CHOICES, CROWDS
from understudy.testing.situations.cuts import CUTS
from understudy.testing.situations.edges import EDGES
from understudy.testing.situations.light import LIGHT
from understudy.testing.situations.motions import MOTIONS
from understudy.testing.situations.occluders import OCCLUDERS
from understudy.testing.situations.ordinary import ORDINARY
from understudy.testing.situations.people import FOLLOWED, PEOPLE

__all__ = ["PEOPLE", "RATE", "SITUATIONS", "SIZE", "Group", "Situation", "Story", "room"]

#: All of the first kind.
SITUATIONS: Final[tuple[Situation, ...]] = (
    *EDGES,
    *MOTIONS,
    *OCCLUDERS,
    *LIGHT,
    *CUTS,
    *CROWDS,
    *CHOICES,
    *FOLLOWED,
    *ORDINARY,
)
