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
from understudy.geometry.transforms import aligned, apply, invert, scale_of

#: Of the crop's side: how far inside its edge what is added begins, and how far inside it is whole. So far from the
#: edge models know too little: their authors fade half of it in at 0.05, as quickly (facexlib's ``FaceRestoreHelper``).
EDGE: Final = (0.025, 0.075)
#: Pixels along a side of what is drawn, however small the face is.
_FEWEST: Final = 8


class Detail(NamedTuple):
    """What a restorer adds.

    Attributes:
        added: float32 BGR (s, s, 3), in grey levels, on the crop; nothing beyond the picture.
        mesh: float32 (478, 3): the face in it, in pixels of the crop.
        within: uint8 (s, s): 1 where the crop shows the picture and 0 beyond; None where it shows nothing else.
    """

    added: FloatArray
    mesh: FloatArray
    within: UInt8Array | None = None


class Crop(NamedTuple):
    """A face as a restorer takes it.

    Attributes:
        picture: uint8 BGR (s, s, 3).
        mesh: float32 (478, 3): the face in it, in its pixels.
        within: See ``Detail``.
    """

    picture: UInt8Array
    mesh: FloatArray
    within: UInt8Array | None


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
    height, width = picture.shape[:2]
    within = _within(transform, restorer.size, (width, height))
    return Crop(crop, np.asarray(place, np.float32), within)


def detail_of(crop: Crop, restorer: Restorer, weight: float) -> Detail | None:
    """What a restorer adds to a crop; None where it gave what are no numbers.

    Args:
        crop: The face.
        restorer: Which.
        weight: See ``Restorer.restored``.
    """
    restored = restorer.restored(crop.picture, weight)
    if restored is None:
        return None
    added = restored.astype(np.float32) - crop.picture
    if crop.within is not None:  # what is made up there would be seen as soon as the face moves into the frame
        added *= crop.within[:, :, None]
    return Detail(added, crop.mesh, crop.within)


def _within(transform: FloatArray, side: int, size: tuple[int, int]) -> UInt8Array | None:
    """Where a crop shows a picture of that width and height: see ``Detail``.

    It ends in the middle of the outermost pixels: from there on a crop is mixed with what lies beyond.
    """
    square = apply(invert(transform), np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32))
    if square.min() >= 0 and (square <= size).all():
        return None
    half = np.float32(0.5)
    right, below = size[0] - half, size[1] - half
    picture = apply(transform, np.array([[half, half], [right, half], [right, below], [half, below]], np.float32))
    within = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(within, np.round(picture - half).astype(np.int32), 1)
    return within


def carried(detail: Detail, now: Detail) -> FloatArray:
    """What was added to a face before, moved along with its mesh: float32 BGR (s, s, 3), 0 beside the mesh.

    Args:
        detail: What was added, with the mesh as it was.
        now: What is added now, with the mesh as it is: it counts where the face was beyond the picture before.
    """
    side = detail.added.shape[0]
    before, depth = rasterise(closed(now.mesh), closed_triangles(), closed(detail.mesh)[:, :2], (side, side))
    moved = np.zeros_like(detail.added)
    _move(moved, np.ascontiguousarray(detail.added), before, depth)
    if detail.within is not None:
        half = np.float32(0.5)
        known = cv2.remap(detail.within, before - half, np.zeros(0, np.float32), cv2.INTER_NEAREST)
        unknown = (known == 0) & np.isfinite(depth)
        moved[unknown] = now.added[unknown]
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
