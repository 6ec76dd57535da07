"""Light and colour transfer: a slow, smooth map on the flattened face that can't blow up.

The frame and the patch are compared on a coarse grid of points of the flattened face. Averaged over
neighbouring skin they give the mean colour of the target, T, and of the patch, S, whose luminances are
T_y and S_y. A patch pixel with colour P and luminance y becomes, in each channel c,

    out_c = y · a_c + k · g · (P_c - y)        g = T_y / S_y,    a_c = (T_c - k · g · (S_c - S_y)) / S_y

so P = S gives exactly T: a shadow on the target's cheek falls on the swapped cheek, skin takes the
target's tone, and lips stay redder than skin. k shrinks the chroma of a source that is more saturated than
the target; multiplying each channel by its own ratio instead would turn the grey shadows of a painting
blue. What keeps it tame: S and T are averages over many points, g and a_c are limited, and points that
disagree with the rest of the face (hair, glasses, a hand) count less.

What is darker than S gets more colourful at last, as pale skin does in shadows (see ``blending.shadows``).

Where the frame is as bright as can be shown, T is taken to be brighter than that. Of what is put in its place only the
darker half could be seen else: a face in glaring light would be grey, and where red alone is at its end, green.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, IntArray, UInt8Array
from understudy.blending.shadows import more_colourful
from understudy.compiled import compiled_for_views
from understudy.geometry.raster import rasterise
from understudy.geometry.topology import topology
from understudy.glasses import filled
from understudy.quantiles import median
from understudy.tones import LUMA

#: Points along a side of the grid.
GRID = 24
#: Widths of the averages, in points of the grid: what is finer than the second is the person, not the light.
SIGMAS = (6.0, 3.75, 1.2)
#: Side of the map on the flattened face that says what is plain skin, and how far above a brow's vertices, in its
#: pixels, the brow's hair may lie.
_FINE = GRID * 8
_RAISED = 11
#: Level (0-255) from which a pixel is as bright as can be shown, and how much brighter skin is taken to be (natural
#: logarithm) where all pixels are, in all colours. One colour alone says less: red is the first of skin to get there.
_WHITE = 250
_GLARE = 0.35
#: Every n-th pixel along a side tells at a glance whether a lamp was switched.
_GLANCE = 8


@dataclass(frozen=True)
class LightOptions:
    """Limits of the transfer.

    Attributes:
        max_gain: By how much the patch is made brighter at most, as a factor.
        max_dimming: By how much it is made darker at most, as a factor: in a room without light no face may glow.
        max_tint: No channel's a_c is more than this factor away from g.
        chroma: How much of the source's own colour variation is kept when the target is as saturated.
        seconds: Time constant with which the ratio follows the target's light.
        jump: A change of the ratio (in its logarithm) from which it follows at once: a lamp switched on.
        every: Seconds between two measurements, unless a glance shows a jump: at 30 frames a second every other one.

    Raises:
        ValueError: a factor below 1, a chroma outside 0-1, or a time or jump that is none.
    """

    max_gain: float = 4.0
    max_dimming: float = 16.0
    max_tint: float = 3.0
    chroma: float = 0.85
    seconds: float = 0.25
    jump: float = 0.35
    every: float = 0.05

    def __post_init__(self) -> None:
        if not min(self.max_gain, self.max_dimming, self.max_tint) >= 1:
            raise ValueError(
                f"factors of light are 1 or more, not {self.max_gain}, {self.max_dimming} and {self.max_tint}"
            )
        if not 0 <= self.chroma <= 1:
            raise ValueError(f"chroma must be between 0 and 1, not {self.chroma}")
        if not (self.seconds > 0 and self.jump > 0 and self.every >= 0):
            raise ValueError(
                "the time constant and the jump are above zero and the time between measurements is not below it; "
                f"these are {self.seconds}, {self.jump} and {self.every}"
            )


class _Grid(NamedTuple):
    """Where the grid's points lie: each in a triangle of the mesh."""

    corners: IntArray  # (G*G, 3) the vertices of that triangle
    weights: FloatArray  # (G*G, 3, 1) a point's place is the sum of theirs, so weighed
    skin: FloatArray  # (G, G) 1 on plain skin, 0 on features, openings and outside
    used: BoolArray  # (G*G,) whether the point lies on skin
    inside: BoolArray  # (G, G) whether the point lies on the face
    no_lips: FloatArray  # (G, G, 1) 0 on the lips, whose colours are the photo's own, 1 elsewhere


@lru_cache(maxsize=1)
def _grid() -> _Grid:
    shape = topology()
    flat = np.column_stack([shape.uv * GRID, np.zeros(len(shape.uv))]).astype(np.float32)
    corners = np.zeros((GRID, GRID, 3), np.int32)
    weights = np.zeros((GRID, GRID, 3), np.float32)
    inside = np.zeros((GRID, GRID), bool)
    for triangle in shape.triangles:
        values, depth = rasterise(
            flat[triangle], np.array([[0, 1, 2]], np.int32), np.eye(3, dtype=np.float32), (GRID, GRID)
        )
        hit = np.isfinite(depth)
        corners[hit], weights[hit] = triangle, values[hit]
        inside |= hit
    uv = shape.uv * _FINE
    brows = filled(uv[shape.brow_left], _FINE) | filled(uv[shape.brow_right], _FINE)
    # A brow is painted above its vertices, and a mesh follows a raised one late: its hair is no shadow on the forehead.
    features = np.asarray(cv2.dilate(brows, np.ones((_RAISED + 1, 1)), anchor=(0, 0)), np.uint8)
    for ring in (shape.lips_outer, shape.eye_left, shape.eye_right):
        features |= filled(uv[ring], _FINE)
    lips = cv2.resize(filled(uv[shape.lips_outer], _FINE), (GRID, GRID), interpolation=cv2.INTER_AREA)
    no_lips = np.asarray(1 - lips[:, :, None] / np.float32(255), np.float32)
    wide = cv2.dilate(features, np.ones((9, 9)))
    plain = 1 - cv2.resize(wide, (GRID, GRID), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    skin = (plain * inside).astype(np.float32)
    return _Grid(corners.reshape(-1, 3), weights.reshape(-1, 3, 1), skin, skin.reshape(-1) > 0, inside, no_lips)


def _near_seam(shown: FloatArray) -> FloatArray:
    """1 where the patch ends, 0 well inside it: at the oval, and further in where no photo shows skin or it turns away.

    Args:
        shown: float32 (G*G,): how far the patch is shown at each point that lies on skin.

    Returns:
        float32 (G, G).
    """
    grid = _grid()
    covered = grid.inside & ~(grid.used & (shown < 0.5)).reshape(GRID, GRID)
    edged = cv2.copyMakeBorder(covered.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    depth = cv2.distanceTransform(edged, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.asarray(np.clip(1 - (depth - 1) / (GRID * 0.14), 0, 1), np.float32)


class LightTransfer:
    """The map between one person's patch and target, and its memory."""

    def __init__(self, options: LightOptions | None = None) -> None:
        self.options = options or LightOptions()
        self._logs: FloatArray | None = None
        self._coefficients: FloatArray | None = None
        self._seconds = 0.0
        self._glance = 1.0
        #: Whether the last call measured, or repeated what the one before had found.
        self.measured = False

    def coefficients(
        self,
        target: UInt8Array,
        picture: UInt8Array,
        alpha: UInt8Array,
        place: FloatArray,
        drawn: FloatArray,
        seconds: float,
    ) -> FloatArray:
        """How to recolour the patch.

        Args:
            target: uint8 BGR (h, w, 3): the frame under the patch.
            picture: uint8 BGR (h, w, 3): the patch.
            alpha: uint8 (h, w): the patch's opacity; only shown pixels are compared.
            place: float32 (478, 2): the face's mesh in the frame, in pixels of the patch.
            drawn: float32 (478, 2): the mesh that the patch is drawn on, likewise.
            seconds: The frame's time; a step back or a long gap forgets what was.

        Returns:
            float32 (G, G, 7) on a grid over the flattened face: a_b, a_g, a_r, k·g, g and 1 / S_y of the module's
            formula, and m of that of ``blending.shadows``.
        """
        step = seconds - self._seconds
        glance = float(target[::_GLANCE, ::_GLANCE].mean()) + 2
        if (
            self._coefficients is not None
            and 0 <= step < self.options.every
            and abs(np.log(glance / self._glance)) < self.options.jump / 4
        ):
            self.measured = False
            return self._coefficients
        self.measured = True
        fresh = self._measured(target, picture, alpha, place, drawn)
        if self._logs is None or not 0 <= step < 1.0:
            self._logs = fresh
        else:
            change = float(np.abs(fresh[:, :, :3] - self._logs[:, :, :3]).mean())
            follow = 1 - np.exp(-step / self.options.seconds)
            follow += (1 - follow) * np.clip(change / self.options.jump - 0.5, 0, 1)
            self._logs = self._logs + (fresh - self._logs) * np.float32(follow)
        self._seconds, self._glance = seconds, glance
        self._coefficients = self._limited(np.exp(self._logs))
        return self._coefficients

    @property
    def tones(self) -> FloatArray:
        """Natural logarithm (of grey levels + 2) of the target's skin as measured last: float32 BGR (G, G, 3)."""
        assert self._logs is not None
        return np.ascontiguousarray(self._logs[:, :, :3], np.float32)

    def _measured(
        self, target: UInt8Array, picture: UInt8Array, alpha: UInt8Array, place: FloatArray, drawn: FloatArray
    ) -> FloatArray:
        """Logarithms of T, S, and how much brighter T is than can be shown, BGR each, smoothed: float32 (G, G, 9)."""
        grid = _grid()
        points = (np.hstack([place, drawn])[grid.corners] * grid.weights).sum(axis=1, dtype=np.float32)
        radius = max(1, int(float(np.ptp(place, axis=0).max()) / GRID / 2))
        means, shown = np.zeros((len(points), 9), np.float32), np.zeros(len(points), np.float32)
        _box_means(target, picture, alpha, points, grid.used, radius, means, shown)
        logs = np.log(means + np.float32(2))
        white = means[:, 6:]
        logs[:, 6:] = np.float32(_GLARE) * white**2 * white.mean(axis=1, keepdims=True)
        logs = logs.reshape(GRID, GRID, 9)
        weight = grid.skin * shown.reshape(GRID, GRID)
        return self._smoothed(logs, weight * self._agreement(logs, weight), _near_seam(shown))

    @staticmethod
    def _agreement(logs: FloatArray, weight: FloatArray) -> FloatArray:
        """Less weight for points where T/S is far from the face's own: they are not skin."""
        tone = (logs[:, :, :3] - logs[:, :, 3:6]).mean(axis=2)
        known = tone[weight > 0.3]
        middle = median(known) if known.size else 0.0
        return np.asarray(1 / (1 + (np.abs(tone - middle) / 1.0) ** 4), np.float32)

    @staticmethod
    def _smoothed(logs: FloatArray, weight: FloatArray, near_seam: FloatArray) -> FloatArray:
        """Weighted averages at four widths: the finest where it has points to go by, and near the seam."""
        planes = np.concatenate([logs * weight[..., None], weight[..., None]], axis=2)
        total = planes.sum((0, 1))
        result = np.broadcast_to(total[:-1] / max(float(total[-1]), 1e-6), logs.shape)
        for blur, share in zip(_blurs(), (1.0, 1.0, near_seam[..., None]), strict=True):
            local = _blurred(planes, blur)
            near = local[:, :, -1:]
            trust = np.minimum(near * 3, 1) * share
            result = result + (local[:, :, :-1] / (near + np.float32(1e-5)) - result) * trust
        return np.asarray(result, np.float32)

    def _limited(self, colors: FloatArray) -> FloatArray:
        options = self.options
        target, source = colors[:, :, :3] * colors[:, :, 6:], colors[:, :, 3:6]
        target_y, source_y = (part @ LUMA[:, None] for part in (target, source))
        gain = np.clip(target_y / source_y, 1 / options.max_dimming, options.max_gain)
        saturation = [
            float(np.linalg.norm(part - y, axis=2).sum() / y.sum())
            for part, y in ((target, target_y), (source, source_y))
        ]
        kept = options.chroma * min(1.0, saturation[0] / max(saturation[1], 1e-3))
        chroma = kept * gain
        direct = gain * target / target_y - chroma * (source - source_y) / source_y
        direct = np.clip(direct, gain / options.max_tint, gain * options.max_tint)
        more = more_colourful(target / target_y) * _grid().no_lips
        return np.concatenate([direct, chroma, gain, 1 / source_y, more], axis=2).astype(np.float32)


@lru_cache(maxsize=1)
def _blurs() -> tuple[FloatArray, ...]:
    """Gaussian blurs along one side of the grid as matrices, float32 (G, G), widest first."""
    distance = np.arange(GRID)[:, None] - np.arange(GRID)[None, :]
    kernels = [np.exp(-0.5 * (distance / sigma) ** 2) for sigma in SIGMAS]
    # The plain kernel's sum, also at the edges: beyond them there is no weight.
    return tuple(np.asarray(kernel / kernel[GRID // 2].sum(), np.float32) for kernel in kernels)


def _blurred(planes: FloatArray, blur: FloatArray) -> FloatArray:
    """Blur (G, G, K) along both sides. On a grid this small two products beat a filter."""
    rows = blur @ planes.reshape(GRID, -1)
    columns = rows.reshape(planes.shape).transpose(1, 0, 2).reshape(GRID, -1)
    return np.asarray((blur @ columns).reshape(GRID, GRID, -1).transpose(1, 0, 2), np.float32)


@compiled_for_views("target")
def _box_means(
    target: UInt8Array,
    picture: UInt8Array,
    alpha: UInt8Array,
    points: FloatArray,
    used: BoolArray,
    radius: int,
    means: FloatArray,
    shown: FloatArray,
) -> None:
    """Means of both pictures in a square around each used point, over the pixels where the patch is shown.

    Points are float32 (P, 4): where they lie in the frame, and where in the patch. Written are ``means``,
    float32 (P, 9): BGR of the target, then of the patch, then the share (0-1) of the target's pixels that are as bright
    as can be shown; and ``shown``, float32 (P,): mean opacity there, 0-1. Both are 0 before.
    """
    height, width = alpha.shape
    step = max(1, (2 * radius + 1) // 5)  # some 6 x 6 samples a point, however large the face
    for p in range(points.shape[0]):
        if not used[p]:
            continue
        x, y = int(points[p, 2]), int(points[p, 3])
        dx, dy = int(points[p, 0]) - x, int(points[p, 1]) - y
        total = np.float32(0)
        count = 0
        for row in range(y - radius, y + radius + 1, step):
            for column in range(x - radius, x + radius + 1, step):
                count += 1
                if row < 0 or column < 0 or row >= height or column >= width:
                    continue
                below, beside = min(max(row + dy, 0), height - 1), min(max(column + dx, 0), width - 1)
                weight = np.float32(alpha[row, column]) * np.float32(1 / 255)
                total += weight
                for k in range(3):
                    means[p, k] += weight * target[below, beside, k]
                    means[p, k + 3] += weight * picture[row, column, k]
                    if target[below, beside, k] >= _WHITE:
                        means[p, k + 6] += weight
        for k in range(9):
            means[p, k] /= max(total, np.float32(1e-3))
        shown[p] = total / np.float32(count)
