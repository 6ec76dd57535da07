"""How a swap moves: whether it swims on a still face, flickers, or trails a fast one; beside the untouched clip."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.evaluation.looks import Look
from understudy.geometry import topology as topo
from understudy.patches import Patch

#: Side of the crop in which optical flow is computed.
_FLOW_SIZE: Final = 160
#: Correlation of speeds from which their shift is believed.
_ALIKE: Final = 0.6
#: How far a lag is looked for, in frames.
_REACH: Final = 4


class Instant(NamedTuple):
    """One frame of a run.

    Attributes:
        before: uint8 BGR (H, W, 3): as it was.
        after: uint8 BGR (H, W, 3): swapped.
        patch: What was blended in.
    """

    before: UInt8Array
    after: UInt8Array
    patch: Patch


def jitter(looks: list[Look]) -> FloatArray:
    """How restless the mesh is: the second difference of every point over the eyes' distance, float32 (T - 2,).

    In thousandths. What moves evenly has none.
    """
    if len(looks) < 3:
        return np.zeros(0, np.float32)
    points = np.stack([look.mesh[:, :2] for look in looks])
    size = float(np.mean([look.eye_distance for look in looks]))
    second = points[2:] - 2 * points[1:-1] + points[:-2]
    return np.asarray(1000 * np.linalg.norm(second, axis=2).mean(axis=1) / max(size, 1e-6), np.float32)


def lag(target: list[Look], swap: list[Look]) -> float | None:
    """By how many frames the result trails the target: positive is late; None where nothing moved enough to tell.

    The shift at which the speeds of the nose and of the lips' gap correlate best, between frames by a parabola.
    """
    found: list[float] = []
    for signal in (_nose_x, _nose_y, _lips):
        a, b = (np.diff([signal(look) for look in looks]) for looks in (target, swap))
        if len(a) > 2 * _REACH + 4 and float(a.std()) > 2e-3:
            shift = _shift(a, b)
            found += [] if shift is None else [shift]
    return float(np.mean(found)) if found else None


def _nose_x(look: Look) -> float:
    return float(look.mesh[topo.NOSE_TIP, 0]) / max(look.eye_distance, 1e-6)


def _nose_y(look: Look) -> float:
    return float(look.mesh[topo.NOSE_TIP, 1]) / max(look.eye_distance, 1e-6)


def _lips(look: Look) -> float:
    return look.mouth


def _shift(a: FloatArray, b: FloatArray) -> float | None:
    """How much later than ``a`` ``b`` is, in samples; None where they are too little alike to tell.

    The peak of the correlation, between samples that of the parabola through its neighbours.
    """
    scores = []
    for shift in range(-_REACH, _REACH + 1):
        early, late = (a[: len(a) - shift], b[shift:]) if shift >= 0 else (a[-shift:], b[:shift])
        scores.append(float(np.corrcoef(early, late)[0, 1]) if early.std() > 0 and late.std() > 0 else 0.0)
    best = int(np.clip(np.argmax(scores), 1, 2 * _REACH - 1))
    left, middle, right = scores[best - 1 : best + 2]
    if middle < _ALIKE:
        return None
    bend = left - 2 * middle + right
    return best - _REACH + (float(np.clip(0.5 * (left - right) / bend, -1, 1)) if bend < -1e-9 else 0.0)


def flicker(instants: list[Instant]) -> tuple[FloatArray, FloatArray]:
    """Flow-warping error of the untouched clip and of the result, in grey levels: float32 (T - 1,) each.

    The frame before is carried along the target's optical flow (DIS: Kroeger et al., 2016); what then differs where the
    patch lies is change that no motion explains.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    across, down = np.meshgrid(np.arange(_FLOW_SIZE, dtype=np.float32), np.arange(_FLOW_SIZE, dtype=np.float32))
    errors: tuple[list[float], list[float]] = ([], [])
    for last, now in pairwise(instants):
        window = now.patch.box
        shown = cv2.resize(now.patch.alpha, (_FLOW_SIZE, _FLOW_SIZE), interpolation=cv2.INTER_AREA) > 128
        if not shown.any():
            continue
        old, new = (_window(picture, window) for picture in (last.before, now.before))
        moved = flow.calc(new, old, np.zeros((_FLOW_SIZE, _FLOW_SIZE, 2), np.float32))
        for kind, (first, second) in enumerate(((old, new), tuple(_window(i.after, window) for i in (last, now)))):
            carried = cv2.remap(first, across + moved[:, :, 0], down + moved[:, :, 1], cv2.INTER_LINEAR)
            errors[kind].append(float(cv2.absdiff(carried, second)[shown].mean()))
    return np.asarray(errors[0], np.float32), np.asarray(errors[1], np.float32)


def _window(picture: UInt8Array, box: tuple[int, int, int, int]) -> UInt8Array:
    x0, y0, x1, y1 = box
    grey = cv2.cvtColor(picture[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, (_FLOW_SIZE, _FLOW_SIZE), interpolation=cv2.INTER_AREA), np.uint8)
