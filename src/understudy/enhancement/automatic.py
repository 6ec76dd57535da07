"""How strong a step is where nobody says: as the face needs, out of its size and sharpness in the frame.

``size`` times ``need``, each 0-1:

- ``size`` is 0 up to a face of 96 pixels in height and 1 from 256 on, even steps of the logarithm between: in a face of
  90 pixels in a picture of 480 lines nobody sees what a restorer makes, only that it flickers.
- ``need`` of a restorer and of ``sharpen`` is how soft the face is in its own pixels (up to 256 of them): 0 where
  ``recognition.quality.sharpness`` gives 0.13 there and 1 at 0.055. Faces in sharp clips have 0.11 to 0.28, the same
  faces drawn with 128 pixels 0.05 to 0.12.
- ``need`` of ``denoise`` is how noisy it is: 0 at a spread of 2 grey levels, 1 at 8 (Immerkær, "Fast noise variance
  estimation", 1996).
- ``need`` of ``clahe`` is how flat it is: 0 where the grey levels spread by 45, 1 at 15.

An upscaler is shown in full.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.recognition.quality import part_of, sharpness

#: Height of a face in pixels: up to which nothing is done, and from which on all that is needed.
_TOO_SMALL, _LARGE = 96.0, 256.0
#: ``sharpness`` of a face that needs all, and of one that needs nothing.
_SOFT, _SHARP = 0.055, 0.13
#: Spread of the noise in grey levels, likewise from nothing to all.
_CLEAN, _NOISY = 2.0, 8.0
#: Spread of the grey levels: of a flat face, and of one with contrast enough.
_FLAT, _RICH = 15.0, 45.0
#: Immerkær's kernel: the difference of two Laplacians, which hardly sees edges.
_NOISE: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def automatic(name: str, picture: UInt8Array, box_xyxy: FloatArray) -> float:
    """How strong a step on a face is to be, 0-1.

    Args:
        name: The step's.
        picture: uint8 BGR (H, W, 3): the frame as it is before the step.
        box_xyxy: float32 (4,): of the face, in pixels of it.
    """
    part = part_of(picture, box_xyxy)
    if part is None:
        return 0.0
    height = float(box_xyxy[3] - box_xyxy[1])
    if (size := size_part(height)) == 0:
        return 0.0
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    if name == "denoise":
        return size * _ramp(noise(grey), _CLEAN, _NOISY)
    if name == "clahe":
        return size * (1 - _ramp(float(grey.std()), _FLAT, _RICH))
    return size * (1 - _ramp(sharpness(picture, box_xyxy, round(min(height, _LARGE))), _SOFT, _SHARP))


def size_part(height: float) -> float:
    """How much a face's size lets a step be seen, 0-1.

    Args:
        height: Of the face, in pixels of the frame.
    """
    return float(np.clip(np.log(max(height, 1.0) / _TOO_SMALL) / np.log(_LARGE / _TOO_SMALL), 0, 1))


def noise(grey: FloatArray) -> float:
    """The spread of the noise in a picture, in grey levels.

    Args:
        grey: float32 (h, w), 0-255.
    """
    if min(grey.shape) < 3:
        return 0.0
    found = np.abs(cv2.filter2D(grey, cv2.CV_32F, _NOISE)[1:-1, 1:-1])
    return float(np.sqrt(np.pi / 2) / 6 * found.mean())


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))
