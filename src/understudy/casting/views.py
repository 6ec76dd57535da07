"""How well photos show a face, besides their light: what to say of a head that is turned away, or small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from understudy.geometry.pose import pose_degrees
from understudy.swapping import Portrait

#: Degrees to a side, as ``pose_degrees`` measures them, from which on the far half of a face is hardly seen.
_TURNED: Final = 30.0
#: Height of a face in pixels below which it shows little detail.
_SMALL: Final = 80.0


def remarks(portraits: Sequence[Portrait], names: Sequence[str]) -> list[str]:
    """What the user should know of a person's photos, if none of them shows the face from the front, or large.

    Args:
        portraits: All photos of them, each with its face.
        names: Of the photos, for messages.
    """
    sides, heights, said = [], [], []
    for portrait in portraits:
        assert portrait.face.mesh is not None
        (mesh,) = portrait.face.mesh
        sides.append(pose_degrees(mesh)[0])
        heights.append(float(np.ptp(mesh[:, 1])))
    # Of two photos from both sides each shows what the other one hides.
    if min(sides) >= _TURNED or max(sides) <= -_TURNED:
        best = int(np.argmin(np.abs(sides)))
        said.append(
            f"the head in {names[best]} is turned by {abs(sides[best]):.0f} degrees, and what that hides is guessed; "
            "a photo from the front, or one more from the other side, looks better"
        )
    if max(heights) < _SMALL:
        best = int(np.argmax(heights))
        said.append(
            f"the face in {names[best]} is {heights[best]:.0f} pixels high and shows little detail; "
            "a larger photo looks better"
        )
    return said
