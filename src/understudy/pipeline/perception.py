"""Sees who is in a picture: the detector and the mesh model, opened once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.detection import BlazeFace, Detector, PalmDetector
from understudy.faces import Faces
from understudy.geometry.boxes import bounds_xyxy, shared_xyxy
from understudy.geometry.topology import keypoints5
from understudy.landmarks import FaceMesh, HandFinder, IrisFinder, Landmarker, MeshResult
from understudy.tracking import HandTracker, Tracker, TrackerOptions

#: Times a mesh is fitted again in the region that it found itself: a still has no frame before it.
REFINEMENTS = 3
#: Below this presence (0-1) a detection is no face.
MIN_PRESENCE = 0.5
#: A face of which more than this lies in a larger one is a part of it.
MAX_SHARED = 0.6


@dataclass(frozen=True, eq=False)
class Perception:
    """The models that find and follow faces. Not for several threads at once."""

    detector: Detector
    landmarker: Landmarker

    @classmethod
    def embedded(cls) -> Perception:
        """The models that the package carries."""
        return cls(BlazeFace(), FaceMesh())

    def tracker(self, options: TrackerOptions) -> Tracker:
        """A tracker for one clip."""
        return Tracker(self.detector, self.landmarker, options)

    @staticmethod
    def hands(*, live: bool) -> HandTracker:
        """A tracker for the hands of one clip, with models of its own: it runs beside."""
        return HandTracker(PalmDetector(), HandFinder(), live=live)

    def still(self, picture: UInt8Array) -> Faces:
        """Everybody in a photo.

        Args:
            picture: uint8 BGR (H, W, 3).

        Returns:
            With mesh, keypoints5 and scores; ids 1, 2, … from left to right.
        """
        found = self.detector.detect(picture, thorough=True)
        kept: list[tuple[FloatArray, MeshResult]] = []
        # Large ones first: what the detector sees inside a face that is known already is part of it.
        for row in np.argsort(-found.areas, kind="stable").tolist():
            assert found.keypoints5 is not None
            roi = self.landmarker.first_roi(found.boxes_xyxy[row], found.keypoints5[row])
            result = self.landmarker.fit(picture, roi)
            for _ in range(REFINEMENTS):
                if result.presence < MIN_PRESENCE:
                    break
                result = self.landmarker.fit(picture, self.landmarker.next_roi(result.mesh))
            if result.presence < MIN_PRESENCE or not np.isfinite(result.mesh).all():
                continue
            box = bounds_xyxy(result.mesh[None])
            if kept and shared_xyxy(box[0], np.concatenate([other[0] for other in kept])).max() > MAX_SHARED:
                continue
            kept.append((box, result))
        if not kept:
            return Faces.empty()
        kept.sort(key=lambda pair: float(pair[0][0, [0, 2]].mean()))
        mesh = np.stack([result.mesh for _, result in kept])
        return Faces(
            boxes_xyxy=np.concatenate([box for box, _ in kept]),
            scores=np.array([result.presence for _, result in kept], np.float32),
            mesh=mesh,
            keypoints5=keypoints5(mesh),
            track_ids=np.arange(1, len(kept) + 1),
        )


def with_irises(faces: Faces, picture: UInt8Array, finder: IrisFinder) -> Faces:
    """The same faces with their irises located."""
    if faces.mesh is None or not len(faces):
        return faces
    irises = np.stack([finder.find(picture, mesh) for mesh in faces.mesh])
    return Faces(
        boxes_xyxy=faces.boxes_xyxy,
        scores=faces.scores,
        keypoints5=faces.keypoints5,
        mesh=faces.mesh,
        irises=irises,
        track_ids=faces.track_ids,
    )
