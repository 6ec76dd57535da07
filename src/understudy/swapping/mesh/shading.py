"""Takes the photo's light off a texture: what one side has more of, broad shadows and shine, hard light in between.

The aim is the face in flat, even light: whatever light there is on the target is put on when the patch is blended, and
whatever is left of the photo's lies on top of it, as dirt or as a burn.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray
from understudy.quantiles import median
from understudy.swapping.mesh.coarse import log, mean_around, mirrored, weighted_blur
from understudy.swapping.mesh.regions import regions
from understudy.tones import LUMA, smoothstep

#: Spread of the blur (share of the side) under which a left/right difference counts as light.
ONE_SIDED_SIGMA: Final = 0.045
#: How far one-sided light may be evened out, as a natural logarithm (1.2: a factor of 3.3).
ONE_SIDED_LIMIT: Final = 1.2
#: From which of these (natural logarithm) the darker half is no longer trusted, and from which not at all; and how much
#: of its trust it loses even where the other half is not seen either.
IN_THE_DARK: Final = (0.05, 0.25)
AT_LEAST: Final = 0.8
#: Broad shadows are measured under a blur of this spread (share of the side), lifted by this share of their
#: depth, and by no more than this (natural logarithm).
SHADOW_SIGMA, SHADOW_LIFT, SHADOW_LIMIT = 0.04, 0.9, 1.2
#: On the cheeks and along the rim they are measured once more, finer, and lifted whole.
RIM_SIGMA: Final = 0.03
#: What share of broad shine is dimmed.
SHINE_DIM: Final = 0.6
#: Outside the middle of the face shading of this spread (share of the side) is held to this (natural logarithm): a
#: cheek's turn away from the painter's lamp reads as a smear beside the target's own light.
FORM_SIGMA, FORM = 0.02, 0.04
#: Shadows on the nose's flanks: measured against a mean of this spread (share of the side), down to these spreads, held
#: to this (natural logarithm), and lifted with this share of their colourfulness.
NOSE_AROUND, NOSE_SIGMAS, NOSE, NOSE_COLOUR = 0.08, (0.012, 0.006), 0.03, 0.6
#: How much darker than its surroundings something may be (natural logarithm): up to the first as it is, to the second
#: by a smooth limit. On skin, on lips, and where there is hair, on brows and lashes.
SKIN, LIPS, HAIR = (0.0, 0.35), (0.3, 0.6), (0.5, 1.0)
#: How much brighter, by a smooth limit: on skin and lips, and on brows and lashes. Nothing on a face is much brighter
#: than the skin beside it, but for shine.
SHINE: Final = (0.3, 0.12)
#: A texel may be so many times as colourful as the median of plain skin (by a smooth limit): lips are.
COLOURFUL: Final = 2.5
#: How much of a lift (of its logarithm) the colourfulness of a shadow takes part in.
REDNESS: Final = 0.3


def even_out(color: FloatArray, trust: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Take the one-sided light off.

    Faces are nearly symmetric, so what differs slowly between the left and the right half is light, not
    face: half of that difference (in the logarithm) is taken from each side. Brows, eyes and lips, and what
    only one side shows, say nothing about it.

    Args:
        color: float32 BGR (S, S, 3), 0-255.
        trust: float32 (S, S), 0-1.

    Returns:
        Both, the trust less where light was too scarce.
    """
    plain = trust * (1 - regions().features)
    plain = plain * mirrored(plain)
    difference = (log(color) - log(mirrored(color))) * plain[..., None]
    light = weighted_blur(difference, plain, ONE_SIDED_SIGMA, floor=0.02) * 0.5
    light = np.clip(light, -ONE_SIDED_LIMIT, ONE_SIDED_LIMIT)
    even = np.asarray(np.exp(log(color) - light), np.float32)
    # What has to be made much brighter is mostly grain, brush strokes and blocks: better the lit half's mirror image.
    doubt = smoothstep(-light.mean(axis=2), *IN_THE_DARK)
    return even, np.asarray(trust * (1 - doubt * np.maximum(mirrored(trust), AT_LEAST)), np.float32)


def lifted(color: FloatArray, known: FloatArray) -> FloatArray:
    """Lift broad shadows that both sides have, dim broad shine, and hold what is left of hard light in between.

    Under the brim and at the rims of the cheeks it is dark in every photo; a lamp, marble and thick paint shine. On
    the target both would be burnt in. What is finer, wrinkles and pores, stays as long as it is no stronger than that.
    Lids and brows are held, too: they are darker than skin, never brighter, so what is brighter there is shine.

    Args:
        color: float32 BGR (S, S, 3), 0-255: the whole face, what was not seen filled in. What is taken off one half
            only would leave a step where the other half's mirror image begins.
        known: float32 (S, S), 0-1: where a face was seen, here or in the mirror.

    Returns:
        float32 BGR (S, S, 3).
    """
    features = regions().features
    skin = known * (1 - features)
    sure = skin > 0.5
    if not sure.any():
        return color
    color = _nose_lit(color, skin)
    tone = log(color).mean(axis=2)
    away = tone - median(tone[sure])
    broad = mean_around(away, skin, SHADOW_SIGMA)
    # What one mean leaves at the rim, where there is skin on one side only, a second one takes.
    outer = 1 - cv2.GaussianBlur(regions().core, (0, 0), 12)
    broad += mean_around(away - broad, skin, RIM_SIGMA) * outer
    form = mean_around(away - broad, skin, FORM_SIGMA)
    flat = (FORM * np.tanh(form / FORM) - form) * outer
    relief = away - broad + flat
    broad = np.clip(broad, -SHADOW_LIMIT, SHADOW_LIMIT)
    lift = SHADOW_LIFT + (1 - SHADOW_LIFT) * outer
    change = flat + _held(relief) - relief - np.where(broad < 0, lift, SHINE_DIM) * broad
    change = change[..., None]
    tone = (color @ LUMA)[..., None]
    # Creases are redder than what lies beside them, by the light that flesh throws on flesh: lifted in full they glow.
    rest = (color - tone) * np.exp(np.where(change > 0, REDNESS, 1) * change)
    return _calmed(np.asarray(tone * np.exp(change) + rest, np.float32), skin)


def _nose_lit(color: FloatArray, skin: FloatArray) -> FloatArray:
    """Lift what shadow lies along the nose.

    A nose that is lit from one side, or seen from it, has a flank nearly as dark as a brow, and narrower than what else
    is lifted. Its mirror image completes the other half, and two dark stripes are no nose.
    """
    nose = regions().nose
    away = log(color).mean(axis=2)
    away -= median(away[skin > 0.5])
    away -= mean_around(away, skin * (1 - nose), NOSE_AROUND)
    shadow = np.zeros_like(away)
    for sigma in NOSE_SIGMAS:
        shadow += mean_around(away - shadow, skin, sigma)
    depth = np.maximum(-shadow, 0)
    lift = ((depth - NOSE * np.tanh(depth / NOSE)) * nose)[..., None]
    tone = (color @ LUMA)[..., None]
    return np.asarray(tone * np.exp(lift) + (color - tone) * np.exp(NOSE_COLOUR * lift), np.float32)


def _held(relief: FloatArray) -> FloatArray:
    """Relief within the limits of the place: skin, lips, or the hair of brows and lashes."""
    lips, hair = regions().lips, regions().hair * (1 - regions().lips)
    knee, most = (
        skin + (lip - skin) * lips + (brow - skin) * hair for skin, lip, brow in zip(SKIN, LIPS, HAIR, strict=True)
    )
    over = np.maximum(-relief - knee, 0)
    dark = -np.minimum(-relief, knee + (most - knee) * np.tanh(over / (most - knee)))
    shine = SHINE[0] + (SHINE[1] - SHINE[0]) * hair
    return np.asarray(np.where(relief < 0, dark, shine * np.tanh(relief / shine)), np.float32)


def _calmed(color: FloatArray, skin: FloatArray) -> FloatArray:
    """Hold colourfulness to a few times the skin's own: coloured lamps, shadows whose colour was lifted with them."""
    tone = color @ LUMA
    rest = color - tone[..., None]
    strength = np.linalg.norm(rest, axis=2) / (tone + 4)
    limit = np.float32(COLOURFUL) * median(strength[skin > 0.5]) + np.float32(0.1)
    factor = limit * np.tanh(strength / limit) / np.maximum(strength, 1e-6)
    return np.asarray(tone[..., None] + rest * factor[..., None], np.float32)
