"""One face's mesh from frame to frame: carried along with the picture, and smoothed."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from understudy.arrays import FloatArray, IntArray
from understudy.face import MESH_POINTS, SURFACE_POINTS
from understudy.frames import Frame
from understudy.geometry.topology import topology
from understudy.geometry.transforms import apply, similarity
from understudy.tracking.motion import FaceMotion
from understudy.tracking.options import TrackerOptions
from understudy.tracking.smoothing import OneEuroFilter

#: How far points may go astray from moving as one (root mean square, over the face's size) before the model must look.
#: The second: eyelids, lips and irises by themselves.
_MOST_ASTRAY, _FEATURES_ASTRAY = 0.01, 0.005
#: Seconds between two frames over which motion is followed in the picture.
_MOST_CARRIED: Final = 0.2


class MeshFilter:
    """Smooths one face's mesh: as it is seen, carried along with the picture, and its depth.

    Args:
        options: How.
    """

    def __init__(self, options: TrackerOptions) -> None:
        self._motion = FaceMotion()
        features = (_features(), slice(2)), options.features
        self._filter = OneEuroFilter(options.smoothing, [features, ((slice(None), 2), options.depth)])
        self._mesh: FloatArray | None = None
        self._seconds = 0.0

    def carry(self, frame: Frame) -> FloatArray | None:
        """Move the mesh along with the picture: how far its points went, float32 (478, 3).

        None if the last frame is too long ago, or none was seen.
        """
        if self._mesh is None or not 0 < frame.seconds - self._seconds <= _MOST_CARRIED:
            self._mesh = None
            return None
        moved = np.zeros_like(self._mesh)
        moved[:, :2] = self._motion.follow(frame.picture, self._mesh[:, :2])
        self._filter.carry(moved)
        self._mesh, self._seconds = self._mesh + moved, frame.seconds
        return moved

    def __call__(self, mesh: FloatArray, frame: Frame) -> FloatArray:
        """The smoothed mesh; ``mesh`` is float32 (478, 3), as the model sees it."""
        if self._mesh is None:
            self._motion = FaceMotion()
            self._motion.follow(frame.picture, mesh[:, :2])
        elif self._motion.repeated:  # nothing moved: a mesh that went on catching up would be seen to swim
            return self._mesh
        size = float(np.ptp(mesh[:, :2], axis=0).mean())
        self._mesh, self._seconds = self._filter(mesh, frame.seconds, size), frame.seconds
        return self._mesh


def as_one(mesh: FloatArray, moved: FloatArray, *, features_too: bool) -> bool:
    """Whether points went about where the face went: what passes in front of it would drag some of them along.

    Args:
        mesh: float32 (478, 3): where they are or were.
        moved: float32 (478, 3): how far they went.
        features_too: Whether eyelids, lips and irises by themselves must have, too, and more exactly.
    """
    before = mesh[:, :2]
    after = before + moved[:, :2]
    astray = apply(similarity(before, after), before) - after
    squares, size = (astray * astray).sum(axis=1), float(np.ptp(before, axis=0).mean())
    if features_too and np.sqrt(squares[_features()].mean()) > _FEATURES_ASTRAY * size:
        return False
    return bool(np.sqrt(squares.mean()) <= _MOST_ASTRAY * size)


@lru_cache(maxsize=1)
def _features() -> IntArray:
    """The points of eyelids, lips and irises."""
    shape = topology()
    rings = (shape.eye_left, shape.eye_right, shape.lips_inner, shape.lips_outer)
    return np.array(sorted({*np.concatenate(rings).tolist(), *range(SURFACE_POINTS, MESH_POINTS)}))
