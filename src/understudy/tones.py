"""Luminance, and a soft threshold: what looking at skin needs everywhere."""

from __future__ import annotations

from typing import Final

import numpy as np

from understudy.arrays import FloatArray

#: Luminance of BGR (ITU-R BT.601).
LUMA: Final = np.array([0.114, 0.587, 0.299], np.float32)
LUMA.flags.writeable = False


def smoothstep(value: FloatArray, low: float, high: float) -> FloatArray:
    """3t²-2t³ of ``value`` between ``low`` and ``high``: 0 below, 1 above."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
