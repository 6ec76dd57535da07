"""What a restorer adds to a face: its result minus what it was given, kept on the face's mesh.

Kept so it can be drawn on any later mesh of the same face, blended with what was added before, and laid over the frame
without taking anything away from it: where the frame is finer than the crop, it stays so.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.compiled import compiled
from understudy.enhancement.base import Restorer, SwappedFace
from understudy.geometry.raster import rasterise
from understudy.geometry.topology import closed, closed_triangles, keypoints5
from understudy.geometry.transforms import aligned, apply, scale_of

#: Of the crop's side: how far inside its edge what is added begins, and how far inside it is whole. So far from the
#: edge models know too little: their authors fade half of it in at 0.05, as quickly (facexlib's ``FaceRestoreHelper``).
EDGE: Final = (0.025, 0.075)
#: Pixels along a side of what is drawn, however small the face is.
_FEWEST: Final = 8


class Detail(NamedTuple):
    """What a restorer adds.

    Attributes:
        added: float32 BGR (s, s, 3), in grey levels, on the crop.
        mesh: float32 (478, 3): the face in it, in pixels of the crop.
    """

    added: FloatArray
    mesh: FloatArray


class Crop(NamedTuple):
    """A face as a restorer takes it.

    Attributes:
        picture: uint8 BGR (s, s, 3).
        mesh: float32 (478, 3): the face in it, in its pixels.
    """

    picture: UInt8Array
    mesh: FloatArray


def crop_of(picture: UInt8Array, mesh: FloatArray, restorer: Restorer) -> Crop:
    """The aligned crop of a face.

    Args:
        picture: uint8 BGR (H, W, 3).
        mesh: float32 (478, 3), in pixels of it.
        restorer: For which.
    """
    keypoints = keypoints5(mesh[None])[0]
    crop, transform = aligned(picture, keypoints, restorer.template, restorer.size, restorer.border)
    place = np.column_stack([apply(transform, mesh[:, :2]), mesh[:, 2] * scale_of(transform)])
    return Crop(crop, np.asarray(place, np.float32))


def detail_of(crop: Crop, restorer: Restorer, weight: float) -> Detail | None:
    """What a restorer adds to a crop; None where it gave what are no numbers.

    Args:
        crop: The face.
        restorer: Which.
        weight: See ``Restorer.restored``.
    """
    restored = restorer.restored(crop.picture, weight)
    return None if restored is None else Detail(restored.astype(np.float32) - crop.picture, crop.mesh)


def carried(detail: Detail, mesh: FloatArray) -> FloatArray:
    """What was added to a face before, moved along with its mesh: float32 BGR (s, s, 3), 0 beside the mesh.

    Args:
        detail: What was added, with the mesh as it was.
        mesh: float32 (478, 3): as it is now, in pixels of the crop as it is now.
    """
    side = detail.added.shape[0]
    before, depth = rasterise(closed(mesh), closed_triangles(), closed(detail.mesh)[:, :2], (side, side))
    moved = np.zeros_like(detail.added)
    _move(moved, np.ascontiguousarray(detail.added), before, depth)
    return moved


def draw(region: UInt8Array, face: SwappedFace, detail: Detail, strength: float) -> None:
    """Add detail to a face of a frame, where the swap is seen.

    Args:
        region: uint8 BGR (h, w, 3), of the face's box: it is written.
        face: Where the face lies now.
        detail: What is added; it may be of an earlier frame.
        strength: 0-1: how much of it.
    """
    corner = np.array([face.box.x0, face.box.y0, 0], np.float32)
    height, width = face.shown.shape
    places, depth = rasterise(
        closed(face.mesh - corner), closed_triangles(), closed(detail.mesh)[:, :2], (width, height)
    )
    edge = np.array(EDGE, np.float32) * np.float32(detail.added.shape[0])
    added, shrunk = _shrunk(detail.added, face.mesh, detail.mesh)
    _add(region, added, places, depth, face.shown, np.float32(1 / shrunk), edge, np.float32(strength / 255))


def _shrunk(added: FloatArray, now: FloatArray, mesh: FloatArray) -> tuple[FloatArray, int]:
    """Detail averaged down to about the face's size in the frame, and by how much: sampling would skip pixels."""
    factor = int(float(np.ptp(mesh[:, 1])) / max(float(np.ptp(now[:, 1])), 1.0))
    factor = min(factor, added.shape[0] // _FEWEST)
    if factor < 2:
        return added, 1
    side = added.shape[0] // factor
    cut = np.ascontiguousarray(added[: side * factor, : side * factor])
    return np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA), np.float32), factor


@compiled
def _move(moved: FloatArray, added: FloatArray, places: FloatArray, depth: FloatArray) -> None:
    """Fill ``moved``, float32 (s, s, 3), with what lies at ``places`` in ``added``, of the same shape."""
    height, width, _ = moved.shape
    half, zero, most = np.float32(0.5), np.float32(0), np.float32(added.shape[0]) - np.float32(1.001)
    for y in range(height):
        for x in range(width):
            if not np.isfinite(depth[y, x]):
                continue
            s = min(max(places[y, x, 0] - half, zero), most)
            t = min(max(places[y, x, 1] - half, zero), most)
            column, row = int(s), int(t)
            right, down = s - np.float32(column), t - np.float32(row)
            for n in range(3):
                upper = added[row, column, n] + (added[row, column + 1, n] - added[row, column, n]) * right
                lower = added[row + 1, column, n] + (added[row + 1, column + 1, n] - added[row + 1, column, n]) * right
                moved[y, x, n] = upper + (lower - upper) * down


@compiled
def _add(
    region: UInt8Array,
    added: FloatArray,
    places: FloatArray,
    depth: FloatArray,
    shown: UInt8Array,
    scale: np.float32,
    edge: FloatArray,
    unit: np.float32,
) -> None:
    """Add what lies at ``places`` to ``region``, as far as ``shown``.

    It begins ``edge[0]`` pixels inside the crop's edge and is whole ``edge[1]`` pixels inside it. ``places`` are in
    pixels of the crop; ``added`` is ``scale`` times as large as that.
    """
    height, width, _ = region.shape
    half, zero, one, white = np.float32(0.5), np.float32(0), np.float32(1), np.float32(255)
    most = np.float32(added.shape[0]) - np.float32(1.001)
    side = np.float32(added.shape[0]) / scale
    for y in range(height):
        for x in range(width):
            if shown[y, x] == 0 or not np.isfinite(depth[y, x]):
                continue
            across, along = places[y, x, 0], places[y, x, 1]
            inside = (min(across, side - across, along, side - along) - edge[0]) / (edge[1] - edge[0])
            weight = min(max(inside, zero), one) * np.float32(shown[y, x]) * unit
            s = min(max(across * scale - half, zero), most)
            t = min(max(along * scale - half, zero), most)
            column, row = int(s), int(t)
            right, down = s - np.float32(column), t - np.float32(row)
            for n in range(3):
                upper = added[row, column, n] + (added[row, column + 1, n] - added[row, column, n]) * right
                lower = added[row + 1, column, n] + (added[row + 1, column + 1, n] - added[row + 1, column, n]) * right
                value = np.float32(region[y, x, n]) + (upper + (lower - upper) * down) * weight
                region[y, x, n] = np.uint8(min(max(value, zero), white) + half)
