"""Things before a face: what comes in from outside it and is unlike its skin.

Such a thing is much darker, brighter or of another colour than the skin around it; brows, lids and nostrils are dark,
too, but do not come from outside.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.compiled import compiled, compiled_for_views
from understudy.geometry.topology import topology
from understudy.glasses import filled, wider
from understudy.quantiles import median_of_rows

#: Longer side of the copy in which is looked for things, in pixels at most.
_SIDE: Final = 96
#: Side of the map on the flattened face, and vertices around the nostrils.
_FLAT: Final = 128
_NOSTRILS: Final = [2, 97, 98, 64, 129, 358, 294, 327, 326, 94]
#: How far above a brow's vertices, in that map's pixels, its hair may lie.
_RAISED: Final = 8
#: From which natural logarithm of luminance, and of colour, over the skin's around it a pixel is no skin, and surely.
_DARK: Final = (0.40, 0.65)
_BRIGHT: Final = (0.60, 0.90)
_STRANGE: Final = (0.35, 0.50)
#: Of 0-255, from where it is one.
_SURE: Final = 127
#: Share of the face that a thing in front covers at least (less is a mole, or a mistake), and at most: where nearly all
#: is unlike skin, skin is not known, and rather a thing is painted over than the target's face left bare.
_LEAST: Final = 0.002
_MOST: Final = 0.4
#: Share of the face that a light on a thing may cover, to be taken for the thing.
_HOLE: Final = 0.03
#: Grey levels below which a difference is noise, and below which that is less than any ratio that counts.
_NOISE: Final = 12.0
_DIM: Final = 40


@lru_cache(maxsize=1)
def _features() -> UInt8Array:
    """On the flattened face: 1 on brows, eyes and nostrils, 2 on lips, 0 elsewhere; uint8 (F, F)."""
    shape = topology()
    uv = shape.uv * _FLAT
    eyes = filled(uv[shape.eye_left], _FLAT) | filled(uv[shape.eye_right], _FLAT)
    brows = filled(uv[shape.brow_left], _FLAT) | filled(uv[shape.brow_right], _FLAT)
    # A brow is painted and plucked above its vertices, and a mesh follows a raised one late. Where its tail meets the
    # hair at the temple it would come from outside.
    brows = np.asarray(cv2.dilate(brows, np.ones((_RAISED + 1, 1), np.uint8), anchor=(0, 0)), np.uint8)
    others = brows | filled(uv[_NOSTRILS], _FLAT)
    features = np.asarray((wider(eyes, 0.03) | wider(others, 0.02)) > 0, np.uint8)
    features[wider(filled(uv[shape.lips_outer], _FLAT), 0.03) > 0] = 2
    return features


def things_before(
    target: UInt8Array, uv: FloatArray, tones: FloatArray, field: FloatArray | None = None
) -> UInt8Array | None:
    """How surely a thing hides each part of a patch.

    Args:
        target: uint8 BGR (h, w, 3): the frame under the patch.
        uv: float32 (h, w, 2), 0-1: where on the flattened face each pixel lies; 0, 0 beside it.
        tones: float32 BGR (G, G, 3): natural logarithm (of grey levels + 2) of the target's skin around each point of
            the flattened face.
        field: float32 (h, w, 2): ``Warp.field``, where ``uv`` is of a face that takes another shape; None where it is
            the target's own.

    Returns:
        uint8 (h', w'), 0-255, of the patch made smaller; None if there is no such thing.
    """
    height, width = target.shape[:2]
    step = -(-max(height, width) // _SIDE)
    logs = np.log(np.arange(256, dtype=np.float32) + 2)
    size = tuple(-(-(side - step // 2) // step) for side in (height, width))
    score, face, features = (np.zeros(size, np.uint8) for _ in range(3))
    apart = np.empty((3, 3), np.float32)
    middle, moved = _middle(target, uv, step), field is not None
    field = uv if field is None else field  # not looked at if nothing is moved; of one type, it is compiled once
    _unlikeness(target, uv, field, moved, tones, middle, logs, _features(), step, apart, score, face, features)
    unlike, skin = (np.asarray(found, np.uint8) for found in (score > _SURE, features == 0))
    if float((unlike & skin).sum()) > _MOST * float(face.sum()):
        return None
    thing = _from_outside(unlike & skin, face)
    if thing is None:
        return None
    # Lips are unlike skin by themselves; before them is what goes on beside them. A light on a thing is the thing.
    thing = _filled(_joined(unlike & np.asarray(features != 1, np.uint8), thing), _HOLE * float(face.sum()))
    if float(thing.sum()) > _MOST * float(face.sum()):
        return None
    score = np.maximum(score, thing * np.uint8(255))
    near = np.asarray(cv2.dilate(thing, np.ones((5, 5), np.uint8)), np.uint8) & (skin | thing)
    return np.asarray(cv2.GaussianBlur(score * near, (3, 3), 0), np.uint8)


def _middle(target: UInt8Array, uv: FloatArray, step: int) -> FloatArray:
    """The colour of the middle of the face, which is hardly ever hidden: float32 (3,), BGR, grey levels."""
    some = 2 * step
    apart = np.abs(uv[::some, ::some] - np.array([0.5, 0.48], np.float32))
    colors = target[::some, ::some][(apart[:, :, 0] < 0.16) & (apart[:, :, 1] < 0.12)]
    return np.asarray(median_of_rows(colors) if len(colors) else np.full(3, 128), np.float32)


@compiled_for_views("target", "uv", "field")
def _unlikeness(
    target: UInt8Array,
    uv: FloatArray,
    field: FloatArray,
    moved: bool,
    tones: FloatArray,
    middle: FloatArray,
    logs: FloatArray,
    features: UInt8Array,
    step: int,
    apart: FloatArray,
    score: UInt8Array,
    face: UInt8Array,
    feature: UInt8Array,
) -> None:
    """How unlike the skin around it, and that in the middle of the face, each step-th pixel is.

    Around it may be a hood more than skin, and in the middle it may be lighter than on the shadowed side: a thing is
    unlike both.

    Features and skin are asked for where the target's own shape has them: its brows are no thing, though the patch has
    brows elsewhere. A pixel p of the target is where the patch has p - field(p), nearly. ``moved`` is False if
    it has the target's own shape.

    Written are uint8 (h', w') each, 0 before: ``score``, 0-255, how unlike; ``face``, 1 on the face; ``feature``, what
    ``features`` says there. ``apart``, float32 (3, 3), is room for a pixel's colours, and for those of the middle.
    """
    first, half = step // 2, max(step // 2, 1)
    rows, columns = score.shape
    flat = features.shape[0]
    lowest, right_most = uv.shape[0] - 1, uv.shape[1] - 1
    half_pixel = np.float32(0.5)
    known = apart[2]
    for k in range(3):
        known[k] = np.log(middle[k] + np.float32(2))
    for row in range(rows):
        for column in range(columns):
            y, x = first + row * step, first + column * step
            u, v = uv[y, x, 0], uv[y, x, 1]
            if u == 0 and v == 0:
                continue
            if moved:
                i = min(max(int(np.float32(y) - field[y, x, 1] + half_pixel), 0), lowest)
                j = min(max(int(np.float32(x) - field[y, x, 0] + half_pixel), 0), right_most)
                if uv[i, j, 0] != 0 or uv[i, j, 1] != 0:
                    u, v = uv[i, j, 0], uv[i, j, 1]
            face[row, column] = 1
            feature[row, column] = features[min(int(v * flat), flat - 1), min(int(u * flat), flat - 1)]
            for k in range(3):
                grey = _grey(target, y, x, half, k)
                value, skin = logs[grey], _tone(tones, u, v, k)
                apart[0, k], apart[1, k] = value - skin, value - known[k]
                if abs(np.float32(grey) - middle[k]) <= _NOISE:
                    apart[1, k] = 0
                # Only where it is dark is a large ratio a small difference.
                if grey < _DIM and abs(np.float32(grey + 2) - np.exp(skin)) <= _NOISE:
                    apart[0, k] = 0
            score[row, column] = np.uint8(min(_sign(apart[0]), _sign(apart[1])) * np.float32(255))


@compiled
def _grey(target: UInt8Array, y: int, x: int, half: int, k: int) -> np.int32:
    """One colour of a pixel, averaged with those ``half`` a step beside and below it."""
    height, width, _ = target.shape
    below, beside = min(y + half, height - 1), min(x + half, width - 1)
    grey = np.int32(target[y, x, k]) + np.int32(target[y, beside, k])
    return np.int32((grey + np.int32(target[below, x, k]) + np.int32(target[below, beside, k])) >> 2)


@compiled
def _tone(tones: FloatArray, u: float, v: float, k: int) -> float:
    """One colour of the skin around a point of the flattened face, interpolated."""
    side = tones.shape[0]
    s = min(max(u * side - np.float32(0.5), np.float32(0)), np.float32(side) - np.float32(1.001))
    t = min(max(v * side - np.float32(0.5), np.float32(0)), np.float32(side) - np.float32(1.001))
    i, j = int(t), int(s)
    down, right = t - np.float32(i), s - np.float32(j)
    above = tones[i, j, k] + (tones[i, j + 1, k] - tones[i, j, k]) * right
    below = tones[i + 1, j, k] + (tones[i + 1, j + 1, k] - tones[i + 1, j, k]) * right
    return float(above + (below - above) * down)


@compiled
def _sign(apart: FloatArray) -> np.float32:
    """How surely a colour is of another thing than one so far from it (float32 (3,), natural logarithms): 0-1."""
    light = (apart[0] + apart[1] + apart[2]) / np.float32(3)
    color = np.sqrt((apart[0] - light) ** 2 + (apart[1] - light) ** 2 + (apart[2] - light) ** 2)
    sign = max(_ramp(-light, _DARK), _ramp(light, _BRIGHT), _ramp(color, _STRANGE))
    return min(max(sign, np.float32(0)), np.float32(1))


@compiled
def _ramp(value: np.float32, ends: tuple[float, float]) -> np.float32:
    """0 at the first end, 1 at the second, and on beyond both."""
    return (value - np.float32(ends[0])) * np.float32(1 / (ends[1] - ends[0]))


def _from_outside(candidates: UInt8Array, face: UInt8Array) -> UInt8Array | None:
    """Those candidates (1) that hang together with the face's rim and are large enough; None if there are none."""
    inner = np.asarray(cv2.erode(face, np.ones((5, 5), np.uint8), borderValue=0), np.uint8)
    rim = face & (1 - inner) & candidates
    if not rim.any():
        return None
    things = _joined(candidates, rim, _LEAST * float(face.sum()))
    return things if things.any() else None


def _joined(candidates: UInt8Array, seeds: UInt8Array, least: float = 1) -> UInt8Array:
    """Those candidates that hang together with a seed among them and have an area of ``least``: all uint8, 1 or 0."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(candidates, connectivity=8)
    kept = np.zeros(len(stats), np.uint8)
    kept[parts[(seeds & candidates) > 0]] = 1
    kept &= (stats[:, cv2.CC_STAT_AREA] >= least).astype(np.uint8)
    return np.asarray(kept[parts], np.uint8)


def _filled(thing: UInt8Array, most: float) -> UInt8Array:
    """Without holes of an area of ``most`` or less. What a hood or long hair lies around is no hole."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(np.asarray(1 - thing, np.uint8), connectivity=4)
    holes = (stats[:, cv2.CC_STAT_AREA] <= most).astype(np.uint8)
    holes[0] = 1
    return np.asarray(holes[parts], np.uint8)
