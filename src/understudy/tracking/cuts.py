"""Scene cuts, from thumbnails."""

from __future__ import annotations

import cv2
import numpy as np

from understudy.arrays import UInt8Array

THUMBNAIL = (64, 36)
#: Mean difference of two thumbnails in HSV (0-255) from which it may be a cut, and how much larger
#: than the recent mean it must be: fast motion is not a cut.
MIN_DIFFERENCE = 24.0
MIN_RATIO = 3.0


class CutDetector:
    """Says when a frame starts a new shot."""

    def __init__(self) -> None:
        self._last: UInt8Array | None = None
        self._usual = 0.0

    def is_cut(self, picture: UInt8Array) -> bool:
        """Whether ``picture`` (uint8 BGR) starts a new shot. The first picture does not."""
        # Four samples a thumbnail pixel: reading every pixel would cost more than all the rest.
        sampled = cv2.resize(picture, (2 * THUMBNAIL[0], 2 * THUMBNAIL[1]), interpolation=cv2.INTER_NEAREST)
        small = cv2.resize(sampled, THUMBNAIL, interpolation=cv2.INTER_AREA)
        thumbnail = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2HSV), np.uint8)
        last, self._last = self._last, thumbnail
        if last is None:
            return False
        difference = float(_difference(last, thumbnail))
        cut = difference > max(MIN_DIFFERENCE, MIN_RATIO * self._usual)
        self._usual = 0.0 if cut else 0.8 * self._usual + 0.2 * difference
        return cut


def _difference(first: UInt8Array, second: UInt8Array) -> float:
    """Mean absolute difference of two HSV pictures, 0-255. Hue is a circle, and means little where it is grey."""
    a, b = first.astype(np.float32), second.astype(np.float32)
    hue = np.abs(a[..., 0] - b[..., 0])
    hue = np.minimum(hue, 180 - hue) * (255 / 90) * np.minimum(a[..., 1], b[..., 1]) / 255
    return float((hue + np.abs(a[..., 1] - b[..., 1]) + 2 * np.abs(a[..., 2] - b[..., 2])).mean() / 4)
