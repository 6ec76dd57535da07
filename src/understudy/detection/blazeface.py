"""BlazeFace (Bazarevsky et al., 2019), short range and full range, as embedded in the package.

Both models give six keypoints: eyes, nose tip, mouth centre, ears.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.detection.ssd import SingleShot
from understudy.face import Faces
from understudy.geometry.boxes import weighted_nms
from understudy.models.runtime import LiteModel

#: Overlap from which two detections are one face (MediaPipe's setting).
NMS_IOU = 0.3
#: Side of a tile relative to the picture's shorter side, in a thorough search.
TILE_SHARE = 0.5
#: Least score of a face in a glance: nothing else confirms it, and over minutes a part of a coat passes for a face.
GLANCE_SCORE = 0.7
#: How far down a picture faces are as a rule, as a share of its height.
_EYES: Final = 0.4
#: A picture narrower than so many pixels is not searched in tiles: nobody could be known in it, and there may be
#: thousands of them.
_NARROWEST: Final = 16


@dataclass(frozen=True)
class BlazeFaceOptions:
    """How sure the detector must be.

    Attributes:
        min_score: 0-1; detections below it are dropped.
        max_faces: At most so many faces, best first.
    """

    min_score: float = 0.5
    max_faces: int = 32


class BlazeFace:
    """The embedded face detector.

    The short-range model (128 px; faces from about a sixth of the picture's side) looks first; where it finds
    nothing the full-range one (192 px) does. A thorough search adds overlapping tiles.
    """

    def __init__(self, options: BlazeFaceOptions | None = None) -> None:
        self.options = options or BlazeFaceOptions()
        self._short = SingleShot(
            LiteModel("face_detection_short_range.tflite"),
            ((8, 2), (16, 6)),
            outputs=("regressors", "classificators"),
            points=6,
            darkest=-1.0,
        )

    @cached_property
    def _full(self) -> SingleShot:
        """The full-range model: 9 MB, opened in 10 ms when it is first asked."""
        return SingleShot(
            LiteModel("face_detection_full_range_sparse.tflite"),
            ((4, 1),),
            outputs=("Identity", "Identity_1"),
            points=6,
            darkest=-1.0,
        )

    def detect(self, picture: UInt8Array, *, thorough: bool = False) -> Faces:
        """See ``Detector.detect``. The mouth corners are estimated from the mouth's centre."""
        found = self._short.candidates(picture, self.options.min_score)
        if thorough or not len(found):
            found = np.concatenate([found, self._full.candidates(picture, self.options.min_score)])
        if thorough:
            parts = [self._in_tile(picture, *tile, self.options.min_score) for tile in _tiles(picture)]
            found = np.concatenate([found, *parts])
        return self._faces(found)

    def parts(self, picture: UInt8Array) -> int:
        """See ``Detector.parts``: the whole picture, and each tile."""
        return 1 + len(_tiles(picture))

    def part(self, picture: UInt8Array, number: int) -> Faces:
        """See ``Detector.part``: the tiles from the middle of the picture's upper half outwards."""
        least = self.options.min_score
        if not number:
            return self._faces(self._full.candidates(picture, least))
        height, width = picture.shape[:2]
        middle = width / 2, height * _EYES

        def far(tile: tuple[int, int, int]) -> float:
            left, top, side = tile
            return math.hypot(left + side / 2 - middle[0], top + side / 2 - middle[1])

        return self._faces(self._in_tile(picture, *sorted(_tiles(picture), key=far)[number - 1], least))

    def glance(self, picture: UInt8Array, turn: int) -> Faces:
        """See ``Detector.glance``: one run of the full-range model, on the whole picture every fourth time."""
        least = max(self.options.min_score, GLANCE_SCORE)
        if turn % 4 == 0:
            return self._faces(self._full.candidates(picture, least))
        tiles = _tiles(picture)
        return self._faces(self._in_tile(picture, *tiles[turn % len(tiles)], least))

    def rest(self) -> None:
        """See ``Detector.rest``. Whoever is at work with the full-range model ends that first."""
        self.__dict__.pop("_full", None)

    def _faces(self, found: FloatArray) -> Faces:
        """The faces of candidates, float32 (N, 17), each once."""
        boxes, scores, points = weighted_nms(found[:, 1:5], found[:, 0], found[:, 5:], NMS_IOU)
        boxes, scores, points = (rows[: self.options.max_faces] for rows in (boxes, scores, points))
        keypoints = _five_from_six(points.reshape(-1, 6, 2))
        return Faces(boxes_xyxy=boxes, scores=np.clip(scores, 0, 1), keypoints5=keypoints)

    def _in_tile(self, picture: UInt8Array, left: int, top: int, side: int, least: float) -> FloatArray:
        rows = self._full.candidates(picture[top : top + side, left : left + side], least)
        rows[:, 1:] += np.tile([left, top], 8).astype(np.float32)
        # A face cut by the tile's edge is seen whole by its neighbour or in the whole picture.
        edge = side * 0.02
        inner = (rows[:, 1:3] > [left + edge, top + edge]).all(1)
        inner &= (rows[:, 3:5] < [left + side - edge, top + side - edge]).all(1)
        return rows[inner]


def _tiles(picture: UInt8Array) -> list[tuple[int, int, int]]:
    """Overlapping squares that cover a picture: left, top, side."""
    height, width = picture.shape[:2]
    if min(height, width) < _NARROWEST:
        return [(0, 0, max(height, width))]
    side = max(int(min(height, width) * TILE_SHARE), min(height, width, 192))
    return [(left, top, side) for top in _starts(height, side) for left in _starts(width, side)]


def _starts(length: int, side: int) -> list[int]:
    """Where tiles of ``side`` begin so that they cover ``length`` and overlap by half or more."""
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side * 0.5))) + 1
    return [int(start) for start in np.linspace(0, length - side, count)]


def _five_from_six(points: FloatArray) -> FloatArray:
    """Five keypoints of the field out of BlazeFace's six (two eyes, nose tip, mouth centre, two ears).

    The mouth's corners lie about 0.38 interocular distances beside its centre, along the eyes' line.
    """
    eyes, nose, mouth = points[:, 0:2], points[:, 2:3], points[:, 3:4]
    half = (eyes[:, 1:2] - eyes[:, 0:1]) * 0.38
    return np.concatenate([eyes, nose, mouth - half, mouth + half], axis=1)
