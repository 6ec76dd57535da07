"""Animates a portrait through its own face mesh.

The mesh fitted to the portrait is turned, opened and shut in space, a skirt of rings around it carries hair
and background along less and less, and the picture is warped accordingly. What comes out looks like a
stiff but real head, and where every vertex of it lies is known exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, IntArray, UInt8Array
from understudy.detection import PersonSegmenter
from understudy.face import SURFACE_POINTS
from understudy.geometry import topology as topo
from understudy.geometry.raster import EMPTY, rasterise
from understudy.resources.perception import Perception
from understudy.testing.motion import REST, Motion

#: The skirt's rings: radius relative to the oval, and how much of the head's motion they follow.
RINGS = ((1.12, 1.0), (1.3, 0.9), (1.55, 0.7), (1.9, 0.42), (2.4, 0.16), (3.0, 0.0))
#: Greatest drop of the jaw, in eye distances.
JAW_DROP = 0.42
#: How much of an open mouth's height the upper teeth fill, in the middle.
TEETH = 0.3
#: The upper edge of the inner mouth, from corner to corner (MediaPipe's numbers).
_UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
#: Colours over the mean of what lies around the mouth, BGR: the dark of the mouth, and teeth in the lip's shadow.
_CAVITY, _ENAMEL = np.array([0.24, 0.24, 0.5], np.float32), np.array([0.95, 1.25, 1.45], np.float32)


class PuppetFrame(NamedTuple):
    """A picture and the truth about it.

    Attributes:
        picture: uint8 BGR (H, W, 3).
        mesh: float32 (478, 3): where every vertex lies, in pixels of ``picture``.
        cutout: uint8 (H, W): 255 where the person is, 0 where the portrait's background; None where not asked for.
    """

    picture: UInt8Array
    mesh: FloatArray
    cutout: UInt8Array | None = None


class Puppet:
    """A portrait that can be moved.

    Args:
        picture: uint8 BGR (H, W, 3): the portrait.
        size: Width and height of the frames; the portrait fills their height, the sides are blurred.
        face_share: Height of the face in the frame; None keeps the portrait whole.
        perception: The models that find the face in the portrait; the embedded ones if None.
        cutout: Tell the person from the portrait's background, so that others can stand before and behind.

    Raises:
        ValueError: no face in the portrait.
    """

    def __init__(
        self,
        picture: UInt8Array,
        size: tuple[int, int] = (1280, 720),
        *,
        face_share: float | None = None,
        perception: Perception | None = None,
        cutout: bool = False,
    ) -> None:
        faces = (perception or Perception.embedded()).still(picture)
        if faces.mesh is None or not len(faces):
            raise ValueError("the portrait shows no face")
        mesh = faces.mesh[int(np.argmax(faces.areas))]
        self.size = size
        self._canvas, self.rest = _staged(picture, mesh, size, face_share)
        self._cutout = _cut_out(self._canvas) if cutout else None
        self._weights = _Weights(self.rest)
        self._skirt, self._triangles = _skirt(self.rest)
        self._source = np.concatenate([self.rest, self._centers(self.rest), self._skirt])[:, :2].astype(np.float32)
        self._y, self._x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32) + np.float32(0.5)

    def render(self, motion: Motion = REST) -> PuppetFrame:
        """The picture at one moment."""
        moved = self._moved(motion)
        skirt = self._skirt_moved(moved)
        points = np.concatenate([moved, self._centers(moved), skirt])
        values, depth = rasterise(points.astype(np.float32), self._triangles, self._source, self.size)
        drawn = depth < EMPTY
        map_x = np.where(drawn, values[:, :, 0], self._x) - np.float32(0.5)
        map_y = np.where(drawn, values[:, :, 1], self._y) - np.float32(0.5)
        warped = cv2.remap(self._canvas, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        picture = np.asarray(warped, np.uint8)
        _paint_mouth(picture, moved, topo.mouth_aperture(self.rest))
        if self._cutout is None:
            return PuppetFrame(picture, moved)
        cutout = cv2.remap(self._cutout, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return PuppetFrame(picture, moved, np.asarray(cutout, np.uint8))

    def _moved(self, motion: Motion) -> FloatArray:
        """The mesh after expression, rotation and shift."""
        weights, unit = self._weights, self._weights.unit
        mesh = self.rest.copy()
        mesh += weights.down * (weights.jaw * motion.mouth * JAW_DROP * unit)[:, None]
        mesh += weights.lid_travel * np.float32(motion.blink)
        turn = motion.rotation
        pivot = weights.pivot
        width = float(np.ptp(self.rest[:, 0]))
        shift = np.array([motion.shift[0] * width, motion.shift[1] * width, 0], np.float32)
        return np.asarray((mesh - pivot) @ turn.T + pivot + shift, np.float32)

    def _skirt_moved(self, moved: FloatArray) -> FloatArray:
        oval = topo.topology().oval
        travel = moved[oval] - self.rest[oval]
        parts = np.split(self._skirt, len(RINGS))
        return np.concatenate([part + travel * share for part, (_, share) in zip(parts, RINGS, strict=True)])

    @staticmethod
    def _centers(mesh: FloatArray) -> FloatArray:
        shape = topo.topology()
        return np.stack([mesh[ring].mean(0) for ring in (shape.eye_left, shape.eye_right, shape.lips_inner)])


class _Weights:
    """How much each vertex follows jaw and lids, for one rest mesh."""

    def __init__(self, rest: FloatArray) -> None:
        shape = topo.topology()
        eyes = [rest[ring].mean(0) for ring in (shape.eye_left, shape.eye_right)]
        self.unit = np.float32(np.linalg.norm(eyes[1] - eyes[0]))
        down = rest[topo.CHIN] - rest[topo.FOREHEAD_TOP]
        self.down = np.asarray(down / np.linalg.norm(down), np.float32)
        # Heads turn about the neck, behind the face.
        self.pivot = (rest[127] + rest[356] + rest[58] + rest[288]) / 4 + np.array([0, 0, 0.25 * self.unit], np.float32)
        self.jaw = self._jaw(shape)
        self.lid_travel = self._lids(rest, shape)

    @staticmethod
    def _jaw(shape: topo.Topology) -> FloatArray:
        x, y = np.abs(shape.canonical[:, 0]), shape.canonical[:, 1]
        ring = shape.lips_inner.tolist()
        start = ring.index(78)
        ring = ring[start:] + ring[:start]
        arcs = ring[1 : ring.index(308)], ring[ring.index(308) + 1 :]
        lower = next(arc for arc in arcs if topo.LIP_LOWER_INNER in arc)
        upper = next(arc for arc in arcs if topo.LIP_UPPER_INNER in arc)
        middle = (y[topo.LIP_LOWER_INNER] + y[topo.LIP_UPPER_INNER]) / 2
        corner = x[topo.MOUTH_RIGHT]
        weight = np.clip((y - middle) / 0.08, 0, 1) * np.clip(1.25 - 0.55 * x / corner, 0, 1)
        weight[lower] = np.clip(1.1 - (x[lower] / corner) ** 2, 0, 1)
        weight[upper] = 0
        weight[[topo.MOUTH_LEFT, topo.MOUTH_RIGHT, 78, 308]] = 0.12
        return np.asarray(weight, np.float32)

    def _lids(self, rest: FloatArray, shape: topo.Topology) -> FloatArray:
        """Where each vertex goes when the eyes shut: upper lids to the lower ones, what is above a little."""
        travel = np.zeros_like(rest)
        for ring, pairs in (
            (
                shape.eye_left,
                ((246, 7), (161, 163), (160, 144), (159, 145), (158, 153), (157, 154), (173, 155)),
            ),
            (
                shape.eye_right,
                ((466, 249), (388, 390), (387, 373), (386, 374), (385, 380), (384, 381), (398, 382)),
            ),
        ):
            upper = np.array([pair[0] for pair in pairs])
            way = rest[[pair[1] for pair in pairs]] - rest[upper]
            travel[upper] = way
            for vertex in np.setdiff1d(np.arange(SURFACE_POINTS), ring):
                offset = rest[upper, :2] - rest[vertex, :2]
                distance = np.linalg.norm(offset, axis=1) / self.unit
                near = int(np.argmin(distance))
                if float(offset[near] @ self.down[:2]) > 0 and distance[near] < 0.4:
                    travel[vertex] = way[near] * np.exp(-((distance[near] / 0.13) ** 2))
        return travel


def _staged(
    picture: UInt8Array, mesh: FloatArray, size: tuple[int, int], face_share: float | None
) -> tuple[UInt8Array, FloatArray]:
    """The portrait on a canvas of ``size`` and the mesh there."""
    width, height = size
    scale = height / picture.shape[0]
    if face_share is not None:
        scale = face_share * height / float(np.ptp(mesh[:, 1]))
    matrix = np.array([[scale, 0, width / 2], [0, scale, height / 2]], np.float64)
    center = (mesh[:, :2].min(0) + mesh[:, :2].max(0)) / 2
    middle = center if face_share is not None else np.array([center[0], picture.shape[0] / 2])
    matrix[:, 2] -= scale * middle
    moved = mesh * np.float32(scale)
    moved[:, :2] += matrix[:, 2].astype(np.float32)
    smaller = picture
    if scale < 0.6:
        smaller = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.5 / scale), np.uint8)
    pixel = matrix.copy()
    pixel[:, 2] += scale * 0.5 - 0.5
    sharp = cv2.warpAffine(smaller, pixel, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    inside = cv2.warpAffine(np.full(picture.shape[:2], 255, np.uint8), pixel, size)
    soft = cv2.GaussianBlur(cv2.erode(inside, np.ones((9, 9))), (0, 0), 8)[:, :, None].astype(np.float32) / 255
    blurred = cv2.GaussianBlur(cv2.resize(sharp, (64, 36)), (0, 0), 2)
    backdrop = cv2.resize(blurred, size, interpolation=cv2.INTER_CUBIC)
    return (backdrop + (sharp.astype(np.float32) - backdrop) * soft).astype(np.uint8), moved


def _cut_out(picture: UInt8Array) -> UInt8Array:
    """Where the person is, uint8 (H, W): as the segmentation sees it, drawn to the outline that colours have."""
    sure = cv2.resize(PersonSegmenter().segment(picture), picture.shape[1::-1])
    marks = np.select(
        [sure > 0.9, sure > 0.5, sure > 0.1],
        [cv2.GC_FGD, cv2.GC_PR_FGD, cv2.GC_PR_BGD],
        cv2.GC_BGD,
    ).astype(np.uint8)
    cv2.setRNGSeed(0)
    cv2.grabCut(picture, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    person = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * 255
    return np.asarray(cv2.GaussianBlur(person, (0, 0), 1.2), np.uint8)


def _skirt(rest: FloatArray) -> tuple[FloatArray, IntArray]:
    """The rings' vertices, and the triangles of face, filled openings and skirt together."""
    shape = topo.topology()
    oval, middle = rest[shape.oval], rest[shape.oval].mean(0)
    depth = float(np.ptp(rest[:, 0])) * 0.1
    rings = []
    for number, (radius, _) in enumerate(RINGS, 1):
        ring = middle + (oval - middle) * np.float32(radius)
        ring[:, 2] = oval[:, 2] + depth * number
        rings.append(ring)
    triangles = shape.triangles.tolist()
    for number, hole in enumerate((shape.eye_left, shape.eye_right, shape.lips_inner)):
        triangles += _fan(hole.tolist(), len(rest) + number, rest)
    inner = shape.oval.tolist()
    for number in range(len(RINGS)):
        start = len(rest) + 3 + number * len(oval)
        outer = list(range(start, start + len(oval)))
        following = [*range(1, len(oval)), 0]
        triangles += [[inner[i], outer[i], outer[j]] for i, j in enumerate(following)]
        triangles += [[inner[i], outer[j], inner[j]] for i, j in enumerate(following)]
        inner = outer
    points = np.concatenate(
        [
            rest,
            np.stack([rest[h].mean(0) for h in (shape.eye_left, shape.eye_right, shape.lips_inner)]),
            *rings,
        ]
    )
    return np.concatenate(rings).astype(np.float32), _clockwise(
        np.array(triangles, np.int32), points, len(shape.triangles)
    )


def _fan(ring: list[int], center: int, points: FloatArray) -> list[list[int]]:
    del points
    return [[a, b, center] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]


def _clockwise(triangles: IntArray, points: FloatArray, keep: int) -> IntArray:
    """All triangles but the first ``keep`` turned so that they face the camera at rest."""
    a, b, c = (points[triangles[:, i], :2] for i in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    turn = area < 0
    turn[:keep] = False
    triangles[turn] = triangles[turn][:, ::-1]
    return triangles


def _paint_mouth(picture: UInt8Array, mesh: FloatArray, rest_aperture: float) -> None:
    """Darkness and upper teeth between lips that are further apart than in the portrait."""
    opened = float(np.clip((topo.mouth_aperture(mesh) - rest_aperture) / 0.12, 0, 1))
    if opened <= 0:
        return
    shape = topo.topology()
    ring = mesh[shape.lips_inner, :2]
    low, high = np.floor(ring.min(0)).astype(int) - 2, np.ceil(ring.max(0)).astype(int) + 3
    low, high = np.maximum(low, 0), np.minimum(high, picture.shape[1::-1])
    if (high <= low).any():
        return
    region = picture[low[1] : high[1], low[0] : high[0]]
    hole, teeth = (np.zeros(region.shape[:2], np.uint8) for _ in range(2))
    cv2.fillPoly(hole, [np.round((ring - low) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    upper = mesh[list(_UPPER_LIP), :2]
    gap = mesh[topo.LIP_LOWER_INNER, :2] - mesh[topo.LIP_UPPER_INNER, :2]
    # Long in the middle, behind the lip at the corners.
    length = TEETH * (1 - np.linspace(-1, 1, len(upper), dtype=np.float32) ** 2)[:, None]
    row = np.concatenate([upper, (upper + gap * length)[::-1]])
    cv2.fillPoly(teeth, [np.round((row - low) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    edge = max(1.2, 0.05 * float(np.linalg.norm(gap)))
    inside = cv2.GaussianBlur(hole, (0, 0), edge).astype(np.float32)[:, :, None] / 255 * opened
    white = cv2.GaussianBlur(np.minimum(teeth, hole), (0, 0), edge).astype(np.float32)[:, :, None] / 255
    # In the face's own light, as far as it comes in under the lip.
    light = np.float32(region[hole == 0].mean() if (hole == 0).any() else 128)
    shade = light * (_CAVITY + (_ENAMEL - _CAVITY) * white)
    region[:] = (region + (shade - region) * inside).astype(np.uint8)
