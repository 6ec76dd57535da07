"""Draws textures on tracked meshes: a photo's, or what another engine once gave, carried along with the face."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from understudy.arrays import AnyArray, BoolArray, FloatArray, UInt8Array
from understudy.compiled import compiled
from understudy.each import Each, by_rows
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.geometry.raster import rasterise
from understudy.geometry.topology import closed, closed_triangles, topology
from understudy.geometry.unwrap import TEXTURE_SIZE, facing
from understudy.patches import Patch, Warp
from understudy.tones import smoothstep

#: The longer side of the flattened face in the unit square.
UV_EXTENT: Final = 0.94
#: Vertices around the nose (MediaPipe's numbers): its root, the cheeks beside its wings, and the upper lip.
_AROUND_NOSE: Final = [168, 122, 351, 205, 425, 165, 391, 164]
#: How far within the outline, over the face's longer side, the nose begins to have the face behind it, and surely has.
_WELL_WITHIN: Final = (0.01, 0.06)
#: Side of the smallest level of a texture.
_SMALLEST: Final = 32


def levels_of(texture: UInt8Array) -> tuple[UInt8Array, ...]:
    """A texture from the full size down, so that a small face is drawn without aliasing.

    Args:
        texture: uint8 BGR plus opacity (S, S, 4).

    Returns:
        The texture, then each time a half of the one before: uint8 (S/2^k, S/2^k, 4).

    A texel is the mean of the four it lies over, and of no others: in a face of 40 pixels the eyes are open by one or
    two texels, and a filter that reaches further, or is not centred on the four, would close them.
    """
    levels = [texture]
    while levels[-1].shape[0] > _SMALLEST:
        levels.append(np.asarray(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(levels)


def level_for(mesh: FloatArray, count: int) -> int:
    """The number of the level whose texels are about as large as the frame's pixels.

    Args:
        mesh: float32 (478, 3), in pixels of the frame.
        count: How many levels there are.
    """
    size = float(np.ptp(mesh[:, :2], axis=0).max()) / UV_EXTENT
    return int(np.clip(np.floor(np.log2(TEXTURE_SIZE / max(size, 1.0)) + 0.25), 0, count - 1))


def drawn(
    frame: Frame,
    mesh: FloatArray,
    reshaped: FloatArray,
    level: UInt8Array,
    fade_facing: Sequence[float],
    track_id: int,
    *,
    over_beard: bool,
    flat: bool = False,
    each: Each = map,
) -> Patch | None:
    """A texture as it is seen on a face. Eyes and inner mouth are open: the frame's own are moved, not painted.

    Args:
        frame: The frame the face was found in; it is only read.
        mesh: float32 (478, 3): the face, in its pixels.
        reshaped: float32 (478, 3): the mesh that is drawn; ``mesh`` itself where no shape is taken.
        level: uint8 (S, S, 4): BGR and opacity, of the size that ``level_for`` says.
        fade_facing: See ``MeshOptions.fade_facing``.
        track_id: Whose face it is.
        over_beard: See ``Patch``.
        flat: See ``Patch``.
        each: Calls a function with each of several items: with the halves of a large face.

    Returns:
        The patch; None where no part of it lies in the frame.
    """
    shape = topology()
    bounds = bounds_xyxy(np.concatenate([mesh, reshaped])[None])[0]
    box = pixel_box(bounds, frame.width, frame.height, margin=1).even(frame.width, frame.height)
    if box.empty:
        return None
    place = reshaped - np.array([box.x0, box.y0, 0], np.float32)
    low, high = fade_facing
    visible = _before_face(reshaped, smoothstep(facing(reshaped), low, high))
    attributes = np.column_stack([shape.uv, visible, (mesh - reshaped)[:, :2]])
    size = (box.x1 - box.x0, box.y1 - box.y0)
    values, _ = rasterise(closed(place), closed_triangles(), closed(attributes), size, each)
    picture, alpha = painted(values, level, each)
    return Patch(
        picture=picture,
        alpha=alpha,
        uv=values[:, :, :2],
        box=box,
        mesh=mesh,
        track_id=track_id,
        warp=None if reshaped is mesh else Warp(reshaped, values[:, :, 3:]),
        lit=True,
        over_beard=over_beard,
        flat=flat,
    )


def _before_face(mesh: FloatArray, visible: FloatArray) -> FloatArray:
    """Visibility that fades at the face's own horizon only.

    What is turned away at the nose's wings and below its tip has the face behind it, as long as the nose is within the
    face's outline; were it faded there, the frame's own nose would show through as a thin line. In profile the nose is
    part of the horizon.

    Args:
        mesh: float32 (478, 3), in pixels.
        visible: float32 (478,), 0-1: falls to 0 where the skin is turned away from the camera.

    Returns:
        float32 (478,), 0-1.
    """
    turned = np.flatnonzero((visible < 1) & _nose())
    if not len(turned):
        return visible
    outline = np.ascontiguousarray(mesh[topology().oval, :2])
    size = max(float(np.ptp(mesh[:, :2], axis=0).max()), 1.0)
    depth = np.array([cv2.pointPolygonTest(outline, (x, y), True) for x, y in mesh[turned, :2].tolist()], np.float32)
    within = visible.copy()
    within[turned] = np.maximum(visible[turned], smoothstep(depth / np.float32(size), *_WELL_WITHIN))
    return within


@lru_cache(maxsize=1)
def _nose() -> BoolArray:
    """Which vertices are the nose's, and what is around it: bool (478,)."""
    hull = cv2.convexHull(topology().uv[_AROUND_NOSE])
    return np.array([cv2.pointPolygonTest(hull, place, False) >= 0 for place in topology().uv.tolist()])


def painted(values: FloatArray, level: UInt8Array, each: Each = map) -> tuple[UInt8Array, UInt8Array]:
    """The texture as it is seen at every pixel.

    Args:
        values: float32 (H, W, 3 or more): u and v in the texture, 0-1, and above 0 where the face is visible.
        level: uint8 (S, S, 4): the texture, BGR and opacity, C-contiguous.
        each: Calls a function with each of several items: with the halves of a large picture.

    Returns:
        uint8 BGR (H, W, 3), and the opacity, uint8 (H, W); both 0 where the face is not visible.

    The four channels of a texel are weighed at once: spread to 16 bits each in one number of 64, eight bits of weight
    leave room for their sum. A quarter faster than in floats, and on a face's texture at most one grey level from it.
    """
    height, width = values.shape[:2]
    picture, alpha = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    texels = level.view(np.uint32).reshape(-1)
    by_rows(each, alpha.shape, lambda rows: _paint(values, texels, len(level), picture, alpha, *rows))
    return picture, alpha


@compiled
def _paint(
    values: FloatArray, texels: AnyArray, side: int, picture: UInt8Array, alpha: UInt8Array, first: int, end: int
) -> None:
    """See ``painted``; ``texels`` is uint32 (S * S,), and the pictures are 0 before.

    Rows from ``first`` to before ``end`` are written.
    """
    width = values.shape[1]
    stride, next_one, eight = np.uint32(side), np.uint32(1), np.uint32(8)
    fraction, whole, rounding = np.uint32(255), np.uint32(256), np.uint32(128)
    zero, half = np.float32(0), np.float32(0.5)
    scale, corner = np.float32(side * 256), np.float32(128)
    last = scale - np.float32(257)
    byte, halves = np.uint64(0xFF), np.uint64(0x0080008000800080)
    for y in range(first, end):
        for x in range(width):
            visible = values[y, x, 2]
            if visible <= zero:
                continue
            s = np.uint32(min(max(values[y, x, 0] * scale - corner, zero), last))
            t = np.uint32(min(max(values[y, x, 1] * scale - corner, zero), last))
            i = np.uint32((t >> eight) * stride + (s >> eight))
            j, k = np.uint32(i + next_one), np.uint32(i + stride)
            right, down = s & fraction, t & fraction
            d = (right * down + rounding) >> eight
            b, c = right - d, down - d
            a = whole - right - c
            total = (
                _spread(texels[i]) * np.uint64(a)
                + _spread(texels[j]) * np.uint64(b)
                + _spread(texels[k]) * np.uint64(c)
                + _spread(texels[np.uint32(k + next_one)]) * np.uint64(d)
                + halves
            )
            # Also where it is not shown: sharpness is matched by a blur, which looks a little beyond the edge.
            picture[y, x, 0] = np.uint8((total >> np.uint64(8)) & byte)
            picture[y, x, 1] = np.uint8((total >> np.uint64(24)) & byte)
            picture[y, x, 2] = np.uint8((total >> np.uint64(40)) & byte)
            alpha[y, x] = np.uint8(np.float32(total >> np.uint64(56)) * visible + half)


@compiled
def _spread(texel: np.uint32) -> np.uint64:
    """Four bytes, each in 16 bits of its own."""
    wide = np.uint64(texel)
    wide = (wide | (wide << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return (wide | (wide << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
