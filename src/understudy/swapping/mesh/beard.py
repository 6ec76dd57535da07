"""Finds facial hair in a photo's texture: what grows on lip, chin and jaw is the person, not a shadow on their skin.

Taken for skin, a beard is the broadest shadow in the face: it would be lifted to the cheeks' tone, and the lips in it,
which are brighter, to white. Hair is told from a shadow by three things at once: it is much darker than the cheeks, or
of another colour, it is rougher, strand by strand, and it grows on both sides.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry.topology import topology
from understudy.swapping.mesh.coarse import LUMA
from understudy.swapping.mesh.regions import smoothstep
from understudy.swapping.mesh.unwrap import TEXTURE_SIZE

#: How much darker than the cheeks (natural logarithm of luminance) hair is, from perhaps to surely.
DARKER: Final = (0.45, 0.8)
#: How far its colour over luminance is from theirs (norm of BGR).
OTHER_HUE: Final = (0.28, 0.42)
#: How much rougher it is: mean of the absolute difference (natural logarithm) from a blur of ``STRAND`` texels.
ROUGHER: Final = (0.012, 0.028)
STRAND: Final = 3.0
#: Spread (texels) over which all that is judged.
AROUND: Final = 10.0
#: Share of lip, chin and jaw that hair covers, from which it is one: less is a shadow's edge, a fold or a scar.
LEAST: Final = (0.28, 0.4)
#: Texels across of such a place, at most.
THICK: Final = 61
#: Both cheeks, below the eyes.
_CHEEKS: Final = ((50, 36, 203, 118), (280, 266, 423, 347))
#: The outline of where a beard grows: below the nose, inside the oval, and inside the folds beside the mouth, which are
#: dark and rough, too.
_GROWS: Final = (164, 167, 165, 92, 186, 57, 212, 214, 213, 58, 172, 136, 150, 149, 176, 148, 152)


def facial_hair(color: FloatArray, seen: FloatArray) -> FloatArray:
    """Where a texture shows moustache and beard.

    Args:
        color: float32 BGR (S, S, 3), 0-255, as the photo has it.
        seen: float32 (S, S), 0-1: how well the photo shows each texel.

    Returns:
        float32 (S, S), 0-1.
    """
    grows, cheeks = _zones()
    known = (cheeks > 0) & (seen > 0.5)
    if not known.any():
        return np.zeros_like(seen)
    luma = color @ LUMA + np.float32(4)
    tone, hue = np.log(luma), color / luma[..., None]
    relief = np.abs(tone - cv2.GaussianBlur(tone, (0, 0), STRAND))
    rougher = _mean(relief, grows) - relief[known].mean()
    darker = np.median(tone[known]) - _mean(tone, grows)
    away = np.dstack([_mean(hue[:, :, k], grows) for k in range(3)]) - np.median(hue[known], axis=0)
    unlike = np.maximum(smoothstep(darker, *DARKER), smoothstep(np.linalg.norm(away, axis=2), *OTHER_HUE))
    hair = unlike * smoothstep(rougher, *ROUGHER) * grows
    # Where it is thick no strand is seen; what lies between hair and hair is hair.
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (THICK, THICK))
    hair = np.asarray(cv2.morphologyEx(hair, cv2.MORPH_CLOSE, disc), np.float32) * unlike * smoothstep(seen, 0, 0.3)
    hair = np.minimum(hair, cv2.dilate(np.ascontiguousarray(hair[:, ::-1]), np.ones((15, 15))))
    share = np.asarray(hair.sum() / grows.sum(), np.float32)
    return np.asarray(hair * smoothstep(share, *LEAST), np.float32)


def _mean(values: FloatArray, where: FloatArray) -> FloatArray:
    """Gaussian mean of what lies in a region."""
    weight = cv2.GaussianBlur(where, (0, 0), AROUND) + np.float32(1e-3)
    return np.asarray(cv2.GaussianBlur(values * where, (0, 0), AROUND) / weight, np.float32)


@lru_cache(maxsize=1)
def _zones() -> tuple[FloatArray, FloatArray]:
    """Where a beard grows, and the cheeks: float32 (S, S), 0 or 1; read-only."""
    shape = topology()
    outline = [*_GROWS, *(int(shape.mirror[v]) for v in reversed(_GROWS[1:-1]))]
    grows, cheeks = _filled(outline), np.zeros((TEXTURE_SIZE, TEXTURE_SIZE), np.uint8)
    lips = cv2.dilate(_filled(shape.lips_outer.tolist()), np.ones((9, 9), np.uint8))
    for cheek in _CHEEKS:
        cheeks |= _filled(list(cheek))
    zones = (np.asarray(grows * (1 - lips), np.float32), np.asarray(cheeks, np.float32))
    for zone in zones:
        zone.flags.writeable = False
    return zones


def _filled(outline: list[int]) -> UInt8Array:
    canvas = np.zeros((TEXTURE_SIZE, TEXTURE_SIZE), np.uint8)
    cv2.fillPoly(canvas, [np.round(topology().uv[outline] * TEXTURE_SIZE).astype(np.int32)], 1)
    return canvas
