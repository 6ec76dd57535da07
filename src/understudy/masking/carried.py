"""What a model saw of a face, kept on the flattened face: steady in time, and carried where it is not believed.

On the flattened face a part lies at the same place however the head moves, so what was seen in one frame can be
averaged with the next, and shown in frames that the model never saw.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray
from understudy.geometry.pose import pose_degrees
from understudy.geometry.raster import rasterise
from understudy.geometry.topology import closed, closed_triangles, openings, topology
from understudy.geometry.transforms import apply
from understudy.geometry.unwrap import facing
from understudy.masking.base import FLAT

#: Cosine between skin and camera from which a model sees it.
_FACING: Final = 0.1
#: Area of an eye or of the inner mouth over the square of its outline, from which it is open.
_OPEN: Final = 0.005
#: A face turned further than this (degrees), of which less than this share is to be shown: models that know faces from
#: the front find none there, and that is no hand.
_TURNED: Final = 40.0
_LEAST: Final = 0.3
#: Seconds: time constant with which small changes are followed.
_FOLLOW: Final = 0.25
#: Spread, in texels, over which a change is judged, and how large it then is from where it is followed more quickly,
#: and at once. A trembling edge is a narrow change, a hand a broad one.
_BROAD: Final = 6.0
_CHANGED: Final = (0.3, 0.5)
#: Seconds without anything believed after which what was seen is let go of, with what time constant; and after which
#: nothing is known any more.
_CARRIED: Final = 1.0
_LETTING_GO: Final = 0.4
_FORGOTTEN: Final = 4.0


class Reading(NamedTuple):
    """What a model saw in one frame, on the flattened face.

    Attributes:
        visible: float32 (FLAT, FLAT), 0-1: what is to be shown.
        seen: Bool (FLAT, FLAT): where that says anything.
        believed: Whether it is to be believed.
    """

    visible: FloatArray
    seen: BoolArray
    believed: bool


def flattened(
    visible: FloatArray, transform: FloatArray, mesh: FloatArray, size: tuple[int, int], least: float = 0.0
) -> Reading:
    """What a model saw in a crop, on the flattened face.

    Args:
        visible: float32 (S, S), 0-1: what is to be shown.
        transform: float32 (2, 3): from the frame to the crop.
        mesh: float32 (478, 3), in pixels of the frame.
        size: The frame's width and height.
        least: The share of a face that is not turned far of which less is shown by mistake only.
    """
    flat = np.column_stack([topology().uv * FLAT, np.zeros(len(mesh))]).astype(np.float32)
    points, side = apply(transform, mesh[:, :2]), len(visible)
    attributes = np.column_stack([points, _facing(mesh), mesh[:, :2]])
    values, _ = rasterise(closed(flat), closed_triangles(), closed(attributes), (FLAT, FLAT))
    x, y, front, across, along = cv2.split(values)
    half = np.float32(0.5)
    on_face = np.asarray(
        cv2.remap(visible, x - half, y - half, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
    seen = np.asarray(front > _FACING, np.bool_)
    if points.min() < 0 or points.max() > side:  # of what lies beside the crop it says nothing
        seen &= (x > 0) & (y > 0) & (x < side) & (y < side)
    if mesh[:, :2].min() < 0 or (mesh[:, :2] > size).any():  # and what lies beside the frame it was not shown
        seen &= (across > 0) & (along > 0) & (across < size[0]) & (along < size[1])
    least = _LEAST if abs(pose_degrees(mesh)[0]) > _TURNED else least
    collapsed = not float(on_face[seen].sum()) >= least * max(int(seen.sum()), 1)
    return Reading(on_face, seen, not collapsed)


def _facing(mesh: FloatArray) -> FloatArray:
    """How far each point faces the camera, as ``facing`` has it; around an opening at least as far as the opening does.

    The lips of an open mouth turn inwards at its edge, but one looks into it all the same.
    """
    front, points = facing(mesh), closed(mesh)
    triangles, rings = openings()
    for ring, fan in zip(rings, np.split(triangles, np.cumsum([len(ring) for ring in rings])[:-1]), strict=True):
        a, b, c = (points[fan[:, corner]] for corner in range(3))
        normal = np.cross(b - a, c - a).sum(axis=0)  # as long as twice the area
        length, outline = float(np.linalg.norm(normal)), float(np.linalg.norm(c - b, axis=1).sum())
        if length > 2 * _OPEN * outline**2:
            front[ring] = np.maximum(front[ring], normal[2] / length)
    return front


class Carried:
    """What one model said of one face so far."""

    def __init__(self) -> None:
        self._visible: FloatArray | None = None
        #: When it was last believed.
        self._seconds = -np.inf

    def take(self, reading: Reading | None, seconds: float) -> None:
        """Take in what was seen in a frame.

        Args:
            reading: What; None where the model gave what are no numbers.
            seconds: The frame's time; a step back forgets what was.
        """
        step = seconds - self._seconds
        if step < 0:
            self._visible = None
        if reading is None or not reading.believed:
            return
        old = self.now(seconds)
        if old is None:
            self._visible = np.where(reading.seen, reading.visible, np.float32(1)).astype(np.float32)
        else:
            change = np.where(reading.seen, reading.visible - old, np.float32(0)).astype(np.float32)
            self._visible = old + change * _followed(change, step)
        self._seconds = seconds

    def now(self, seconds: float) -> FloatArray | None:
        """What is to be shown in a frame of that time: float32 (FLAT, FLAT), 0-1; None where nothing is known."""
        unseen = seconds - self._seconds
        if self._visible is None or not 0 <= unseen < _FORGOTTEN:
            return None
        if unseen <= _CARRIED:
            return self._visible
        kept = np.float32(np.exp(-(unseen - _CARRIED) / _LETTING_GO))
        return np.asarray(1 - (1 - self._visible) * kept, np.float32)


def _followed(change: FloatArray, step: float) -> FloatArray:
    """The share of a change that is followed at once, at each texel: 0-1."""
    slow = np.float32(1 - np.exp(-step / _FOLLOW))
    # At half the size: what is so smooth loses nothing.
    half = cv2.resize(np.abs(change), (FLAT // 2, FLAT // 2), interpolation=cv2.INTER_AREA)
    broad = cv2.GaussianBlur(half, (0, 0), _BROAD / 2)
    low, high = _CHANGED
    quick = np.clip((broad - low) / (high - low), slow, 1)
    # Also the rim of a broad change, where it is no longer broad by itself.
    quick = cv2.dilate(quick, np.ones((5, 5), np.uint8))
    return np.asarray(cv2.resize(quick, (FLAT, FLAT), interpolation=cv2.INTER_LINEAR), np.float32)
