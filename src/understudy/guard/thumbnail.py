"""A small copy of a frame: what colours a part of it has, and how it moves from frame to frame."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry.boxes import rounded_box
from understudy.quantiles import median_of_rows

#: Points that motion is taken from; fewer that agree are no motion to rely on.
_POINTS, _AGREEING = 60, 10
#: Distance of two histograms of colours (Bhattacharyya, 0-1) up to which they are the same.
_SAME_COLOURS: Final = 0.45
#: Mean grey level to which parts are brought before they are compared.
_EVEN: Final = 100.0


class Thumbnail(NamedTuple):
    """A small copy of a frame: uint8 BGR, and grey."""

    color: UInt8Array
    grey: UInt8Array


def thumbnail(picture: UInt8Array, scale: float) -> Thumbnail:
    """A picture, uint8 BGR (H, W, 3), made smaller by ``scale``."""
    size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
    # Every second sample of a large picture is enough, and half the time.
    nearest = (2 * size[0], 2 * size[1])
    sampled = cv2.resize(picture, nearest, interpolation=cv2.INTER_NEAREST) if scale < 0.5 else picture
    color = np.asarray(cv2.resize(sampled, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Thumbnail(color, np.asarray(cv2.cvtColor(color, cv2.COLOR_BGR2GRAY), np.uint8))


def colours_in(color: UInt8Array, box: FloatArray) -> FloatArray | None:
    """The colours in a box of a small picture, evenly lit: a histogram, float32; None where it lies outside."""
    inside = rounded_box(box).clipped(color.shape[1], color.shape[0])
    if inside.empty:
        return None
    part = color[inside.y0 : inside.y1, inside.x0 : inside.x1]
    lit = max(float(part.mean()), 1.0)
    part = np.clip(part * np.float32(_EVEN / lit), 0, 255).astype(np.uint8)  # a lamp that goes out changes nobody
    histogram = cv2.calcHist([part], [0, 1, 2], None, [6, 6, 6], [0, 256, 0, 256, 0, 256])
    return np.asarray(histogram / max(float(histogram.sum()), 1.0), np.float32)


def same_colours(first: FloatArray | None, second: FloatArray | None) -> bool:
    """Whether two histograms are of the same colours (see ``colours_in``); what is not known is like nothing."""
    if first is None or second is None:
        return False
    return float(cv2.compareHist(first, second, cv2.HISTCMP_BHATTACHARYYA)) < _SAME_COLOURS


def motion(before: UInt8Array, after: UInt8Array, box: FloatArray) -> FloatArray | None:
    """How far what is in ``box`` moved between two small pictures, float32 (2,); None if that can't be told."""
    inside = rounded_box(box).clipped(before.shape[1], before.shape[0])
    if inside.x1 - inside.x0 < 8 or inside.y1 - inside.y0 < 8:
        return None
    part = before[inside.y0 : inside.y1, inside.x0 : inside.x1]
    points = cv2.goodFeaturesToTrack(part, _POINTS, 0.01, 3)
    if points is None or len(points) < _AGREEING:
        return None
    start = np.asarray(points, np.float32) + np.array([inside.x0, inside.y0], np.float32)
    end, ahead, _ = cv2.calcOpticalFlowPyrLK(before, after, start, None, winSize=(15, 15))  # type: ignore[call-overload]
    back, behind, _ = cv2.calcOpticalFlowPyrLK(after, before, end, None, winSize=(15, 15))  # type: ignore[call-overload]
    sound = (ahead[:, 0] == 1) & (behind[:, 0] == 1) & (np.abs(back - start).reshape(-1, 2).max(1) < 1.0)
    steps = (np.asarray(end) - start).reshape(-1, 2)[sound]
    if len(steps) < _AGREEING:
        return None
    middle = median_of_rows(steps)
    agreeing = np.abs(steps - middle).max(1) < max(1.5, 0.1 * (inside.x1 - inside.x0))
    return middle.astype(np.float32) if int(agreeing.sum()) >= _AGREEING else None
