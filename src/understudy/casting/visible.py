"""Whether a face is seen well enough to tell whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.face import Faces
from understudy.geometry.boxes import shared_xyxy
from understudy.geometry.pose import pose_degrees
from understudy.recognition.quality import part_of, sharpness

#: Cells along each side of a thumbnail.
_CELLS: Final = 16
#: Share of a face's box that may lie in another's.
_SHARED: Final = 0.1
#: How near the picture's left or right edge it may come, over its height, and what share of it may lie outside: of half
#: a face at the edge the mesh model makes a small whole one.
_EDGE, _OUTSIDE = 0.1, 0.15


@dataclass(frozen=True)
class VisibleOptions:
    """What is seen well: beyond any of these, one person's faces are as far apart as two's (docs/lab-book.md).

    Attributes:
        smallest: Height of the mesh in pixels, at least.
        most_yaw, most_pitch: How far the head may be turned, in degrees.
        sharpness: What ``sharpness`` gives, at least: 0.17 to 0.6 of sharp faces of 40 pixels and more, 0.04 to 0.11
            of faces blurred by three hundredths of their height.
        presence: The mesh's, 0-1, at least.

    Raises:
        ValueError: one of them is below zero.
    """

    smallest: float = 40.0
    most_yaw: float = 25.0
    most_pitch: float = 25.0
    sharpness: float = 0.15
    presence: float = 0.9

    def __post_init__(self) -> None:
        if not min(self.smallest, self.most_yaw, self.most_pitch, self.sharpness, self.presence) >= 0:
            raise ValueError("what a face must be like can't be below zero")


def thumbnail(picture: UInt8Array, box_xyxy: FloatArray) -> FloatArray:
    """A face as a few grey levels, by which it is told whether it still looks as it did: float32 (256,).

    Its mean is 0 and its length 1 (0 where nothing of it is in the picture): the product of two is their correlation.

    Args:
        picture: uint8 BGR (H, W, 3).
        box_xyxy: float32 (4,), in pixels of it.
    """
    part = part_of(picture, box_xyxy)
    if part is None:
        return np.zeros(_CELLS * _CELLS, np.float32)
    # Sixteen samples a cell: reading every pixel of a large face takes as long as all else that is asked of it.
    sampled = cv2.resize(part, (4 * _CELLS, 4 * _CELLS), interpolation=cv2.INTER_NEAREST)
    small = cv2.resize(sampled, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32).ravel()
    grey -= grey.mean()
    return np.asarray(grey / max(float(np.linalg.norm(grey)), 1e-6), np.float32)


def seen_well(picture: UInt8Array, faces: Faces, row: int, options: VisibleOptions) -> bool:
    """Whether a face is large, sharp and frontal enough for an embedding, with nobody before it.

    Args:
        picture: uint8 BGR (H, W, 3).
        faces: Everybody in it, with meshes.
        row: Whose face.
        options: What that takes.
    """
    assert faces.mesh is not None
    box = faces.boxes_xyxy[row]
    if box[3] - box[1] < options.smallest or (faces.scores is not None and faces.scores[row] < options.presence):
        return False
    if shared_with_others(faces, row) > _SHARED or _outside(box, picture) > _OUTSIDE:
        return False
    if min(float(box[0]), picture.shape[1] - float(box[2])) < _EDGE * float(box[3] - box[1]):
        return False
    yaw, pitch, _ = pose_degrees(faces.mesh[row])
    if abs(yaw) > options.most_yaw or abs(pitch) > options.most_pitch:
        return False
    return sharpness(picture, box) >= options.sharpness


def shared_with_others(faces: Faces, row: int) -> float:
    """How much of a face's box, or of another's, lies in both: 0-1; 0 where nobody else is."""
    others = np.delete(faces.boxes_xyxy, row, axis=0)
    return float(shared_xyxy(faces.boxes_xyxy[row], others).max(initial=0.0))


def _outside(box: FloatArray, picture: UInt8Array) -> float:
    """The share of a box that lies outside a picture."""
    height, width = picture.shape[:2]
    inside = np.clip(box, 0, [width, height, width, height])
    area = max(float((box[2] - box[0]) * (box[3] - box[1])), 1e-6)
    return 1 - float((inside[2] - inside[0]) * (inside[3] - inside[1])) / area
