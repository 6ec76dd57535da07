"""Which pixels of a picture are people: MediaPipe's selfie segmentation, for wide pictures and for others.

It was made for people before a camera and sees them whole or in part, from the front or from behind: a slice of a head
at the picture's edge, too, in which no face detector finds a face.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry.transforms import resized
from understudy.models.runtime import LiteModel

#: A picture is stretched to a model's proportions by so much at most; beyond that black is added at two sides.
_MOST_STRETCHED: Final = 1.4


class PersonSegmenter:
    """The embedded segmentation. Not for several threads at once.

    The one model takes 256 x 144 pixels, the other 256 x 256; whichever is nearer to the picture's proportions is used.
    """

    def __init__(self) -> None:
        self._models = [LiteModel("selfie_segmentation_landscape.tflite"), LiteModel("selfie_segmentation.tflite")]

    def segment(self, picture: UInt8Array) -> FloatArray:
        """How sure it is that a pixel is a person's.

        Args:
            picture: uint8 BGR (H, W, 3).

        Returns:
            float32 (h, w), 0-1: the whole picture, 256 pixels along its longer side or 144 at least along the shorter.
        """
        height, width = picture.shape[:2]
        model = min(self._models, key=lambda one: abs(np.log(width / height / (one.input_size[0] / one.input_size[1]))))
        (across, down), proportion = model.input_size, width / height
        inner = (
            min(across, max(1, round(down * proportion * _MOST_STRETCHED))),
            min(down, max(1, round(across / proportion * _MOST_STRETCHED))),
        )
        left, top = (across - inner[0]) // 2, (down - inner[1]) // 2
        small = resized(picture, inner)
        if inner != (across, down):
            right, bottom = across - inner[0] - left, down - inner[1] - top
            small = np.asarray(cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_CONSTANT), np.uint8)
        blob = np.multiply(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.float32(1 / 255), dtype=np.float32)
        (mask,) = model.run(blob).values()
        return np.ascontiguousarray(mask[top : top + inner[1], left : left + inner[0], 0])
