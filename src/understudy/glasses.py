"""Glasses on a face: whether there are any, and where their rims run.

Thin dark lines where no face has any, under both eyes and across the bridge of the nose at once, are the rims of
glasses. Brows, lids and wrinkles are dark lines, too, but do not lie at all three places.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.geometry.topology import topology

#: Longer side of the picture that is looked at, in pixels at most.
_SIDE: Final = 400
#: Side of the maps on the flattened face, in pixels.
FLAT: Final = 128
#: Depth (natural logarithm) of a rim's line: from where it shows, and surely; and from where it counts as one.
_RIM: Final = (0.04, 0.12)
_LINE: Final = 0.08
#: From where wire shows, and surely, if it is known where it runs.
_WIRE: Final = (0.025, 0.08)
#: By how much deeper what is twice as broad as the widest line must be, not to be a shadow.
_BROAD: Final = 0.3
#: Spread of the blur that only thick rims outlast, over the face's longer side; and which share of the skin under an
#: eye is lines where it is wrinkled, not crossed by a wire.
_THICK: Final = 0.006
_CROWDED: Final = 0.15
#: How much must be seen of glasses (see ``glasses_seen``) to be taken off, and how far beside their rims, as a share of
#: the face's side, nothing is trusted.
_WORN: Final = 0.42
_MARGIN: Final = 0.03
#: By how much (natural logarithm) one brow is darker than the other where a rim crosses it.
_ONE_SIDED: Final = 0.3
#: What a lens leaves of the skin below an eye between two lines is no wider than this: it goes with them.
_ISLAND: Final = 0.1
#: Width of the widest line over the face's longer side, and length of the shortest part of a rim: anywhere, and where
#: wire is known to run.
_WIDTH: Final = 1 / 28
_LENGTH: Final = 0.08
_WIRE_LENGTH: Final = 0.05


#: The upper and the lower row of each brow's vertices, from the temple inwards (MediaPipe's numbers).
_BROWS: Final = (
    ([70, 63, 105, 66, 107], [46, 53, 52, 65, 55]),
    ([300, 293, 334, 296, 336], [276, 283, 282, 295, 285]),
)


#: The number of the bridge of the nose in ``signs``.
_BRIDGE: Final = 3


class _Maps(NamedTuple):
    """Maps over the flattened face, uint8 (F, F)."""

    rims: UInt8Array  # 255 where rims may run: around the eyes, across the nose, to the temples; not in the brows
    heavy: UInt8Array  # the same with the lower half of the brows, along which heavy rims run
    everywhere: UInt8Array  # the same with all of the brows, for who knows better where rims run
    signs: UInt8Array  # 1 under one eye, 2 under the other, 3 across the bridge, 0 elsewhere
    bridge: UInt8Array  # 255 from eye to eye, wherever a bridge may lie
    brows: UInt8Array  # 255 on the upper half of the brows, where what is dark may be hair


@lru_cache(maxsize=1)
def _maps() -> _Maps:
    shape = topology()
    uv = shape.uv * FLAT
    eyes = [filled(uv[ring], FLAT) for ring in (shape.eye_left, shape.eye_right)]
    both = eyes[0] | eyes[1]
    brows = filled(uv[shape.brow_left], FLAT) | filled(uv[shape.brow_right], FLAT)
    rims = wider(both, 0.16) | filled(uv[[6, 197, 193, 417, 127, 356, 70, 300]], FLAT)
    rims &= ~wider(both, 0.012)
    upper = wider(_upper_half(uv, _BROWS[0]) | _upper_half(uv, _BROWS[1]), 0.005)
    heavy, everywhere = rims & ~upper, rims.copy()
    rims &= ~wider(brows, 0.005)
    below = np.zeros_like(rims)
    below[round(float(uv[[33, 263], 1].mean())) + round(0.035 * FLAT) :] = 255
    under = [wider(eye, 0.13) & ~wider(eye, 0.03) & below for eye in eyes]
    bridge = filled(uv[[193, 417, 197, 245, 465]], FLAT)
    signs = np.zeros_like(rims)
    for number, place in enumerate((*under, bridge), start=1):
        signs[place > 0] = number
    return _Maps(rims, heavy, everywhere, signs, filled(uv[[9, 193, 417, 197, 245, 465]], FLAT), upper)


def _upper_half(uv: FloatArray, rows: tuple[list[int], list[int]]) -> UInt8Array:
    """The upper half of a brow, given its upper and its lower row of vertices."""
    upper, lower = uv[rows[0]], uv[rows[1]]
    return filled(np.concatenate([upper, (upper + lower) / 2]), FLAT)


def filled(points: FloatArray, side: int) -> UInt8Array:
    """The hull of points, float32 (N, 2), drawn on a map of that side: uint8, 255 or 0."""
    canvas = np.zeros((side, side), np.uint8)
    hull = np.asarray(cv2.convexHull(points.astype(np.float32)), np.float32)
    cv2.fillPoly(canvas, [np.round(hull).astype(np.int32)], 255)
    return canvas


def wider(mask: UInt8Array, share: float) -> UInt8Array:
    """The mask, wider by a share of its side."""
    size = 2 * round(share * len(mask)) + 1
    return np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.uint8)


def glasses_seen(picture: UInt8Array, uv: FloatArray, *, thin: bool = True) -> float:
    """How much of each place where rims run shows a line, at the one that shows least: 0-1.

    Glasses reach 0.45, faces without stay below 0.30. Wrinkles, freckles and cracks are lines, too, but either fine, so
    that a blur leaves nothing of them, or all over the place, so that they are not taken for wire.

    Args:
        picture: uint8 BGR (h, w, 3): a face, and little else.
        uv: float32 (h, w, 2), 0-1: where on the flattened face each pixel lies; 0, 0 beside it.
        thin: Whether wire counts, or only what is thick.
    """
    picture, uv = reduced(picture, uv)
    signs = _at(_maps().signs, uv)
    band, face = _rows(signs), max(picture.shape[:2])
    places = [signs[band] == number for number in (1, 2, _BRIDGE)]
    part = picture[band]
    thick = lines_of(np.asarray(cv2.GaussianBlur(part, (0, 0), face * _THICK), np.uint8), face) > _LINE
    seen = min(_share(thick, place) for place in places)
    if thin:
        lines = lines_of(part, face) > _LINE
        if max(float(lines[place].mean()) if place.any() else 1.0 for place in places[:2]) < _CROWDED:
            seen = max(seen, min(_share(lines, place) for place in places))
    return seen


def rims(picture: UInt8Array, uv: FloatArray, *, heavy: bool = False, only: BoolArray | None = None) -> UInt8Array:
    """Where rims run on a face that wears glasses: uint8 (h, w), 0-255. Arguments as of ``glasses_seen``.

    Args:
        picture: See there.
        uv: See there.
        heavy: They are thick. Then also along the lower half of the brows, of which a little may be taken for a rim; or
            along all of the brows, if it is known where they run.
        only: bool (FLAT, FLAT): where on the flattened face the rims of these glasses may run, if that is known. There
            fainter and shorter lines count, too, if they are not thick.
    """
    height, width = picture.shape[:2]
    picture, uv = reduced(picture, uv)
    maps = _maps()
    if only is None:
        where = _at(maps.heavy if heavy else maps.rims, uv)
    else:
        where = _at((maps.everywhere if heavy else maps.rims) * only, uv)
    result = np.zeros_like(where)
    if not where.any():
        return np.zeros((height, width), np.uint8)
    band = _rows(where)
    known, face = only is not None, max(picture.shape[:2])
    wire = known and not heavy
    depth = lines_of(picture[band], face, heavy=heavy and known)
    least, sure = _WIRE if wire else _RIM
    shown = np.clip((depth - least) * (255 / (sure - least)), 0, 255).astype(np.uint8) & where[band]
    # A rim is long; what is short is a pore, a lash, a wrinkle.
    _, parts, stats, _ = cv2.connectedComponentsWithStats((shown > 0).astype(np.uint8), connectivity=8)
    long = (stats[:, 2:4].max(axis=1) > (_WIRE_LENGTH if wire else _LENGTH) * face).astype(np.uint8)
    long[0] = 0
    near = np.asarray(cv2.dilate(long[parts], np.ones((3, 3), np.uint8)), np.uint8)
    result[band] = cv2.GaussianBlur(shown * near, (3, 3), 0)
    return np.asarray(cv2.resize(result, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def behind(texture: UInt8Array) -> FloatArray:
    """What glasses hide of a face, if it wears any that are thick enough to be seen on everybody.

    Args:
        texture: uint8 BGR (S, S, 3): the flattened face.

    Returns:
        float32 (S, S), 0-1: 1 on the rims, their glints and shadows, the bridge, and the skin below the eyes that the
        lenses cut to pieces.
    """
    side = len(texture)
    places = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / side
    uv = np.dstack(np.meshgrid(places, places)).astype(np.float32)
    if glasses_seen(texture, uv, thin=False) < _WORN:
        return np.zeros((side, side), np.float32)
    hidden = wider(rims(texture, uv, heavy=True), _MARGIN / 2)
    signs = _at(_maps().signs, uv)
    # Of the bridge itself, bright as often as dark, only the sides' shadows are lines.
    hidden |= _at(_maps().bridge, uv)
    hidden |= wider(_across_brow(texture, hidden) & _at(_maps().brows, uv), _MARGIN / 2)
    size = 2 * round(_ISLAND * side / 2) + 1
    closed = cv2.morphologyEx(hidden, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    # From below the eyes on downwards: what is left between lines there has the lens's tint.
    lower = np.maximum.accumulate(((signs > 0) & (signs != _BRIDGE)).any(axis=1))[:, None]
    hidden |= np.where(lower, closed, 0).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(hidden, (0, 0), 0.006 * side) / np.float32(255), np.float32)


def _across_brow(texture: UInt8Array, hidden: UInt8Array) -> UInt8Array:
    """Where a rim goes on from ``hidden`` over one side's brow: what is much darker there than on the other side."""
    tone = np.log(cv2.GaussianBlur(cv2.cvtColor(texture, cv2.COLOR_BGR2GRAY), (0, 0), 2).astype(np.float32) + 8)
    darker = tone[:, ::-1] - tone > _ONE_SIDED
    return np.where(darker, wider(hidden, _MARGIN), 0).astype(np.uint8)


def reduced(picture: UInt8Array, uv: FloatArray) -> tuple[UInt8Array, FloatArray]:
    """Both at a size at which a wire is still a line and a large face takes no longer than a small one.

    Args:
        picture: uint8 BGR (h, w, 3).
        uv: float32 (h, w, 2).

    Returns:
        The two, of (h', w') pixels.
    """
    step = -(-max(picture.shape[:2]) // _SIDE)
    if step < 2 or min(picture.shape[:2]) < step:
        return picture, uv
    places = np.ascontiguousarray(uv[step // 2 :: step, step // 2 :: step])
    size = (places.shape[1], places.shape[0])
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), places


def _rows(where: UInt8Array) -> slice:
    """The rows in which there is anything."""
    rows = np.flatnonzero(where.any(axis=1))
    return slice(int(rows[0]), int(rows[-1]) + 1) if rows.size else slice(0, 1)


def lines_of(picture: UInt8Array, face: int, *, heavy: bool = False) -> FloatArray:
    """How deep below its surroundings each pixel of a thin line lies: float32 (h, w), natural logarithm.

    Args:
        picture: uint8 BGR (h, w, 3).
        face: The face's longer side in its pixels.
        heavy: Also what is up to twice as broad, if it is as dark as no shadow is.
    """
    grey = np.asarray(cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (3, 3), 0), np.uint8)
    logs = np.log(np.arange(256, dtype=np.float32) + 8)
    dark = cv2.LUT(grey, logs)
    depth = cv2.LUT(_closed(grey, face * _WIDTH), logs) - dark
    if heavy:
        depth = np.maximum(depth, cv2.LUT(_closed(grey, 2 * face * _WIDTH), logs) - dark - np.float32(_BROAD))
    return np.asarray(depth, np.float32)


def _closed(grey: UInt8Array, width: float) -> UInt8Array:
    """A picture without what is dark and narrower than so many pixels: uint8 (h, w)."""
    size = max(3, round(width)) | 1
    return np.asarray(cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8)), np.uint8)


def _share(lines: BoolArray, place: BoolArray) -> float:
    """How much of a place's width has a line somewhere, 0-1."""
    return float((lines & place).any(axis=0).sum() / max(int(place.any(axis=0).sum()), 1))


def _at(flat: UInt8Array, uv: FloatArray) -> UInt8Array:
    """A map of the flattened face seen where the face is."""
    x, y = cv2.split(uv * np.float32(FLAT) - np.float32(0.5))
    return np.asarray(cv2.remap(flat, x, y, cv2.INTER_NEAREST), np.uint8)
