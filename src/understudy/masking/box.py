"""A box: the face without some of its top, bottom or sides."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry.topology import CHIN, EYE_LEFT_OUTER, EYE_RIGHT_OUTER, FOREHEAD_TOP
from understudy.masking.base import View
from understudy.masking.options import MaskOptions
from understudy.tones import smoothstep

#: Side of the picture that the box is drawn in, before it is laid over a face.
_SIDE: Final = 128
#: How wide its edges are at least, as a share of the face's size.
_SOFT: Final = 0.05


class BoxMask:
    """Shows what lies in a box that leans with the head.

    Args:
        options: Of which ``box`` is set.
    """

    def __init__(self, options: MaskOptions) -> None:
        assert options.box is not None
        self._picture = _drawn(options.box, max(options.feather, _SOFT), options.strength)

    def __call__(self, view: View) -> UInt8Array | None:
        """See ``Mask``."""
        patch = view.patch
        place = _laid(patch.mesh[:, :2] - np.array([patch.box.x0, patch.box.y0], np.float32))
        height, width = patch.alpha.shape
        # OpenCV puts whole numbers at pixel centres; here they are pixel corners.
        place[:, 2] += place[:, :2] @ [0.5, 0.5] - 0.5
        return np.asarray(
            cv2.warpAffine(
                self._picture, place, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            ),
            np.uint8,
        )


def _laid(points: FloatArray) -> FloatArray:
    """The transform from the drawn box to a face that leans: float (2, 3).

    Args:
        points: float32 (478, 2): its mesh, in pixels of the patch.
    """
    across, down = points[EYE_RIGHT_OUTER] - points[EYE_LEFT_OUTER], points[CHIN] - points[FOREHEAD_TOP]
    right = across + np.array([down[1], -down[0]])
    right = right / max(float(np.linalg.norm(right)), 1e-6)
    axes = np.array([right, [-right[1], right[0]]], np.float64)
    along = points @ axes.T
    low, size = along.min(0), np.ptp(along, axis=0)
    return np.column_stack([axes.T * (size / _SIDE), axes.T @ low])


@lru_cache(maxsize=32)
def _drawn(box: tuple[float, float, float, float], soft: float, strength: float) -> UInt8Array:
    """A face's box with margins left out (top, right, bottom, left): uint8 (_SIDE, _SIDE)."""
    top, right, bottom, left = box
    along = ((np.arange(_SIDE) + 0.5) / _SIDE).astype(np.float32)

    def shown(before: float, after: float) -> FloatArray:
        """How far each place along one axis is shown, between two margins: float32 (_SIDE,)."""
        begun = smoothstep(along, before, before + soft) if before else np.ones_like(along)
        ended = smoothstep(1 - along, after, after + soft) if after else np.ones_like(along)
        return np.asarray(begun * ended, np.float32)

    inside = np.outer(shown(top, bottom), shown(left, right))
    return np.asarray(np.rint(255 * (1 - strength * (1 - inside))), np.uint8)
