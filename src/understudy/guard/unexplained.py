"""Which people in a picture are accounted for by the faces that are known there, and which are not.

Each known face explains its own head and body. What is left of the people in the picture may be somebody who comes in
at the edge, is half hidden, or is turned away: a face may be there though no detector finds one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.arrays import BoolArray, FloatArray

#: A head with hair and hat around a face's box: half its breadth and height over the box's, and how much higher its
#: middle lies.
_HEAD_ACROSS, _HEAD_DOWN, _HEAD_HIGHER = 0.75, 1.2, 0.25
#: A body: from so far below the box's middle it grows to the second half breadth (over the box's) at the second depth.
_NECK, _NECK_BREADTH, _SHOULDERS, _BODY_BREADTH = 0.3, 1.0, 0.9, 1.8
#: What is left counts from so many cells, and lies at an edge of the picture with so many; elsewhere, where a head is
#: whole, it counts from the third.
_LEAST, _AT_EDGE, _LEAST_WITHIN = 8, 2, 60
#: Half a face's breadth and height over its box's, with a margin.
_FACE: Final = 0.6
#: Cells that a part at the picture's edge is taken to go on beyond it.
_BEYOND: Final = 48
#: Cells that may lie between a part and the person that it belongs to.
_GAP: Final = 3
#: A part beside somebody's head is another head's if it is so broad, over the face's breadth, and its middle so high
#: above the middle of the face at least (below it, over the face's height); and may reach so far behind that head.
#: Lower down it is if it is as broad as the fourth, over the face's breadth: no limb is. Below the middle of the face,
#: where long hair falls beside it, it is if it is as broad as the fifth; while somebody is missing, who may come out
#: there, as the last.
_HEAD_LIKE, _HEAD_HIGH, _HIDDEN, _ANOTHER, _HAIR, _MISSING = 0.2, 0.5, 0.45, 0.6, 0.25, 0.15
#: Below somebody's chin (so far below the middle of their face, over its height) a part shows no face that is thinner
#: than this, over that face's breadth: a shoulder.
_CHIN, _THIN = 0.5, 0.25
#: What hangs down from the picture's upper edge shows no face either that is thinner than this, over that breadth.
_STRIP: Final = 0.32
#: So far from the middle of a face, over its breadth, shoulders reach.
_SHOULDER: Final = 2.0
#: Share of a part that may show anything, if it is even.
_EVEN: Final = 0.02
#: A part that begins at a hand is its arm, if no broader than this over the nearest face's breadth.
_ARM: Final = 0.6
#: Over its height: how far above a part at the picture's side its head may be, if only the body was seen.
_ABOVE: Final = 0.7


class Part(NamedTuple):
    """A part of the people in a picture that no known face explains.

    Attributes:
        cells: bool (h, w): where.
        box: float32 xyxy, in cells.
        breadth: Of its broadest place, in cells, as if it went on beyond the picture's edge.
        alone: Whether it hangs together with nobody who is known, or reaches the picture's edge.
    """

    cells: BoolArray
    box: FloatArray
    breadth: float
    alone: bool


class Known(NamedTuple):
    """Who is accounted for, in cells that cover the picture.

    Attributes:
        boxes: float32 (N, 4): faces that are swapped or stand beside, xyxy.
        lost: float32 (M, 4): where faces are that must be covered: these explain a body, but no head.
        hands: bool (h, w): where hands are; None for nowhere.
    """

    boxes: FloatArray
    lost: FloatArray
    hands: BoolArray | None = None


class Unexplained(NamedTuple):
    """What is seen of people.

    Attributes:
        parts: What no face explains and belongs to none of those who are known, largest first.
        doubtful: What hangs together with somebody who is known, and might be another head beside theirs.
        explained: bool (h, w): where people are who are accounted for.
        arms: bool (h, w): where their hands are, with the arms.
    """

    parts: list[Part]
    doubtful: list[Part]
    explained: BoolArray
    arms: BoolArray


def unexplained(persons: BoolArray, known: Known, before: BoolArray | None = None) -> Unexplained:
    """What of the people in a picture is explained by no face.

    A part that hangs together with an explained one is that person's arm or hair - unless it reaches the picture's
    left, right or upper edge as high as their face, where somebody else may come in, or was unexplained just before.

    Args:
        persons: bool (h, w): where people are, in cells that cover the picture.
        known: Who is accounted for.
        before: bool (h, w): where somebody was a moment ago who belonged to nobody.
    """
    everybody = np.asarray(cv2.connectedComponents(persons.astype(np.uint8), connectivity=4)[1], np.int32)
    heads = _heads(known.boxes, persons.shape)
    zone = heads | _bodies(known.boxes, everybody)
    hands: BoolArray | None = None
    left = persons & ~zone & ~_bodies(known.lost, everybody)
    if known.hands is not None:
        left &= ~known.hands
        hands = cv2.dilate(known.hands.astype(np.uint8), np.ones((2 * _GAP + 1, 2 * _GAP + 1), np.uint8)) > 0
    # At the picture's edge a part goes on: there a slice of a cell counts.
    padded = cv2.copyMakeBorder(left.astype(np.uint8), 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))[2:-2, 2:-2]
    found = Unexplained(
        [], [], zone.copy(), np.zeros(persons.shape, bool) if known.hands is None else known.hands.copy()
    )
    if not opened.any():
        return found
    count, labels, stats, middles = cv2.connectedComponentsWithStats(np.ascontiguousarray(opened), connectivity=4)
    near = cv2.dilate((persons & zone).astype(np.uint8), np.ones((2 * _GAP + 1, 2 * _GAP + 1), np.uint8)) > 0
    for number in sorted(range(1, count), key=lambda one: -int(stats[one, cv2.CC_STAT_AREA])):
        if stats[number, cv2.CC_STAT_AREA] < _LEAST:
            continue
        cells = labels == number
        x, y, across, down = stats[number, :4].tolist()
        if stats[number, cv2.CC_STAT_AREA] < _LEAST_WITHIN and not _at_edge(cells):
            continue
        if len(known.boxes) and (
            _is_a_shoulder(cells, y, middles[number], known.boxes) or _is_a_strip(cells, middles[number], known.boxes)
        ):
            found.explained[cells] = True
            continue
        alone = not (cells & near).any() or _comes_in(cells, _nearest(known.boxes, middles[number]))
        part = Part(cells, np.array([x, y, x + across, y + down], np.float32), _breadth(cells), alone)
        arm = hands is not None and (cells & hands).any() and len(known.boxes) > 0
        if arm and part.breadth < _ARM * _nearest(known.boxes, middles[number]).width:
            found.explained[cells] = found.arms[cells] = True
        elif alone or (before is not None and (cells & before).any()):
            found.parts.append(part)
        elif _is_no_limb(part, middles[number], known):
            found.doubtful.append(part)
        else:
            found.explained[cells] = True
    return found


def _is_a_shoulder(cells: BoolArray, top: int, middle: NDArray[np.float64], boxes: FloatArray) -> bool:
    """Whether a part that reaches the picture's edge beside somebody is below their chin and too thin for a face."""
    head = _nearest(boxes, middle)
    if top < head.middle + _CHIN * head.height or abs(middle[0] - head.across) > _SHOULDER * head.width:
        return False
    return _breadth(cells) < _THIN * head.width


def _is_a_strip(cells: BoolArray, middle: NDArray[np.float64], boxes: FloatArray) -> bool:
    """Whether a part hangs down from the picture's upper edge, too thin for a head: a curtain beside hair."""
    if cells[:, 0].any() or cells[:, -1].any() or not cells[0].any():
        return False
    return _breadth(cells) < _STRIP * _nearest(boxes, middle).width


class _Head(NamedTuple):
    """A face that is known, in cells: its breadth, its middle's place and height, and its own height."""

    width: float
    across: float
    middle: float
    height: float


def _nearest(boxes: FloatArray, point: NDArray[np.float64]) -> _Head:
    """The face that is nearest to a point."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    row = int(np.argmin(np.hypot(*(middles - point).T)))
    width, height = (boxes[row, 2:] - boxes[row, :2]).tolist()
    return _Head(width, float(middles[row, 0]), float(middles[row, 1]), height)


def _is_no_limb(part: Part, middle: NDArray[np.float64], known: Known) -> bool:
    """Whether a part is as high as somebody's head and broad enough to be another's, or as broad as another's lower."""
    head = _nearest(known.boxes, middle)
    lower = (middle[1] - head.middle) / head.height
    beside = _MISSING if len(known.lost) else _HEAD_LIKE if lower < 0 else _HAIR
    return bool(part.breadth > (beside if lower < _HEAD_HIGH else _ANOTHER) * head.width)


def behind(part: Part, persons: BoolArray, boxes: FloatArray) -> BoolArray:
    """A part with what of the same person may reach behind the head of one who is known: bool (h, w)."""
    head = _nearest(boxes, (part.box[:2].astype(np.float64) + part.box[2:]) / 2)
    reach = 2 * round(_HIDDEN * head.width) + 1
    grown = cv2.dilate(part.cells.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    return np.asarray((grown > 0) & persons)


def is_even(part: Part, detail: BoolArray) -> bool:
    """Whether nothing is to be seen in a part but one even area: a coat, a ball, a wall.

    Args:
        part: Of the people in a picture.
        detail: bool (h, w): where there is anything to be seen.
    """
    inside = cv2.erode(part.cells.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return bool(inside.sum() >= _LEAST and (inside & detail).sum() < _EVEN * inside.sum())


def _at_edge(cells: BoolArray) -> bool:
    """Whether a part reaches the picture's left, right or upper edge."""
    return max(int(cells[:, 0].sum()), int(cells[:, -1].sum()), int(cells[0].sum())) >= _AT_EDGE


def _comes_in(cells: BoolArray, head: _Head) -> bool:
    """Whether a part that hangs together with somebody reaches the picture's edge as high as another's head would.

    Lower down it is their own arm, or their hair with it, that leaves the picture.
    """
    if not _at_edge(cells):
        return False
    reached = np.flatnonzero(cells[:, 0] | cells[:, -1])
    return bool(cells[0].any() or (len(reached) and reached[0] < head.middle))


def _breadth(cells: BoolArray) -> float:
    """Of the broadest place: what reaches the picture's sides or top goes on there; below, what is not shown is not."""
    x, y, across, down = cv2.boundingRect(cells.astype(np.uint8))
    part = cells[y : y + down, x : x + across].astype(np.uint8)
    left, right, top = (_BEYOND * edge for edge in (x == 0, x + across == cells.shape[1], y == 0))
    around = cv2.copyMakeBorder(part, top, 0, left, right, cv2.BORDER_REPLICATE)
    around = cv2.copyMakeBorder(around, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    return 2 * float(cv2.distanceTransform(around, cv2.DIST_L2, 3).max())


def covering(cells: BoolArray, spared: FloatArray) -> BoolArray:
    """What is to be covered where somebody is seen in part: without holes and bays, and with the head of a body.

    Args:
        cells: bool (h, w): what is seen of them; behind bars that has many holes.
        spared: float32 (N, 4): faces that are left out, xyxy in cells.

    Returns:
        bool (h, w).
    """
    filled = np.zeros(cells.shape, np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cells.astype(np.uint8), connectivity=8)
    for number in range(1, count):
        x, y, across, down, size = stats[number].tolist()
        if size < _LEAST:  # what lingers of a part may be a speck
            continue
        (outline, *_), _ = cv2.findContours(
            (labels == number).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        cv2.fillConvexPoly(filled, cv2.convexHull(outline), 1)
        if x == 0 or x + across == cells.shape[1]:
            filled[max(round(y - _ABOVE * down), 0) : y + 1, x : x + across] = 1
    for box in spared:
        middle, axes = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * _FACE
        cv2.ellipse(filled, (middle.tolist(), (2 * axes).tolist(), 0.0), 0, -1)
    return np.asarray(filled > 0)


def _bodies(boxes: FloatArray, everybody: NDArray[np.int32]) -> BoolArray:
    """Where the bodies of faces are: bool (h, w).

    Args:
        boxes: float32 (N, 4): the faces, xyxy in cells.
        everybody: int32 (h, w): people who hang together have one number; 0 is nobody.
    """
    drawn = np.zeros(everybody.shape, bool)
    for box in boxes:
        (x, y), (width, height) = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        neck, shoulders = y + _NECK * height, y + _SHOULDERS * height
        narrow, broad = _NECK_BREADTH * width, _BODY_BREADTH * width
        bottom = max(everybody.shape[0], int(shoulders)) + 1.0
        outline = [(x - narrow, neck), (x + narrow, neck), (x + broad, shoulders), (x + broad, bottom)]
        outline += [(x - broad, bottom), (x - broad, shoulders)]
        body = np.zeros(everybody.shape, np.uint8)
        cv2.fillPoly(body, [np.rint(np.clip(outline, -9999, 9999)).astype(np.int32)], 1)
        # Whoever stands there and does not hang together with the head is somebody else.
        own = np.zeros(int(everybody.max(initial=0)) + 1, bool)
        own[everybody[_heads(box[None], everybody.shape)]] = True
        own[0] = False
        drawn |= (body > 0) & own[everybody]
    return drawn


def _heads(boxes: FloatArray, shape: tuple[int, ...]) -> BoolArray:
    drawn = np.zeros(shape, np.uint8)
    for box in boxes:
        (x, y), (width, height) = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        middle = (round(float(x)), round(float(y - _HEAD_HIGHER * height)))
        axes = (max(round(float(_HEAD_ACROSS * width)), 1), max(round(float(_HEAD_DOWN * height)), 1))
        if max(abs(middle[0]), abs(middle[1]), *axes) < 9999:
            cv2.ellipse(drawn, middle, axes, 0, 0, 360, 1, -1)
    return np.asarray(drawn > 0)
