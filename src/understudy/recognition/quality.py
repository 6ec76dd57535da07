"""How good a picture of a face is: one score out of size, sharpness, pose and light, each of which says so by itself.

The parts are those that ISO/IEC 29794-5 (biometric sample quality: face image data) names, measured in the simplest way
that it has for each:

- **size**: the distance of the eyes, d pixels: ``log(d / 10) / log(90 / 10)``, cut to 0-1. 90 pixels are what passports
  ask for (ICAO 9303); at 10 nothing of a person is left.
- **sharpness**: how brightness bends from pixel to pixel over how much it varies, in the face at 64 pixels:
  ``(s - 0.04) / (0.4 - 0.04)``, cut to 0-1. Faces that are blurred by three hundredths of their height have 0.04 to
  0.11, sharp ones 0.17 to 0.6 (docs/lab-book.md).
- **pose**: ``cos(yaw)**2 * cos(pitch)**2``, 0 from 90 degrees on.
- **light**: the share of pixels that are neither black (below 26) nor white (above 246), times how even the two halves
  are: 1 minus the difference of their mean grey levels over the sum.

The score is their geometric mean: what one lacks, another does not make up for, and with one at 0 it is 0.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.face import Faces
from understudy.geometry.pose import pose_degrees
from understudy.geometry.topology import keypoints5

#: Side of the grey picture of a face in which sharpness is measured, in pixels.
_SIDE: Final = 64
#: Pixels between the eyes: where nothing is left, and from which on no more is needed.
_TOO_SMALL, _LARGE = 10.0, 90.0
#: What ``sharpness`` gives of a blurred face, and of one that is sharp without doubt.
_BLURRED, _SHARP = 0.04, 0.4
#: Grey levels: the lightest that counts as black, the darkest that counts as white.
_BLACK, _WHITE = 25, 247


class Quality(NamedTuple):
    """How good a picture of a face is, 0-1 each.

    Attributes:
        size, sharpness, pose, light: See the module.
    """

    size: float
    sharpness: float
    pose: float
    light: float

    @property
    def score(self) -> float:
        """All of it in one number, 0-1: the geometric mean."""
        return float((self.size * self.sharpness * self.pose * self.light) ** (1 / 4))


def quality(picture: UInt8Array, faces: Faces, row: int = 0) -> Quality:
    """How good the picture of one face is.

    Args:
        picture: uint8 BGR (H, W, 3).
        faces: With meshes, in pixels of it.
        row: Whose face.

    Raises:
        ValueError: the faces have no meshes.
    """
    if faces.mesh is None:
        raise ValueError("the quality of a face is measured with its mesh, and these faces have none")
    mesh, box = faces.mesh[row], faces.boxes_xyxy[row]
    yaw, pitch, _ = pose_degrees(mesh)
    return Quality(
        size_part(float(np.linalg.norm(np.diff(keypoints5(mesh[None])[0, :2], axis=0)))),
        sharpness_part(sharpness(picture, box)),
        pose_part(yaw, pitch),
        light_part(picture, box),
    )


def size_part(eyes: float) -> float:
    """The score of a size, 0-1.

    Args:
        eyes: Pixels between the eyes.
    """
    return float(np.clip(np.log(max(eyes, 1e-6) / _TOO_SMALL) / np.log(_LARGE / _TOO_SMALL), 0, 1))


def sharpness_part(sharp: float) -> float:
    """The score of what ``sharpness`` gives, 0-1."""
    return float(np.clip((sharp - _BLURRED) / (_SHARP - _BLURRED), 0, 1))


def pose_part(yaw: float, pitch: float) -> float:
    """The score of a pose, 0-1.

    Args:
        yaw: Degrees to either side.
        pitch: Degrees up or down.
    """
    across, down = (max(float(np.cos(np.radians(angle))), 0.0) for angle in (yaw, pitch))
    return across**2 * down**2


def light_part(picture: UInt8Array, box_xyxy: FloatArray) -> float:
    """The score of the light on a face, 0-1; 0 where nothing of it is in the picture.

    Args:
        picture: uint8 BGR (H, W, 3).
        box_xyxy: float32 (4,), in pixels of it.
    """
    part = part_of(picture, box_xyxy)
    if part is None:
        return 0.0
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    seen = float(np.mean((grey > _BLACK) & (grey < _WHITE)))
    middle = grey.shape[1] // 2
    left, right = float(grey[:, :middle].mean()), float(grey[:, -middle:].mean())
    return seen * (1 - abs(left - right) / max(left + right, 1.0))


def sharpness(picture: UInt8Array, box_xyxy: FloatArray, side: int = _SIDE) -> float:
    """How sharp a face is, whatever its contrast: how brightness bends from pixel to pixel over how much it varies.

    Args:
        picture: uint8 BGR (H, W, 3).
        box_xyxy: float32 (4,), in pixels of it.
        side: Of the square in which it is measured, in pixels: what is finer is not looked at.

    Returns:
        0 or more; 0 where nothing of the box is in the picture.
    """
    part = part_of(picture, box_xyxy)
    if part is None:
        return 0.0
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    how = cv2.INTER_AREA if grey.shape[0] > side else cv2.INTER_LINEAR
    small = cv2.resize(grey, (side, side), interpolation=how).astype(np.float32)
    return float(cv2.Laplacian(small, cv2.CV_32F).std() / (small.std() + 5))


def part_of(picture: UInt8Array, box_xyxy: FloatArray) -> UInt8Array | None:
    """What of a box is in a picture, uint8 BGR (h, w, 3); None if that is next to nothing.

    Args:
        picture: uint8 BGR (H, W, 3).
        box_xyxy: float32 (4,), in pixels of it.
    """
    height, width = picture.shape[:2]
    left, top, right, bottom = np.clip(box_xyxy, 0, [width, height, width, height]).astype(int)
    return picture[top:bottom, left:right] if min(right - left, bottom - top) >= 2 else None
