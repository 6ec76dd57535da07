"""Fails closed: nothing is shown that may be the face of somebody who should be swapped and is not.

Whatever may be such a face is covered until it is known to be swapped, to be a bystander's, or not to be there:

- Somebody who was swapped and is lost (turned away, behind a hand, too fast) is first covered by the last swap, moved
  along with the picture, then blurred, until they are seen to be gone.
- People of whom no face is found (half in the picture, behind bars, turned away) are blurred where a person is seen
  whom no known face explains.
- At the beginning, after a cut, and after darkness, the whole picture is blurred until somebody is swapped or it was
  looked at long enough in every way; if everybody is to be swapped, until all of it was searched for small faces.

Faces that are there beside the swapped one and were not chosen are left alone: that is what choosing means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from understudy.arrays import FloatArray
from understudy.canvas import Canvas
from understudy.detection import Detector, PersonSegmentation, PersonSegmenter, Sweep
from understudy.face import FaceChoice, Faces
from understudy.frames import Frame, PixelBox
from understudy.geometry.boxes import rounded_box
from understudy.guard.bystanders import Bystanders, Tracked
from understudy.guard.changes import AllKnown
from understudy.guard.cover import Cover, grown, moved
from understudy.guard.fitting import Fitting
from understudy.guard.obscuring import obscure, obscure_all, obscure_covered
from understudy.guard.observing import Expected, Observation, Observer
from understudy.guard.options import GuardOptions
from understudy.guard.overlaps import in_one_of, same_face
from understudy.guard.people import People, Person
from understudy.guard.settling import Settling
from understudy.guard.sight import Sight
from understudy.guard.strangers import Strangers
from understudy.guard.suspects import Suspects
from understudy.guard.thumbnail import Thumbnail
from understudy.guard.unexplained import Known, unexplained
from understudy.masking.hands import silhouette
from understudy.patches import Patch


class _Missing(NamedTuple):
    """How those are covered who are known and not swapped."""

    held: tuple[Patch, ...]
    blurred: tuple[PixelBox, ...]


class Guard:
    """Watches over one clip. Frames come in order.

    Args:
        detector: Looks for faces that the tracker does not know, while the tracker runs: it may be the tracker's own.
        options: What is done.
        choice: Whose faces are to be swapped. If everybody's, every frame in which anything changed or somebody is
            missing, and every fourth, is searched for newcomers, in a thread beside the swap: for faces from a sixth of
            the picture's height all over, for small ones at first in some parts a frame, then in one of every third.
        segmenter: Sees where people are; the embedded one if None.

    Attributes:
        detector: The detector.
        everybody: Whether nobody at all may be overlooked: then a picture is shown only once all of it was searched.
            Not where everybody is chosen only for as long as somebody may come back. May be set between two frames.
        sweep: Finds small faces, while nobody is swapped: for the tracker, too.
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
        self.everybody = choice == "all"
        self._expected = Expected(choice, searched=not self.everybody)
        self._people = People()
        self._bystanders = Bystanders()
        self._strangers = Strangers()
        self._settling = Settling()
        self.detector = detector
        self._fitting = Fitting(detector)
        self.sweep = Sweep(detector)
        self._suspects = Suspects(detector, self.sweep)
        self._observer = Observer(detector, self.sweep, segmenter or PersonSegmenter(), self._fitting)
        self._last: Thumbnail | None = None
        self._size: tuple[int, int] | None = None
        _prepare_blur()

    @property
    def choice(self) -> FaceChoice:
        """Whose faces are to be swapped; may be set between two frames."""
        return self._expected.choice

    @choice.setter
    def choice(self, choice: FaceChoice) -> None:
        self._expected = self._expected._replace(choice=choice)

    def begin(self, frame: Frame) -> None:
        """Begin beside other work with what needs ``frame`` only, which is not written to before ``cover``."""
        if self.options.on_lost != "pass":
            self._observer.begin(frame, self._expected)

    def close(self) -> None:
        """End what runs beside."""
        self._observer.close()

    def cover(
        self,
        frame: Frame,
        faces: Faces,
        chosen: Faces,
        patches: list[Patch],
        *,
        cut: bool,
        hands: Sequence[FloatArray] = (),
        detected: Faces | None = None,
    ) -> tuple[Cover, Canvas]:
        """Cover what must not be seen in ``frame``, which nobody has written to yet and from then on everybody may.

        Args:
            frame: As it came.
            faces: Everybody who is tracked.
            chosen: Those who should be swapped.
            patches: The swaps that there are.
            cut: Whether a new shot begins.
            hands: The joints of each hand that is known, float32 (21, 2).
            detected: What ``detector`` itself has found in all of this frame, if it was asked already; not thoroughly.

        Returns:
            What had to be covered, and a canvas on which all of it is but for what the held swaps are to cover.
        """
        cover = self._needed(frame, faces, chosen, patches, cut=cut, hands=hands, detected=detected)
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
        detected: Faces | None,
    ) -> Cover:
        """What has to be covered. Arguments as of ``cover``."""
        if self.options.on_lost == "pass":
            self._observer.drop()
            self._start_anew()
            return Cover()
        seen, now = self._observer.result(frame, self._expected), frame.seconds
        cut = self._resized(frame) or cut
        self._forget_after_a_break(now, seen.sight, cut=cut)
        misfits = self._fitting.misfitting(patches, seen.checks, seen.boxes, seen.thumbnail, seen.scale, frame.picture)
        fitting = [patch for patch in patches if patch.track_id not in misfits]
        tracked = self._bystanders.update(faces, chosen, fitting)
        self._people.swapped(fitting, tracked.swapped, now)
        if fitting:
            self._people.spare(self._bystanders.numbers, tracked.bystanders)
        self._follow(frame, seen, tracked, cut=cut)
        self._suspects.note(
            frame,
            tracked,
            seen,
            self._people,
            self.choice,
            everybody=self.everybody,
            unsure=self._settling.unsure(now),
            within=self.options.search_seconds,
            detected=detected,
        )
        unswapped = self._people.unswapped(fitting)
        self._settling.update(
            seen.sight,
            now,
            self.options.settle_seconds,
            searched=self._suspects.searched,
            swapped=bool(fitting),
            everybody=self.everybody,
        )
        missing = self._missing(unswapped, frame)
        known = _known(seen, tracked.accounted, unswapped, hands)
        strangers = self._strangers.update(seen.sight, known, tracked.swapped / seen.cell, self.choice, now)
        all_swapped, somebody = bool(fitting) and not unswapped, strangers is not None
        all_known = self._all_known(known.boxes, fresh=seen.sight.fresh) if all_swapped and not somebody else None
        searched = self._suspects.searched or not self.everybody
        self._expected = Expected(self.choice, all_swapped, somebody, all_known, searched)
        return Cover(
            held=missing.held,
            blurred=missing.blurred,
            people=strangers,
            whole=not self._settling.settled,
            newcomers=seen.faces if unswapped or somebody else None,
            misfits=misfits,
            astray=self._fitting.astray(),
        )

    def _resized(self, frame: Frame) -> bool:
        """Whether this picture is of another size than the one before: what is known is in pixels of that one."""
        size, before = (frame.width, frame.height), self._size
        self._size = size
        return before not in (None, size)

    def _missing(self, unswapped: list[Person], frame: Frame) -> _Missing:
        """Cover those who are known and not swapped: by their last swap, if that is wanted and can be, or blurred."""
        now, options = frame.seconds, self.options
        held: list[Patch | None] = []
        blurred: list[PixelBox] = []
        for person in unswapped:
            holding = options.on_lost == "hold" and now - person.swapped <= options.hold_seconds
            if person.patch is not None and holding and person.followed:
                held.append(moved(person.patch, person.moved, frame))
            else:
                blurred.append(rounded_box(grown(person.box, now - person.seen)))
        return _Missing(tuple(patch for patch in held if patch is not None), tuple(blurred))

    def _all_known(self, boxes: FloatArray, *, fresh: bool) -> AllKnown | None:
        """Where everybody was when it was looked at last, until anybody moves: nobody else is seen now."""
        before, people = self._expected.all_known, self._strangers.accounted
        if people is None:
            return None
        if fresh:
            return AllKnown(people, boxes, self.choice)
        return before if before is not None and before.holds(boxes, self.choice) else None

    def _start_anew(self) -> None:
        """Nothing is known of the clip: while nobody is covered, nobody is watched."""
        self._settling, self._people, self._last, self._size = Settling(), People(), None, None
        self._bystanders.forget()
        self._suspects.forget()
        self._strangers.forget()
        self._expected = Expected(self.choice, searched=not self.everybody)

    def _forget_after_a_break(self, now: float, sight: Sight, *, cut: bool) -> None:
        """After a cut, a gap or in the dark nothing is known any more of who is where."""
        if not sight.readable:
            self._suspects.forget()
        if not self._settling.begin(sight, now, cut=cut):
            return
        self._bystanders.forget()
        self._suspects.forget()
        self._strangers.forget()
        self._expected = Expected(self.choice, searched=not self.everybody)
        if cut:
            self._people.known = {}
        for person in self._people.known.values():
            person.followed = False
            # Time may have stepped back.
            person.seen, person.swapped = min(person.seen, now), min(person.swapped, now)

    def _follow(self, frame: Frame, seen: Observation, tracked: Tracked, *, cut: bool) -> None:
        """Move those who are not swapped to where they are; forget who is gone or swapped under another number."""
        before, self._last = self._last, seen.thumbnail
        unswapped = self._people.unswapped(tracked.patches)
        if not unswapped:
            return
        nobody = np.zeros((0, 4), np.float32)
        others = unexplained(seen.sight.persons, Known(tracked.accounted / seen.cell, nobody)).explained
        for person in unswapped:
            if before is not None and not cut and before.grey.shape == seen.thumbnail.grey.shape:
                person.follow(before, seen.thumbnail, seen.scale)
            person.watch(seen.sight, others, seen.cell, frame.seconds)
        self._people.forget(
            person
            for person in unswapped
            if same_face(person.box, tracked.swapped)
            or (person.patch is None and in_one_of(person.box, tracked.swapped))
            or (
                person.gone(seen.thumbnail, seen.scale, frame.seconds, self.options)
                and not (person.patch is None and self._suspects.is_there(frame, person))
            )
        )


def _known(seen: Observation, boxes: FloatArray, unswapped: list[Person], hands: Sequence[FloatArray]) -> Known:
    """Who is accounted for, in cells; boxes and hands come in pixels."""
    followed = [person.box / seen.cell for person in unswapped if person.followed]
    drawn = silhouette([joints / seen.cell for joints in hands], seen.sight.persons.shape[::-1])
    return Known(
        np.asarray(boxes / seen.cell, np.float32),
        np.array(followed, np.float32).reshape(-1, 4),
        None if drawn is None else drawn > 0,
    )


def hide_all(frame: Frame) -> None:
    """Blur all of a frame, in place: of one that is shown once more, and may not be as it was."""
    obscure_all(Canvas(frame))


def _prepare_blur() -> None:
    """Bring what blurs a face into memory, or have it compiled: no frame with a face to blur may wait for that."""
    obscure(Canvas(Frame(np.zeros((8, 16, 3), np.uint8))), PixelBox(0, 0, 8, 8))
