"""Faces that are seen and neither swapped nor known to stand beside: they stay covered until they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from understudy.arrays import BoolArray, FloatArray
from understudy.detection import Detector, Sweep
from understudy.face import FaceChoice, Faces
from understudy.frames import Frame
from understudy.guard.bystanders import Tracked
from understudy.guard.choice import face_may_be_chosen
from understudy.guard.closely import seen_closely
from understudy.guard.observing import Observation
from understudy.guard.overlaps import around_smaller, inside_larger, same_face
from understudy.guard.people import People, Person
from understudy.guard.sight import share

#: Seconds between two searches while nobody is missing.
_RESCAN: Final = 0.5
#: A detection counts from this score (0-1), and with less where this share of its box is a person's.
_SURE, _SOME = 0.7, 0.1


class Suspects:
    """Searches the frames of one clip for them. Frames come in order.

    Args:
        detector: Finds faces.
        sweep: Finds small ones, some parts of the picture in each frame.

    Attributes:
        searched: Whether everybody was looked for since it was forgotten: in all parts of the picture, or there is
            somebody who is chosen, where nobody else has to be found.
    """

    def __init__(self, detector: Detector, sweep: Sweep) -> None:
        self._detector, self._sweep = detector, sweep
        self._searched = -np.inf
        self.searched, self._before = False, 0
        self._everywhere = self._somebody = False

    def forget(self) -> None:
        """Search again at once, and everywhere: after a cut, and in the dark."""
        self._searched, self.searched, self._before = -np.inf, False, self._sweep.count
        self._everywhere = self._somebody = False

    def note(
        self,
        frame: Frame,
        tracked: Tracked,
        seen: Observation,
        people: People,
        choice: FaceChoice,
        *,
        everybody: bool,
        unsure: bool,
        within: float,
        detected: Faces | None = None,
    ) -> None:
        """Add those of a frame to ``people``.

        Args:
            frame: As it came.
            tracked: Whom the tracker knows.
            seen: What else is seen.
            people: Who must not be shown as they are.
            choice: Whose faces are to be swapped.
            everybody: Whether nobody at all may be overlooked.
            unsure: Whether the choice may have fallen on the wrong face.
            within: Seconds in which the whole picture is searched thoroughly, while nobody is swapped.
            detected: What the detector has found in the frame, if it was asked already: it is not asked again.
        """
        now, missing = frame.seconds, people.unswapped(tracked.patches)
        # Now and then, too: somebody whom the mesh does not fit may be the one to be swapped.
        idle = bool(tracked.patches) and not missing and seen.faces is None and not unsure
        found = detected if seen.faces is None else seen.faces
        if not idle or now - self._searched >= _RESCAN:
            found = self._search(frame, tracked, found, within)
        self._everywhere = self._everywhere or self._sweep.count - self._before >= self._sweep.parts
        self._somebody = self._somebody or bool(tracked.patches) or tracked.any_chosen
        self.searched = self._everywhere or (self._somebody and not everybody)
        accounted = tracked.accounted
        believed: Iterable[FloatArray] = [] if not found else found.boxes_xyxy[_believed(found, seen)]
        for box in [*tracked.others, *believed]:
            same = same_face(box, accounted) or inside_larger(box, accounted) or around_smaller(box, accounted)
            if same or not face_may_be_chosen(box, choice, tracked.swapped):
                continue
            known = next((one for one in missing if same_face(box, one.box[None])), None)
            if known is None:
                missing.append(people.suspect(box, now))  # parts of a picture overlap: others may have found it, too
            else:
                known.found(box, now)

    def _search(self, frame: Frame, tracked: Tracked, found: Faces | None, within: float) -> Faces:
        """The faces of a frame: those that were ``found`` already, or are now, and small ones in parts of it."""
        self._searched = frame.seconds
        # Small ones are not looked for where somebody is there, only not swapped: a mesh that is not to be trusted.
        alone = not tracked.patches and not tracked.any_chosen
        found = self._detector.detect(frame.picture) if found is None else found
        if alone:
            found = Faces.concatenate([found, self._sweep.look(frame, within)])
        return found

    def is_there(self, frame: Frame, person: Person) -> bool:
        """Look closely where a face was found: whether it is there still, which is noted."""
        for box in seen_closely(self._detector, frame.picture, person.box):
            if same_face(box, person.box[None]):
                person.found(box, frame.seconds)
                return True
        return False


def _believed(found: Faces, seen: Observation) -> BoolArray:
    """Which detections count: over minutes a door handle passes for a face, but not for a person."""
    assert found.scores is not None
    views: list[BoolArray] = [view for view in (seen.sight.persons, seen.sight.through) if view is not None]

    def of_people(box: FloatArray) -> float:
        return max(share(view, box / seen.cell) for view in views)

    vouched = [of_people(box) >= _SOME for box in found.boxes_xyxy]
    return np.asarray((found.scores >= _SURE) | np.array(vouched, bool))
