"""Faces that jump from one frame to the next: live frames are missing, or a camera shakes.

A mesh is fitted around where it was. Of a face that has moved by a third of its size the model is sure, too, and yet
places the mesh up to a third of a face beside it, where a swap leaves the eyes bare.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from understudy.arrays import FloatArray
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy
from understudy.tracking.crowd import astray
from understudy.tracking.tracks import Track

if TYPE_CHECKING:  # what a stage before does, as a type only
    from understudy.landmarks.base import Landmarker

#: How far, over its size, a face may lie from where its mesh was looked for, and how often it is looked for at most.
#: From frame to frame of six clips at 30 frames a second faces moved by 0.035 at most.
_JUMPED, _MOST_FITS = 0.1, 3
#: Presence (0-1) of which a mesh that is followed never fell short in those clips.
_CERTAIN: Final = 0.99
#: How far from where a face was, over its size, a detection may be the same one: less than the middle of any other face
#: lies away that is followed and not close (``crowd.close_together``), however small that is.
_FAR: Final = 0.6


def settled(
    landmarker: Landmarker,
    frame: Frame,
    track: Track,
    found: tuple[FloatArray, float],
    least: float,
    detect: Callable[[Frame], Faces],
) -> tuple[FloatArray, float]:
    """The mesh of a face that may have jumped, fitted anew where it was found, or where the detector sees it.

    Args:
        landmarker: Fits meshes.
        frame: The frame.
        track: The face, as it was before.
        found: The mesh, float32 (478, 3) in pixels, that was found around where it was, and its presence, 0-1.
        least: Presence below which there is no face: of one that is lost the tracker asks the detector anyway.
        detect: Gives what the detector sees in the frame.

    Returns:
        A mesh and its presence; what was found where nothing is odd about it.
    """
    (mesh, presence), before = found, track.raw
    for _ in range(1, _MOST_FITS):
        if presence < least or astray(mesh, before) < _JUMPED:
            break
        before = mesh
        mesh, presence = landmarker.fit(frame.picture, landmarker.next_roi(mesh))
    if least <= presence < _CERTAIN <= track.presence:
        detected = _as_detected(landmarker, frame, track.raw, detect(frame))
        if detected is not None and detected[1] > presence:
            return detected
    return mesh, presence


def _as_detected(
    landmarker: Landmarker, frame: Frame, mesh: FloatArray, seen: Faces
) -> tuple[FloatArray, float] | None:
    """The mesh, and its presence, of the detected face that is nearest to where another mesh was, if one is near."""
    if not len(seen):
        return None
    box = bounds_xyxy(mesh[None])[0]
    apart = np.hypot(*((seen.boxes_xyxy[:, :2] + seen.boxes_xyxy[:, 2:]) - (box[:2] + box[2:])).T) / 2
    nearest = int(apart.argmin())
    if apart[nearest] > _FAR * float((box[2:] - box[:2]).max()):
        return None
    assert seen.keypoints5 is not None
    rough, _ = landmarker.fit(frame.picture, landmarker.first_roi(seen.boxes_xyxy[nearest], seen.keypoints5[nearest]))
    return landmarker.fit(frame.picture, landmarker.next_roi(rough))
