"""The tracks of one clip: faces that are followed, and faces that were lost a moment ago."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from understudy.arrays import BoolArray, FloatArray
from understudy.face import Faces
from understudy.geometry.boxes import bounds_xyxy, iou_xyxy, shared_xyxy
from understudy.geometry.topology import keypoints5
from understudy.tracking.crowd import Crowd, close_together
from understudy.tracking.mesh_filter import MeshFilter
from understudy.tracking.options import TrackerOptions

#: How much of the smaller of two boxes lies in the other where both are of one face; and the overlap of two meshes.
_SAME, _DOUBLE = 0.5, 0.6
#: Overlap with where somebody was lost from which who is found may be them.
_THERE: Final = 0.3


@dataclass(eq=False)
class Track:
    """One face from frame to frame.

    Attributes:
        id: Its number.
        raw, smooth: float32 (478, 3): its mesh as it was fitted last, and as it is seen.
        presence: 0-1: how sure the mesh model was.
        filter: Makes the one of the other.
        seen_seconds, begun_seconds, fitted_seconds: When it was there last, since when it is followed, and when a mesh
            was fitted last.
        strain: How far its mesh lately lay from where it was expected, over the face's size, while somebody was close.
        checked_seconds: When the detector was asked last whether it still lies on its own face.
    """

    id: int
    raw: FloatArray
    smooth: FloatArray
    presence: float
    filter: MeshFilter
    seen_seconds: float
    begun_seconds: float
    fitted_seconds: float = -np.inf
    strain: float = 0.0
    checked_seconds: float = -np.inf


class Tracks:
    """All of them.

    Args:
        options: How faces are followed.

    Attributes:
        live: Those that are followed.
        lost: Those that were, not long ago.
    """

    def __init__(self, options: TrackerOptions) -> None:
        self._options = options
        self.live: list[Track] = []
        self.lost: list[Track] = []
        self._next_id = 1

    def clear(self) -> None:
        """Follow nobody, and expect nobody back. Numbers go on."""
        self.live, self.lost = [], []

    def expire(self, now: float) -> None:
        """Give up those who were lost for too long."""
        self.lost = [track for track in self.lost if 0 <= now - track.seen_seconds <= self._options.keep_seconds]

    def let_go(self, numbers: Collection[int]) -> None:
        """Lose those of these numbers."""
        self.lost += [track for track in self.live if track.id in numbers]
        self.live = [track for track in self.live if track.id not in numbers]

    def drop_doubles(self) -> None:
        """Of two that slid onto one face who did not slide, or else the older, stays."""
        kept: list[Track] = []
        for track in sorted(self.live, key=lambda t: (t.strain, t.id)):
            box = bounds_xyxy(track.raw[None])
            others = bounds_xyxy(np.stack([other.raw for other in kept])) if kept else np.zeros((0, 4), np.float32)
            if not kept or iou_xyxy(box, others).max() < _DOUBLE:
                kept.append(track)
        self.live = kept

    def for_face(self, mesh: FloatArray, now: float) -> Track:
        """The lost track that a face continues, or a new one; it is not followed yet.

        Args:
            mesh: float32 (478, 3): the face's.
            now: The frame's time.
        """
        center, size = mesh[:, :2].mean(0), float(np.ptp(mesh[:, :2], axis=0).max())
        for track in sorted(self.lost, key=lambda t: float(np.linalg.norm(t.raw[:, :2].mean(0) - center))):
            distance = float(np.linalg.norm(track.raw[:, :2].mean(0) - center))
            ratio = size / max(float(np.ptp(track.raw[:, :2], axis=0).max()), 1e-6)
            # The longer it was away the further it may have gone: about two face sizes a second.
            if distance < size * (0.6 + 2 * (now - track.seen_seconds)) and 0.5 < ratio < 2:
                self.lost.remove(track)
                track.filter, track.begun_seconds = MeshFilter(self._options), now
                return track
        track = Track(self._next_id, mesh, mesh, 0.0, MeshFilter(self._options), now, now)
        self._next_id += 1
        return track

    def overlaps(self, box: FloatArray) -> bool:
        """Whether a box, float32 (4,), is of a face that is followed already."""
        if not self.live:
            return False
        boxes = bounds_xyxy(np.stack([track.raw for track in self.live]))
        return bool(shared_xyxy(box, boxes).max() > _SAME)

    def crowded(self) -> list[Track]:
        """Those who are close to somebody else."""
        if len(self.live) < 2:
            return []
        close = close_together(bounds_xyxy(np.stack([track.raw for track in self.live])))
        return [track for track, is_close in zip(self.live, close, strict=True) if is_close]

    def crowd(self, found: Faces) -> Crowd:
        """Those who are followed, and what the detector sees in this frame."""
        return Crowd([one.raw for one in self.live], [one.strain for one in self.live], found)

    def is_close_to(self, mesh: FloatArray) -> bool:
        """Whether somebody new, of that mesh, would be close to somebody who is followed."""
        boxes = bounds_xyxy(np.stack([mesh, *(track.raw for track in self.live)]))
        return bool(close_together(boxes)[0])

    def where_lost(self, found: Faces) -> BoolArray:
        """Which of those who were found are where somebody was lost: bool (N,). They may be coming back."""
        if not self.lost or not len(found):
            return np.zeros(len(found), np.bool_)
        lost = bounds_xyxy(np.stack([track.raw for track in self.lost]))
        return np.asarray(iou_xyxy(found.boxes_xyxy, lost).max(axis=1) > _THERE, np.bool_)

    def faces(self) -> Faces:
        """Those who are followed, the largest first: see ``TrackingResult``."""
        if not self.live:
            return Faces.empty()
        mesh = np.stack([track.smooth for track in self.live])
        faces = Faces(
            boxes_xyxy=bounds_xyxy(mesh),
            scores=np.array([track.presence for track in self.live], np.float32),
            mesh=mesh,
            keypoints5=keypoints5(mesh),
            track_ids=np.array([track.id for track in self.live]),
        )
        return faces if len(faces) < 2 else faces[np.argsort(-faces.areas, kind="stable")]
