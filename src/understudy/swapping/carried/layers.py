"""Patches as textures: what an engine drew into one frame, laid on the flattened face so that others can show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.compiled import compiled
from understudy.frames import PixelBox
from understudy.geometry.pose import Posed, posed
from understudy.geometry.unwrap import unwrap
from understudy.patches import Patch
from understudy.swapping.mesh.coarse import COARSE, coarse, fine
from understudy.swapping.mesh.drawing import levels_of
from understudy.swapping.mesh.regions import regions
from understudy.tones import smoothstep

#: Spread, as a share of the side, over which what lay on the face before is put into the light of what is new.
_LIGHT: Final = 0.1
#: By which factor that makes it brighter or darker, at most; grey levels below which nothing is compared.
_MOST: Final = 2.7
_DARK: Final = 4.0
#: Of a face's longer side: how far from the frame's edge nothing is taken where that cuts the face.
_RIM: Final = 0.03
#: How well a texel is seen from which its opacity is the face's own, and surely.
_SURE: Final = (0.5, 1.0)


@dataclass(frozen=True, eq=False)
class Layer:
    """A face as it is to be drawn.

    Attributes:
        levels: uint8 BGR plus opacity, from the full size down (see ``drawing.levels_of``).
        offset: float32 (478, 3): how far the mesh that is drawn lies from the face's own, in the head's own frame, in
            distances of the eyes; None: it is the face's own.
        over_beard: See ``Patch``.
    """

    levels: tuple[UInt8Array, ...]
    offset: FloatArray | None
    over_beard: bool


def layer_of(patch: Patch, before: Layer, in_front: UInt8Array | None = None) -> Layer:
    """A patch as a layer. Where it shows nothing of the face, what was known before is kept, in the patch's light.

    Args:
        patch: What an engine drew.
        before: What is known of the face.
        in_front: uint8 of the patch's size: 255 where nothing was before the face, 0 where something hid it: of that
            nothing is taken. None: nothing hid it.
    """
    drawn = patch.mesh if patch.warp is None else patch.warp.mesh
    corner = np.array([patch.box.x0, patch.box.y0, 0], np.float32)
    shown = patch.alpha if in_front is None else cv2.multiply(patch.alpha, in_front, scale=1 / 255)
    alpha = _well_inside(np.asarray(shown, np.uint8), drawn[:, :2] - corner[:2])
    flat = unwrap(patch.picture, drawn - corner, alpha.astype(np.float32) / np.float32(255))
    seen = np.asarray(flat.seen * flat.extra, np.float32)
    old = before.levels[0]
    gain = _light_between(old, flat.texture, seen)
    texture = np.empty_like(old)
    _lay(old, flat.texture, seen, gain, smoothstep(seen, *_SURE), regions().seam, texture)
    offset = None if patch.warp is None else in_head(drawn - patch.mesh, posed(patch.mesh))
    return Layer(levels_of(texture), offset, patch.over_beard)


def _well_inside(alpha: UInt8Array, mesh: FloatArray) -> UInt8Array:
    """A patch's opacity without what lies at the frame's edge, if that cuts the face: no engine sees what is beyond.

    Args:
        alpha: uint8 (h, w).
        mesh: float32 (478, 2): the face, in its pixels.
    """
    height, width = alpha.shape
    low, high = mesh.min(0), mesh.max(0)
    rim = max(round(_RIM * float((high - low).max())), 2)
    left, top = (rim if value < 0 else 0 for value in low.tolist())
    right, bottom = (rim if value > side else 0 for value, side in zip(high.tolist(), (width, height), strict=True))
    if not (left or top or right or bottom):
        return alpha
    part = slice(top, max(height - bottom, 0)), slice(left, max(width - right, 0))
    inside = np.zeros_like(alpha)
    inside[part] = alpha[part]
    return inside


def in_head(offset: FloatArray, pose: Posed) -> FloatArray:
    """Offsets of vertices in the head's own frame: float32 (478, 3), of pixels of a frame."""
    return np.asarray(offset @ pose.turn / np.float32(max(pose.scale, 1e-6)), np.float32)


def in_frame(offset: FloatArray, pose: Posed) -> FloatArray:
    """Offsets of vertices in pixels of a frame: float32 (478, 3), of those in the head's own."""
    return np.asarray(offset @ pose.turn.T * np.float32(pose.scale), np.float32)


def mixed(under: Layer, over: Layer, share: float, level: int | None = None) -> Layer:
    """One layer shining through another.

    Args:
        under: What is below.
        over: What is above.
        share: 0-1: how much of what is above is shown.
        level: The only level that is needed: the others are left out. None: all.
    """
    if share >= 1:
        return over if level is None else Layer((over.levels[level],), over.offset, over.over_beard)
    pairs = list(zip(under.levels, over.levels, strict=True))
    levels = tuple(
        np.asarray(cv2.addWeighted(a, 1 - share, b, share, 0), np.uint8)
        for a, b in (pairs if level is None else [pairs[level]])
    )
    offset: FloatArray | None = None
    for one, part in ((under.offset, np.float32(1 - share)), (over.offset, np.float32(share))):
        if one is not None:
            offset = one * part if offset is None else offset + one * part
    return Layer(levels, offset, over.over_beard if share >= 0.5 else under.over_beard)


def placed(mask: UInt8Array, box: PixelBox, wanted: PixelBox) -> UInt8Array:
    """A mask of one box of a frame as one of another, 255 where it says nothing: uint8 of the wanted box's size."""
    result = np.full((wanted.y1 - wanted.y0, wanted.x1 - wanted.x0), 255, np.uint8)
    x0, y0 = max(box.x0, wanted.x0), max(box.y0, wanted.y0)
    x1, y1 = min(box.x1, wanted.x1), min(box.y1, wanted.y1)
    if x0 < x1 and y0 < y1:
        part = mask[y0 - box.y0 : y1 - box.y0, x0 - box.x0 : x1 - box.x0]
        result[y0 - wanted.y0 : y1 - wanted.y0, x0 - wanted.x0 : x1 - wanted.x0] = part
    return result


def _light_between(old: UInt8Array, new: FloatArray, seen: FloatArray) -> FloatArray:
    """What puts ``old``, BGR and opacity, into the light of ``new``: their smooth ratio where the new is seen.

    Returns:
        float32 BGR (S, S, 3): factors.
    """
    weight = coarse(seen)
    weights = weight[:, :, None]
    before = np.asarray(cv2.resize(old, weight.shape, interpolation=cv2.INTER_AREA)[:, :, :3], np.float32)
    total, before, now = (
        np.asarray(cv2.GaussianBlur(values, (0, 0), _LIGHT * COARSE), np.float32)
        for values in (weight, before * weights, coarse(new) * weights)
    )
    floor = np.float32(_DARK) * total[:, :, None] + np.float32(1e-3)
    # Where little is seen near nothing is known of the light.
    known = (total / (total + np.float32(0.01)))[:, :, None]
    gain = np.clip(((now + floor) / (before + floor)) ** known, 1 / _MOST, _MOST)
    return fine(gain.astype(np.float32))


@compiled
def _lay(
    old: UInt8Array,
    new: FloatArray,
    seen: FloatArray,
    gain: FloatArray,
    sure: FloatArray,
    seam: FloatArray,
    texture: UInt8Array,
) -> None:
    """Lay a texture, BGR and opacity, over another as far as it is seen; what is left of that is ``gain`` as light."""
    side = old.shape[0]
    half, white = np.float32(0.5), np.float32(255)
    for y in range(side):
        for x in range(side):
            share = seen[y, x]
            for n in range(3):
                value = np.float32(old[y, x, n]) * gain[y, x, n]
                value += (new[y, x, n] - value) * share
                texture[y, x, n] = np.uint8(min(max(value, np.float32(0)), white) + half)
            opacity = np.float32(old[y, x, 3])
            opacity += (seam[y, x] * white - opacity) * sure[y, x]
            texture[y, x, 3] = np.uint8(opacity + half)
