"""Where hands lie in the picture, from their joints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, IntArray, UInt8Array

#: Joints of each finger from the thumb on, each beginning in the palm; the joints around the palm.
_FINGERS: Final = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_PALM: Final = (0, 1, 2, 5, 9, 13, 17)
_WRIST, _MIDDLE = 0, 9
#: Breadth of a finger, of what is around the palm's joints and of the arm, over the hand's size; how far of the arm is
#: drawn, likewise (a wrist may be bent: what lies further is a guess); and the spread of the edge.
_FINGER, _FLESH, _ARM, _SHOWN, _EDGE = 0.26, 0.3, 0.65, 0.5, 0.03
#: Fractions of a pixel that OpenCV draws with: 2 to the power of this.
_SHIFT: Final = 4


def silhouette(hands: Sequence[FloatArray], size: tuple[int, int]) -> UInt8Array | None:
    """What hands and the beginnings of their arms cover.

    Args:
        hands: The joints of each, float32 (21, 2), in pixels of the mask.
        size: Width and height of the mask.

    Returns:
        uint8 (h, w), 0-255 with soft edges; None where no hand is.
    """
    width, height = size
    mask = np.zeros((height, width), np.uint8)
    for joints in hands:
        palm = _palm_size(joints)
        reach = palm * (_SHOWN + _ARM)
        if (joints.max(0) < -reach).any() or (joints.min(0) > np.array(size) + reach).any():
            continue
        hand = np.zeros_like(mask)
        for finger in _FINGERS:
            _stroke(hand, joints[list(finger)], _FINGER * palm)
        hull = np.asarray(cv2.convexHull(joints[list(_PALM)].astype(np.float32))[:, 0], np.float32)
        cv2.fillConvexPoly(hand, _fixed(hull), 255, shift=_SHIFT)
        _stroke(hand, np.concatenate([hull, hull[:1]]), _FLESH * palm)
        back = joints[_WRIST] - joints[_MIDDLE]
        along = back / max(float(np.linalg.norm(back)), 1e-6) * palm * _SHOWN
        _stroke(hand, np.stack([joints[_WRIST], joints[_WRIST] + along]), _ARM * palm)
        spread = max(_EDGE * palm, 0.5)
        mask = np.maximum(mask, np.asarray(cv2.GaussianBlur(hand, (0, 0), spread), np.uint8))
    return mask if mask.any() else None


def _palm_size(joints: FloatArray) -> float:
    """The breadth of the knuckles or the length of the palm, whichever is seen less foreshortened."""
    breadth = float(np.linalg.norm(joints[5] - joints[17]))
    length = float(np.linalg.norm(joints[_MIDDLE] - joints[_WRIST]))
    return max(breadth, 0.75 * length, 1.0)


def _stroke(mask: UInt8Array, points: FloatArray, breadth: float) -> None:
    cv2.polylines(mask, [_fixed(points)], isClosed=False, color=255, thickness=max(1, round(breadth)), shift=_SHIFT)


def _fixed(points: FloatArray) -> IntArray:
    return np.rint(np.clip(points, -1e4, 1e4) * (1 << _SHIFT)).astype(np.int32)
