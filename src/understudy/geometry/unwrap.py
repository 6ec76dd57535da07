"""Unwraps a photographed face to a texture on the flattened mesh."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from understudy.arrays import AnyArray, FloatArray, IntArray, UInt8Array
from understudy.compiled import compiled
from understudy.geometry.raster import EMPTY, rasterise
from understudy.geometry.topology import topology

#: Side of a texture in texels. A face fills a 720p frame at about this size.
TEXTURE_SIZE = 512
#: Spread of the blur of what is seen, as a share of the side.
_SEEN_BLUR = 3 / 512
#: How near to the outline of a turned head its mesh may lie beside it, and from where on it hardly does, as shares
#: of the face's size: it is off by 2 to 4% of the face's height (docs/lab-book.md, "What is behind a turned head").
_BESIDE = (0.02, 0.05)


class Unwrapped(NamedTuple):
    """A face on the flattened mesh.

    Attributes:
        texture: float32 BGR (S, S, 3), 0-255.
        seen: float32 (S, S), 0-1: how well the photo shows each texel: 0 where it faces away, is hidden
            behind the nose, lies outside the photo, or there is no mesh.
        extra: float32 (S, S): whatever mask was unwrapped along.
    """

    texture: FloatArray
    seen: FloatArray
    extra: FloatArray


def facing(mesh: FloatArray) -> FloatArray:
    """How far each vertex faces the camera: the z of its unit normal, turned so that 1 is frontal.

    Args:
        mesh: float32 (478, 3), z smaller is nearer.

    Returns:
        float32 (478,), -1 to 1.
    """
    # Clockwise on the screen (y down) gives a normal with positive z, which is away from the camera in
    # this left-handed frame; turned round, "towards the camera" is positive.
    normals, result = np.zeros((len(mesh), 3), np.float64), np.zeros(len(mesh), np.float32)
    _normals_z(np.ascontiguousarray(mesh, np.float32), topology().triangles, normals, result)
    return result


@compiled
def _normals_z(mesh: FloatArray, triangles: IntArray, total: AnyArray, result: FloatArray) -> None:
    """The z of every vertex' unit normal: of ``total``, the sum of its triangles' normals, each as long as its area.

    Written are ``total``, float64 (V, 3), 0 before, and ``result``, float32 (V,).
    """
    for t in range(triangles.shape[0]):
        p, q, r = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        bx, by, bz = mesh[q, 0] - mesh[p, 0], mesh[q, 1] - mesh[p, 1], mesh[q, 2] - mesh[p, 2]
        cx, cy, cz = mesh[r, 0] - mesh[p, 0], mesh[r, 1] - mesh[p, 1], mesh[r, 2] - mesh[p, 2]
        nx, ny, nz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
        for corner in (p, q, r):
            total[corner, 0] += nx
            total[corner, 1] += ny
            total[corner, 2] += nz
    for v in range(mesh.shape[0]):
        length = np.sqrt(total[v, 0] ** 2 + total[v, 1] ** 2 + total[v, 2] ** 2)
        result[v] = total[v, 2] / max(length, 1e-9)


def unwrap(
    picture: UInt8Array,
    mesh: FloatArray,
    mask: FloatArray | None = None,
    *,
    side: int = TEXTURE_SIZE,
    wary: bool = False,
) -> Unwrapped:
    """Sample a picture at every texel of the flattened face.

    Args:
        picture: uint8 BGR (H, W, 3).
        mesh: float32 (478, 3) in pixels of ``picture``.
        mask: float32 (H, W), 0-1, to be unwrapped along; all ones if None.
        side: Texels along a side of what comes out, S.
        wary: Whether what lies beside the outline on one side of the face only, as where a head is turned away, counts
            as less seen: the mesh is not exact there, and would give what is behind the head to the face.
    """
    shape = topology()
    picture, mesh, mask = _reduced(picture, mesh, mask, side)
    height, width = picture.shape[:2]
    flat = np.column_stack([shape.uv * side, np.zeros(len(shape.uv))]).astype(np.float32)
    values, covered = rasterise(flat, shape.triangles, np.column_stack([mesh, facing(mesh)]), (side, side))
    x, y, z, front = (np.ascontiguousarray(values[:, :, k]) for k in range(4))
    texture = cv2.remap(picture, x - 0.5, y - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    _, depth = rasterise(mesh, shape.triangles, np.zeros((len(mesh), 1), np.float32), (width, height))
    drawn = depth < EMPTY
    depth[depth == EMPTY] = 1e6
    nearest = cv2.remap(cv2.erode(depth, np.ones((3, 3))), x - 0.5, y - 0.5, cv2.INTER_NEAREST)
    face_size = float(np.ptp(mesh[:, :2], axis=0).max())
    hidden = np.clip((z - nearest) / face_size / 0.06 - 0.5, 0, 1)
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height) & (covered < EMPTY)
    seen = np.clip((front - 0.15) / 0.35, 0, 1) * (1 - hidden) * inside
    if wary:
        within = cv2.remap(_within(drawn), x - 0.5, y - 0.5, cv2.INTER_LINEAR) / face_size
        beside = 1 - np.clip((within - _BESIDE[0]) / (_BESIDE[1] - _BESIDE[0]), 0, 1)
        seen = seen * (1 - np.maximum(beside - beside[:, ::-1], 0))
    extra = np.ones_like(x)
    if mask is not None:
        extra = np.asarray(cv2.remap(mask, x - 0.5, y - 0.5, cv2.INTER_LINEAR), np.float32)
    return Unwrapped(
        texture.astype(np.float32), cv2.GaussianBlur(seen, (0, 0), _SEEN_BLUR * side).astype(np.float32) * inside, extra
    )


def _within(drawn: AnyArray) -> FloatArray:
    """How far within its outline each pixel of a drawn face lies; eyes and mouth are no holes in it.

    Where the picture ends is no outline.

    Args:
        drawn: bool (H, W).

    Returns:
        float32 (H, W), pixels; 0 outside.
    """
    contours, _ = cv2.findContours(drawn.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros(drawn.shape, np.uint8)
    cv2.drawContours(whole, contours, -1, 1, cv2.FILLED)
    return np.asarray(cv2.distanceTransform(whole, cv2.DIST_L2, 3), np.float32)


def _reduced(
    picture: UInt8Array, mesh: FloatArray, mask: FloatArray | None, side: int
) -> tuple[UInt8Array, FloatArray, FloatArray | None]:
    """The face's part of the photo, averaged down so that a texel is about a pixel (no aliasing)."""
    height, width = picture.shape[:2]
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    factor = max(1, int(float((high - low).max()) / side))
    pad = (high - low).max() * 0.1 + factor
    x0, y0 = np.clip(np.floor(low - pad), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(high + pad), [x0 + 1, y0 + 1], [width, height]).astype(int)
    picture = picture[y0:y1, x0:x1]
    mask = None if mask is None else mask[y0:y1, x0:x1]
    moved = mesh - np.array([x0, y0, 0], np.float32)
    if factor > 1:
        size = (max(1, picture.shape[1] // factor), max(1, picture.shape[0] // factor))
        scale = np.array([size[0] / picture.shape[1], size[1] / picture.shape[0], 1 / factor], np.float32)
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        if mask is not None:
            mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.float32)
        moved = moved * scale
    return np.ascontiguousarray(picture), moved.astype(np.float32), mask
