"""What the guard sees by itself: all that needs a frame and nothing else, so that it is done while the swap is made."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Final, NamedTuple

import numpy as np

from understudy.arrays import FloatArray
from understudy.detection import Detector, PersonSegmentation, Sweep
from understudy.face import FaceChoice, Faces
from understudy.frames import Frame
from understudy.guard.changes import AllKnown
from understudy.guard.fitting import Fitting
from understudy.guard.overlaps import same_face
from understudy.guard.sight import PeopleFinder, Sight
from understudy.guard.thumbnail import Thumbnail, thumbnail

#: Longer side of the thumbnail in which people are seen and motion is followed.
_FOLLOWED: Final = 320
#: While all are swapped, every third frame is searched for a small face, looked at through bars, and its meshes are
#: checked, one of these in each: each takes about as long as all else that the guard does.
_TURNS: Final = 3
#: Seconds in which all of the picture is searched for small faces where nobody may be overlooked.
_SEARCHED: Final = 0.2


class Expected(NamedTuple):
    """What is known of a frame before it is looked at: from the frame before it.

    Attributes:
        choice: Whose faces are to be swapped.
        all_swapped: Whether all faces that were known were swapped.
        somebody: Whether somebody was covered of whom no face is known.
        all_known: Where everybody was, if everybody was accounted for.
        searched: Whether all of the picture was searched for small faces since everybody was forgotten, or need not be.
    """

    choice: FaceChoice
    all_swapped: bool = False
    somebody: bool = False
    all_known: AllKnown | None = None
    searched: bool = True

    @property
    def quiet(self) -> bool:
        """Whether nobody is missing: then what takes long is done in turn."""
        return self.all_swapped and not self.somebody


class Observation(NamedTuple):
    """What is seen in one frame.

    Attributes:
        thumbnail: The frame made small.
        scale: Its size over the frame's.
        sight: Where people are.
        cell: Pixels of the frame along a cell of ``sight``.
        faces: Those that were found by looking for newcomers; None if nobody looked.
        checks: Boxes to check meshes by: see ``Fitting.detected``; None if there are none.
    """

    thumbnail: Thumbnail
    scale: float
    sight: Sight
    cell: float
    faces: Faces | None
    checks: FloatArray | None

    @property
    def boxes(self) -> FloatArray:
        """Of ``faces``: float32 (N, 4), xyxy."""
        return np.zeros((0, 4), np.float32) if self.faces is None else self.faces.boxes_xyxy


class Observer:
    """Looks at the frames of one clip, in a thread of its own. Frames come in order.

    Args:
        detector: Looks for faces that the tracker does not know, while the tracker runs.
        sweep: Finds small ones, some parts of the picture in each frame.
        segmenter: Sees where people are.
        fitting: Whose checks are due.
    """

    def __init__(self, detector: Detector, sweep: Sweep, segmenter: PersonSegmentation, fitting: Fitting) -> None:
        self._detector, self._sweep, self._fitting = detector, sweep, fitting
        self._people = PeopleFinder(segmenter)
        self._worker: ThreadPoolExecutor | None = None
        self._begun: Future[Observation] | None = None
        self._closed = False
        self._frames = 0

    def begin(self, frame: Frame, expected: Expected) -> None:
        """Look at a frame beside other work: nobody writes into it before ``result`` is asked for."""
        if self._closed:
            return
        self._worker = self._worker or ThreadPoolExecutor(1, "guard")
        with suppress(RuntimeError):  # closed meanwhile
            self._begun = self._worker.submit(self._observe, frame, expected)

    def result(self, frame: Frame, expected: Expected) -> Observation:
        """What is seen in the frame, which is looked at now if that was not begun."""
        begun, self._begun = self._begun, None
        return begun.result() if begun is not None else self._observe(frame, expected)

    def drop(self) -> None:
        """What was begun is not asked for."""
        self._begun = None

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        if self._worker is not None:
            self._worker.shutdown()

    def _observe(self, frame: Frame, expected: Expected) -> Observation:
        scale = _FOLLOWED / max(frame.width, frame.height, _FOLLOWED)
        small = thumbnail(frame.picture, scale)
        everybody, quiet = expected.choice == "all", expected.quiet
        known = expected.all_known if quiet else None
        if known is not None and known.choice != expected.choice:
            known = None
        self._frames += 1
        glancing, through_bars, fitting = (self._frames % _TURNS == turn for turn in range(_TURNS))
        sight = self._people.find(
            frame.picture,
            small,
            through_bars=not quiet or (everybody and through_bars),
            closer=not quiet or (everybody and not through_bars),
            known=known,
        )
        faces = None
        if everybody:
            if not quiet or self._people.may_be_new(known):
                faces = self._detector.detect(frame.picture)
                # It says of meshes what a check of them would, but at the picture's edges.
                fitting &= self._fitting.at_edge
            if glancing or not expected.searched:
                small_ones = (
                    self._detector.glance(frame.picture, self._frames // _TURNS)
                    if expected.searched
                    else self._sweep.look(frame, _SEARCHED)
                )
                faces = small_ones if faces is None else _each_once(faces, small_ones)
        checks = self._fitting.detected(small, scale) if fitting or not quiet or self._fitting.doubtful else None
        return Observation(small, scale, sight, frame.width / sight.persons.shape[1], faces, checks)


def _each_once(found: Faces, others: Faces) -> Faces:
    """The faces of two searches of one frame, those that both found once."""
    new = [not same_face(box, found.boxes_xyxy) for box in others.boxes_xyxy]
    return Faces.concatenate([found, others[np.array(new)]]) if any(new) else found
