"""What every detector does: of faces, of palms, of people."""

from __future__ import annotations

from typing import Protocol

from understudy.arrays import FloatArray, UInt8Array
from understudy.face import Faces


class Detector(Protocol):
    """Finds faces in a picture."""

    def detect(self, picture: UInt8Array, *, thorough: bool = False, glance: int | None = None) -> Faces:
        """Find faces.

        Args:
            picture: uint8 BGR (H, W, 3).
            thorough: Take the time to look for small faces too: for stills, and for a clip in which
                nothing has been found.
            glance: Look for small faces in one part of the picture only: rising numbers go round all parts. A face
                found so has a score of 0.7 at least.

        Returns:
            Faces with ``boxes_xyxy``, ``scores`` and ``keypoints5``, best score first.
        """
        ...


class HandDetector(Protocol):
    """Finds palms in a picture."""

    def detect(self, picture: UInt8Array) -> tuple[FloatArray, FloatArray]:
        """Find palms.

        Args:
            picture: uint8 BGR (H, W, 3).

        Returns:
            Their boxes, float32 (N, 4), xyxy, and keypoints, float32 (N, 7, 2).
        """
        ...


class PersonSegmentation(Protocol):
    """Tells people from what is around them."""

    def segment(self, picture: UInt8Array) -> FloatArray:
        """How sure it is that a pixel is a person's.

        Args:
            picture: uint8 BGR (H, W, 3).

        Returns:
            float32 (h, w), 0-1: the whole picture, smaller.
        """
        ...
