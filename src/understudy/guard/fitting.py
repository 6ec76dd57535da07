"""Whether a mesh lies on the face that it is taken for: a swap drawn beside a face shows the face.

The mesh model is sure of itself where it should not be: of half a face at the picture's edge it makes a small whole
one. A detector sees the same face by other means; in the middle of the picture the two agree within a tenth of the
face's height, and their sizes within a tenth.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from understudy.arrays import FloatArray
from understudy.geometry.boxes import bounds_xyxy

#: A mesh lies at the picture's edge if less than this share of its points is inside by the margin (over its height).
_AT_EDGE, _MARGIN = 0.97, 0.12
#: With less than this share inside, too little of the face is seen to be sure of anything.
_TOO_LITTLE: Final = 0.5
#: How far apart (over the mesh's height) and how different in size mesh and detection may be at the edge and elsewhere,
#: and for a face that is lower than so many pixels in the picture that was searched.
_EDGE, _ELSEWHERE, _COARSE = (0.3, 1.4), (0.25, 1.5), (0.38, 1.8)
_COARSE_BELOW: Final = 48
#: A detection so much further away (over the mesh's height) is somebody else's.
_ANOTHER: Final = 1.0


def fits(mesh: FloatArray, detections: FloatArray, size: tuple[int, int], scale: float) -> bool:
    """Whether a mesh is to be believed.

    In the middle of a picture it is, unless a detection beside it says otherwise: a detector overlooks turned heads.
    At the edge it is only with a detection that agrees.

    Args:
        mesh: float32 (468, 3), in pixels.
        detections: float32 (N, 4): boxes of faces that a detector sees in the same picture, mirrored at its edges.
        size: The picture's width and height.
        scale: Size of the picture that the detector searched, over this one's.
    """
    box = bounds_xyxy(mesh[None])[0]
    height = max(float(box[3] - box[1]), 1.0)
    points, limit = mesh[:, :2], np.array(size, np.float32)
    if ((points > 0) & (points < limit)).all(axis=1).mean() < _TOO_LITTLE:
        return False
    apart = np.hypot(*((detections[:, :2] + detections[:, 2:]) - (box[:2] + box[2:])).T) / 2 / height
    sides, side = (np.sqrt(np.maximum((b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1]), 1)) for b in (detections, box))
    ratio = np.maximum(sides / side, side / sides)
    margin = _MARGIN * height
    at_edge = ((points > margin) & (points < limit - margin)).all(axis=1).mean() < _AT_EDGE
    near, alike = _COARSE if height * scale < _COARSE_BELOW else _EDGE if at_edge else _ELSEWHERE
    agrees = bool(((apart < near) & (ratio < alike)).any())
    return agrees or not (at_edge or bool((apart < _ANOTHER * np.maximum(sides / side, 1)).any()))
