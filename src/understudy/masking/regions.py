"""Parts of a face, as fixed maps over the flattened one: they cost a look-up a pixel."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, IntArray, UInt8Array
from understudy.geometry.topology import topology
from understudy.glasses import filled, wider
from understudy.masking.base import FLAT, View
from understudy.masking.options import Kept, MaskOptions, Region
from understudy.tones import smoothstep

#: How wide the edge between two parts is at least, as a share of the face's size: a harder one is seen as a line.
_SOFT: Final = 0.06
#: Texels that the face's longer side has.
_FACE: Final = 0.94 * FLAT
#: Vertices around the nose: bridge, wings, tip and base (MediaPipe's numbers).
_NOSE: Final = [168, 193, 417, 188, 412, 49, 279, 48, 278, 64, 294, 98, 327, 2, 1]
#: How far beyond its vertices each part goes, as a share of the map's side; and how far above those of the brows: hair
#: is plucked and painted there, and a mesh follows raised brows late.
_BEYOND: Final = {"eyes": 0.045, "brows": 0.015, "nose": 0.015, "mouth": 0.035}
_ABOVE_BROWS: Final = 0.06


class RegionMask:
    """Shows some parts of a face, and not others.

    Args:
        options: Which.
    """

    def __init__(self, options: MaskOptions) -> None:
        self._map = region_map(options.regions, options.keep, options.feather, options.strength)

    def __call__(self, view: View) -> UInt8Array | None:
        """See ``Mask``.

        Where the patch gives the face another shape, what stays the target's own is seen where it was, and what the
        patch draws of the same part beside it is not.
        """
        if self._map is None:
            return None
        drawn = view.where_drawn(self._map)
        before = view.where_it_was(drawn)
        return view.in_full(drawn if before is drawn else np.asarray(cv2.min(drawn, before), np.uint8))


@lru_cache(maxsize=64)
def region_map(
    regions: tuple[Region, ...], keep: tuple[Kept, ...], feather: float, strength: float = 1.0
) -> UInt8Array | None:
    """Where on the flattened face a swap is shown.

    Args:
        regions: As in ``MaskOptions``.
        keep: Likewise.
        feather: Likewise.
        strength: Likewise.

    Returns:
        uint8 (FLAT, FLAT), 0-255; None where all of it is shown. Not to be written to.
    """
    parts = _parts()
    chosen = np.ones((FLAT, FLAT), np.uint8)
    if regions and "whole" not in regions:
        chosen = np.asarray(np.isin(parts, [_NUMBERS[region] for region in regions]), np.uint8)
    chosen[np.isin(parts, [_NUMBERS[part] for part in keep])] = 0
    if (chosen.all() and not feather) or not strength:
        return None
    shown = _soft(chosen, max(_SOFT, feather) * _FACE)
    if feather:
        inside = cv2.distanceTransform(filled(topology().uv[topology().oval] * FLAT, FLAT), cv2.DIST_L2, 5)
        shown = shown * smoothstep(np.asarray(inside, np.float32), 0, feather * _FACE)
    result = np.asarray(np.rint(255 * (1 - strength * (1 - shown))), np.uint8)
    result.flags.writeable = False
    return result


def _soft(chosen: UInt8Array, wide: float) -> FloatArray:
    """1 well inside what is chosen (1), 0 well outside, and one half at its edge: float32, as large."""
    if chosen.all():
        return np.ones_like(chosen, np.float32)
    # From the middle of a texel to that of the nearest on the other side: the edge is half a texel nearer.
    inside, outside = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (chosen, 1 - chosen))
    signed = np.where(chosen > 0, inside - np.float32(0.5), np.float32(0.5) - outside)
    return smoothstep(np.asarray(signed, np.float32), -wide / 2, wide / 2)


_NUMBERS: Final[dict[str, int]] = {"skin": 0, "eyes": 1, "mouth": 2, "nose": 3, "brows": 4}


@lru_cache(maxsize=1)
def _parts() -> UInt8Array:
    """The number of the part that each texel belongs to: uint8 (FLAT, FLAT). What is no other part is skin."""
    shape = topology()
    uv = shape.uv * FLAT
    rings: dict[str, tuple[IntArray | list[int], ...]] = {
        "eyes": (shape.eye_left, shape.eye_right),
        "mouth": (shape.lips_outer,),
        "nose": (_NOSE,),
        "brows": (shape.brow_left, shape.brow_right),
    }
    parts = np.zeros((FLAT, FLAT), np.uint8)
    for name, some in rings.items():
        for ring in some:
            part = wider(filled(uv[ring], FLAT), _BEYOND[name])
            if name == "brows":
                part |= _upwards(part, round(_ABOVE_BROWS * FLAT))
            parts[part > 0] = _NUMBERS[name]
    return parts


def _upwards(part: UInt8Array, far: int) -> UInt8Array:
    """What lies in a part (255) or above it, no further than so many texels."""
    anchor = (0, 0)  # of the kernel at the pixel itself: what is below counts
    return np.asarray(cv2.dilate(part, np.ones((far + 1, 1), np.uint8), anchor=anchor), np.uint8)
