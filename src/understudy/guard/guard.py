"""Fails closed: nothing is shown that may be the face of somebody who should be swapped and is not.

Whatever may be such a face is covered until it is known to be swapped, to be a bystander's, or not to be there:

- Somebody who was swapped and is lost (turned away, behind a hand, too fast) is first covered by the last swap, moved
  along with the picture, then blurred, until they are seen to be gone.
- People of whom no face is found (half in the picture, behind bars, turned away) are blurred where a person is seen
  whom no known face explains.
- At the beginning, after a cut, and after darkness, the whole picture is blurred until somebody is swapped or it was
  looked at long enough in every way.

Faces that are there beside the swapped one and were not chosen are left alone: that is what choosing means.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Final, NamedTuple

import numpy as np

from understudy.arrays import BoolArray, FloatArray
from understudy.canvas import Canvas
from understudy.detection import Detector, PersonSegmentation, PersonSegmenter
from understudy.face import FaceChoice, Faces
from understudy.frames import Frame, PixelBox
from understudy.geometry.boxes import bounds_xyxy
from understudy.guard.changes import AllKnown
from understudy.guard.choice import face_may_be_chosen
from understudy.guard.cover import Cover, grown, moved
from understudy.guard.fitting import Fitting
from understudy.guard.obscuring import obscure_covered
from understudy.guard.options import GuardOptions
from understudy.guard.overlaps import around_smaller, in_one_of, inside_larger, same_face
from understudy.guard.people import People, Person
from understudy.guard.settling import Settling
from understudy.guard.sight import Eyes, Sight, share
from understudy.guard.strangers import Strangers
from understudy.guard.thumbnail import Thumbnail, thumbnail
from understudy.guard.unexplained import Known, unexplained
from understudy.masking.hands import silhouette
from understudy.patches import Patch

#: Longer side of the small picture in which people are seen and motion is followed.
_FOLLOWED: Final = 320
#: While all are swapped, every n-th frame is searched for a small face, looked at through bars, and its meshes
#: are checked: each takes about as long as all else that the guard does.
_TURNS: Final = 3
#: Seconds between two looks for such a face later on.
_RESCAN: Final = 0.5
#: A detection counts from this score (0-1), and with less where this share of its box is a person's.
_SURE, _SOME = 0.7, 0.1


class _Seen(NamedTuple):
    """What needs the frame only."""

    small: Thumbnail
    sight: Sight
    found: Faces | None
    checks: FloatArray | None


class Guard:
    """Watches over one clip. Frames come in order.

    Args:
        detector: Looks for faces that the tracker does not know, while the tracker runs: it may be the tracker's own.
        options: What is done.
        choice: Whose faces are to be swapped. If everybody's, every frame in which anything changed, and every third,
            is searched for newcomers, in a thread beside the swap: for faces from a sixth of the picture's height all
            over, for small ones in one part after the other.
        segmenter: Sees where people are; the embedded one if None.
    """

    def __init__(
        self,
        detector: Detector,
        options: GuardOptions | None = None,
        *,
        choice: FaceChoice = "largest",
        segmenter: PersonSegmentation | None = None,
    ) -> None:
        self.options = options or GuardOptions()
        self.choice: FaceChoice = choice
        self._detector = detector
        self._eyes = Eyes(segmenter or PersonSegmenter())
        self._beside: ThreadPoolExecutor | None = None
        self._ahead: Future[_Seen] | None = None
        self._closed = False
        self._frames = 0
        #: Whether all whom we know of are swapped; and where everybody was, if nobody else was seen either.
        self._calm = False
        self._all_known: AllKnown | None = None
        #: Whether somebody was covered of whom no face is known.
        self._somebody = False
        self._people = People()
        self._fitting = Fitting(detector)
        self._bystanders: set[int] = set()
        self._strangers = Strangers()
        self._settling = Settling()
        self._searched = -np.inf
        self._looked = -np.inf
        self._last: Thumbnail | None = None

    def look_ahead(self, frame: Frame) -> None:
        """Begin beside other work with what needs ``frame`` only, which is not written to before ``cover``."""
        if self.options.on_lost == "pass" or self._closed:
            return
        self._beside = self._beside or ThreadPoolExecutor(1, "guard")
        with suppress(RuntimeError):  # closed meanwhile
            self._ahead = self._beside.submit(self._see, frame)

    def close(self) -> None:
        """End what runs beside."""
        self._closed = True
        if self._beside is not None:
            self._beside.shutdown()

    def _see(self, frame: Frame) -> _Seen:
        """Look at a frame: for people, and for newcomers where everybody is to be swapped."""
        small = thumbnail(frame.picture, _scale(frame))
        everybody, calm = self.choice == "all", self._calm and not self._somebody
        known = self._all_known if calm else None
        if known is not None and known.choice != self.choice:
            known = None
        # While all are swapped, what takes long comes in turn.
        self._frames += 1
        glancing, looking_through, fitting = (self._frames % _TURNS == turn for turn in range(_TURNS))
        sight = self._eyes.look(
            frame.picture,
            small,
            through_bars=not calm or (everybody and looking_through),
            closer=not calm or (everybody and not looking_through),
            known=known,
        )
        found = None
        if everybody and self._calm:
            if self._eyes.may_be_new(known):
                found = self._detector.detect(frame.picture)
                # It says of meshes what a look at them would, but at the picture's edges.
                fitting &= self._fitting.at_edge
            if glancing:
                small_ones = self._detector.glance(frame.picture, self._frames // _TURNS)
                found = small_ones if found is None else _each_once(found, small_ones)
        checks = self._fitting.look(small, _scale(frame)) if fitting or not calm or self._fitting.doubtful else None
        return _Seen(small, sight, found, checks)

    def cover(
        self,
        frame: Frame,
        faces: Faces,
        chosen: Faces,
        patches: list[Patch],
        *,
        cut: bool,
        hands: Sequence[FloatArray] = (),
    ) -> tuple[Cover, Canvas]:
        """Cover what must not be seen in ``frame``, which nobody has written to yet and from then on everybody may.

        Args:
            frame: As it came.
            faces: Everybody who is tracked.
            chosen: Those who should be swapped.
            patches: The swaps that there are.
            cut: Whether a new shot begins.
            hands: The joints of each hand that is known, float32 (21, 2).

        Returns:
            What had to be covered, and a canvas on which all of it is but for what the held swaps are to cover.
        """
        cover = self._needed(frame, faces, chosen, patches, cut=cut, hands=hands)
        canvas = Canvas(frame)
        obscure_covered(canvas, cover)
        return cover, canvas

    def _needed(
        self,
        frame: Frame,
        faces: Faces,
        chosen: Faces,
        patches: list[Patch],
        *,
        cut: bool,
        hands: Sequence[FloatArray],
    ) -> Cover:
        """What has to be covered. Arguments as of ``cover``."""
        ahead, self._ahead = self._ahead, None
        if self.options.on_lost == "pass":
            self._all_known, self._calm = None, False
            return Cover()
        seen = ahead.result() if ahead is not None else self._see(frame)
        now = frame.seconds
        self._begin(now, seen.sight, cut=cut)
        boxes = np.zeros((0, 4), np.float32) if seen.found is None else seen.found.boxes_xyxy
        size = (frame.width, frame.height)
        beside = self._fitting.misfitting(patches, seen.checks, boxes, seen.small, _scale(frame), size)
        patches = [patch for patch in patches if patch.track_id not in beside]
        present = _boxes(patches)
        self._people.swapped(patches, present, now)
        self._beside_them(faces, chosen, patches)
        self._follow(frame, seen, faces, patches, present, cut=cut)
        self._suspect(frame, faces, chosen, patches, seen.found, seen.sight)
        unswapped = self._people.unswapped(patches)
        self._calm = bool(patches) and not unswapped
        self._settling.update(seen.sight, now, self.options.settle_seconds, swapped=bool(patches))
        held: list[Patch | None] = []
        regions: list[FloatArray] = []
        for person in unswapped:
            holding = self.options.on_lost == "hold" and now - person.swapped <= self.options.hold_seconds
            if person.patch is not None and holding and person.followed:
                held.append(moved(person.patch, person.moved, frame))
            else:
                regions.append(grown(person.box, now - person.seen))
        cell = frame.width / seen.sight.persons.shape[1]
        known = _known(seen.sight, cell, np.concatenate([present, self._bystander_boxes(faces)]), unswapped, hands)
        people = self._strangers.update(seen.sight, known, present / cell, self.choice, now)
        self._note_all_known(known.boxes, fresh=seen.sight.fresh, somebody=people is not None)
        return Cover(
            held=tuple(patch for patch in held if patch is not None),
            blurred=tuple(PixelBox(*np.rint(region).astype(int)) for region in regions),
            people=people,
            whole=not self._settling.settled and not patches,
            newcomers=seen.found if unswapped or people is not None else None,
            beside=beside,
            astray=self._fitting.astray(),
        )

    def _note_all_known(self, boxes: FloatArray, *, fresh: bool, somebody: bool) -> None:
        """Remember where everybody was when it was looked at last, until somebody else is seen or anybody moves."""
        self._somebody = somebody
        before, people = self._all_known, self._strangers.accounted
        if not self._calm or somebody or people is None:
            self._all_known = None
        elif fresh:
            self._all_known = AllKnown(people, boxes, self.choice)
        elif before is not None and not before.holds(boxes, self.choice):
            self._all_known = None

    def _begin(self, now: float, sight: Sight, *, cut: bool) -> None:
        """After a cut, a gap or in the dark nothing is known any more of who is where."""
        if not self._settling.begin(sight, now, cut=cut):
            return
        self._bystanders = set()
        self._searched = self._looked = -np.inf
        self._strangers.forget()
        self._all_known, self._calm = None, False
        if cut:
            self._people.known = {}
        for person in self._people.known.values():
            person.followed = False

    def _beside_them(self, faces: Faces, chosen: Faces, patches: list[Patch]) -> None:
        """Note who stands beside those who are swapped."""
        if patches and faces.track_ids is not None and chosen.track_ids is not None:
            self._bystanders |= set(faces.track_ids.tolist()) - set(chosen.track_ids.tolist())
            self._bystanders -= set(chosen.track_ids.tolist())
            self._people.beside(self._bystanders, self._bystander_boxes(faces))

    def _bystander_boxes(self, faces: Faces) -> FloatArray:
        numbers = [] if faces.track_ids is None else faces.track_ids.tolist()
        boxes = [box for box, number in zip(faces.boxes_xyxy, numbers, strict=False) if number in self._bystanders]
        return np.array(boxes, np.float32).reshape(-1, 4)

    def _follow(
        self, frame: Frame, seen: _Seen, faces: Faces, patches: list[Patch], present: FloatArray, *, cut: bool
    ) -> None:
        """Move those who are not swapped to where they are; forget who is gone or swapped under another number."""
        before, self._last = self._last, seen.small
        scale, cell, now = _scale(frame), frame.width / seen.sight.persons.shape[1], frame.seconds
        unswapped = self._people.unswapped(patches)
        if not unswapped:
            return
        known = np.concatenate([present, self._bystander_boxes(faces)])
        others = unexplained(seen.sight.persons, Known(known / cell, np.zeros((0, 4), np.float32))).explained
        for person in unswapped:
            if before is not None and not cut and before.grey.shape == seen.small.grey.shape:
                person.follow(before, seen.small, scale)
            person.watch(seen.sight, others, cell, now)
        self._people.forget(
            person
            for person in unswapped
            if same_face(person.box, present)
            or (person.patch is None and in_one_of(person.box, present))
            or person.gone(seen.small, scale, now, self.options)
        )

    @staticmethod
    def _believed(found: Faces, frame: Frame, sight: Sight) -> BoolArray:
        """Which detections count: over minutes a door handle passes for a face, but not for a person."""
        assert found.scores is not None
        cell = frame.width / sight.persons.shape[1]
        views = [view for view in (sight.persons, sight.through) if view is not None]
        seen = [max(share(view, box / cell) for view in views) >= _SOME for box in found.boxes_xyxy]
        return np.asarray((found.scores >= _SURE) | np.array(seen, bool))

    def _suspect(
        self, frame: Frame, faces: Faces, chosen: Faces, patches: list[Patch], found: Faces | None, sight: Sight
    ) -> None:
        """Note faces that are seen and neither swapped nor known to stand beside: they stay covered until they are."""
        unswapped, now = self._people.unswapped(patches), frame.seconds
        # At first and now and then: somebody whom the mesh does not fit may be the one to be swapped.
        unsure = self._settling.unsure(now)
        if patches and not unswapped and found is None and not unsure and now - self._looked < _RESCAN:
            return
        self._looked = now
        numbers = [] if faces.track_ids is None else faces.track_ids.tolist()
        swapped = {patch.track_id for patch in patches}
        tracked = [
            box
            for box, number in zip(faces.boxes_xyxy, numbers, strict=False)
            if number not in self._bystanders and number not in swapped
        ]
        # A thorough look takes the time of several frames: one at once after a cut, then now and then - and none for
        # somebody who is there, only not swapped: a mesh that is not to be trusted.
        thorough = not patches and not len(chosen) and not 0 <= now - self._searched < self.options.search_seconds
        if thorough:
            self._searched = now
        if found is None or thorough:
            found = self._detector.detect(frame.picture, thorough=thorough)
        present = _boxes(patches)
        explained = np.concatenate([present, self._bystander_boxes(faces)])
        for box in [*tracked, *found.boxes_xyxy[self._believed(found, frame, sight)]]:
            same = same_face(box, explained) or inside_larger(box, explained) or around_smaller(box, explained)
            if same or not face_may_be_chosen(box, self.choice, present):
                continue
            known = next((one for one in unswapped if same_face(box, one.box[None])), None)
            if known is None:
                self._people.suspect(box, now)
                continue
            known.seen = now
            known.box = np.concatenate([np.minimum(known.box, box)[:2], np.maximum(known.box, box)[2:]])
            if known.patch is None:
                known.box = box


def _known(sight: Sight, cell: float, boxes: FloatArray, unswapped: list[Person], hands: Sequence[FloatArray]) -> Known:
    """Who is accounted for, in cells; everything else comes in pixels."""
    followed = [person.box / cell for person in unswapped if person.followed]
    drawn = silhouette([joints / cell for joints in hands], sight.persons.shape[::-1])
    return Known(
        np.asarray(boxes / cell, np.float32),
        np.array(followed, np.float32).reshape(-1, 4),
        None if drawn is None else drawn > 0,
    )


def _each_once(found: Faces, others: Faces) -> Faces:
    """The faces of two searches of one frame, those that both found once."""
    new = [not same_face(box, found.boxes_xyxy) for box in others.boxes_xyxy]
    return Faces.concatenate([found, others[np.array(new)]]) if any(new) else found


def _scale(frame: Frame) -> float:
    """Size of the small picture over the frame's."""
    return _FOLLOWED / max(frame.width, frame.height, _FOLLOWED)


def _boxes(patches: list[Patch]) -> FloatArray:
    """Where the swaps are: float32 (n, 4)."""
    return np.array([bounds_xyxy(patch.mesh[None])[0] for patch in patches], np.float32).reshape(-1, 4)
