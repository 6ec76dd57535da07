"""Follows the hands that are before a face or near it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.frames import Frame, PixelBox
from understudy.geometry.boxes import rounded_box

if TYPE_CHECKING:  # what a stage before does, as a type only
    from understudy.detection.base import HandDetector
    from understudy.landmarks.base import HandLandmarker

#: Seconds between two searches, of which each is around one face; and where a hand was just lost, for how long.
_EVERY, _LOST_EVERY, _HURRY = 0.3, 0.1, 0.5
#: Seconds for which hands are followed where a face was last: a hand may be just what hides it.
_REMEMBERED: Final = 1.0
#: Side of the square that is searched, over the face's longer side; and how far beyond it the fingers of a palm in it
#: may reach, over its own.
_AROUND, _REACH = 3.2, 0.25
#: How sure it must be that there is a hand: at first, and afterwards; and how often a hand just found is fitted
#: again where it then lies: a palm says little of where the fingers are.
_BEGIN, _GO_ON, _REFINEMENTS = 0.6, 0.5, 3
#: A hand is followed while it is within the face's box with this margin (over its side): where it may hide the face,
#: or anywhere beside it.
NEAR, BESIDE = 0.35, 1.3
#: Hands at a time.
_MOST: Final = 4


class HandTracker:
    """The hands before the faces of one clip. Frames come in order.

    Args:
        detector: Finds palms.
        finder: Fits a hand's joints.
        live: Whether no frame may wait for a search: then it runs beside, and a hand is seen a frame or two later.
        margin: How far from a face hands are followed: ``NEAR`` or ``BESIDE``. May be set anew at any time.
    """

    def __init__(
        self, detector: HandDetector, finder: HandLandmarker, *, live: bool = False, margin: float = NEAR
    ) -> None:
        self.margin = margin
        self._detector, self._finder = detector, finder
        self._beside = ThreadPoolExecutor(1, "palms") if live else None
        self._found: Future[list[FloatArray]] | None = None
        self._hands: list[FloatArray] = []
        self._searched = -np.inf
        self._searches = 0
        self._lost_at = -np.inf
        self._near: FloatArray = np.zeros((0, 4), np.float32)
        self._near_seconds = -np.inf

    def update(self, frame: Frame, boxes_xyxy: FloatArray) -> list[FloatArray]:
        """Follow hands into ``frame``.

        Args:
            frame: As it came.
            boxes_xyxy: float32 (N, 4): where the faces that are swapped are, or were in the frame before.

        Returns:
            The joints of each hand, float32 (21, 2) (see ``landmarks.HandResult``).
        """
        if len(boxes_xyxy):
            self._near, self._near_seconds = boxes_xyxy, frame.seconds
        elif not 0 <= frame.seconds - self._near_seconds < _REMEMBERED:
            self._near = boxes_xyxy
        had = len(self._hands)
        followed = [self._finder.fit(frame.picture, self._finder.next_roi(hand)) for hand in self._hands]
        self._hands = []
        for hand, presence in followed:
            if presence >= _GO_ON:
                self._keep(hand)
        if len(self._hands) < had:
            self._lost_at = frame.seconds
        if self._found is not None and self._found.done():
            found, self._found = self._found.result(), None
            self._take(frame, found)
        wait = _LOST_EVERY if 0 <= frame.seconds - self._lost_at < _HURRY else _EVERY
        if self._found is None and len(self._near) and not 0 <= frame.seconds - self._searched < wait:
            first = not np.isfinite(self._searched)
            self._searched = frame.seconds
            # The first frame of a clip may be its only one.
            for _ in range(len(self._near) if first and self._beside is None else 1):
                self._begin_search(frame)
        return self._hands

    def forget(self) -> None:
        """What comes next is another shot."""
        self._hands, self._found = [], None
        self._searched = self._near_seconds = self._lost_at = -np.inf

    @property
    def following(self) -> bool:
        """Whether there are hands: then a frame takes its time."""
        return bool(self._hands)

    def close(self) -> None:
        """End what runs beside."""
        if self._beside is not None:
            self._beside.shutdown()

    def _begin_search(self, frame: Frame) -> None:
        area = self._next_area(frame)
        if area.empty:
            return
        if self._beside is None:
            for hand in self._search(frame.picture, area, (0, 0), self._hands):
                self._keep(hand)
            return
        reach = round(max(area.x1 - area.x0, area.y1 - area.y0) * _REACH)
        x0, y0, x1, y1 = PixelBox(area.x0 - reach, area.y0 - reach, area.x1 + reach, area.y1 + reach).clipped(
            frame.width, frame.height
        )
        inner = PixelBox(area.x0 - x0, area.y0 - y0, area.x1 - x0, area.y1 - y0)
        with suppress(RuntimeError):  # closed meanwhile
            # The frame will be written to meanwhile.
            picture = frame.picture[y0:y1, x0:x1].copy()
            self._found = self._beside.submit(self._search, picture, inner, (x0, y0), list(self._hands))

    def _next_area(self, frame: Frame) -> PixelBox:
        """What is searched: around one face after the other."""
        low, high = self._near[self._searches % len(self._near)].reshape(2, 2)
        self._searches += 1
        middle, half = (low + high) / 2, float((high - low).max()) * _AROUND / 2
        around = np.concatenate([middle - half, middle + half])
        return rounded_box(around).clipped(frame.width, frame.height)

    def _search(
        self, picture: UInt8Array, area: PixelBox, corner: tuple[int, int], known: Sequence[FloatArray]
    ) -> list[FloatArray]:
        """Look for hands that are not known yet: for palms, and whether a hand's joints fit there.

        Args:
            picture: A frame, or a part of one.
            area: Where palms are searched, in pixels of the picture.
            corner: Where the picture begins in the frame.
            known: Joints of the known ones, in pixels of the frame.

        Returns:
            The joints of each, in pixels of the frame.
        """
        hands: list[FloatArray] = []
        begin, at = np.array(corner, np.float32), np.array([area.x0, area.y0], np.float32)
        boxes, keypoints = self._detector.detect(picture[area.y0 : area.y1, area.x0 : area.x1])
        for box, points in zip(boxes + np.tile(at, 2), keypoints + at, strict=True):
            if _known((box[:2] + box[2:]) / 2 + begin, [*known, *hands]):
                continue
            hand, presence = self._finder.fit(picture, self._finder.first_roi(box, points))
            for _ in range(_REFINEMENTS if self._beside is None else 1):  # live it is fitted again when it is taken up
                if presence >= _BEGIN:
                    hand, presence = self._finder.fit(picture, self._finder.next_roi(hand))
            if presence >= _BEGIN:
                hands.append(hand + begin)
        return hands

    def _take(self, frame: Frame, found: Sequence[FloatArray]) -> None:
        """Take up hands that were found in an earlier frame where they are in this one."""
        for before in found:
            if not _known(before.mean(0), self._hands):
                hand, presence = self._finder.fit(frame.picture, self._finder.next_roi(before))
                if presence >= _BEGIN:
                    self._keep(hand)

    def _keep(self, hand: FloatArray) -> None:
        """Note a hand that is near a face and not known yet."""
        low, high = hand.min(0), hand.max(0)
        faces = self._near
        margin = (faces[:, 2:] - faces[:, :2]).max(1, keepdims=True, initial=0) * self.margin
        near = (low < faces[:, 2:] + margin).all(1) & (high > faces[:, :2] - margin).all(1)
        size = float((high - low).max())
        known = any(float(np.abs(other - hand).mean()) < 0.2 * size for other in self._hands)
        if np.isfinite(hand).all() and near.any() and not known and len(self._hands) < _MOST:
            self._hands.append(hand)


def _known(middle: FloatArray, hands: Sequence[FloatArray]) -> bool:
    """Whether a point, float32 (2,), is on one of those hands."""
    return any((middle > hand.min(0)).all() and (middle < hand.max(0)).all() for hand in hands)
