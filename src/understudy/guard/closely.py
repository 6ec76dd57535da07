"""A close look at one place of a picture: the detector alone with a face sees it as large as it sees faces best."""

from __future__ import annotations

from typing import Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.detection import Detector
from understudy.geometry.boxes import rounded_box

#: How much more than a face's box is looked at on each side, over its size.
_AROUND: Final = 0.75
#: From this score (0-1) on a detection counts.
_SURE: Final = 0.7


def seen_closely(detector: Detector, picture: UInt8Array, box: FloatArray) -> FloatArray:
    """The faces that a detector sees at a place.

    Args:
        detector: What looks.
        picture: uint8 BGR (H, W, 3).
        box: float32 (4,), xyxy, in its pixels: where a face is taken to be.

    Returns:
        Their boxes: float32 (N, 4), xyxy, in pixels of ``picture``.
    """
    margin = _AROUND * (box[2:] - box[:2])
    around = rounded_box(np.concatenate([box[:2] - margin, box[2:] + margin]))
    around = around.clipped(picture.shape[1], picture.shape[0])
    if around.empty:
        return np.zeros((0, 4), np.float32)
    found = detector.detect(np.ascontiguousarray(picture[around.y0 : around.y1, around.x0 : around.x1]))
    assert found.scores is not None
    boxes = found.boxes_xyxy[found.scores >= _SURE] + np.array([around.x0, around.y0] * 2, np.float32)
    return np.asarray(boxes, np.float32)
