"""How a face moved between two frames, seen in the picture itself: optical flow.

The mesh model looks at every frame afresh, so on a still face it trembles, and a filter that calms it trails a fast
one. Flow does neither: it sees no motion where there is none, and all of it at once. Where the face is in the first
place it can't see, and its errors add up; that is for the model to say, and for the filter to weigh.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry.transforms import resized

#: Longer side of the grey copy that flow is computed in: at most, and at least.
_MOST, _LEAST = 128, 64
#: Shorter side, in the copy's pixels, from which there is something to see.
_ENOUGH = 16
#: Side of the window over the face's longer side, and how far (in sides of the face) it may get out of the middle.
_ROOM, _ASTRAY = 1.24, 0.08
#: Mean difference, in grey levels, below which a picture is the last one once more, encoded anew.
_REPEATED = 0.25


class _Window(NamedTuple):
    """A part of the picture, and how many of its pixels along a side make one of the copy."""

    x0: int
    y0: int
    x1: int
    y1: int
    step: float


class FaceMotion:
    """Follows one face's points from each frame to the next: dense inverse search (Kroeger et al., 2016)."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        # The preset's next coarser step; this one sees lips and lids.
        self._flow.setFinestScale(1)
        self._window: _Window | None = None
        self._last: UInt8Array | None = None
        #: Whether the last picture was the one before once more, as where 24 frames a second became 30. Never twice in
        #: a row: what moves very slowly differs as little, and must be followed.
        self.repeated = False

    def forget(self) -> None:
        """What comes next does not follow the last frame."""
        self._window = self._last = None

    def follow(self, picture: UInt8Array, points: FloatArray) -> FloatArray:
        """How far points went since the last call.

        Args:
            picture: uint8 BGR (H, W, 3): this frame.
            points: float32 (N, 2): the face's, where they lay in the last frame; in the first, where they lie.

        Returns:
            float32 (N, 2), in pixels of the picture; 0 in the first frame, and where the face is out of it.
        """
        moved: FloatArray = np.zeros(points.shape, np.float32)
        now, before, self.repeated = None, self.repeated, False
        if self._window is not None and self._last is not None:
            now = _copy(picture, self._window)
            if now is not None and now.shape == self._last.shape:
                self.repeated = not before and cv2.norm(self._last, now, cv2.NORM_L1) < _REPEATED * now.size
                flow = self._flow.calc(self._last, now, None)  # type: ignore[call-overload]  # nothing to begin from
                moved = _sampled(np.asarray(flow, np.float32), points, self._window)
        if now is None or not _fits(self._window, points + moved):
            self._window = _around(points + moved, picture.shape)
            now = _copy(picture, self._window)
        self._last = now
        return moved


def _sampled(flow: FloatArray, points: FloatArray, window: _Window) -> FloatArray:
    step = np.float32(window.step)
    place = (points - np.array([window.x0, window.y0], np.float32)) / step - np.float32(0.5)
    x, y = (np.ascontiguousarray(place[:, k]) for k in range(2))
    moved = cv2.remap(flow, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved.reshape(-1, 2) * step, np.float32)


def _around(points: FloatArray, shape: tuple[int, ...]) -> _Window:
    middle, face = _extent(points)
    half = face * _ROOM / 2
    limits = np.array([shape[1], shape[0]])
    low = np.clip(np.floor(middle - half), 0, limits).astype(int)
    high = np.clip(np.ceil(middle + half), 0, limits).astype(int)
    longer = max(float((high - low).max()), 1.0)
    # Halves of halves: those OpenCV makes many times as fast as any other part.
    step = float(2 ** np.ceil(np.log2(longer / _MOST))) if longer > _MOST else min(1.0, longer / _LEAST)
    high = low + np.floor((high - low) / max(step, 1.0)).astype(int) * int(max(step, 1.0))
    (x0, y0), (x1, y1) = low.tolist(), high.tolist()
    return _Window(x0, y0, x1, y1, step)


def _fits(window: _Window | None, points: FloatArray) -> bool:
    """Whether the face is still in the middle of the window and as large."""
    if window is None:
        return False
    (x, y), face = _extent(points)
    astray = max(abs(x - (window.x0 + window.x1) / 2), abs(y - (window.y0 + window.y1) / 2))
    size = max(window.x1 - window.x0, window.y1 - window.y0) / _ROOM
    return bool(astray < _ASTRAY * face and 0.9 < size / face < 1.1)


def _extent(points: FloatArray) -> tuple[FloatArray, float]:
    low, high = points.min(0), points.max(0)
    return (low + high) / 2, max(float((high - low).max()), 1.0)


def _copy(picture: UInt8Array, window: _Window) -> UInt8Array | None:
    """The window in grey; None where there is too little of it."""
    part = picture[window.y0 : window.y1, window.x0 : window.x1]
    size = (round(part.shape[1] / window.step), round(part.shape[0] / window.step))
    if min(size) < _ENOUGH or part.shape[:2] != (window.y1 - window.y0, window.x1 - window.x0):
        return None
    return resized(np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), np.uint8), size)
