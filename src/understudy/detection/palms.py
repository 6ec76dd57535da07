"""Palms of hands: MediaPipe's palm detector (Zhang et al., "MediaPipe Hands", 2020), the light one."""

from __future__ import annotations

from typing import NamedTuple

from understudy.arrays import FloatArray, UInt8Array
from understudy.detection.ssd import SingleShot
from understudy.geometry.boxes import weighted_nms
from understudy.models.runtime import LiteModel

#: Overlap from which two detections are one palm, and how sure a detection must be (MediaPipe's settings).
_NMS_IOU, _MIN_SCORE = 0.3, 0.5


class Palms(NamedTuple):
    """What was found, best first.

    Attributes:
        boxes_xyxy: float32 (N, 4), square, around the palm without the fingers.
        keypoints: float32 (N, 7, 2): wrist, knuckles of forefinger, middle, ring and little finger, two of the thumb.
    """

    boxes_xyxy: FloatArray
    keypoints: FloatArray


class PalmDetector:
    """The embedded palm detector: 192 px, RGB 0-1."""

    def __init__(self) -> None:
        self._model = SingleShot(
            LiteModel("palm_detection_lite.tflite"),
            ((8, 2), (16, 6)),
            outputs=("Identity", "Identity_1"),
            points=7,
            darkest=0.0,
        )

    def detect(self, picture: UInt8Array) -> Palms:
        """Find palms in ``picture``, uint8 BGR (H, W, 3): from a tenth of its side."""
        found = self._model.candidates(picture, _MIN_SCORE)
        boxes, _, points = weighted_nms(found[:, 1:5], found[:, 0], found[:, 5:], _NMS_IOU)
        return Palms(boxes, points.reshape(-1, 7, 2))
