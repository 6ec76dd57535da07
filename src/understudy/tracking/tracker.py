"""Follows every face by its mesh; the detector runs only when a face is lost or may have come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from understudy.arrays import FloatArray
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy, iou_xyxy
from understudy.tracking.crowd import astray, is_own
from understudy.tracking.cuts import CutDetector
from understudy.tracking.jumps import settled
from understudy.tracking.mesh_filter import as_one
from understudy.tracking.options import TrackerOptions
from understudy.tracking.tracks import Track, Tracks
from understudy.tracking.turns import right_way_up

if TYPE_CHECKING:  # what a stage before does, as a type only
    from understudy.detection.base import Detector
    from understudy.detection.sweep import Sweep
    from understudy.landmarks.base import Landmarker

#: Seconds for which a mesh is followed in the picture alone.
MOST_UNFITTED = 0.1
#: Seconds for which a face must have been followed before its mesh is not fitted in every frame: until then it may turn
#: out to be none.
_SURE = 1.0
#: Faces that are followed at most where nothing else is said: each takes a mesh a frame; and where nobody may be
#: overlooked as many as detectors give.
USUALLY_MOST, MOST_OF_A_CROWD = 8, 32
#: Seconds for which what looks like a face, and is none by its mesh, is not tried again where every frame is looked at.
_NO_FACE: Final = 0.1
#: How sure, 0-1, the detector must be there: asked in every frame it is deceived more often.
_SURELY: Final = 0.75
#: Of people who are close: how far a mesh may lie from where it is expected, over the face's size, and for how many
#: seconds, before the detector is asked whether it slid.
_STRAINED, _CHECKED = 0.02, 0.25
#: Seconds between two thorough searches while somebody is followed, where nobody may be overlooked: one takes as long
#: as ten frames or more.
_SEARCH_BESIDE = 2.0


@dataclass(frozen=True, eq=False)
class TrackingResult:
    """What the tracker saw in one frame.

    Attributes:
        faces: With mesh (smoothed), keypoints5, scores (presence) and track ids; largest first.
        cut: Whether this frame starts a new shot; ids are new then.
        detected: What the detector found in its first, not thorough search, if it ran: then what is not urgent may
            wait for the next frame.
    """

    faces: Faces
    cut: bool
    detected: Faces | None = None


class Tracker:
    """One clip's faces. Make a new one for each clip; frames come in order.

    Args:
        detector: Finds faces.
        landmarker: Fits meshes.
        options: How.
        sweep: Finds small faces, while nobody is followed; None where there is time for all parts of a frame at once.
        everybody: Whether nobody may be overlooked: small faces are searched for also while others are followed.
        at_once: Whether whoever comes while others are followed is looked for in every frame: else it takes up to half
            a second until they are found, and they are seen as they are for so long.

    Attributes:
        rests: In up to so many frames in a row no mesh is fitted, where there is too little time for each: meshes
            follow the picture instead, as long as eyelids and lips go with their face, nobody's turn comes too late,
            and one or two people are followed, whole in the picture, for a second by now. May be set between two
            frames.
        rested: In how many frames in a row up to now none was.
    """

    def __init__(
        self,
        detector: Detector,
        landmarker: Landmarker,
        options: TrackerOptions | None = None,
        sweep: Sweep | None = None,
        *,
        everybody: bool = False,
        at_once: bool = False,
    ) -> None:
        self.options, self._sweep, self._everybody = options or TrackerOptions(), sweep, everybody
        self._at_once = at_once
        #: Boxes of what turned out to be no face, and when.
        self._no_faces: list[tuple[float, FloatArray]] = []
        self._most = self.options.max_faces or (MOST_OF_A_CROWD if everybody else USUALLY_MOST)
        self._detector, self._landmarker = detector, landmarker
        self.rests, self.rested = 0, 0
        self._cuts = CutDetector()
        self._tracks = Tracks(self.options)
        self._scanned = -np.inf
        self._searched = -np.inf
        self._offered: Faces | None = None
        self._detected: Faces | None = None
        self._followed_seconds = 0.0

    def update(self, frame: Frame) -> TrackingResult:
        """Follow everybody into ``frame``."""
        now, self._detected = frame.seconds, None
        cut = self._cuts.is_cut(frame.picture)
        if cut:
            self.break_off()
        self._tracks.expire(now)
        had = len(self._tracks.live)
        self._tracks.live = self._followed(frame)
        self._tracks.drop_doubles()
        offered, self._offered = self._offered, None
        if offered is not None and not cut:
            self._start_tracks(offered, frame)
        detected = self._look(frame) if self._should_look(now, lost_one=len(self._tracks.live) < had) else None
        if detected is None and self._at_once and len(self._tracks.live) < self._most:
            self._glance(frame)
        return TrackingResult(self._tracks.faces(), cut, detected)

    def break_off(self) -> None:
        """Follow nobody any more: what comes next does not go on from what was seen."""
        self._tracks.clear()
        self._scanned = self._searched = -np.inf
        if self._sweep is not None:
            self._sweep.begin()

    def offer(self, found: Faces) -> None:
        """Somebody else's detections: faces among them that are not followed yet are taken up in the next frame."""
        self._offered = found

    def let_go(self, numbers: Collection[int]) -> None:
        """Look anew, in the next frame, for those whose meshes somebody else has found not to lie on their faces."""
        self._tracks.let_go(numbers)

    def _followed(self, frame: Frame) -> list[Track]:
        """Those who were followed up to now and still can be."""
        kept, live = list[Track](), self._tracks.live
        since = max(frame.seconds - self._followed_seconds, 0.0)
        self._followed_seconds, may_rest = frame.seconds, self._may_rest(frame)
        self.rested += 1
        # Everybody has a turn in time, as few in each frame as that takes: more would make frames that are late later.
        turns = max(self.options.max_fits, int(np.ceil(len(live) * since / (MOST_UNFITTED + since) - 1e-6)))
        turns = turns if self.options.max_fits else len(live)
        crowded = self._tracks.crowded()
        for track in sorted(live, key=lambda t: t.fitted_seconds):
            moved = track.filter.carry(frame)
            overdue = not 0 <= frame.seconds - track.fitted_seconds <= MOST_UNFITTED + since
            if (
                (turns and not may_rest)
                or overdue
                or moved is None
                # Whoever has a turn rests only while nothing moves in their face.
                or not as_one(track.smooth, moved, features_too=turns > 0)
            ):
                turns, self.rested = max(turns - 1, 0), 0
                there = self._follow(track, frame, moved, close=track in crowded)
            else:
                track.raw, track.smooth, track.seen_seconds = track.raw + moved, track.smooth + moved, frame.seconds
                there = _plausible(track.smooth, frame)
                self._tracks.lost += [] if there else [track]
            kept += [track] if there else []
        return kept

    def _may_rest(self, frame: Frame) -> bool:
        """Whether no mesh need be fitted in this frame."""
        # More people rest together, and are then overdue together: that frame would take longer than any does else.
        if self.rested >= self.rests or not 1 <= len(self._tracks.live) <= 2:
            return False
        now = frame.seconds
        return all(
            now - track.fitted_seconds <= MOST_UNFITTED + 1e-6
            and now - track.begun_seconds >= _SURE
            and _inside(track.smooth, frame)
            for track in self._tracks.live
        )

    def _follow(self, track: Track, frame: Frame, moved: FloatArray | None, *, close: bool) -> bool:
        """Fit a track's mesh near where it was; False (and moved to the lost) if nothing is there.

        ``moved``: how far its points went in the picture, if that is known; ``close``: whether somebody else is near.
        """
        mesh, presence = self._landmarker.fit(frame.picture, self._landmarker.next_roi(track.raw))
        hidden = False
        if close:
            expected = track.raw if moved is None else track.raw + np.median(moved, axis=0).astype(np.float32)
            mesh, presence, hidden = self._among_others(track, frame, expected, mesh, presence)
        else:  # close to others it would slide
            track.strain = 0.0
            mesh, presence = settled(
                self._landmarker, frame, track, (mesh, presence), self.options.min_presence, self._detect
            )
        if hidden or presence < self.options.min_presence or not _plausible(mesh, frame):
            self._tracks.lost.append(track)
            return False
        self._take(track, mesh, presence, frame)
        return True

    def _among_others(
        self, track: Track, frame: Frame, expected: FloatArray, mesh: FloatArray, presence: float
    ) -> tuple[FloatArray, float, bool]:
        """The mesh of somebody who is close to another, whether there is one, and whether that other hides them.

        ``expected``: where it was, moved on; ``mesh`` and ``presence``: what was found around where it was.
        """
        now, least, hidden = frame.seconds, self.options.min_presence, False
        away = astray(mesh, expected)
        checked = 0 <= now - track.checked_seconds < _CHECKED
        if presence < least or max(away, track.strain) > _STRAINED or not checked:
            track.checked_seconds = now
            index, crowd = self._tracks.live.index(track), self._tracks.crowd(self._detect(frame))
            seen = crowd.detection(index)
            if seen is not None:
                other, sure = self._landmarker.fit(frame.picture, self._landmarker.first_roi(*seen))
                if presence < least or (sure >= least and astray(other, expected) < away):
                    mesh, presence, away = other, sure, astray(other, expected)
            hidden = crowd.is_hidden(index, mesh)
        track.strain = (track.strain + away) / 2
        return mesh, presence, hidden

    def _detect(self, frame: Frame) -> Faces:
        """What the detector sees in this frame, not searching thoroughly: it is asked once."""
        if self._detected is None:
            self._detected = self._detector.detect(frame.picture)
        return self._detected

    def _take(self, track: Track, mesh: FloatArray, presence: float, frame: Frame) -> None:
        self.rested, track.raw, track.presence = 0, mesh, presence
        track.seen_seconds = track.fitted_seconds = frame.seconds
        track.smooth = track.filter(mesh, frame)

    def _should_look(self, now: float, *, lost_one: bool) -> bool:
        if not self._tracks.live or lost_one:
            return True
        room = len(self._tracks.live) < self._most
        return room and not 0 <= now - self._scanned < self.options.scan_seconds

    def _look(self, frame: Frame) -> Faces:
        """Run the detector, and more thoroughly if that brings nobody: a poster must not hide a small face.

        Returns:
            What it found at first.
        """
        now = frame.seconds
        self._scanned = now
        found = self._detect(frame)
        self._start_tracks(found, frame)
        if not self._tracks.live and self._sweep is not None:
            self._start_tracks(self._sweep.look(frame, self.options.search_seconds), frame, thorough=True)
        elif self._should_search(now):
            self._searched = now
            self._start_tracks(self._detector.detect(frame.picture, thorough=True), frame, thorough=True)
        return found

    def _glance(self, frame: Frame) -> None:
        """Look whether somebody came since the frame before."""
        now = frame.seconds
        self._no_faces = [(since, box) for since, box in self._no_faces if 0 <= now - since < _NO_FACE]
        found = self._detect(frame)
        assert found.scores is not None
        found = found[(found.scores >= _SURELY) | self._tracks.where_lost(found)]
        if self._no_faces and len(found):
            before = np.stack([box for _, box in self._no_faces])
            found = found[np.array([iou_xyxy(box[None], before).max() < 0.5 for box in found.boxes_xyxy])]
        self._start_tracks(found, frame)
        self._no_faces += [(now, box) for box in found.boxes_xyxy if not self._tracks.overlaps(box)]

    def _should_search(self, now: float) -> bool:
        """Whether it is time for a thorough search."""
        if self._tracks.live and not self._everybody:
            return False
        every = _SEARCH_BESIDE if self._tracks.live else self.options.search_seconds
        return not 0 <= now - self._searched < every

    def _start_tracks(self, found: Faces, frame: Frame, *, thorough: bool = False) -> None:
        """Start, or take up again, a track for every face that is not followed yet and that a mesh fits.

        ``thorough``: also where it fits only the wrong way up, or on the side.
        """
        for row in range(len(found)):
            if len(self._tracks.live) >= self._most:
                return
            box = found.boxes_xyxy[row]
            if self._tracks.overlaps(box):
                continue
            assert found.keypoints5 is not None
            roi = self._landmarker.first_roi(box, found.keypoints5[row])
            mesh, presence = self._landmarker.fit(frame.picture, roi)
            fits = presence >= self.options.min_presence and _plausible(mesh, frame)
            if not fits and thorough:
                mesh, presence = right_way_up(self._landmarker, frame.picture, roi, mesh, presence)
                fits = presence >= self.options.min_presence and _plausible(mesh, frame)
            if not fits:
                continue
            if not self._tracks.is_close_to(mesh):  # there it would slide
                # A mesh fitted in the detector's rough region is less exact than one in its own, and what is no face
                # there would be lost in the next frame.
                mesh, presence = self._landmarker.fit(frame.picture, self._landmarker.next_roi(mesh))
            mesh, presence = right_way_up(self._landmarker, frame.picture, roi, mesh, presence)
            if presence < self.options.min_presence or not _plausible(mesh, frame):
                continue
            if self._tracks.overlaps(bounds_xyxy(mesh[None])[0]) and not is_own(mesh, found.keypoints5[row], box):
                continue
            track = self._tracks.for_face(mesh, frame.seconds)
            self._take(track, mesh, presence, frame)
            self._tracks.live.append(track)


def _plausible(mesh: FloatArray, frame: Frame) -> bool:
    """Whether the mesh is finite, larger than a few pixels, and centred inside the frame."""
    if not np.isfinite(mesh).all():
        return False
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    center = (low + high) / 2
    inside = bool((center > 0).all() and center[0] < frame.width and center[1] < frame.height)
    return inside and float((high - low).max()) > 8


def _inside(mesh: FloatArray, frame: Frame) -> bool:
    """Whether all of a mesh is in the picture: beyond its edge no motion is seen."""
    points = mesh[:, :2]
    return bool((points >= 0).all() and (points < (frame.width, frame.height)).all())
