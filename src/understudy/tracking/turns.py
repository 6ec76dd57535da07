"""Faces that stand on their heads or lie on their sides.

A detector finds them, but takes their chins for foreheads. A mesh that is fitted the wrong way up looks like a face to
the mesh model, too, only less so: the logarithm of the odds of its presence is below 12 in 95 cases of 100, and 12 or
more in as many where the mesh is right (108 turned photos, paintings and frames, in four regions each; the surest wrong
one of six clips turned upside down had 12.2, and the right one 18 to 21). So a fit that is less than sure is tried in
all turns.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry.transforms import RotatedSquare

if TYPE_CHECKING:  # what a stage before does, as a type only
    from understudy.landmarks.base import Landmarker

#: From this presence (0-1) a mesh is the right way up; a turned one needs the second to be preferred.
SURE: Final = 0.999_999_7
TURNED: Final = 0.9999
#: Below this presence a turned region is not worth a second look: turned by a quarter too much or too little, the model
#: sees no face in a detection's rough region, and yet finds the eyes by which the next one is levelled.
_HOPELESS: Final = 0.0003


def right_way_up(
    landmarker: Landmarker, picture: UInt8Array, roi: RotatedSquare, mesh: FloatArray, presence: float
) -> tuple[FloatArray, float]:
    """The mesh of a detected face the right way up: the given one, or one from a turned region that fits far better.

    Args:
        landmarker: Fits meshes.
        picture: uint8 BGR (H, W, 3).
        roi: The region of the detection.
        mesh: float32 (478, 3): what was found in it.
        presence: Of that, 0-1.

    Returns:
        A mesh and its presence. Nothing is fitted where the given one is sure.
    """
    best = mesh, presence
    for quarters in (2, 1, 3):
        if best[1] >= SURE:
            break
        turned, there = landmarker.fit(picture, RotatedSquare(roi.center, roi.size, roi.angle + quarters * math.pi / 2))
        # Of a head that stands on its head the rough region may be so far off that only the second look sees it.
        if (there < _HOPELESS and quarters != 2) or not np.isfinite(turned).all():
            continue
        turned, there = landmarker.fit(picture, landmarker.next_roi(turned))
        if there > max(best[1], TURNED) and np.isfinite(turned).all():
            best = turned, there
    return best
