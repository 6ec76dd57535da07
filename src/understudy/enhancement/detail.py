"""What a restorer adds to a face: its result minus what it was given, kept on the face's mesh.

Kept so it can be drawn on any later mesh of the same face, blended with what was added before, and laid over the frame
without taking anything away from it: where the frame is finer than the crop, it stays so.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.enhancement.base import Restorer, SwappedFace
from understudy.geometry.raster import rasterise
from understudy.geometry.topology import closed, closed_triangles, keypoints5
from understudy.geometry.transforms import aligned, apply, scale_of

#: Of the crop's side: how far inside its edge what is added is whole. Beyond the edge nothing is known.
EDGE: Final = 0.04


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
    crop, transform = aligned(picture, keypoints5(mesh[None])[0], restorer.template, restorer.size)
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
    return _sampled(detail.added, before, np.isfinite(depth))


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
    side = detail.added.shape[0]
    inside = np.minimum(places, side - places).min(axis=2) / np.float32(EDGE * side)
    weight = np.clip(inside, 0, 1) * (face.shown * np.float32(strength / 255)) * np.isfinite(depth)
    added, shrunk = _shrunk(detail.added, face.mesh, detail.mesh)
    added = _sampled(added, places / np.float32(shrunk), np.isfinite(depth))
    region[:] = np.clip(np.rint(region + added * weight[:, :, None]), 0, 255).astype(np.uint8)


def _shrunk(added: FloatArray, now: FloatArray, mesh: FloatArray) -> tuple[FloatArray, int]:
    """Detail averaged down to about the face's size in the frame, and by how much: sampling would skip pixels."""
    factor = int(float(np.ptp(mesh[:, 1])) / max(float(np.ptp(now[:, 1])), 1.0))
    if factor < 2:
        return added, 1
    side = added.shape[0] // factor
    cut = np.ascontiguousarray(added[: side * factor, : side * factor])
    return np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA), np.float32), factor


def _sampled(values: FloatArray, places: FloatArray, there: FloatArray) -> FloatArray:
    """Values at places (x, y; 0, 0 is the outer corner of the first pixel), 0 where nothing is there."""
    across, down = cv2.split(places - np.float32(0.5))
    found = cv2.remap(values, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found * there[:, :, None], np.float32)
