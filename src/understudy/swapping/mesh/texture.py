"""Makes the texture of an identity out of its photos: merge, even out the light, complete.

The aim is the face as it would look in flat, even light, with every texel filled: whatever light there is
on the target is put on when the patch is blended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.beard import facial_hair
from understudy.geometry.unwrap import TEXTURE_SIZE, Unwrapped, unwrap
from understudy.glasses import behind
from understudy.quantiles import median, median_of_rows
from understudy.swapping.base import Portrait
from understudy.swapping.mesh.coarse import COARSE, coarse, fine, log, mirrored, weighted_blur
from understudy.swapping.mesh.complexion import calm
from understudy.swapping.mesh.pores import pores
from understudy.swapping.mesh.regions import regions
from understudy.swapping.mesh.shading import even_out, lifted
from understudy.swapping.mesh.skin import skin_mask
from understudy.tones import LUMA, smoothstep

#: From which difference to the skin further in (natural logarithm, norm of BGR) the rim is foreign, from which surely.
FOREIGN = (0.45, 1.0)
#: What hides the forehead is at least so wide and high (texels, odd); its strands and its shadow reach half as far.
FRINGE = 25
#: Luminance (0-255) below which a texel is too dark to be trusted, and from which it is good.
DARK = (14.0, 46.0)
#: How far something's hue is from the skin's (norm of BGR over luminance): from where it may be no skin, and surely.
OTHER_HUE = (0.25, 0.5)
#: How bright it is, over the skin, if it is not hair: from which it may not be, from which surely.
AS_BRIGHT = (0.3, 0.5)


@dataclass(frozen=True, eq=False)
class Texture:
    """A complete face texture.

    Attributes:
        color: uint8 BGR (S, S, 3).
        opacity: uint8 (S, S): 255 where the texture should be shown, falling to 0 at the seam, at the
            openings' rims, and where no photo showed skin (so the target's own skin stays).
        bearded: Whether a beard or a moustache grows on it.
    """

    color: UInt8Array
    opacity: UInt8Array
    bearded: bool


def build_texture(portraits: Sequence[Portrait]) -> Texture:
    """One texture out of one or more photos of a person."""
    parts = [_single(portrait) for portrait in portraits]
    color, trust = _merged([(part.color, part.trust) for part in parts])
    maps = regions()
    hair = np.maximum.reduce([part.hair for part in parts])
    # Hair, with the single strands at its edge, says nothing of the skin's light; it keeps its tone, colour and relief.
    edged, share = cv2.dilate(hair, np.ones((17, 17))), cv2.GaussianBlur(hair, (0, 0), 2)[..., None]
    even, skin = even_out(color, trust * (1 - edged))
    trust = np.maximum(skin, trust * edged)
    whole, known = _completed(even + (color - even) * share, trust, hair)
    bare = known * (1 - edged)
    smooth = calm(lifted(whole, bare), bare)
    color = _with_pores(smooth + (whole - smooth) * share, trust, known)
    # In the middle a hole would show, and where glasses were taken off the target's own skin would flicker through.
    # On the forehead, too: or else the target's own brows, when it raises them, would show above the photo's. A face
    # that ends amid the forehead would show where it ends.
    shown = np.maximum.reduce([known, maps.core, maps.forehead, *(part.glasses for part in parts)])
    shown = cv2.GaussianBlur(cv2.erode(shown, np.ones((25, 25))), (0, 0), 8)
    opacity = shown * maps.seam
    return Texture(
        np.clip(np.round(color), 0, 255).astype(np.uint8),
        np.round(opacity * 255).astype(np.uint8),
        bearded=bool(hair.max() > 0.5),
    )


class _Part(NamedTuple):
    """One photo's texture.

    Attributes:
        color: float32 BGR (S, S, 3).
        trust: float32 (S, S), 0-1: how far each texel is to be trusted.
        glasses: float32 (S, S), 0-1: where glasses hide the skin.
        hair: float32 (S, S), 0-1: where a beard grows.
    """

    color: FloatArray
    trust: FloatArray
    glasses: FloatArray
    hair: FloatArray


def _single(portrait: Portrait) -> _Part:
    assert portrait.face.mesh is not None
    mesh, maps = portrait.face.mesh[0], regions()
    flat = unwrap(portrait.picture, mesh, skin_mask(portrait.picture, mesh), wary=True)
    skin = np.maximum(flat.extra, maps.core * _like_skin(flat))
    light = cv2.GaussianBlur(flat.texture.max(axis=2), (0, 0), 0.01 * TEXTURE_SIZE)
    bright = np.maximum(smoothstep(light, *DARK), maps.features * 0.5)
    glasses = behind(np.clip(flat.texture, 0, 255).astype(np.uint8))
    hair = facial_hair(flat.texture, flat.seen)
    # What is dark and no skin is not to be trusted, unless it is a beard.
    trust = flat.seen * np.maximum(skin * bright, hair) * maps.face
    unhidden, hidden = (np.asarray(trust * share, np.float32) for share in (1 - glasses, glasses))
    return _Part(flat.texture, unhidden, hidden, hair)


def _like_skin(flat: Unwrapped) -> FloatArray:
    """0 where a visor or a veil hangs into the middle of the face: not of skin's colour, and not as dark as hair."""
    plain = flat.extra * flat.seen * regions().plain > 0.5
    if not plain.any():
        return np.ones_like(flat.extra)
    smooth = cv2.GaussianBlur(flat.texture, (0, 0), 2)
    tone = smooth @ LUMA + 4
    hue = smooth / tone[..., None]
    middle = median(tone[plain])
    other = smoothstep(np.linalg.norm(hue - median_of_rows(hue[plain]), axis=2), *OTHER_HUE)
    thing = other * smoothstep(tone / middle, *AS_BRIGHT) * (1 - smoothstep(flat.extra, 0.1, 0.5))
    return np.asarray(1 - cv2.GaussianBlur(cv2.dilate(thing, np.ones((7, 7))), (0, 0), 2), np.float32)


def _merged(parts: Sequence[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    """Several photos of one person: each texel from the photo that sees it best, in the first one's light."""
    color, trust = parts[0]
    if len(parts) == 1:
        return color, trust
    total, weight, best = color * trust[..., None] ** 4, trust**4, trust
    for other, other_trust in parts[1:]:
        light = _light_between(color, other, trust * other_trust)
        share = other_trust**4
        total += other * np.exp(np.clip(light, -1, 1)) * share[..., None]
        weight = weight + share
        best = np.maximum(best, other_trust)
    return np.asarray(total / np.maximum(weight, 1e-6)[..., None], np.float32), best


def _completed(color: FloatArray, trust: FloatArray, hair: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fill what was not seen: first from the other half, in this half's light, then from around.

    A beard is neither foreign nor does it spread.
    """
    other, other_trust = mirrored(color), mirrored(trust)
    other = other * np.exp(np.clip(_light_between(color, other, trust * other_trust), -0.8, 0.8))
    need = cv2.GaussianBlur(1 - smoothstep(trust, 0.1, 0.5), (0, 0), 3) * smoothstep(other_trust, 0.2, 0.6)
    filled = color + (other - color) * need[..., None]
    known = np.maximum(smoothstep(trust, 0.05, 0.4), smoothstep(other_trust, 0.2, 0.6))
    known = known * (1 - _below_fringe(known))
    plain = (1 - regions().features) * (1 - hair)
    around = _diffused(filled, known * plain)
    # Along the rim hangs what is no skin, and too thin to be told by itself: strands of hair, an ear, a collar.
    within = _diffused(filled, known * plain * regions().inside)
    unlike = np.linalg.norm(log(filled) - log(within), axis=2) * (1 - regions().inside) * (1 - hair)
    foreign = cv2.GaussianBlur(smoothstep(unlike, *FOREIGN), (0, 0), 6)
    around = around + (within - around) * (1 - regions().inside)[..., None]
    shown = (known * (1 - foreign))[..., None]
    return np.asarray(around + (filled - around) * shown, np.float32), known


def _below_fringe(known: FloatArray) -> FloatArray:
    """Where strands and the shadow of what hides the forehead may lie, along its edge: float32 (S, S), 0-1.

    What is smaller than a fringe is the hair of a bushy brow.
    """
    maps, square = regions(), np.ones((FRINGE, FRINGE), np.uint8)
    fringe = cv2.morphologyEx((1 - known) * (1 - maps.core), cv2.MORPH_OPEN, square)
    near = cv2.dilate(fringe, square) * maps.forehead * (1 - maps.hair)
    return np.asarray(cv2.GaussianBlur(near, (0, 0), 2), np.float32)


def _with_pores(color: FloatArray, trust: FloatArray, known: FloatArray) -> FloatArray:
    """Fine relief where nothing was seen, like that of the skin that was."""
    relief = pores(log(color) @ LUMA, trust * regions().plain)
    return np.asarray(color * np.exp(relief * (1 - known))[..., None], np.float32)


def _light_between(first: FloatArray, second: FloatArray, weight: FloatArray) -> FloatArray:
    """The smooth log ratio of two textures where both are trusted, spread out to where they are not."""
    return weighted_blur((log(first) - log(second)) * weight[..., None], weight, 0.1, floor=0.01)


def _diffused(color: FloatArray, weight: FloatArray) -> FloatArray:
    """Colours spread from where ``weight`` is high to where it is not, coarse to fine (push-pull)."""
    color, weight = coarse(color), coarse(weight)
    result = np.zeros_like(color)
    for sigma in (0.3, 0.15, 0.07, 0.03):
        near = cv2.GaussianBlur(weight, (0, 0), sigma * COARSE)[..., None]
        local = cv2.GaussianBlur(color * weight[..., None], (0, 0), sigma * COARSE) / (near + 1e-4)
        result = local if sigma == 0.3 else result + (local - result) * np.clip(near * 4, 0, 1)
    return fine(result)
