"""What every detector does: of faces, of palms, of people."""

from __future__ import annotations

from typing import Protocol

from understudy.arrays import FloatArray, UInt8Array
from understudy.face import Faces


class Detector(Protocol):
    """Finds faces in a picture."""

    def detect(self, picture: UInt8Array, *, thorough: bool = False) -> Faces:
        """Find faces.

        Args:
            picture: uint8 BGR (H, W, 3).
            thorough: Take the time to look for small faces too: for stills, and for a clip in which
                nothing has been found.

        Returns:
            Faces with ``boxes_xyxy``, ``scores`` and ``keypoints5``, best score first.
        """
        ...

    def parts(self, picture: UInt8Array) -> int:
        """How many parts a thorough search of a picture of that size has, 1 or more. Each takes about as long."""
        ...

    def part(self, picture: UInt8Array, number: int) -> Faces:
        """One part of a thorough search.

        Args:
            picture: uint8 BGR (H, W, 3).
            number: Which, from 0; the likelier places come first.

        Returns:
            As ``detect``. All parts and a ``detect`` that is not thorough find what a thorough one does.
        """
        ...

    def glance(self, picture: UInt8Array, turn: int) -> Faces:
        """Find small faces in one part of a picture: those that only a thorough search would find.

        Args:
            picture: uint8 BGR (H, W, 3).
            turn: Which part: rising numbers go round all of them.

        Returns:
            As ``detect``, with scores of 0.7 at least; nobody if ``detect`` finds small faces as well as large ones.
        """
        ...

    def rest(self) -> None:
        """Let go of what only a search for small faces takes. The next one has it opened anew."""
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
