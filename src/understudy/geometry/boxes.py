"""Axis-aligned boxes: left, top, right, bottom in pixels, as float32 (N, 4) arrays."""

from __future__ import annotations

import numpy as np

from understudy.arrays import FloatArray
from understudy.frames import PixelBox


def iou_xyxy(first: FloatArray, second: FloatArray) -> FloatArray:
    """Intersection over union of every pair.

    Args:
        first: float32 (N, 4) boxes, xyxy.
        second: float32 (M, 4) boxes, xyxy.

    Returns:
        float32 (N, M), 0-1; 0 where both boxes are empty.
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    area = [np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1) for boxes in (first, second)]
    union = area[0][:, None] + area[1][None, :] - shared
    return np.asarray(shared / np.maximum(union, 1e-9), np.float32)


def shared_xyxy(box: FloatArray, others: FloatArray) -> FloatArray:
    """How much of the smaller of two boxes lies in the larger: 1 for a box inside another.

    Args:
        box: float32 (4,), xyxy.
        others: float32 (M, 4), xyxy.

    Returns:
        float32 (M,), 0-1.
    """
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    area = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0), axis=1)
    return np.asarray(shared / np.maximum(np.minimum(area, np.prod(box[2:] - box[:2])), 1e-9), np.float32)


def weighted_nms(boxes: FloatArray, scores: FloatArray, extra: FloatArray, iou: float) -> tuple[FloatArray, ...]:
    """Merge overlapping detections into their score-weighted mean.

    BlazeFace's way of suppression: steadier from frame to frame than keeping the best box alone.

    Args:
        boxes: float32 (N, 4), xyxy.
        scores: float32 (N,), > 0.
        extra: float32 (N, K): what is averaged along with the boxes.
        iou: Overlap from which two boxes are the same face.

    Returns:
        The merged boxes (M, 4), their best scores (M,), and extras (M, K), best score first.
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[tuple[FloatArray, float, FloatArray]] = []
    while len(order):
        same = iou_xyxy(boxes[order[:1]], boxes[order])[0] >= iou
        same[0] = True
        group = order[same]
        weight = (scores[group] / scores[group].sum())[:, None]
        kept.append(((boxes[group] * weight).sum(0), float(scores[group[0]]), (extra[group] * weight).sum(0)))
        order = order[~same]
    if not kept:
        return boxes[:0], scores[:0], extra[:0]
    return (
        np.array([box for box, _, _ in kept], np.float32),
        np.array([score for _, score, _ in kept], np.float32),
        np.array([more for _, _, more in kept], np.float32),
    )


def nms(boxes: FloatArray, scores: FloatArray, iou: float) -> list[int]:
    """Of boxes that overlap, the best one: non-maximum suppression.

    Args:
        boxes: float32 (N, 4), xyxy.
        scores: float32 (N,).
        iou: Overlap beyond which two boxes are the same face. Boxes count as one pixel larger, as InsightFace counts.

    Returns:
        The rows that stay, best score first.
    """
    larger = boxes + np.array([0, 0, 1, 1], np.float32)
    waiting, kept = np.argsort(-scores, kind="stable"), []
    while waiting.size:
        best, waiting = int(waiting[0]), waiting[1:]
        kept.append(best)
        waiting = waiting[iou_xyxy(larger[best][None], larger[waiting])[0] <= iou]
    return kept


def bounds_xyxy(points: FloatArray) -> FloatArray:
    """The smallest box around each group of points.

    Args:
        points: float32 (N, P, 2 or more); x and y come first.

    Returns:
        float32 (N, 4), xyxy.
    """
    flat = points[..., :2]
    return np.concatenate([flat.min(axis=1), flat.max(axis=1)], axis=1).astype(np.float32)


def pixel_box(box_xyxy: FloatArray, width: int, height: int, margin: int = 0) -> PixelBox:
    """The whole pixels that a box touches, widened by ``margin`` and clipped to the picture."""
    low, high = np.floor(box_xyxy[:2]) - margin, np.ceil(box_xyxy[2:]) + margin
    return rounded_box(np.concatenate([low, high])).clipped(width, height)


def rounded_box(box_xyxy: FloatArray) -> PixelBox:
    """The box of whole pixels that is nearest; it may reach beyond the picture.

    Its numbers are Python's own: for numpy's, kernels would have to be compiled anew.
    """
    limit = 2**30  # a wild landmark must not overflow an int
    x0, y0, x1, y1 = np.clip(np.nan_to_num(np.rint(box_xyxy)), -limit, limit).astype(int).tolist()
    return PixelBox(x0, y0, x1, y1)
