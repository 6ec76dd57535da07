"""A crop as the landmark models take it."""

from __future__ import annotations

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array


def rgb_blob(crop: UInt8Array) -> FloatArray:
    """uint8 BGR (H, W, 3) to float32 RGB, 0-1, contiguous."""
    return np.multiply(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB), np.float32(1 / 255), dtype=np.float32)
