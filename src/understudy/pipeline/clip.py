"""The frames of a clip through all stages."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import NamedTuple

from understudy.arrays import UInt8Array
from understudy.casting.assignment import Assignment
from understudy.casting.course import Course, Now
from understudy.casting.roles import BLUR, Roles
from understudy.frames import Frame, LabelledFrame
from understudy.guard import unguarded
from understudy.guard.blurring import Blurring
from understudy.pipeline.ahead import Ahead
from understudy.pipeline.coming import Coming
from understudy.pipeline.comparing import Comparing
from understudy.pipeline.compositing import Compositing
from understudy.pipeline.enhancing import Enhancing
from understudy.pipeline.fading import Fading
from understudy.pipeline.framing import Framing
from understudy.pipeline.handover import Handover
from understudy.pipeline.overlap import prefetched
from understudy.pipeline.parts import Parts
from understudy.pipeline.perceiving import Acquainted, Perceiving, Seen
from understudy.pipeline.rendering import Rendering
from understudy.pipeline.sealing import sealed
from understudy.pipeline.tally import Swapped, Tally


class Stretch(NamedTuple):
    """What of the frames that come is sealed.

    Those before are looked at and swapped, so that all is known that goes from one frame to the next. Those behind are
    looked at only where it must be known who comes.

    Attributes:
        first: The time of the first frame, in units of its time base.
        last: Of the last one; None for all to the end.
    """

    first: int
    last: int | None


class ClipPipeline:
    """Swaps faces in one clip. Frames come in order; faces are followed from one to the next, people also over cuts.

    Args:
        parts: What the stages are made of.
        assignment: Who gets whose face.
        stretch: What of the frames is sealed; None for all.
        acquainted: Who is known before.
        handover: What of the last frames comes of the segment that is next; nothing of none.

    Attributes:
        tally: What was done so far.
    """

    def __init__(
        self,
        parts: Parts,
        assignment: Assignment,
        stretch: Stretch | None = None,
        acquainted: Acquainted | None = None,
        handover: Handover | None = None,
    ) -> None:
        settings, perception = parts.settings, parts.perception
        self._stretch = stretch
        self._handover = handover or Handover()
        self._parts, self._assignment = parts, assignment
        self._roles = assignment if isinstance(assignment, Roles) else None
        self._perceiving = Perceiving(parts, live=False, roles=self._roles, acquainted=acquainted)
        self._hands = perception.hands(live=False)
        self._rendering = Rendering(parts.engine)
        self._fading = Fading()
        self._compositing = Compositing(settings.blend, models=parts.masks)
        self._enhancing = Enhancing(parts)
        self._blurring, self._blurring_all = Blurring(), Blurring()
        #: Whether anything is blurred in the last frame.
        self._blurred = False
        self._course, self._adopted = Course(settings), settings
        self._comparing = Comparing(settings.compare)
        self._framing = Framing(settings.frame, parts.pixel_aspect)
        self.tally = Tally(self._rendering.counts)
        #: Of the frames that are not sealed: nobody asks for it.
        self._unasked = Tally()

    def processed(self, frames: Iterable[Frame], beside: int = 0) -> Generator[LabelledFrame, None, None]:
        """Swap, label and mark frames, in place. Where each person gets another face, some are looked at ahead.

        Args:
            frames: The clip's.
            beside: How many frames two threads may be ahead, one that looks who is in them and one that swaps; 0 for no
                such threads.

        Raises:
            ContentRefusedError: one is intimate.
        """
        with (
            closing(prefetched(self._looked(frames), beside, "perceive")) as seen,
            closing(prefetched(map(self._swapped_beside, seen), beside, "swap")) as swapped,
        ):
            for frame, done, original in swapped:
                if self._counts(frame):
                    yield self._sealed(frame, done, original)
                else:
                    self._parts.sealer.pass_by(frame, done.placed)

    def swapped(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Swapped]]:
        """Those frames that ``processed`` would seal, swapped and not sealed: for another pipeline, not for a sink.

        Raises:
            ContentRefusedError: one is intimate.
        """
        for frame, seen in self._looked(frames):
            done = self._swapped(frame, seen)
            if self._counts(frame):
                yield frame, done

    def process(self, frame: Frame) -> LabelledFrame:
        """Swap, label and mark ``frame``, in place.

        Raises:
            ContentRefusedError: it is intimate.
        """
        original = self._comparing.original(frame)
        return self._sealed(frame, self.swap(frame), original)

    def swap(self, frame: Frame) -> Swapped:
        """``process`` without what comes after the swap: no labelled frame comes out, so no sink takes it.

        Raises:
            ContentRefusedError: it is intimate.
        """
        return self._swapped(frame, self._perceive(frame))

    def _looked(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Seen]]:
        """Frames and who is in them, up to the last one that is sealed: of what comes next no more is asked for."""
        if self._roles is None:
            looked: Iterator[tuple[Frame, Seen]] = ((frame, self._perceive(frame)) for frame in frames)
        else:
            looked = Ahead(self._perceiving, self._perceive)(frames)
            looked = Coming(self._roles)(looked) if self._roles.blurs else looked
        last = None if self._stretch is None else self._stretch.last
        for frame, seen in looked:
            if last is None or frame.pts <= last:
                yield frame, seen
            if last is not None and frame.pts >= last:
                return

    def _counts(self, frame: Frame) -> bool:
        """Whether a frame is sealed, and not one of those before."""
        return self._stretch is None or frame.pts >= self._stretch.first

    def _tally_of(self, frame: Frame) -> Tally:
        return self.tally if self._counts(frame) else self._unasked

    def _swapped_beside(self, looked: tuple[Frame, Seen]) -> tuple[Frame, Swapped, UInt8Array | None]:
        frame, seen = looked
        original = self._comparing.original(frame) if self._counts(frame) else None
        before = self._handover.original(frame)
        done = self._swapped(frame, seen)
        if not self._blurred:  # the next segment may not know yet, or any more, whom to blur
            self._handover.compose(unguarded(frame), done, before)
        return frame, done, original

    def _perceive(self, frame: Frame) -> Seen:
        with self._tally_of(frame).timings.measure("perceive"):
            seen = self._perceiving(frame)
            last = None if self._stretch is None else self._stretch.last
            if self._counts(frame) and (last is None or frame.pts <= last):
                self._parts.content.frame(frame.picture, frame.seconds, cut=seen.cut)
            return seen

    def _sealed(self, frame: Frame, done: Swapped, original: UInt8Array | None) -> LabelledFrame:
        measure = self.tally.timings.measure
        if original is not None:
            with measure("compare"):
                done = self._comparing.compose(frame, original, done)
        if done.view is not None:
            with measure("frame"):
                done = self._framing.compose(frame, done, done.view)
        with measure("seal"):
            return sealed(self._parts.sealer, frame, done)

    def _swapped(self, frame: Frame, seen: Seen) -> Swapped:
        tally, chosen = self._tally_of(frame), seen.chosen
        measure = tally.timings.measure
        if tally is self.tally and not tally.frames:
            tally.carried.clear()  # of the frames before
        if seen.cut or seen.mistaken:
            self._forget(cut=seen.cut)
        tally.rename(seen.renamed)
        now = self._adopt(frame)
        with measure("swap"):
            assigned = self._assignment.assign(chosen)
            assigned = assigned if now is None else now.applied(assigned)
            unseen = now is not None and now.do is not None
            patches = self._rendering.render(frame, chosen, assigned, unseen=unseen)
            patches = self._fading(patches, chosen, frame.seconds, whole=False)
        with measure("blend"):
            before_faces = self._parts.settings.blend.occlusion.hands
            hands = self._hands.update(frame, chosen.boxes_xyxy) if before_faces else []
            canvas = unguarded(frame)
            self._compositing.relight(self._rendering.turning(patches))
            masks = self._compositing.compose(canvas, patches, assigned, hands, seen.faces)
            self._rendering.hidden(frame, patches, self._compositing.in_front)
            self._enhancing.forget(self._compositing.reassigned)
            self._blurred = False
            if self._roles is not None:  # over what was drawn: who is blurred may be before somebody who is swapped
                blurred = self._roles.blurred(chosen)
                self._blurred = self._blurring(canvas, blurred, seen.faces, cut=seen.cut, coming=seen.coming)
            if now is not None and now.do is not None:
                patches, masks, assigned = [], [], {}  # they were drawn unseen
            if now is not None and now.do == BLUR:
                self._blurred |= self._blurring_all(canvas, chosen, seen.faces, cut=seen.cut)
        scale = 1
        if self._enhancing.asked(assigned):
            with measure("enhance"):
                scale = self._enhancing(canvas, patches, masks, assigned)
        view = self._framing.view(frame, chosen, scale=scale, cut=seen.cut)
        return tally.add(Swapped(seen.faces, patches, scale=scale, view=view))

    def _adopt(self, frame: Frame) -> Now | None:
        """What holds for a frame, where that may differ; what is remembered from one to the next stays."""
        now = self._course.at(frame.seconds)
        if now is not None and now.settings is not self._adopted:
            self._adopted = now.settings
            self._compositing.adopt(now.settings.blend)
            self._enhancing.adopt(now.settings.enhance)
        return now

    def _forget(self, *, cut: bool) -> None:
        """What comes next is another shot, or what was learned of faces was not of those whose they were taken for."""
        if cut:
            self._hands.forget()
        self._rendering.forget()
        self._compositing.forget()
        self._enhancing.forget()
