"""A head's pose out of the 68 points of the iBUG scheme, as seen from afar."""

from __future__ import annotations

from typing import Final

import numpy as np

from understudy.arrays import FloatArray
from understudy.geometry.pose import turn_degrees
from understudy.geometry.topology import topology

#: Points that neither mouth nor brows move, from 0, and the vertices of the mesh (MediaPipe's) at the same places:
#: bridge and tip of the nose, its base and wings, the corners of the eyes.
PAIRS: Final = {
    27: 168, 28: 6, 29: 195, 30: 4, 31: 98, 33: 2, 35: 327, 36: 33, 39: 133, 42: 362, 45: 263,
}  # fmt: skip
#: Width over length below which points tell no pose: a profile's have a fifth and more.
_FLATTEST: Final = 0.05


def pose_of_points(points: FloatArray) -> tuple[float, float, float]:
    """Where a head points, by the mean face of this package.

    The linear map of the mean face to the picture that fits best, then the turn that is nearest to it (scaled
    orthographic projection; D. DeMenthon and L. Davis, "Model-based object pose in 25 lines of code", 1995, without its
    iterations). Depth in ``points`` is not used: models do not agree on its sign.

    Args:
        points: float32 (68, 2) or (68, 3), in pixels.

    Returns:
        Yaw, pitch and roll as of ``geometry.pose.pose_degrees``.

    Raises:
        ValueError: the points are not 68, not finite, or on a line.
    """
    if points.shape[0] != 68 or not np.isfinite(points).all():
        raise ValueError(f"68 finite points were wanted, not {points.shape[0]}")
    model = topology().canonical[list(PAIRS.values())].astype(np.float64)
    seen = points[list(PAIRS), :2].astype(np.float64)
    spread = np.linalg.svd(seen - seen.mean(0), compute_uv=False)
    if spread[1] <= _FLATTEST * spread[0]:
        raise ValueError("the points lie on a line, or at one place")
    linear, *_ = np.linalg.lstsq(model - model.mean(0), seen - seen.mean(0), rcond=None)
    u, _, vt = np.linalg.svd(linear.T, full_matrices=False)
    rows = u @ vt  # the two rows of a rotation that are nearest
    return turn_degrees(np.vstack([rows, np.cross(rows[0], rows[1])]))
