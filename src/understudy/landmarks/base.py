"""What every landmarker does: of faces, of hands."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry.transforms import RotatedSquare


class MeshResult(NamedTuple):
    """A mesh and how sure the model is that there is a face at all.

    Attributes:
        mesh: float32 (478, 3) in pixels of the frame, z in the same scale, smaller is nearer.
        presence: 0-1.
    """

    mesh: FloatArray
    presence: float


class Landmarker(Protocol):
    """Fits a face mesh in a region of interest, and knows which region it likes."""

    def first_roi(self, box_xyxy: FloatArray, keypoints: FloatArray) -> RotatedSquare:
        """The region for a detection.

        Args:
            box_xyxy: float32 (4,).
            keypoints: float32 (5, 2).
        """
        ...

    def next_roi(self, mesh: FloatArray) -> RotatedSquare:
        """The region for the next frame.

        Args:
            mesh: float32 (478, 3): this frame's.
        """
        ...

    def fit(self, picture: UInt8Array, roi: RotatedSquare) -> MeshResult:
        """Fit the mesh.

        Args:
            picture: uint8 BGR (H, W, 3).
            roi: Where the face is, about 1.5 times its size, turned upright.
        """
        ...


class HandLandmarker(Protocol):
    """Fits a hand's joints in a region of interest, and knows which region it likes."""

    def first_roi(self, box_xyxy: FloatArray, keypoints: FloatArray) -> RotatedSquare:
        """The region for a palm.

        Args:
            box_xyxy: float32 (4,).
            keypoints: float32 (7, 2).
        """
        ...

    def next_roi(self, joints: FloatArray) -> RotatedSquare:
        """The region for the next frame.

        Args:
            joints: float32 (21, 2): this frame's.
        """
        ...

    def fit(self, picture: UInt8Array, roi: RotatedSquare) -> tuple[FloatArray, float]:
        """Fit the joints: float32 (21, 2) in pixels of the picture, and how sure it is that there is a hand (0-1).

        Args:
            picture: uint8 BGR (H, W, 3).
            roi: Where the hand is.
        """
        ...
