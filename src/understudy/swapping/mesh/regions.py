"""Fixed maps on the flattened face: where features, seam and openings are. Computed once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np

from understudy.arrays import FloatArray, IntArray, UInt8Array
from understudy.geometry.topology import topology
from understudy.geometry.unwrap import TEXTURE_SIZE
from understudy.tones import smoothstep

#: Around the nostrils, from the wings to the tip.
_NOSTRILS = (2, 97, 98, 64, 129, 358, 294, 327, 326, 94, 19, 1, 4)
#: The nose, from its root over the flanks to the wings, and its underside, which is dark by itself.
_NOSE = (168, 193, 245, 188, 174, 198, 49, 48, 64, 98, 97, 2, 326, 327, 294, 278, 279, 420, 399, 412, 465, 417)
_NOSE_BELOW = (219, 218, 237, 457, 438, 439, 455, 460, 327, 326, 2, 97, 98, 240, 235)
#: Around the forehead: from the outer corner of an eye up the temple, along the hairline, and down to the other.
_FOREHEAD = (143, 71, 54, 103, 67, 109, 10, 338, 297, 332, 284, 301, 372)
#: Texels at the lower edge of a brow's vertices that are no hair.
BELOW_BROW = 7


class _Map:
    """One of the maps: kept in 8 bits, given as float32 (S, S), 0-1."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, of: Regions, owner: type | None = None) -> FloatArray:
        return np.asarray(of.kept[self._name] * np.float32(1 / 255), np.float32)


class Regions:
    """Maps over the texture, float32 (S, S), 0-1, each made anew when it is asked for: all eleven would hold 11 MB.

    Args:
        kept: Their values by name, in 0-1.

    Attributes:
        kept: The same in 255 steps, uint8 (S, S).
        face: 1 inside the oval.
        features: 1 on brows, eyes and lips: they are not plain skin.
        plain: 1 on plain skin, falling softly to 0 on features, nostrils and outside.
        pale: 1 where skin's own hue is, falling softly to 0 on the lips and outside.
        lips: 1 on the lips, falling softly to 0 around them.
        nose: 1 on the nose and beside it, falling softly to 0 on eyes and brows and on the nose's underside.
        hair: 1 on brows and lashes, falling softly to 0 around them.
        forehead: 1 on the brows and above and beside them, wherever a target's own may lie.
        core: 1 in the middle of the face, which no hair reaches: brows, eyes, nose, mouth, inner cheeks.
        inside: 0 at the oval, 1 well inside it.
        seam: The patch's opacity as far as geometry alone decides it: 0 at the oval and at the openings'
            rims, 1 inside; widest under the hairline.
    """

    face, features, plain, pale, lips = _Map(), _Map(), _Map(), _Map(), _Map()
    nose, hair, forehead, core, inside, seam = _Map(), _Map(), _Map(), _Map(), _Map(), _Map()

    def __init__(self, kept: Mapping[str, FloatArray]) -> None:
        self.kept = {name: np.asarray(np.rint(values * 255), np.uint8) for name, values in kept.items()}


def _filled(*rings: IntArray | FloatArray) -> UInt8Array:
    canvas = np.zeros((TEXTURE_SIZE, TEXTURE_SIZE), np.uint8)
    uv = topology().uv
    for ring in rings:
        points = uv[ring] if np.issubdtype(np.asarray(ring).dtype, np.integer) else ring
        fixed = np.round((points * TEXTURE_SIZE - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(canvas, [fixed], 255, shift=4)
    return canvas


def _ramp(mask: UInt8Array, start: float, end: float) -> FloatArray:
    """0 to 1 smoothly as the distance into ``mask`` goes from ``start`` to ``end`` (shares of the side)."""
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) / TEXTURE_SIZE
    return smoothstep(distance.astype(np.float32), start, end)


@lru_cache(maxsize=1)
def regions() -> Regions:
    """The maps."""
    shape = topology()
    face = _filled(shape.oval)
    eyes = _filled(shape.eye_left, shape.eye_right)
    mouth = _filled(shape.lips_inner)
    lips = _filled(shape.lips_outer)
    brows = np.zeros_like(face)
    for brow in (shape.brow_left, shape.brow_right):
        brows |= _filled(_hull(shape.uv[brow]))
    soft = np.ones((13, 13), np.uint8)
    around_lips = np.asarray(cv2.dilate(lips, soft), np.uint8)
    features = np.asarray(cv2.dilate(eyes | lips | brows, soft), np.uint8)
    hair = np.asarray(cv2.dilate(eyes, soft), np.uint8) | _hair(brows)
    # Not above the brows: there begins what a fringe may hang over.
    wide = _dilated(eyes, 0.03) | brows | _dilated(lips, 0.06)
    nose = _filled(_hull(shape.uv[[168, 50, 280, 1, 2, 36, 266, 205, 425, 18]]))
    nostrils = _dilated(_filled(_hull(shape.uv[list(_NOSTRILS)])), 0.02)
    apart = cv2.GaussianBlur(np.maximum(_dilated(np.asarray(features, np.uint8), 0.015), nostrils), (0, 0), 6)
    core = cv2.morphologyEx(wide | nose, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (121, 121)))

    # The seam is wider under the hairline, where foreheads differ most, than at the jaw.
    v = ((np.arange(TEXTURE_SIZE) + 0.5) / TEXTURE_SIZE).astype(np.float32)[:, None]
    upper = 1 - smoothstep(v, 0.08, 0.32)
    seam = _ramp(face, 0.004, 0.075) * (1 - upper) + _ramp(face, 0.02, 0.13) * upper
    # The target's lashes stay, but little of its lids: a shut lid is a narrow strip of the texture, drawn out.
    seam *= _ramp(np.asarray(255 - eyes, np.uint8), 0.003, 0.015)
    # Lips meet the target's teeth at their very rim: further out lie the target's own lips, of another colour.
    seam *= _ramp(np.asarray(255 - mouth, np.uint8), 0.001, 0.008)
    masks = [np.asarray(mask, np.float32) / np.float32(255) for mask in (face, features, core)]
    inside = _ramp(face, 0.06, 0.12)
    plain = np.asarray(masks[0] * (1 - apart.astype(np.float32) / 255), np.float32)
    soft_lips, soft_hair = (
        np.asarray(cv2.GaussianBlur(mask / np.float32(255), (0, 0), 4), np.float32) for mask in (around_lips, hair)
    )
    pale = masks[0] * (1 - soft_lips)
    forehead = np.asarray(_filled(_hull(shape.uv[list(_FOREHEAD)])) / np.float32(255), np.float32)
    return Regions(
        {
            "face": masks[0],
            "features": masks[1],
            "plain": plain,
            "pale": pale,
            "lips": soft_lips,
            "nose": _nose(features),
            "hair": soft_hair,
            "forehead": forehead,
            "core": masks[2],
            "inside": inside,
            "seam": seam,
        }
    )


def _nose(features: UInt8Array) -> FloatArray:
    """``Regions.nose``; ``features`` is 255 on brows, eyes and lips."""
    uv = topology().uv
    below = np.asarray(cv2.dilate(_filled(_hull(uv[list(_NOSE_BELOW)])), np.ones((9, 9), np.uint8)), np.uint8)
    below[int(uv[2, 1] * TEXTURE_SIZE) :] = 255
    wide, apart = _dilated(_filled(uv[list(_NOSE)]), 0.06), np.asarray(cv2.dilate(features, np.ones((5, 5))), np.uint8)
    nose, *others = (
        cv2.GaussianBlur(mask / np.float32(255), (0, 0), sigma) for mask, sigma in ((wide, 8), (below, 4), (apart, 4))
    )
    return np.asarray(nose * np.prod([1 - other for other in others], axis=0), np.float32)


def _hair(brows: UInt8Array) -> UInt8Array:
    """Where a brow's hair is: not in the lowest part of what its vertices span, which is the hollow above the lid."""
    low = np.zeros_like(brows)
    low[:-BELOW_BROW] = brows[BELOW_BROW:]
    return np.asarray(cv2.dilate(brows & low, np.ones((5, 5), np.uint8)), np.uint8)


def _hull(points: FloatArray) -> FloatArray:
    return np.asarray(cv2.convexHull(points)[:, 0], np.float32)


def _dilated(mask: UInt8Array, share: float) -> UInt8Array:
    size = 2 * int(share * TEXTURE_SIZE) + 1
    return np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.uint8)
