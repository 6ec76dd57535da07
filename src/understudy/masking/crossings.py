"""Faces before faces: where two meet, which is in front, and where it hides the other.

The one in front is seen where both would be: what is there looks as that person did before they met. Of two who were
never seen apart the larger is taken for the nearer one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.face import SURFACE_POINTS
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.geometry.topology import CHIN, FOREHEAD_TOP
from understudy.masking.base import View

#: Side of the picture of a face that its looks are read from, in pixels: its features, but not its pores.
_SIDE: Final = 40
#: Points of a face that must lie on another for the two to have met.
_FEW: Final = 6
#: Tracks whose looks are remembered, at most: those longest unseen go first.
_REMEMBERED: Final = 64
#: Seconds between two looks at what somebody looks like on their own.
_EVERY: Final = 0.2
#: Most that colours differ that is counted, as natural logarithms: an eye on a cheek is as bad as a stranger's hair.
_MOST: Final = 0.5
#: How differently a face looks that is another's, in the same measure, where only one of the two was seen alone.
_STRANGE: Final = 0.15
#: The share, in percent, of what lies beside the other face that surely is not hidden: by its hair, say. If that looks
#: otherwise than it did, the light is another.
_LEAST_HIDDEN: Final = 20
#: What size says, for twice the size: little, beside what is seen.
_OF_SIZE: Final = 0.05
#: How fast evidence is believed: the share of each frame.
_BELIEF: Final = 0.35
#: How far evidence must point the other way for two to change places.
_SURELY: Final = 0.03
#: By how much a face's outline is widened, for ears and cheeks; how much of its height is added above it, for hair; and
#: the spread of the edge, over its size.
_WIDER, _HAIR, _EDGE = 1.1, 0.2, 0.015
#: Fractions of a pixel that OpenCV draws with: 2 to the power of this.
_SHIFT: Final = 4


@dataclass(eq=False)
class _Known:
    """What somebody looks like, and since when.

    Attributes:
        colours: Natural logarithms of the colours at the points of their mesh: float32 BGR (468, 3).
    """

    colours: FloatArray
    seconds: float


class Crossings:
    """Who is before whom, of one clip. Frames come in order."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        #: For two who have met, the lower number first: above 0 the first is in front.
        self._leads: dict[tuple[int, int], float] = {}

    def before(self, frame: Frame, meshes: Mapping[int, FloatArray]) -> dict[int, list[int]]:
        """Who is in front of whom.

        Args:
            frame: As it came; it is only read.
            meshes: Of everybody in it, by track: float32 (478, 3), in its pixels.

        Returns:
            The tracks of those who are in front of each track of whom anybody is.
        """
        if len(meshes) < 2:
            self._leads.clear()
            self._learn_who_is_apart(frame, meshes, set())
            return {}
        boxes = dict(zip(meshes, bounds_xyxy(np.stack(list(meshes.values()))), strict=True))
        near = [pair for pair in combinations(sorted(meshes), 2) if _meet(boxes[pair[0]], boxes[pair[1]])]
        now: dict[tuple[int, int], float] = {}
        for a, b in near:
            shared = _inside(meshes[a], meshes[b]), _inside(meshes[b], meshes[a])
            if max(int(inside.sum()) for inside in shared) >= _FEW:
                now[a, b] = self._lead(frame, (a, b), (meshes[a], meshes[b]), shared)
        self._leads = now
        self._learn_who_is_apart(frame, meshes, {track for pair in near for track in pair})
        front: dict[int, list[int]] = {}
        for (a, b), lead in now.items():
            front.setdefault(b if lead > 0 else a, []).append(a if lead > 0 else b)
        return front

    def forget(self, tracks: Sequence[int] | None = None) -> None:
        """Forget what some tracks look like; all if None."""
        gone = set(self._known) if tracks is None else set(tracks)
        self._known = {track: known for track, known in self._known.items() if track not in gone}
        self._leads = {pair: lead for pair, lead in self._leads.items() if not gone.intersection(pair)}

    def _lead(
        self,
        frame: Frame,
        pair: tuple[int, int],
        meshes: tuple[FloatArray, FloatArray],
        shared: tuple[BoolArray, BoolArray],
    ) -> float:
        """How surely the first of two is in front of the second; below 0 it is behind."""
        strange = [
            self._strangeness(frame, track, mesh, inside)
            for track, mesh, inside in zip(pair, meshes, shared, strict=True)
        ]
        sizes = [float(np.ptp(mesh[:, :2], axis=0).prod()) for mesh in meshes]
        size = _OF_SIZE * float(np.clip(np.log2(max(sizes[0], 1.0) / max(sizes[1], 1.0)) / 2, -1, 1))
        first, second = strange
        if first is None and second is None:
            evidence = size
        else:
            evidence = (_STRANGE if second is None else second) - (_STRANGE if first is None else first) + size / 4
        before = self._leads.get(pair)
        if before is None:
            return evidence or 1e-6
        lead = before + (evidence - before) * _BELIEF
        return lead if lead * before > 0 or abs(lead) > _SURELY else float(np.copysign(1e-6, before))

    def _strangeness(self, frame: Frame, track: int, mesh: FloatArray, inside: BoolArray) -> float | None:
        """How much more what is seen where a face meets another differs from how it looked than the rest of it does."""
        known = self._known.get(track)
        if known is None or inside.sum() < _FEW:
            return None
        colours = _colours(frame, mesh)
        if colours is None:
            return None
        apart = np.minimum(np.abs(colours - known.colours).mean(axis=1), _MOST)
        beside = apart[~inside]
        usual = float(np.percentile(beside, _LEAST_HIDDEN)) if len(beside) >= _FEW else 0.0
        return float(apart[inside].mean()) - usual

    def _learn_who_is_apart(self, frame: Frame, meshes: Mapping[int, FloatArray], near: set[int]) -> None:
        now = frame.seconds
        for track, mesh in meshes.items():
            known = self._known.get(track)
            if track in near or (known is not None and 0 <= now - known.seconds < _EVERY):
                continue
            colours = _colours(frame, mesh)
            if colours is not None:
                self._known.pop(track, None)
                self._known[track] = _Known(colours, now)
        for track in list(self._known)[:-_REMEMBERED]:
            del self._known[track]


class FacesBefore:
    """Where other faces are in front of one; see ``Mask``."""

    def __call__(self, view: View) -> UInt8Array | None:
        """See ``Mask``."""
        if not view.before:
            return None
        box, step = view.patch.box, view.step
        height, width = view.patch.alpha.shape
        corner = np.array([box.x0, box.y0], np.float32)
        hidden = np.zeros((-(-height // step), -(-width // step)), np.uint8)
        for mesh in view.before:
            outline = (_head(mesh[:SURFACE_POINTS, :2]) - corner) / np.float32(step)
            one = np.zeros_like(hidden)
            cv2.fillConvexPoly(one, np.rint(outline * (1 << _SHIFT)).astype(np.int32), 255, shift=_SHIFT)
            soft = cv2.GaussianBlur(one, (0, 0), max(_EDGE * float(np.ptp(outline, axis=0).max()), 0.5))
            hidden = np.maximum(hidden, np.asarray(soft, np.uint8))
        return view.in_full(np.asarray(255 - hidden, np.uint8)) if hidden.any() else None


def _meet(a: FloatArray, b: FloatArray) -> bool:
    return bool((np.minimum(a[2:], b[2:]) > np.maximum(a[:2], b[:2])).all())


def _head(points: FloatArray) -> FloatArray:
    """The outline of the head around a face: float32 (N, 2), of its points, float32 (468, 2)."""
    outline = _hull(points)
    middle, up = outline.mean(axis=0), points[FOREHEAD_TOP] - points[CHIN]
    wider = (outline - middle) * _WIDER + middle
    above = wider[(wider - middle) @ up > 0] + up * _HAIR
    return _hull(np.concatenate([wider, above]))


def _hull(points: FloatArray) -> FloatArray:
    return np.asarray(cv2.convexHull(np.ascontiguousarray(points))[:, 0], np.float32)


def _inside(mesh: FloatArray, other: FloatArray) -> BoolArray:
    """Which points of a face lie on another: bool (468,)."""
    outline = _hull(other[:SURFACE_POINTS, :2])
    points, along = mesh[:SURFACE_POINTS, None, :2] - outline[None], np.roll(outline, -1, axis=0) - outline
    side = along[None, :, 0] * points[:, :, 1] - along[None, :, 1] * points[:, :, 0]
    return np.asarray((side >= 0).all(axis=1) | (side <= 0).all(axis=1), np.bool_)


def _colours(frame: Frame, mesh: FloatArray) -> FloatArray | None:
    """Logarithms of the colours under the points of a face: float32 (468, 3); None where none of it is in the frame."""
    box = pixel_box(bounds_xyxy(mesh[None])[0], frame.width, frame.height)
    if box.empty:
        return None
    part = frame.part(box)
    shrink = max(max(part.shape[:2]) / _SIDE, 1.0)
    size = (max(round(part.shape[1] / shrink), 1), max(round(part.shape[0] / shrink), 1))
    small = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)
    scale = np.array([size[0] / part.shape[1], size[1] / part.shape[0]], np.float32)
    places = (mesh[:SURFACE_POINTS, :2] - np.array([box.x0, box.y0], np.float32)) * scale - np.float32(0.5)
    x, y = (np.ascontiguousarray(places[:, k]) for k in range(2))
    seen = cv2.remap(small, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.log(seen.reshape(-1, 3) + 2), np.float32)
