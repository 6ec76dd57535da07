"""Whether a mesh lies on the face that it is taken for: a swap drawn beside a face shows the face.

The mesh model is sure of itself where it should not be: of half a face at the picture's edge it makes a small whole
one. A detector sees the same face by other means; in the middle of the picture the two agree within a tenth of the
face's height, and their sizes within a tenth.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.detection import Detector
from understudy.geometry.boxes import bounds_xyxy
from understudy.guard.closely import seen_closely
from understudy.guard.thumbnail import Thumbnail
from understudy.patches import Patch

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
#: Width of the rim in which the small picture is mirrored, in its pixels: half a face at the edge becomes a whole one.
_RIM: Final = 48
#: Frames after which a track whose mesh does not fit is looked for anew.
_ASTRAY: Final = 3


class Fitting:
    """Which meshes of one clip are to be believed. Frames come in order.

    Args:
        detector: Looks for faces in the small picture.

    Attributes:
        doubtful: Whether a mesh of the last frame was to be believed only after a look: one at the picture's edge.
        at_edge: Whether a mesh of the last frame lay at the picture's edge.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.doubtful = self.at_edge = True
        self._misfits: dict[int, int] = {}

    def detected(self, small: Thumbnail, scale: float) -> FloatArray:
        """Boxes of the faces in a frame, those at its edge too: float32 (N, 4), xyxy.

        Args:
            small: The frame made small.
            scale: Its size over the frame's.
        """
        rimmed = cv2.copyMakeBorder(small.color, _RIM, _RIM, _RIM, _RIM, cv2.BORDER_REFLECT_101)
        found = self._detector.detect(np.asarray(rimmed, np.uint8)).boxes_xyxy - np.float32(_RIM)
        return np.asarray(found / np.float32(scale))

    def misfitting(
        self,
        patches: list[Patch],
        checks: FloatArray | None,
        found: FloatArray,
        small: Thumbnail,
        scale: float,
        picture: UInt8Array,
    ) -> frozenset[int]:
        """Tracks whose mesh is not to be believed in a frame.

        Args:
            patches: The swaps that there are.
            checks: What ``detected`` gave; None to look only if there is doubt.
            found: float32 (N, 4): faces that were found there in other ways, xyxy.
            small: The frame made small.
            scale: Its size over the frame's.
            picture: The frame's, uint8 BGR (H, W, 3).
        """
        size = picture.shape[1], picture.shape[0]

        def off(boxes: FloatArray) -> frozenset[int]:
            return frozenset(one.track_id for one in patches if not fits(one.mesh, boxes, size, scale))

        numbers = off(found)
        self.doubtful, self.at_edge = bool(numbers), any(lies_at_edge(one.mesh, size) for one in patches)
        if numbers or checks is not None:
            checks = self.detected(small, scale) if checks is None else checks
            numbers = off(np.concatenate([found, checks]))
        # Of small faces, and of what is around them, detections in the whole picture are coarse.
        numbers -= {one.track_id for one in patches if one.track_id in numbers and self._fits_closely(one, picture)}
        self._misfits = {number: self._misfits.get(number, 0) + 1 for number in numbers}
        return numbers

    def _fits_closely(self, patch: Patch, picture: UInt8Array) -> bool:
        """Whether a mesh that is not at the picture's edge lies on a face that is seen in a close look."""
        size = picture.shape[1], picture.shape[0]
        if lies_at_edge(patch.mesh, size):
            return False
        seen = seen_closely(self._detector, picture, bounds_xyxy(patch.mesh[None])[0])
        return len(seen) > 0 and fits(patch.mesh, seen, size, scale=1.0)

    def astray(self) -> frozenset[int]:
        """Tracks for which that is so for several frames: they are better looked for anew."""
        return frozenset(number for number, frames in self._misfits.items() if frames >= _ASTRAY)


def fits(mesh: FloatArray, detections: FloatArray, size: tuple[int, int], scale: float) -> bool:
    """Whether a mesh is to be believed.

    In the middle of a picture it is, unless a detection beside it says otherwise: a detector overlooks turned heads.
    At the edge it is only with a detection that agrees.

    Args:
        mesh: float32 (478, 3), in pixels.
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
    at_edge = lies_at_edge(mesh, size)
    near, alike = _COARSE if height * scale < _COARSE_BELOW else _EDGE if at_edge else _ELSEWHERE
    agrees = bool(((apart < near) & (ratio < alike)).any())
    return agrees or not (at_edge or bool((apart < _ANOTHER * np.maximum(sides / side, 1)).any()))


def lies_at_edge(mesh: FloatArray, size: tuple[int, int]) -> bool:
    """Whether a mesh, float32 (478, 3) in pixels, lies at the edge of a picture of that width and height, or beyond."""
    points = mesh[:, :2]
    margin = _MARGIN * max(float(np.ptp(points[:, 1])), 1.0)
    inside = (points > margin) & (points < np.array(size, np.float32) - margin)
    return bool(inside.all(axis=1).mean() < _AT_EDGE)
