"""A pattern of dots on points of a face that truly are where they are painted: is it carried to where they go?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks.carried_standins import NEVER, StandIn, Tracked, aged, carried_by, puppet_clip
from understudy import Perception
from understudy.arrays import FloatArray, UInt8Array
from understudy.frames import Frame
from understudy.geometry.pose import posed
from understudy.geometry.topology import topology
from understudy.geometry.unwrap import facing
from understudy.patches import Patch
from understudy.swapping import Identity
from understudy.testing import Motion

#: Ages that are printed, in frames.
AGES: Final = (0, 1, 2, 5, 10, 15, 20, 30, 45, 60)
#: Spread of a dot, and how far from its place it is looked for, in pixels.
DOT, REACH = 2.0, 9


def dots() -> FloatArray:
    """Points of the face as weights of the mesh's vertices, float32 (n, 478): middles of triangles, spread over it."""
    shape = topology()
    middles = shape.uv[shape.triangles].mean(1)
    chosen: list[int] = []
    for number, middle in enumerate(middles):
        far_enough = all(np.linalg.norm(middles[other] - middle) > 0.075 for other in chosen)
        rings = np.concatenate([shape.eye_left, shape.eye_right, shape.lips_inner, shape.oval])
        if far_enough and np.linalg.norm(shape.uv[rings] - middle, axis=1).min() > 0.05:
            chosen.append(number)
    weights = np.zeros((len(chosen), len(shape.uv)), np.float32)
    for row, number in enumerate(chosen):
        weights[row, shape.triangles[number]] = 1 / 3
    return weights


def painted(size: tuple[int, int], places: FloatArray) -> UInt8Array:
    """Bright dots on grey: uint8 BGR (H, W, 3)."""
    height, width = size
    picture = np.full((height, width), 64, np.float32)
    for x, y in places:
        x0, y0 = int(x) - 10, int(y) - 10
        columns, rows = np.arange(x0, x0 + 21) + 0.5, np.arange(y0, y0 + 21) + 0.5
        blob = np.exp(-((columns[None] - x) ** 2 + (rows[:, None] - y) ** 2) / (2 * DOT**2))
        if x0 >= 0 and y0 >= 0 and x0 + 21 <= width and y0 + 21 <= height:
            picture[y0 : y0 + 21, x0 : x0 + 21] += 160 * blob
    return np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def found_at(patch: Patch, place: FloatArray) -> FloatArray | None:
    """Where the dot near a place lies, in pixels of the frame; None where it is not shown."""
    x, y = place - [patch.box.x0, patch.box.y0]
    x0, y0 = round(float(x)) - REACH, round(float(y)) - REACH
    side = 2 * REACH + 1
    part = patch.picture[max(y0, 0) : y0 + side, max(x0, 0) : x0 + side, 1].astype(np.float32)
    if x0 < 0 or y0 < 0 or part.shape != (side, side) or patch.alpha[y0 : y0 + side, x0 : x0 + side].min() < 200:
        return None
    light = np.clip(part - np.median(part) - 12, 0, None)
    if light.sum() < 300:
        return None
    ys, xs = np.mgrid[0:side, 0:side] + 0.5
    where = np.array([(light * xs).sum(), (light * ys).sum()]) / light.sum()
    return np.asarray(where + np.array([x0 + patch.box.x0, y0 + patch.box.y0]), np.float32)


def pattern(clip: Tracked, name: str, identity: Identity) -> list[tuple[int, float, float]]:
    """Print how far the dots lie off, by age; (age, degrees, error) of each."""
    weights = dots()
    by_time = {frame.pts: truth for frame, truth in zip(clip.frames, clip.truth, strict=True)}

    def draw(frame: Frame, _: FloatArray) -> UInt8Array:
        return painted(frame.picture.shape[:2], (weights @ by_time[frame.pts])[:, :2])

    errors: list[tuple[int, float, float]] = []
    for start, number, patches in aged(clip, carried_by(StandIn(draw), NEVER), identity):
        truth, first = clip.truth[number], clip.truth[start]
        seen = np.minimum(weights @ facing(truth), weights @ facing(first)) > 0.5
        turned = np.degrees(np.arccos(np.clip(posed(first).turn[:, 2] @ posed(truth).turn[:, 2], -1, 1)))
        for place in (weights @ truth)[seen, :2]:
            where = found_at(patches[0], place)
            if where is not None:
                errors.append((number - start, float(turned), float(np.linalg.norm(where - place))))
    ages = ", ".join(
        f"{age}: {np.median(of):.2f}/{np.percentile(of, 95):.2f}" for age in AGES if len(of := _of(errors, age))
    )
    print(f"  {name:16s} px off, median/p95, at an age of frames  {ages}")
    return errors


def _of(errors: Sequence[tuple[int, float, float]], age: int) -> list[float]:
    return [error for at, _, error in errors if at == age]


def by_turn(errors: Sequence[tuple[int, float, float]]) -> None:
    """Print errors by how far the head has turned."""
    bins = [(0, 3), (3, 6), (6, 9), (9, 12), (12, 16), (16, 20), (20, 26), (26, 40)]
    cells = [(low, high, [e for _, turned, e in errors if low <= turned < high]) for low, high in bins]
    said = ", ".join(f"{low}-{high}°: {np.median(of):.2f}/{np.percentile(of, 95):.2f}" for low, high, of in cells if of)
    print(f"  {'by turn':16s} px off, median/p95  {said}")


def picture(perception: Perception, identity: Identity, path: Path) -> None:
    """Write a strip of a puppet that turns, speaks and blinks, at ages of 0, 5, 15 and 30 frames: pattern and truth."""

    def motion(seconds: float) -> Motion:
        speech, blink = max(0.0, float(np.sin(6 * seconds))), float(np.exp(-(((seconds - 0.5) / 0.06) ** 2)))
        return Motion(yaw=30 * seconds - 12, pitch=float(6 * np.sin(5 * seconds)), mouth=0.5 * speech, blink=blink)

    clip, weights, parts = puppet_clip(perception, motion), dots(), []
    first = (weights @ clip.truth[0])[:, :2]

    def draw(frame: Frame, _: FloatArray) -> UInt8Array:
        pattern = painted(frame.picture.shape[:2], first)
        pattern[::12] = np.maximum(pattern[::12], 110)
        pattern[:, ::12] = np.maximum(pattern[:, ::12], 110)
        return pattern

    for start, number, (patch,) in aged(clip, carried_by(StandIn(draw), NEVER), identity):
        if start or number not in (0, 5, 15, 30):
            continue
        shown, box, alpha = clip.frames[number].picture.copy(), patch.box, patch.alpha[..., None] / 255
        part = shown[box.y0 : box.y1, box.x0 : box.x1]
        part[:] = (part * (1 - alpha) + patch.picture * alpha).astype(np.uint8)
        for x, y in (weights @ clip.truth[number])[:, :2]:
            cv2.circle(shown, (round(float(x) * 16), round(float(y) * 16)), 5 * 16, (0, 0, 255), 1, cv2.LINE_AA, 4)
        parts.append(shown[110:600, 400:880])
    cv2.imwrite(str(path), np.hstack(parts), [cv2.IMWRITE_JPEG_QUALITY, 85])
