"""The joints of a hand: MediaPipe's hand landmark model (Zhang et al., "MediaPipe Hands", 2020), the light one."""

from __future__ import annotations

from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry.transforms import RotatedSquare, apply, crop, invert
from understudy.landmarks.blob import rgb_blob
from understudy.models.runtime import LiteModel

#: Of a palm's seven keypoints: the wrist and the middle finger's knuckle.
_PALM_WRIST, _PALM_MIDDLE = 0, 2
#: Side of the region over the palm's, and how far (in palms) its middle is shifted towards the fingers.
_OF_PALM, _TO_FINGERS = 2.6, 0.5
#: Joints of a hand that its region is taken from: all but the fingers' ends; side of the region over theirs, and shift.
_STEADY: Final = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
_OF_HAND, _OF_HAND_SHIFT = 2.0, 0.1
_WRIST, _FOREFINGER, _MIDDLE, _RING = 0, 5, 9, 13


class HandResult(NamedTuple):
    """A hand and how sure the model is that there is one.

    Attributes:
        joints: float32 (21, 2) in pixels of the frame: the wrist, then four of each finger from the thumb on, from the
            knuckle to the tip.
        presence: 0-1.
    """

    joints: FloatArray
    presence: float


class HandFinder:
    """The embedded hand model: 224 px, RGB 0-1. Regions are MediaPipe's recipe.

    It is opened for the first palm: in most clips there is none, and it takes 12 MB.
    """

    @cached_property
    def _model(self) -> LiteModel:
        return LiteModel("hand_landmark_lite.tflite")

    def fit(self, picture: UInt8Array, roi: RotatedSquare) -> HandResult:
        """Fit a hand in ``picture``, uint8 BGR (H, W, 3), where ``roi`` is: fingers upwards, with some room around."""
        size, _ = self._model.input_size
        to_crop = roi.to_crop(size)
        result = self._model.run(rgb_blob(crop(picture, to_crop, (size, size))))
        joints = result["Identity"].reshape(21, 3)[:, :2]
        return HandResult(apply(invert(to_crop), joints), float(result["Identity_1"].reshape(-1)[0]))

    @staticmethod
    def first_roi(box_xyxy: FloatArray, keypoints: FloatArray) -> RotatedSquare:
        """The region for a detected palm: float32 (4,) and (7, 2)."""
        center, side = (box_xyxy[:2] + box_xyxy[2:]) / 2, max(float((box_xyxy[2:] - box_xyxy[:2]).max()), 1.0)
        angle, up = _upright(keypoints[_PALM_MIDDLE] - keypoints[_PALM_WRIST])
        x, y = (center + up * side * _TO_FINGERS).tolist()
        return RotatedSquare((x, y), side * _OF_PALM, angle)

    @staticmethod
    def next_roi(joints: FloatArray) -> RotatedSquare:
        """The region for the next frame: around this frame's joints, float32 (21, 2)."""
        knuckles = (joints[_FOREFINGER] + joints[_RING]) / 4 + joints[_MIDDLE] / 2
        angle, up = _upright(knuckles - joints[_WRIST])
        axes = np.stack([[-up[1], up[0]], up])
        along = joints[list(_STEADY)] @ axes.T
        low, high = along.min(0), along.max(0)
        side = max(float((high - low).max()), 1.0)
        x, y = ((low + high) / 2 @ axes + up * side * _OF_HAND_SHIFT).tolist()
        return RotatedSquare((x, y), side * _OF_HAND, angle)


def _upright(towards_fingers: FloatArray) -> tuple[float, FloatArray]:
    """The angle (radians, clockwise as seen) by which a hand leans, and where its fingers point: float32 (2,)."""
    length = max(float(np.linalg.norm(towards_fingers)), 1e-6)
    up = np.asarray(towards_fingers / length, np.float32)
    return float(np.arctan2(up[0], -up[1])), up
