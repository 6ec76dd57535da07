"""How well photos show a face, besides their light: what to say of a head that is turned away, or small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from understudy.geometry.pose import pose_degrees
from understudy.swapping import Portrait

#: Degrees to a side, as ``pose_degrees`` measures them, from which on the far half of a face is hardly seen.
_TURNED: Final = 30.0
#: Height of a face in pixels below which it shows little detail.
_SMALL: Final = 80.0


class View(NamedTuple):
    """How one photo shows a face.

    Attributes:
        side: Degrees by which the head is turned towards the picture's right.
        height: Of the face, in pixels.
    """

    side: float
    height: float


def view_of(portrait: Portrait) -> View:
    """How a photo shows the face that was found in it."""
    assert portrait.face.mesh is not None
    (mesh,) = portrait.face.mesh
    return View(pose_degrees(mesh)[0], float(np.ptp(mesh[:, 1])))


def turned_away(views: Sequence[View]) -> bool:
    """Whether all photos of a person show the same side: of two from both sides each has what the other one hides."""
    sides = [view.side for view in views]
    return min(sides) >= _TURNED or max(sides) <= -_TURNED


def too_small(views: Sequence[View]) -> bool:
    """Whether no photo of a person shows the face large enough for its detail."""
    return max(view.height for view in views) < _SMALL


def remarks(portraits: Sequence[Portrait], names: Sequence[str]) -> list[str]:
    """What the user should know of a person's photos, if none of them shows the face from the front, or large.

    Args:
        portraits: All photos of them, each with its face.
        names: Of the photos, for messages.
    """
    views, said = [view_of(portrait) for portrait in portraits], []
    if turned_away(views):
        best = min(range(len(views)), key=lambda n: abs(views[n].side))
        said.append(
            f"the head in {names[best]} is turned by {abs(views[best].side):.0f} degrees, and what that hides is "
            "guessed; a photo from the front, or one more from the other side, looks better"
        )
    if too_small(views):
        best = max(range(len(views)), key=lambda n: views[n].height)
        said.append(
            f"the face in {names[best]} is {views[best].height:.0f} pixels high and shows little detail; "
            "a larger photo looks better"
        )
    return said
