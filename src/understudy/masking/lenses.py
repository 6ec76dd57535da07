"""Where the rims of somebody's glasses run: once around each lens, across the nose, and to the ears.

Under old eyes wrinkles are lines as dark as a rim, and so are brows and hair beside it. But a rim goes all the way
round an eye, and without a kink. So on the flattened face the closed line is found along which most of line is seen;
what lies within it, or outside, is no rim.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, IntArray, UInt8Array
from understudy.compiled import compiled
from understudy.geometry.topology import topology
from understudy.glasses import FLAT, filled, lines_of, reduced, wider
from understudy.quantiles import median_of_rows, percentile

#: Side of the map on the flattened face in which lines are gathered.
_SIDE: Final = 192
#: Directions from the middle of a lens, and distances: from the eye to what the largest lenses reach, shares of the
#: face's side.
_TURNS: Final = 72
_STEPS: Final = 40
_NEAREST: Final = 0.075
_FARTHEST: Final = 0.24
_STEP: Final = (_FARTHEST - _NEAREST) / (_STEPS - 1)
#: Where on the flattened face no lens reaches.
_LOWEST: Final = 0.6
#: How far below the middle of an eye the middle of its lens lies.
_LOWER: Final = 0.016
#: Depth of a line (see ``lines_of``) from which one is as good as another: of wire, and of thick rims, which outdo
#: brows.
_WIRE_ENOUGH: Final = 0.1
_THICK_ENOUGH: Final = 0.3
#: What a step away from or to the middle costs, and each change of that, in places with a line.
_SLOPE: Final = 0.1
_KINK: Final = 0.1
#: How much the newest look counts; the rest is what was seen before.
_NEWEST: Final = 0.8
#: How much of the closed line is seen as a line, at least, to be believed, and to be believed on; and how surely three
#: quarters of thick rims are seen.
_BELIEVED, _STILL_BELIEVED = 0.5, 0.4
_THICK: Final = 0.6
#: Shares of the face's side: how far a rim reaches inwards and outwards from that line, at most, if it is dark all the
#: way (outwards are brows); how far beside it nothing is sure, because heads turn; how far above the lens an arm or the
#: bridge may run, and how far above its middle it ends.
_INWARDS: Final = 0.06
_OUTWARDS: Final = 0.02
_BESIDE: Final = 0.022
_ARM: Final = 0.02
#: Directions over which a rim is about as broad.
_SMOOTH: Final = 7


class _Lens(NamedTuple):
    """How the surroundings of one eye are seen from the middle of its lens."""

    middle: tuple[float, float]  # u and v
    outwards: int  # which way of u the ear is: -1 or 1
    x: FloatArray  # (_TURNS, _STEPS): where each place lies in the map of lines, in its pixels; mirrored for one eye
    y: FloatArray
    beyond: BoolArray  # (_TURNS, _STEPS): on the other side of the nose
    turn: UInt8Array  # (FLAT, FLAT): in which direction each pixel of the flattened face lies
    step: FloatArray  # (FLAT, FLAT): how many steps away, below 0 within the nearest


@lru_cache(maxsize=1)
def _lenses() -> tuple[_Lens, _Lens]:
    shape = topology()
    found = []
    angles = np.arange(_TURNS) * (2 * np.pi / _TURNS)
    far = _NEAREST + _STEP * np.arange(_STEPS)
    rows, columns = (np.indices((FLAT, FLAT)) + 0.5) / FLAT
    for eye, outwards in ((shape.eye_left, -1), (shape.eye_right, 1)):
        u, v = _middle(eye)
        x = u + outwards * np.outer(np.cos(angles), far)
        y = v + np.outer(np.sin(angles), far)
        turn = np.round(np.arctan2(rows - v, outwards * (columns - u)) * (_TURNS / (2 * np.pi))) % _TURNS
        step = (np.hypot(rows - v, columns - u) - _NEAREST) / _STEP
        x_at, y_at = ((one * _SIDE - 0.5).astype(np.float32) for one in (x, y))
        beyond = (x - 0.5) * outwards < 0
        found.append(_Lens((u, v), outwards, x_at, y_at, beyond, turn.astype(np.uint8), step.astype(np.float32)))
    return found[0], found[1]


def _middle(eye: IntArray) -> tuple[float, float]:
    """The middle of a lens, given the vertices around the eye behind it: u and v."""
    u, v = topology().uv[eye].mean(axis=0)
    return float(u), float(v) + _LOWER


@lru_cache(maxsize=2)
def _misleading(heavy: bool) -> BoolArray:
    """Eyes, whose lines say nothing, and brows, along which only heavy rims outdo them: (_SIDE, _SIDE)."""
    shape = topology()
    uv = shape.uv * _SIDE
    brows = () if heavy else (shape.brow_left, shape.brow_right)
    places = [filled(uv[part], _SIDE) for part in (shape.eye_left, shape.eye_right, *brows)]
    return np.asarray(wider(np.maximum.reduce(places), 0.012) > 0)


class Lenses:
    """Both lenses of one person's glasses, as they were seen in several looks."""

    def __init__(self) -> None:
        self._lines: FloatArray | None = None
        self._known = False

    def look(self, picture: UInt8Array, uv: FloatArray, *, heavy: bool) -> None:
        """Look at a face that wears glasses.

        Args:
            picture: uint8 BGR (h, w, 3): the face, and little else.
            uv: float32 (h, w, 2), 0-1: where on the flattened face each pixel lies; 0, 0 beside it.
            heavy: Whether its rims are thick.
        """
        # However dark: a head turns, and the rims of a look ago must not count as much as those of now.
        found, seen = _gathered(*reduced(picture, uv), heavy=heavy)
        found = np.minimum(found, np.float32(max(_WIRE_ENOUGH, _THICK_ENOUGH)))
        # Of what is not seen now, such as the far lens, is known what was.
        before = found if self._lines is None else self._lines
        self._lines = np.where(seen, before + (found - before) * np.float32(_NEWEST), before)

    def forget(self) -> None:
        """Nothing was seen so far."""
        self._lines, self._known = None, False

    def rims(self, *, heavy: bool) -> BoolArray | None:
        """Where on the flattened face rims may run: bool (FLAT, FLAT); None where that is not known.

        Args:
            heavy: Whether they are thick; None if no thick ones are seen all the way round.
        """
        if self._lines is None:
            return None
        enough = np.float32(_THICK_ENOUGH if heavy else _WIRE_ENOUGH)
        clear = np.where(_misleading(bool(heavy)), np.float32(0), np.minimum(self._lines, enough) / enough)
        seen = [np.where(lens.beyond, np.float32(0), _around(clear, lens)) for lens in _lenses()]
        around = [_closed(one) for one in seen]
        along = [one[np.arange(_TURNS), line] for one, line in zip(seen, around, strict=True)]
        self._known = min(float(one.mean()) for one in along) >= (_STILL_BELIEVED if self._known else _BELIEVED)
        if not self._known or (heavy and min(percentile(one, 25) for one in along) < _THICK):
            return None
        allowed = np.zeros((FLAT, FLAT), bool)
        for lens, line in zip(_lenses(), around, strict=True):
            inner, outer = _breadth(_around(self._lines, lens), line)
            allowed |= (lens.step >= inner[lens.turn]) & (lens.step <= outer[lens.turn])
        return allowed | _between(around)


def _gathered(picture: UInt8Array, uv: FloatArray, *, heavy: bool) -> tuple[FloatArray, BoolArray]:
    """The lines of a face on the flattened face, as of ``lines_of``, and where it is seen: both (_SIDE, _SIDE)."""
    face, v = max(picture.shape[:2]), uv[:, :, 1]
    rows = np.flatnonzero(((v > 0) & (v < _LOWEST)).any(axis=1))
    total, count = np.zeros((2, _SIDE, _SIDE), np.float32)
    if rows.size:
        band = slice(int(rows[0]), int(rows[-1]) + 1)
        _gather(lines_of(picture[band], face, heavy=heavy), np.ascontiguousarray(uv[band]), total, count)
    # Of a face below some 200 pixels parts of the flattened one are skipped: they are what is beside them.
    around = cv2.blur(count, (3, 3))
    beside = cv2.blur(total, (3, 3)) / np.maximum(around, np.float32(1e-3))
    return np.where(count > 0, total / np.maximum(count, 1), beside), np.asarray(around > 0)


@compiled
def _gather(depth: FloatArray, uv: FloatArray, total: FloatArray, count: FloatArray) -> None:
    """Add what each pixel shows to where it lies on the flattened face, and count the pixels there."""
    height, width = depth.shape
    side = total.shape[0]
    for row in range(height):
        for column in range(width):
            u, v = uv[row, column, 0], uv[row, column, 1]
            if 0 <= u <= 1 and 0 <= v <= 1 and u + v > 0:
                x, y = min(int(u * side), side - 1), min(int(v * side), side - 1)
                total[y, x] += depth[row, column]
                count[y, x] += 1


def _around(lines: FloatArray, lens: _Lens) -> FloatArray:
    """A map of the flattened face by direction and distance from the middle of a lens: float32 (_TURNS, _STEPS)."""
    return np.asarray(cv2.remap(lines, lens.x, lens.y, cv2.INTER_LINEAR), np.float32)


def _closed(seen: FloatArray) -> UInt8Array:
    """The smooth line along which most is seen, closed but for a map of noise: how many steps away, (_TURNS,)."""
    best = np.empty((2, _STEPS, 5), np.float32)
    back = np.zeros((2 * _TURNS, _STEPS, 5), np.uint8)
    line = np.empty(2 * _TURNS, np.uint8)
    _best_line(np.ascontiguousarray(seen, np.float32), np.float32(_SLOPE), np.float32(_KINK), best, back, line)
    # Of two times round what is in the middle has a past and a future in every direction.
    half = _TURNS // 2
    return np.roll(line[half : half + _TURNS], half)


@compiled
def _best_line(
    seen: FloatArray, slope: np.float32, kink: np.float32, best: FloatArray, back: UInt8Array, line: UInt8Array
) -> None:
    """Twice round: at each direction a step away, by at most two to or from the middle a direction (Viterbi).

    ``best`` is room for what the best lines to each step have seen so far, by how they came there (-2 to 2 steps);
    ``back`` for how each of them came to where it was before; ``line`` is written.
    """
    turns, steps = seen.shape
    for step in range(steps):
        for by in range(5):
            best[0, step, by] = seen[0, step]
    for turn in range(1, 2 * turns):
        now, before = turn % 2, (turn + 1) % 2
        for step in range(steps):
            for by in range(5):
                came = step - (by - 2)
                value, how = np.float32(-1e9), 0
                if 0 <= came < steps:
                    for last in range(5):
                        found = best[before, came, last] - kink * np.float32(abs(by - last))
                        if found > value:
                            value, how = found, last
                best[now, step, by] = value - slope * np.float32(abs(by - 2)) + seen[turn % turns, step]
                back[turn, step, by] = how
    _trace_back(best[(2 * turns - 1) % 2], back, line)


@compiled
def _trace_back(best: FloatArray, back: UInt8Array, line: UInt8Array) -> None:
    """From the end of the best line to its beginning; arguments as of ``_best_line``, of which this is the end."""
    steps = len(best)
    at, by = 0, 0
    for step in range(steps):
        for how in range(5):
            if best[step, how] > best[at, by]:
                at, by = step, how
    for turn in range(len(line) - 1, -1, -1):
        line[turn] = at
        before = int(back[turn, at, by])
        at, by = at - (by - 2), before


def _breadth(seen: FloatArray, line: UInt8Array) -> tuple[FloatArray, FloatArray]:
    """From how many steps away to how many the rim reaches, for each direction, a little beside it included."""
    steps = np.arange(_STEPS)
    dark = seen > np.maximum(_WIRE_ENOUGH, seen[np.arange(_TURNS), line] / 2)[:, None]
    ends = []
    for inwards in (True, False):
        side = steps[None] <= line[:, None] if inwards else steps[None] >= line[:, None]
        gap = side & ~dark & (steps[None] != line[:, None])
        first = np.where(gap, steps[None], -1).max(axis=1) + 1 if inwards else np.where(gap, steps, _STEPS).min(1) - 1
        reach = np.minimum(np.abs(first - line.astype(int)), (_INWARDS if inwards else _OUTWARDS) / _STEP)
        # A wrinkle that meets the rim somewhere does not make it broad.
        around = np.stack([np.roll(reach, by) for by in range(-(_SMOOTH // 2), _SMOOTH // 2 + 1)])
        reach = median_of_rows(around) + _BESIDE / _STEP
        ends.append((line - reach if inwards else line + reach).astype(np.float32))
    return ends[0], ends[1]


def _between(around: list[UInt8Array]) -> BoolArray:
    """Where the bridge runs, and the arms to the ears: (FLAT, FLAT). Both begin in the upper half of a lens."""
    rows, columns = (np.indices((FLAT, FLAT)) + 0.5) / FLAT
    angles = np.arange(_TURNS) * (2 * np.pi / _TURNS)
    allowed, edges = np.zeros((FLAT, FLAT), bool), []
    for lens, line in zip(_lenses(), around, strict=True):
        (u, v), outwards = lens.middle, lens.outwards
        far = _NEAREST + _STEP * line
        edge, top = far * np.cos(angles), v + float((far * np.sin(angles)).min())
        heights = (rows > top - _ARM) & (rows < v - _ARM)
        edges.append((u + outwards * float(edge.min()), heights))
        allowed |= heights & (outwards * (columns - u) > edge.max() - _BESIDE)
    (left, one), (right, other) = edges
    return np.asarray(allowed | ((one | other) & (columns > left - _BESIDE) & (columns < right + _BESIDE)))
