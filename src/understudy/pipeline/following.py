"""Where a crop lies that follows faces: as a calm hand would hold the camera.

It stays where it is while the face moves a little, glides after it when it moves further, and jumps at a cut, and where
it shows nobody while somebody is elsewhere. It knows nothing of what comes, so it works as frames come.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from understudy.face import Faces
from understudy.frames import PixelBox

#: How far a face may move from where it was before the crop follows, as a share of the crop's side.
_CALM: Final = 0.07
#: How fast it follows, in 1/s: what a critically damped spring of that frequency does, it comes near within a second.
_SPEED: Final = 3.5
#: Longest step in seconds: beyond it time stood still.
_STEP: Final = 0.25
#: Where the middle of a face stands, from the crop's top: above it there is less to see than below.
_HEADROOM: Final = 0.42
#: How much of the crop several faces may take to be shown together.
_TOGETHER: Final = 0.9

#: float64 (2,) or (4,), in pixels of the frame.
_Numbers = NDArray[np.float64]


class _Aim(NamedTuple):
    """What is followed: a box, and whose it is; -1 for several."""

    box: _Numbers
    track: int


class Following:
    """Follows the faces of one clip. Frames come in order."""

    def __init__(self) -> None:
        self._middle: _Numbers | None = None
        self._speed = np.zeros(2)
        self._aim: _Aim | None = None
        self._held = False
        self._seconds = 0.0

    def view(
        self, faces: Faces, shape: tuple[int, int], size: tuple[int, int], seconds: float, *, cut: bool = False
    ) -> PixelBox:
        """Where the crop lies in a frame.

        Args:
            faces: Those to follow, in pixels of the frame. Where there are none it stays where it is.
            shape: Width and height of the frame.
            size: Width and height of the crop, no larger than that.
            seconds: The frame's time.
            cut: Whether another shot begins with this frame.
        """
        frame, crop = np.array(shape, np.float64), np.array(size, np.float64)
        if cut or self._middle is None:
            self._middle, self._speed, self._aim = None, np.zeros(2), None
        step = min(max(seconds - self._seconds, 0.0), _STEP)
        self._seconds = seconds
        before, aim = self._aim, self._chosen(faces, crop)
        if aim is not None:
            self._aim = aim
        wanted = frame / 2 if self._aim is None else self._place(self._aim.box, crop)
        if self._middle is None or (aim is not None and self._out_of_sight(faces, crop)):
            self._middle, self._speed = wanted, np.zeros(2)
        else:
            self._glide(wanted, crop, step)
            if aim is not None and before is not None and aim.track == before.track and self._held:
                self._keep(aim.box, crop)
        self._middle = np.clip(self._middle, crop / 2, frame - crop / 2)
        self._held = aim is not None and bool(
            (aim.box[:2] >= self._middle - crop / 2).all() and (aim.box[2:] <= self._middle + crop / 2).all()
        )
        left, top = (round(float(value)) for value in self._middle - crop / 2)
        return PixelBox(left, top, left + size[0], top + size[1])

    def _chosen(self, faces: Faces, crop: _Numbers) -> _Aim | None:
        """All faces, if they fit in together; else the one that was followed, or the largest."""
        if not len(faces):
            return None
        boxes = faces.boxes_xyxy.astype(np.float64)
        together = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
        if len(faces) > 1 and (together[2:] - together[:2] <= _TOGETHER * crop).all():
            return _Aim(together, -1)
        tracks = list(range(len(faces))) if faces.track_ids is None else faces.track_ids.tolist()
        if self._aim is not None and self._aim.track in tracks:
            index = tracks.index(self._aim.track)
        else:
            index = int(faces.areas.argmax())
        return _Aim(boxes[index], int(tracks[index]))

    def _out_of_sight(self, faces: Faces, crop: _Numbers) -> bool:
        """Whether the crop shows the middle of none of the faces: a camera that glided there would show a wall."""
        assert self._middle is not None
        boxes = faces.boxes_xyxy.astype(np.float64)
        away = np.abs((boxes[:, :2] + boxes[:, 2:]) / 2 - self._middle)
        return bool((away > crop / 2).any(axis=1).all())

    @staticmethod
    def _place(box: _Numbers, crop: _Numbers) -> _Numbers:
        """Where the crop's middle should be for a box."""
        middle = (box[:2] + box[2:]) / 2
        return np.array([middle[0], middle[1] + (0.5 - _HEADROOM) * crop[1]])

    def _glide(self, wanted: _Numbers, crop: _Numbers, step: float) -> None:
        """One step of a critically damped spring towards the nearest place at which the face is near enough."""
        assert self._middle is not None
        goal = np.clip(self._middle, wanted - _CALM * crop, wanted + _CALM * crop)
        away = self._middle - goal
        change = (self._speed + _SPEED * away) * step
        faded = math.exp(-_SPEED * step)
        self._speed = (self._speed - _SPEED * change) * faded
        self._middle = goal + (away + change) * faded

    def _keep(self, box: _Numbers, crop: _Numbers) -> None:
        """Do not let out a face that was in, however fast it moves, if there is room for it."""
        assert self._middle is not None
        for axis in (0, 1):
            least, most = box[2 + axis] - crop[axis] / 2, box[axis] + crop[axis] / 2
            if least <= most:
                self._middle[axis] = min(max(self._middle[axis], least), most)
