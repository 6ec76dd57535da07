"""Who was not chosen: faces that are tracked beside those who are swapped are left alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from understudy.arrays import FloatArray
from understudy.face import Faces
from understudy.geometry.boxes import bounds_xyxy
from understudy.patches import Patch


class Tracked(NamedTuple):
    """Whom the tracker knows in a frame, and as what. Boxes are float32 (N, 4), xyxy, in pixels of the frame.

    Attributes:
        patches: The swaps that there are.
        swapped: The boxes of those who are swapped.
        bystanders: Of those who were not chosen while somebody else was swapped.
        others: Of everybody else.
        any_chosen: Whether anybody is to be swapped, whether that could be done or not.
    """

    patches: list[Patch]
    swapped: FloatArray
    bystanders: FloatArray
    others: FloatArray
    any_chosen: bool

    @property
    def accounted(self) -> FloatArray:
        """The boxes of those who are swapped, and of those who need not be."""
        return np.concatenate([self.swapped, self.bystanders])


class Bystanders:
    """Those of one clip. Frames come in order.

    Attributes:
        numbers: Their tracks.
    """

    def __init__(self) -> None:
        self.numbers: set[int] = set()

    def forget(self) -> None:
        """Nothing is known any more: after a cut."""
        self.numbers = set()

    def update(self, faces: Faces, chosen: Faces, patches: list[Patch]) -> Tracked:
        """Note who stands beside those who are swapped.

        Args:
            faces: Everybody who is tracked.
            chosen: Those who should be swapped.
            patches: The swaps that there are.
        """
        tracks, wanted = _numbers(faces), _numbers(chosen)
        if patches and faces.track_ids is not None and chosen.track_ids is not None:
            self.numbers = (self.numbers | set(tracks)) - set(wanted)
        swapped = {patch.track_id for patch in patches}
        boxes = list(zip(tracks, faces.boxes_xyxy, strict=False))
        return Tracked(
            patches,
            _rows([bounds_xyxy(patch.mesh[None])[0] for patch in patches]),
            _rows([box for number, box in boxes if number in self.numbers]),
            _rows([box for number, box in boxes if number not in self.numbers | swapped]),
            bool(len(chosen)),
        )


def _numbers(faces: Faces) -> list[int]:
    return [] if faces.track_ids is None else faces.track_ids.tolist()


def _rows(boxes: list[FloatArray]) -> FloatArray:
    return np.array(boxes, np.float32).reshape(-1, 4)
