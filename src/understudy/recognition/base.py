"""What every embedder does: faces as vectors that are near for the same person."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.face import Faces
from understudy.geometry.transforms import aligned, apply, invert, scale_of, similarity

#: How much a face may be made smaller or larger for its crop: beyond that its points are no face's.
_SMALLEST, _LARGEST = 1e-4, 1e3


class Embedder(Protocol):
    """Turns faces into vectors, and says how far apart they are. For several threads at once."""

    @property
    def name(self) -> str:
        """For reports."""
        ...

    @property
    def same_person(self) -> float:
        """The distance below which two faces are taken for the same person's. Each class says how it was measured."""
        ...

    def embed(self, picture: UInt8Array, faces: Faces) -> FloatArray:
        """The embeddings of faces.

        Args:
            picture: uint8 BGR (H, W, 3).
            faces: Found in it, with the points that this embedder crops by: each class says which.

        Returns:
            float32 (N, D), as the network gives them: not of length 1. A row of NaN where there is nothing to see: the
            points are not finite, lie in one place, or nothing of the crop lies in the picture.

        Raises:
            ValueError: the faces lack those points.
            ModelError: the network failed.
        """
        ...

    def distances(self, one: FloatArray, many: FloatArray) -> FloatArray:
        """How far somebody is from others.

        Args:
            one: float32 (D,).
            many: float32 (N, D).

        Returns:
            float32 (N,), 0 or more; NaN where an embedding is.
        """
        ...


def with_embeddings(faces: Faces, picture: UInt8Array, embedder: Embedder) -> Faces:
    """The same faces with their embeddings. Nothing else fills them in: who asks for them pays for them.

    Args:
        faces: Found in ``picture``.
        picture: uint8 BGR (H, W, 3).
        embedder: Whose embeddings.

    Raises:
        ValueError, ModelError: see ``Embedder.embed``.
    """
    return replace(faces, embeddings=embedder.embed(picture, faces))


def cosine_distances(one: FloatArray, many: FloatArray) -> FloatArray:
    """1 minus the cosine of the angle between vectors of any length: see ``Embedder.distances``."""
    lengths = np.linalg.norm(many, axis=1) * np.linalg.norm(one)
    return np.asarray(np.maximum(1 - many @ one / np.maximum(lengths, 1e-9), 0), np.float32)


def face_crop(picture: UInt8Array, points: FloatArray, template: FloatArray, side: int) -> UInt8Array | None:
    """The crop of a face in which its points lie where a template has them.

    Args:
        picture: uint8 BGR (H, W, 3).
        points: float32 (K, 2), in pixels of ``picture``.
        template: float32 (K, 2), in units of the crop's side.
        side: Of the crop, in pixels.

    Returns:
        uint8 BGR (side, side, 3), black beyond the picture; None where there is nothing to see: see ``Embedder``.
    """
    if not np.isfinite(points).all() or np.ptp(points, axis=0).max() < 1e-3:
        return None
    transform = similarity(points, template)
    if not _SMALLEST < scale_of(transform) * side < _LARGEST:
        return None
    corners = apply(invert(transform), np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32))
    height, width = picture.shape[:2]
    if (corners.max(0) <= 0).any() or (corners.min(0) >= (width, height)).any():
        return None
    return aligned(picture, points, template, side)[0]
