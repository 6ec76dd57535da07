"""A drawn hand: it covers what a hand covers, and models of hands take it for one."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array

#: An open hand, fingers upwards, from the wrist (0, 0): its 21 joints as ``landmarks.HandResult`` has them. Unit: from
#: the wrist to the middle finger's knuckle; x right, y down.
_JOINTS: Final = np.array(
    [
        *((0.0, 0.0), (0.38, -0.18), (0.68, -0.48), (0.86, -0.76), (1.02, -1.0)),
        *((0.33, -0.95), (0.42, -1.38), (0.46, -1.65), (0.49, -1.9)),
        *((0.02, -1.0), (0.04, -1.48), (0.05, -1.78), (0.06, -2.05)),
        *((-0.27, -0.92), (-0.31, -1.36), (-0.33, -1.64), (-0.35, -1.88)),
        *((-0.52, -0.76), (-0.62, -1.08), (-0.67, -1.3), (-0.71, -1.5)),
    ],
    np.float32,
)
#: Breadth of the fingers from the thumb on, of the flesh around the palm and of the arm; length of the arm.
_FINGERS: Final = (0.27, 0.235, 0.245, 0.225, 0.2)
_FLESH, _ARM, _ARM_LENGTH = 0.3, 0.62, 1.6
#: How much darker skin is where it turns away, and how far from its edge it does not any more.
_SHADE, _ROUND = 0.38, 0.13


class DrawnHand(NamedTuple):
    """A picture with a hand in it.

    Attributes:
        picture: uint8 BGR (H, W, 3).
        joints: float32 (21, 2) in pixels.
        covered: uint8 (H, W): 255 where the hand or its arm is, 0 elsewhere.
    """

    picture: UInt8Array
    joints: FloatArray
    covered: UInt8Array


def with_hand(
    picture: UInt8Array,
    wrist: tuple[float, float],
    size: float,
    *,
    color: tuple[int, int, int] = (140, 170, 220),
    lean: float = 0.0,
) -> DrawnHand:
    """Draw a hand over a copy of ``picture``.

    Args:
        picture: uint8 BGR (H, W, 3).
        wrist: x, y in pixels.
        size: From the wrist to the middle finger's knuckle, in pixels.
        color: BGR of its skin.
        lean: Radians clockwise.
    """
    cos, sin = np.cos(lean), np.sin(lean)
    turn = np.array([[cos, sin], [-sin, cos]], np.float32)
    joints = np.asarray(_JOINTS @ turn * size + np.array(wrist, np.float32), np.float32)
    shown, covered = picture.astype(np.float32), np.zeros(picture.shape[:2], np.uint8)
    arm = np.array([0, _ARM_LENGTH * size], np.float32) @ turn
    for part in _parts(joints, size, arm, picture.shape[:2]):
        depth = np.clip(cv2.distanceTransform(part, cv2.DIST_L2, 5) / (size * _ROUND), 0, 1)
        shade = 1 - _SHADE + _SHADE * np.sqrt(1 - (1 - depth) ** 2)
        opacity = cv2.GaussianBlur(part, (0, 0), 1.0).astype(np.float32)[..., None] / 255
        shown += (np.array(color, np.float32) * shade[..., None] - shown) * opacity
        covered |= part
    return DrawnHand(shown.clip(0, 255).astype(np.uint8), joints, covered)


def _parts(joints: FloatArray, size: float, arm: FloatArray, shape: tuple[int, ...]) -> list[UInt8Array]:
    """The palm with the arm, then each finger: uint8 masks, 0 or 255."""
    palm = np.zeros(shape, np.uint8)
    hull = np.asarray(cv2.convexHull(joints[[0, 1, 2, 5, 9, 13, 17]])[:, 0], np.float32)
    cv2.fillConvexPoly(palm, hull.astype(np.int32), 255)
    _stroke(palm, np.concatenate([hull, hull[:1]]), _FLESH * size)
    _stroke(palm, np.stack([joints[0], joints[0] + arm]), _ARM * size)
    parts = [palm]
    for number, breadth in enumerate(_FINGERS):
        finger = np.zeros(shape, np.uint8)
        _stroke(finger, joints[1 + 4 * number : 5 + 4 * number], breadth * size)
        parts.append(finger)
    return parts


def _stroke(mask: UInt8Array, points: FloatArray, breadth: float) -> None:
    cv2.polylines(mask, [points.astype(np.int32)], isClosed=False, color=255, thickness=max(1, int(breadth)))
