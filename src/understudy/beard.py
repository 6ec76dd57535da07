"""Facial hair: what grows on lip, chin and jaw of a flattened face is the person, not a shadow on their skin.

In a photo, taken for skin, a beard is the broadest shadow of the face: it would be lifted to the cheeks' tone, and the
lips in it, which are brighter, to white. In a frame a face without one, put over it, ends in a dark edge at the jaw.
Hair is told from a shadow by three things at once: it is much darker than the cheeks, or of another colour, it is
rougher, strand by strand, and it grows on both sides.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.geometry.topology import topology
from understudy.quantiles import median_of_rows
from understudy.tones import LUMA, smoothstep

#: How much darker than the cheeks (natural logarithm of luminance) hair is, from perhaps to surely.
DARKER: Final = (0.45, 0.8)
#: How far its colour over luminance is from theirs (norm of BGR).
OTHER_HUE: Final = (0.28, 0.42)
#: How much rougher it is: mean of the absolute difference (natural logarithm) from a blur of ``STRAND``.
ROUGHER: Final = (0.012, 0.028)
#: What is looked at has this side, in texels, and what is judged, over an area, half of it.
LOOKED_AT: Final = 256
_SIDE: Final = LOOKED_AT // 2
#: Spread of a strand of hair in texels of the first; spread over which everything is judged, in those of the second.
STRAND: Final = 1.5
AROUND: Final = 2.5
#: Share of lip, chin and jaw that hair covers, from which it is one: less is a shadow's edge, a fold or a scar. And
#: share of the upper lip, where a moustache may be all there is.
LEAST: Final = (0.28, 0.4)
LEAST_LIP: Final = (0.15, 0.3)
#: Breadth, in texels of the second side, of a place that is too thick with hair to show strands, at most; how far off
#: its mirror image hair may grow; how far around the lips none does; how far below the upper lip a moustache hangs.
THICK, APART, LIPS, HANGS = 15, 5, 1, 9
#: Both cheeks, below the eyes.
_CHEEKS: Final = ((50, 36, 203, 118), (280, 266, 423, 347))
#: The outline of where a beard grows: below the nose, inside the oval, and inside the folds beside the mouth, which are
#: dark and rough, too. The first part of it, from below the nose to the mouth's corner, is the upper lip's.
_GROWS: Final = (164, 167, 165, 92, 186, 57, 212, 214, 213, 58, 172, 136, 150, 149, 176, 148, 152)
_UPPER_LIP: Final = (164, 167, 165, 92, 186, 57, 61, 40, 37, 0)


def facial_hair(color: FloatArray, seen: FloatArray) -> FloatArray:
    """Where a flattened face has moustache and beard.

    Args:
        color: float32 BGR (S, S, 3), 0-255, as the picture has it (see ``geometry.unwrap``).
        seen: float32 (S, S), 0-1: how well the picture shows each texel.

    Returns:
        float32 (S, S), 0-1.
    """
    side, looked_at = (len(color), len(color)), (LOOKED_AT, LOOKED_AT)
    zones, seen = _zones(), np.asarray(cv2.resize(seen, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)
    known = (zones.cheeks > 0) & (seen > 0.5)
    if not known.any():
        return np.zeros(side, np.float32)
    color = np.asarray(cv2.resize(color, looked_at, interpolation=cv2.INTER_AREA), np.float32)
    hair = _like_hair(color, seen, known)
    whole = smoothstep(_covered(hair, zones.grows), *LEAST)
    lip = smoothstep(_covered(hair, zones.lip), *LEAST_LIP)
    hair = np.asarray(hair * np.maximum(whole, lip * zones.near_lip), np.float32)
    return np.asarray(cv2.resize(hair, side, interpolation=cv2.INTER_LINEAR), np.float32)


def _like_hair(color: FloatArray, seen: FloatArray, known: BoolArray) -> FloatArray:
    """How like hair each place of where it may grow is, beside the skin that is known: float32, 0-1."""
    grows = _zones().grows
    luma = color @ LUMA + np.float32(4)
    tone, hue = np.log(luma), color / luma[..., None]
    relief = np.abs(tone - cv2.GaussianBlur(tone, (0, 0), STRAND))
    looks = np.asarray(cv2.resize(np.dstack([tone, relief, hue]), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))
    weight = cv2.GaussianBlur(grows, (0, 0), AROUND) + np.float32(1e-3)
    around = cv2.GaussianBlur(looks * grows[..., None], (0, 0), AROUND) / weight[..., None]
    skin = median_of_rows(looks[known])
    darker, rougher = skin[0] - around[..., 0], around[..., 1] - looks[known][:, 1].mean()
    away = np.linalg.norm(around[..., 2:] - skin[2:], axis=2)
    unlike = np.maximum(smoothstep(darker, *DARKER), smoothstep(away, *OTHER_HUE))
    hair = unlike * smoothstep(rougher, *ROUGHER) * grows
    # Where it is thick no strand is seen; what lies between hair and hair is hair.
    hair = np.asarray(cv2.morphologyEx(hair, cv2.MORPH_CLOSE, _disc(THICK)), np.float32)
    hair *= unlike * smoothstep(seen, 0, 0.3)
    mirrored = np.ascontiguousarray(hair[:, ::-1])
    return np.asarray(np.minimum(hair, cv2.dilate(mirrored, np.ones((APART, APART), np.uint8))), np.float32)


def _covered(hair: FloatArray, zone: FloatArray) -> FloatArray:
    """The share of a zone that hair covers, float32 ()."""
    return np.asarray((hair * zone).sum() / zone.sum(), np.float32)


class _Zones(NamedTuple):
    """Places of the flattened face as it is judged, float32, 0-1; read-only."""

    grows: FloatArray  # where a beard grows
    lip: FloatArray  # the upper lip of it
    near_lip: FloatArray  # and as far as a moustache hangs
    cheeks: FloatArray


@lru_cache(maxsize=1)
def _zones() -> _Zones:
    shape = topology()
    mirror = shape.mirror
    outline, lip = ([*half, *(int(mirror[v]) for v in reversed(half[1:-1]))] for half in (_GROWS, _UPPER_LIP))
    bare = 1 - cv2.dilate(_filled(shape.lips_outer.tolist()), np.ones((2 * LIPS + 1,) * 2, np.uint8))
    grows, upper = (_filled(points) * bare for points in (outline, lip))
    hangs = grows * cv2.dilate(upper, _disc(2 * HANGS + 1))
    cheeks = np.maximum(*(_filled(list(cheek)) for cheek in _CHEEKS))
    zones = _Zones(*(np.asarray(zone, np.float32) for zone in (grows, upper, hangs, cheeks > 0.5)))
    for zone in zones:
        zone.flags.writeable = False
    return zones


def _filled(outline: list[int]) -> FloatArray:
    canvas = np.zeros((_SIDE * 8, _SIDE * 8), np.uint8)
    cv2.fillPoly(canvas, [np.round(topology().uv[outline] * _SIDE * 8).astype(np.int32)], 255)
    small = cv2.resize(canvas, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.float32(255), np.float32)


def _disc(size: int) -> UInt8Array:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
