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
from understudy.glasses import behind
from understudy.swapping.base import Portrait
from understudy.swapping.mesh.beard import facial_hair
from understudy.swapping.mesh.complexion import calm
from understudy.swapping.mesh.pores import pores
from understudy.swapping.mesh.regions import regions, smoothstep
from understudy.swapping.mesh.skin import skin_mask
from understudy.swapping.mesh.unwrap import TEXTURE_SIZE, unwrap

#: Side of the copy on which slow changes (light, filled-in colour) are computed.
COARSE = 128
#: Spread of the blur (share of the side) under which a left/right difference counts as light.
ONE_SIDED_SIGMA = 0.045
#: How far one-sided light may be evened out, as a natural logarithm (1.2: a factor of 3.3).
ONE_SIDED_LIMIT = 1.2
#: From which of these (natural logarithm) the darker half is no longer trusted, and from which not at all.
IN_THE_DARK = (0.05, 0.25)
#: Broad shadows are measured under a blur of this spread (share of the side), lifted by this share of their
#: depth, and by no more than this (natural logarithm).
SHADOW_SIGMA, SHADOW_LIFT, SHADOW_LIMIT = 0.05, 0.85, 1.2
#: The same for broad shine.
SHINE_DIM = 0.6
#: What differs from its surroundings on plain skin is held to this (natural logarithm) by a smooth limit.
RELIEF = 0.45
#: A texel may be so many times as colourful as the median of plain skin (by a smooth limit): lips are.
COLOURFUL = 2.5
#: How much of a lift (of its logarithm) the colourfulness of a shadow takes part in.
REDNESS = 0.3
#: From which difference to the skin further in (natural logarithm, norm of BGR) the rim is foreign, from which surely.
FOREIGN = (0.25, 0.6)
#: Luminance of BGR (ITU-R BT.601).
LUMA = np.array([0.114, 0.587, 0.299], np.float32)
#: Luminance (0-255) below which a texel is too dark to be trusted, and from which it is good.
DARK = (14.0, 46.0)


@dataclass(frozen=True, eq=False)
class Texture:
    """A complete face texture.

    Attributes:
        color: uint8 BGR (S, S, 3).
        opacity: uint8 (S, S): 255 where the texture should be shown, falling to 0 at the seam, at the
            openings' rims, and where no photo showed skin (so the target's own skin stays).
    """

    color: UInt8Array
    opacity: UInt8Array


def build_texture(portraits: Sequence[Portrait]) -> Texture:
    """One texture out of one or more photos of a person."""
    parts = [_single(portrait) for portrait in portraits]
    color, trust = _merged([(part.color, part.trust) for part in parts])
    maps = regions()
    hair = np.maximum.reduce([part.hair for part in parts])
    # Hair, with the single strands at its edge, says nothing of the skin's light; it keeps its tone, colour and relief.
    edged = cv2.dilate(hair, np.ones((17, 17)))
    even, skin = _even_out(color, trust * (1 - edged))
    even = calm(even, skin)
    even += (color - even) * cv2.GaussianBlur(hair, (0, 0), 2)[..., None]
    color, trust = _completed(even, np.maximum(skin, trust * edged), hair)
    # In the middle a hole would show, and where glasses were taken off the target's own skin would flicker through.
    shown = np.maximum.reduce([trust, maps.core, *(part.glasses for part in parts)])
    shown = cv2.GaussianBlur(cv2.erode(shown, np.ones((25, 25))), (0, 0), 8)
    opacity = shown * maps.seam
    return Texture(np.clip(np.round(color), 0, 255).astype(np.uint8), np.round(opacity * 255).astype(np.uint8))


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
    flat = unwrap(portrait.picture, mesh, skin_mask(portrait.picture, mesh))
    skin = np.maximum(flat.extra, maps.core)
    light = cv2.GaussianBlur(flat.texture.max(axis=2), (0, 0), 0.01 * TEXTURE_SIZE)
    bright = np.maximum(smoothstep(light, *DARK), maps.features * 0.5)
    glasses = behind(np.clip(flat.texture, 0, 255).astype(np.uint8))
    hair = facial_hair(flat.texture, flat.seen)
    # What is dark and no skin is not to be trusted, unless it is a beard.
    trust = flat.seen * np.maximum(skin * bright, hair) * maps.face
    unhidden, hidden = (np.asarray(trust * share, np.float32) for share in (1 - glasses, glasses))
    return _Part(flat.texture, unhidden, hidden, hair)


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


def _even_out(color: FloatArray, trust: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Take the one-sided light off.

    Faces are nearly symmetric, so what differs slowly between the left and the right half is light, not
    face: half of that difference (in the logarithm) is taken from each side. Brows, eyes and lips, and what
    only one side shows, say nothing about it.
    """
    plain = trust * (1 - regions().features)
    plain = plain * _mirrored(plain)
    difference = (_log(color) - _log(_mirrored(color))) * plain[..., None]
    light = _normalised_blur(difference, plain, ONE_SIDED_SIGMA, floor=0.02) * 0.5
    light = np.clip(light, -ONE_SIDED_LIMIT, ONE_SIDED_LIMIT)
    even = np.asarray(np.exp(_log(color) - light), np.float32)
    # What has to be made much brighter is mostly grain, brush strokes and blocks: better the lit half's mirror image.
    doubt = smoothstep(-light.mean(axis=2), *IN_THE_DARK)
    return _lifted(even, trust), np.asarray(trust * (1 - doubt * _mirrored(trust)), np.float32)


def _lifted(color: FloatArray, trust: FloatArray) -> FloatArray:
    """Lift broad shadows that both sides have, dim broad shine, and calm what is left of hard light in between.

    Under the brim and at the rims of the cheeks it is dark in every photo; a lamp, marble and thick paint shine. On
    the target both would be burnt in. What is finer, wrinkles and pores, stays as long as it is no stronger than that.
    """
    features = regions().features
    skin = trust * (1 - features)
    tone = _log(color).mean(axis=2)
    known = skin > 0.5
    if not known.any():
        return color
    # Measured from the middle: where no skin is near, lips in a beard, nothing is known and nothing changed.
    middle = np.median(tone[known])
    level = _normalised_blur(((tone - middle) * skin)[..., None], skin, SHADOW_SIGMA, floor=0.01).reshape(tone.shape)
    level += middle
    short = np.clip(np.median(level[known]) - level, -SHADOW_LIMIT, SHADOW_LIMIT)
    share = smoothstep(trust, 0.0, 0.3)
    relief = tone - level
    calm = RELIEF * np.tanh(relief / RELIEF) - relief
    change = np.where(short > 0, SHADOW_LIFT, SHINE_DIM) * short + calm * (1 - cv2.GaussianBlur(features, (0, 0), 4))
    change = (change * share)[..., None]
    tone = (color @ LUMA)[..., None]
    # Creases are redder than what lies beside them, by the light that flesh throws on flesh: lifted in full they glow.
    rest = (color - tone) * np.exp(np.where(change > 0, REDNESS, 1) * change)
    return _calmed(np.asarray(tone * np.exp(change) + rest, np.float32), skin)


def _calmed(color: FloatArray, skin: FloatArray) -> FloatArray:
    """Hold colourfulness to a few times the skin's own: coloured lamps, shadows whose colour was lifted with them."""
    tone = color @ LUMA
    rest = color - tone[..., None]
    strength = np.linalg.norm(rest, axis=2) / (tone + 4)
    limit = np.float32(COLOURFUL) * np.median(strength[skin > 0.5]) + np.float32(0.1)
    factor = limit * np.tanh(strength / limit) / np.maximum(strength, 1e-6)
    return np.asarray(tone[..., None] + rest * factor[..., None], np.float32)


def _completed(color: FloatArray, trust: FloatArray, hair: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fill what was not seen: first from the other half, in this half's light, then from around.

    A beard is neither foreign nor does it spread.
    """
    other, other_trust = _mirrored(color), _mirrored(trust)
    other = other * np.exp(np.clip(_light_between(color, other, trust * other_trust), -0.8, 0.8))
    need = cv2.GaussianBlur(1 - smoothstep(trust, 0.1, 0.5), (0, 0), 3) * smoothstep(other_trust, 0.2, 0.6)
    filled = color + (other - color) * need[..., None]
    known = np.maximum(smoothstep(trust, 0.05, 0.4), smoothstep(other_trust, 0.2, 0.6))
    plain = (1 - regions().features) * (1 - hair)
    around = _diffused(filled, known * plain)
    # Along the rim hangs what is no skin, and too thin to be told by itself: strands of hair, an ear, a collar.
    within = _diffused(filled, known * plain * regions().inside)
    unlike = np.linalg.norm(_log(filled) - _log(within), axis=2) * (1 - regions().inside) * (1 - hair)
    foreign = cv2.GaussianBlur(smoothstep(unlike, *FOREIGN), (0, 0), 6)
    around = around + (within - around) * (1 - regions().inside)[..., None]
    shown = (known * (1 - foreign))[..., None]
    around = around * np.exp(pores(_log(color) @ LUMA, trust * plain))[..., None]
    return np.asarray(around + (filled - around) * shown, np.float32), known


def _light_between(first: FloatArray, second: FloatArray, weight: FloatArray) -> FloatArray:
    """The smooth log ratio of two textures where both are trusted, spread out to where they are not."""
    return _normalised_blur((_log(first) - _log(second)) * weight[..., None], weight, 0.1, floor=0.01)


def _diffused(color: FloatArray, weight: FloatArray) -> FloatArray:
    """Colours spread from where ``weight`` is high to where it is not, coarse to fine (push-pull)."""
    color, weight = _coarse(color), _coarse(weight)
    result = np.zeros_like(color)
    for sigma in (0.3, 0.15, 0.07, 0.03):
        near = cv2.GaussianBlur(weight, (0, 0), sigma * COARSE)[..., None]
        local = cv2.GaussianBlur(color * weight[..., None], (0, 0), sigma * COARSE) / (near + 1e-4)
        result = local if sigma == 0.3 else result + (local - result) * np.clip(near * 4, 0, 1)
    return _fine(result)


def _normalised_blur(weighted: FloatArray, weight: FloatArray, sigma: float, floor: float) -> FloatArray:
    """Blur of values given as value·weight, fading to 0 where there is no weight near.

    ``sigma`` is a share of the side. Done on a coarse copy: what comes out is smooth anyway.
    """
    total = cv2.GaussianBlur(_coarse(weight), (0, 0), sigma * COARSE)[..., None]
    blurred = cv2.GaussianBlur(_coarse(weighted), (0, 0), sigma * COARSE)
    return _fine(blurred.reshape(COARSE, COARSE, -1) / (total + np.float32(floor)))


def _coarse(values: FloatArray) -> FloatArray:
    return np.asarray(cv2.resize(values, (COARSE, COARSE), interpolation=cv2.INTER_AREA), np.float32)


def _fine(values: FloatArray) -> FloatArray:
    size = (TEXTURE_SIZE, TEXTURE_SIZE)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _log(color: FloatArray) -> FloatArray:
    return np.asarray(np.log(color + np.float32(4)), np.float32)


def _mirrored(picture: FloatArray) -> FloatArray:
    """The other half in place of this one: the unwrapping is symmetric about the middle."""
    return np.ascontiguousarray(picture[:, ::-1])
