"""People close to one another: where a face is searched for goes by the detector there, not by where the mesh lay.

A mesh that is searched for around where it lay before slides, in a frame or two, from a face that is being hidden onto
the one that hides it, and lies half on either for a second. The detector has no past, and keeps them apart until less
than half of a face is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from understudy.arrays import BoolArray, FloatArray
from understudy.face import Faces
from understudy.geometry.boxes import bounds_xyxy, shared_xyxy
from understudy.geometry.topology import keypoints5

#: By how much of its size a face's box is widened on each side; those that meet then are close to one another.
_CLOSE = 0.15
#: How far the keypoints of a detection may lie from a face's to be its own: on average, over the detection's size.
_OWN = 0.35
#: The same for a mesh that was fitted for a detection: else it lies on another face.
_THERE = 0.09
#: How much of a face that the detector does not see may lie on another's: more, and it is hidden behind that one.
_HIDDEN = 0.5


class Detection(NamedTuple):
    """One face as the detector saw it: float32 (4,) and (5, 2), in pixels of the frame."""

    box: FloatArray
    keypoints: FloatArray


class Crowd:
    """Those of one frame who are close to one another.

    Args:
        meshes: Where everybody was in the frame before: float32 (478, 3) each.
        strains: How far each lately was astray from where it was expected: of two, it is the other who is seen.
        found: What the detector sees in this frame.
    """

    def __init__(self, meshes: Sequence[FloatArray], strains: Sequence[float], found: Faces) -> None:
        self._boxes = bounds_xyxy(np.stack(meshes))
        self._found = found
        self._own = _assigned(keypoints5(np.stack(meshes)), np.array(strains, np.float32), found)

    def detection(self, index: int) -> Detection | None:
        """Where the detector sees one of them; None where it does not."""
        row = self._own.get(index)
        if row is None:
            return None
        assert self._found.keypoints5 is not None
        return Detection(self._found.boxes_xyxy[row], self._found.keypoints5[row])

    def is_hidden(self, index: int, mesh: FloatArray) -> bool:
        """Whether somebody whom the detector does not see would be lying on another's face.

        Args:
            index: Who it is.
            mesh: float32 (478, 3): what was fitted for them.
        """
        if index in self._own:
            return False
        others = np.delete(self._boxes, index, axis=0)
        return bool(shared_xyxy(bounds_xyxy(mesh[None])[0], others).max() > _HIDDEN)


def close_together(boxes: FloatArray) -> BoolArray:
    """Who is close to another.

    Args:
        boxes: float32 (N, 4), xyxy.

    Returns:
        bool (N,).
    """
    sizes = boxes[:, 2:] - boxes[:, :2]
    wide = np.concatenate([boxes[:, :2] - sizes * _CLOSE, boxes[:, 2:] + sizes * _CLOSE], axis=1)
    low = np.maximum(wide[:, None, :2], wide[None, :, :2])
    high = np.minimum(wide[:, None, 2:], wide[None, :, 2:])
    meet = (high > low).all(axis=2)
    np.fill_diagonal(meet, val=False)
    return np.asarray(meet.any(axis=1), np.bool_)


def astray(mesh: FloatArray, expected: FloatArray) -> float:
    """How far the points of a mesh, float32 (478, 3), lie from where they are expected: on average, over its size."""
    size = max(float(np.ptp(expected[:, :2], axis=0).max()), 1e-6)
    return float(np.linalg.norm((mesh - expected)[:, :2], axis=1).mean()) / size


def is_own(mesh: FloatArray, keypoints: FloatArray, box: FloatArray) -> bool:
    """Whether a mesh that was fitted for a detection lies on its face, and not on one beside it.

    Args:
        mesh: float32 (478, 3).
        keypoints: float32 (5, 2): the detection's.
        box: float32 (4,), xyxy: the detection's.
    """
    size = max(float((box[2:] - box[:2]).max()), 1e-6)
    apart = np.linalg.norm(keypoints5(mesh[None])[0] - keypoints, axis=1).mean()
    return bool(apart <= _THERE * size)


def _assigned(keypoints: FloatArray, strains: FloatArray, found: Faces) -> dict[int, int]:
    """Which detection is whose, by how near its keypoints are to where theirs were: the nearest pairs first."""
    if not len(found):
        return {}
    assert found.keypoints5 is not None
    seen = found.boxes_xyxy
    sizes = np.maximum((seen[:, 2:] - seen[:, :2]).max(axis=1), 1e-6)
    apart = np.linalg.norm(keypoints[:, None] - found.keypoints5[None], axis=3).mean(axis=2) / sizes[None]
    apart += strains[:, None]
    own: dict[int, int] = {}
    for place in np.argsort(apart, axis=None):
        index, row = divmod(int(place), len(found))
        if apart[index, row] > _OWN:
            break
        if index not in own and row not in own.values():
            own[index] = row
    return own
