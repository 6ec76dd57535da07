"""Writes patches into frames, in place, touching only their region."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.blending.detail import DetailMatch, DetailOptions
from understudy.canvas import Canvas
from understudy.compiled import compiled_for_views
from understudy.each import Each, by_rows
from understudy.frames import PixelBox
from understudy.patches import Light, Patch, PatchMask, product
from understudy.per_track import PerTrack


class Blender:
    """Blends patches, and remembers how sharp and grainy each has to be.

    Args:
        options: Limits of the match of sharpness and grain.
    """

    def __init__(self, options: DetailOptions | None = None) -> None:
        self._people = PerTrack(lambda: DetailMatch(options))

    def blend(
        self,
        canvas: Canvas,
        patches: Sequence[Patch],
        lights: Sequence[Light],
        masks: Sequence[PatchMask],
        each: Each = map,
    ) -> None:
        """Write patches into a frame.

        Args:
            canvas: Of the frame.
            patches: What is written; where they overlap the larger one is in front.
            lights: The light that each is shown in.
            masks: Where each is seen.
            each: Calls a function with each of several items: with patches that do not overlap, or with the halves of a
                large one.
        """
        people = self._people.of([patch.track_id for patch in patches])
        apart = not any(_overlap(a.box, b.box) for a, b in combinations(patches, 2))

        def write(of: tuple[Patch, Light, PatchMask, DetailMatch]) -> None:
            _write(canvas, *of, each)

        from_behind = sorted(zip(patches, lights, masks, people, strict=True), key=lambda of: _area(of[0].box))
        list((each if apart else map)(write, from_behind))

    def forget(self, tracks: Sequence[int] | None = None) -> None:
        """Forget what is known of some tracks; of all if None."""
        self._people.forget(tracks)


def _write(canvas: Canvas, patch: Patch, light: Light, mask: PatchMask, person: DetailMatch, each: Each) -> None:
    region = canvas.change(patch.box)
    whole = product([patch.alpha, mask.in_front])
    alpha = product([whole, mask.chosen])
    assert whole is not None
    assert alpha is not None
    if patch.warp is not None:
        free = np.full_like(alpha, 255) if mask.in_front is None else mask.in_front
        far = free if mask.chosen is None else mask.chosen
        before, field, share = region.copy(), patch.warp.field, np.float32(patch.share)
        by_rows(each, alpha.shape, lambda rows: _move(region, before, alpha, free, far, field, share, *rows))
    # As sharp as it would be if all of it was chosen: a small part says too little.
    detail = person.measure(region, patch.picture, whole, canvas.frame.seconds, each)
    unit = np.float32(patch.share / 255)
    points, side = light.coefficients.reshape(-1, 7), len(light.coefficients)
    by_rows(
        each,
        alpha.shape,
        lambda rows: _composite(region, patch.picture, alpha, patch.uv, points, side, *detail, unit, *rows),
    )


def _area(box: PixelBox) -> int:
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def _overlap(a: PixelBox, b: PixelBox) -> bool:
    return a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1


@compiled_for_views("region", "field")
def _move(
    region: UInt8Array,
    before: UInt8Array,
    alpha: UInt8Array,
    free: UInt8Array,
    far: UInt8Array,
    field: FloatArray,
    share: np.float32,
    first: int,
    end: int,
) -> None:
    """Move the frame's own pixels about where they will be seen: ``region`` from ``before``, its copy.

    What is in front of the face, where ``free`` is not 255, stays. What is to stay as it is moves as little as ``far``
    says: not at all where that is 0, all the way where it is 255. Rows from ``first`` to before ``end`` are written.
    """
    height, width, _ = region.shape
    zero, half, one, white = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)
    right_most, lowest = np.float32(width) - np.float32(1.001), np.float32(height) - np.float32(1.001)
    next_one = np.uint32(1)
    whole = share == one
    if height < 2 or width < 2:
        return
    for y in range(first, end):
        for x in range(width):
            if free[y, x] < 255 or (whole and alpha[y, x] == 255):
                continue
            part = share * (np.float32(far[y, x]) / white)
            dx, dy = field[y, x, 0] * part, field[y, x, 1] * part
            if dx == zero and dy == zero:
                continue
            s = min(max(np.float32(x) + dx, zero), right_most)
            t = min(max(np.float32(y) + dy, zero), lowest)
            column, row = np.uint32(s), np.uint32(t)
            if free[row, column] < 255:
                continue
            right, down = s - np.float32(column), t - np.float32(row)
            d = right * down
            b, c = right - d, down - d
            a = one - right - c
            after, below = np.uint32(column + next_one), np.uint32(row + next_one)
            for n in range(3):
                value = (
                    a * np.float32(before[row, column, n])
                    + b * np.float32(before[row, after, n])
                    + c * np.float32(before[below, column, n])
                    + d * np.float32(before[below, after, n])
                )
                region[y, x, n] = np.uint8(value + half)


@compiled_for_views("target", "uv")
def _composite(
    target: UInt8Array,
    picture: UInt8Array,
    alpha: UInt8Array,
    uv: FloatArray,
    points: FloatArray,
    side: int,
    fine: np.float32,
    middle: np.float32,
    grain: np.float32,
    limit: np.float32,
    soft: UInt8Array,
    wide: UInt8Array,
    under: UInt8Array,
    unit: np.float32,
    first: int,
    end: int,
) -> None:
    """Recolour the patch by its light (see ``blending.light``), interpolated at ``uv``, and blend it in.

    The light is float32 (``side`` * ``side``, 7), row by row. Rows from ``first`` to before ``end`` are written.
    """
    width = alpha.shape[1]
    stride, next_one = np.uint32(side), np.uint32(1)
    half, zero, one, white = np.float32(0.5), np.float32(0), np.float32(1), np.float32(255)
    scale = np.float32(side)
    last, deepest = scale - np.float32(1.001), np.float32(1.6)  # the second: see ``blending.shadows``
    next_band, rest = middle - fine, one - middle
    grainy = grain > zero
    for y in range(first, end):
        for x in range(width):
            if alpha[y, x] == 0:
                continue
            opacity = np.float32(alpha[y, x]) * unit
            u = min(max(uv[y, x, 0] * scale - half, zero), last)
            v = min(max(uv[y, x, 1] * scale - half, zero), last)
            column, row = np.uint32(u), np.uint32(v)
            right, down = u - np.float32(column), v - np.float32(row)
            d = right * down
            b, c = right - d, down - d
            a = one - right - c
            i = np.uint32(row * stride + column)
            j, k = np.uint32(i + next_one), np.uint32(i + stride)
            m = np.uint32(k + next_one)
            blue = fine * np.float32(picture[y, x, 0]) + next_band * np.float32(soft[y, x, 0])
            blue += rest * np.float32(wide[y, x, 0])
            green = fine * np.float32(picture[y, x, 1]) + next_band * np.float32(soft[y, x, 1])
            green += rest * np.float32(wide[y, x, 1])
            red = fine * np.float32(picture[y, x, 2]) + next_band * np.float32(soft[y, x, 2])
            red += rest * np.float32(wide[y, x, 2])
            luma = np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red
            chroma = a * points[i, 3] + b * points[j, 3] + c * points[k, 3] + d * points[m, 3]
            bright = a * points[i, 4] + b * points[j, 4] + c * points[k, 4] + d * points[m, 4]
            bright *= luma
            lit = a * points[i, 5] + b * points[j, 5] + c * points[k, 5] + d * points[m, 5]
            shade = max(one - luma * lit, zero)
            more = a * points[i, 6] + b * points[j, 6] + c * points[k, 6] + d * points[m, 6]
            more *= shade * (deepest - shade)
            for n in range(3):
                direct = a * points[i, n] + b * points[j, n] + c * points[k, n] + d * points[m, n]
                own = blue if n == 0 else green if n == 1 else red
                old = np.float32(target[y, x, n])
                value = luma * direct + chroma * (own - luma)
                value += more * (value - bright)
                if grainy:
                    value += min(max(old - np.float32(under[y, x, n]), -limit), limit) * grain
                value = min(max(value, zero), white)
                target[y, x, n] = np.uint8(old + (value - old) * opacity + half)
