"""Sees who is in a picture: the detector and the mesh model, opened once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.detection import BlazeFace, Detector, PalmDetector
from understudy.face import Faces
from understudy.geometry.boxes import bounds_xyxy, shared_xyxy
from understudy.geometry.topology import keypoints5
from understudy.landmarks import FaceMesh, HandFinder, Landmarker, MeshResult
from understudy.tracking import HandTracker, Tracker, TrackerOptions
from understudy.tracking.turns import SURE, right_way_up

#: Times a mesh is fitted again in the region that it found itself: a still has no frame before it.
REFINEMENTS = 3
#: Below this presence (0-1) a detection is no face.
MIN_PRESENCE = 0.5
#: A face of which more than this lies in a larger one is a part of it.
MAX_SHARED = 0.6


@dataclass(frozen=True, eq=False)
class Perception:
    """The models that find and follow faces. For several threads at once, if its models are."""

    detector: Detector
    landmarker: Landmarker

    @classmethod
    def embedded(cls) -> Perception:
        """The models that the package carries."""
        return cls(BlazeFace(), FaceMesh())

    def tracker(self, options: TrackerOptions, *, everybody: bool = False) -> Tracker:
        """A tracker for one clip; ``everybody``: see there."""
        return Tracker(self.detector, self.landmarker, options, everybody=everybody)

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
        kept = self._meshes(picture, found)
        if any(result.presence < SURE for _, result in kept):
            kept = self._meshes(picture, found, in_all_turns=True)
        if not kept:
            # Detectors know people who stand; somebody may lie, or the picture itself.
            kept = self._meshes(picture, self._detected_turned(picture), least=SURE)
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

    def _meshes(
        self, picture: UInt8Array, found: Faces, *, least: float = MIN_PRESENCE, in_all_turns: bool = False
    ) -> list[tuple[FloatArray, MeshResult]]:
        """The box and the mesh of everybody who was found, and whose mesh has at least that presence.

        A mesh that fits, though not surely, is tried in all turns; where it does not fit at all, only if asked for.
        """
        kept: list[tuple[FloatArray, MeshResult]] = []
        # Large ones first: what the detector sees inside a face that is known already is part of it.
        for row in np.argsort(-found.areas, kind="stable").tolist():
            assert found.keypoints5 is not None
            roi = self.landmarker.first_roi(found.boxes_xyxy[row], found.keypoints5[row])
            result = self._refined(picture, self.landmarker.fit(picture, roi))
            fits = result.presence >= MIN_PRESENCE
            if fits or in_all_turns:
                turned = MeshResult(*right_way_up(self.landmarker, picture, roi, *result))
                result = result if turned.mesh is result.mesh else self._refined(picture, turned)
            if result.presence < (least if fits else SURE) or not np.isfinite(result.mesh).all():
                continue
            box = bounds_xyxy(result.mesh[None])
            if kept and shared_xyxy(box[0], np.concatenate([other[0] for other in kept])).max() > MAX_SHARED:
                continue
            kept.append((box, result))
        return kept

    def _refined(self, picture: UInt8Array, result: MeshResult) -> MeshResult:
        for _ in range(REFINEMENTS):
            if result.presence < MIN_PRESENCE:
                break
            result = self.landmarker.fit(picture, self.landmarker.next_roi(result.mesh))
        return result

    def _detected_turned(self, picture: UInt8Array) -> Faces:
        """What the detector finds when the picture is turned by one, two and three quarters."""
        parts = []
        for turns in (1, 2, 3):
            found = self.detector.detect(np.ascontiguousarray(np.rot90(picture, turns)), thorough=True)
            assert found.keypoints5 is not None
            corners = _turned_back(found.boxes_xyxy.reshape(-1, 2, 2), turns, picture)
            boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
            points = _turned_back(found.keypoints5, turns, picture)
            parts.append(Faces(boxes_xyxy=boxes, scores=found.scores, keypoints5=points))
        return Faces.concatenate(parts)


def _turned_back(points: FloatArray, turns: int, picture: UInt8Array) -> FloatArray:
    """Points of a picture turned by quarters, anticlockwise, in the picture as it was: float32 (N, K, 2)."""
    height, width = picture.shape[:2]
    x, y = points[..., 0], points[..., 1]
    placed = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}[turns]
    return np.asarray(np.stack(placed, axis=-1), np.float32)
