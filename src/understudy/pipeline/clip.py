"""The frames of a clip through all stages."""

from __future__ import annotations

from understudy.casting.assignment import Assignment
from understudy.frames import Frame, LabelledFrame
from understudy.guard import unguarded
from understudy.pipeline.compositing import Compositing
from understudy.pipeline.enhancing import Enhancing
from understudy.pipeline.fading import Fading
from understudy.pipeline.parts import Parts
from understudy.pipeline.perceiving import Perceiving
from understudy.pipeline.rendering import Rendering
from understudy.pipeline.sealing import sealed
from understudy.pipeline.tally import Swapped, Tally


class ClipPipeline:
    """Swaps faces in one clip. Frames come in order; faces are followed from one to the next, people also over cuts.

    Args:
        parts: What the stages are made of.
        assignment: Who gets whose face.

    Attributes:
        tally: What was done so far.
    """

    def __init__(self, parts: Parts, assignment: Assignment) -> None:
        settings, perception = parts.settings, parts.perception
        self._parts, self._assignment = parts, assignment
        self._perceiving = Perceiving(parts, live=False)
        self._hands = perception.hands(live=False)
        self._rendering = Rendering(parts.engine)
        self._fading = Fading()
        self._compositing = Compositing(settings.blend)
        self._enhancing = Enhancing(parts)
        self.tally = Tally()

    def process(self, frame: Frame) -> LabelledFrame:
        """Swap, label and mark ``frame``, in place.

        Raises:
            ContentRefusedError: it is intimate.
        """
        done = self.swap(frame)
        with self.tally.timings.measure("seal"):
            return sealed(self._parts.sealer, frame, done)

    def swap(self, frame: Frame) -> Swapped:
        """All but the last of ``process``: what comes out is no labelled frame, so no sink takes it.

        Raises:
            ContentRefusedError: it is intimate.
        """
        parts, measure = self._parts, self.tally.timings.measure
        with measure("perceive"):
            seen = self._perceiving(frame)
            parts.content.frame(frame.picture, frame.seconds, cut=seen.cut)
            if seen.cut or seen.mistaken:
                self._forget(cut=seen.cut)
            self.tally.rename(seen.renamed)
            chosen = seen.chosen
            before_faces = parts.settings.blend.occlusion.hands
            hands = self._hands.update(frame, chosen.boxes_xyxy) if before_faces else []
        with measure("swap"):
            assigned = self._assignment.assign(chosen)
            patches = self._rendering.render(frame, chosen, assigned)
            patches = self._fading(patches, chosen, frame.seconds, whole=False)
        canvas = unguarded(frame)
        with measure("blend"):
            masks = self._compositing.compose(canvas, patches, assigned, hands)
        scale = 1
        if self._enhancing.asked(assigned):
            with measure("enhance"):
                scale = self._enhancing(canvas, patches, masks, assigned)
        return self.tally.add(Swapped(seen.faces, patches, scale=scale))

    def _forget(self, *, cut: bool) -> None:
        """What comes next is another shot, or what was learned of faces was not of those whose they were taken for."""
        if cut:
            self._hands.forget()
        self._rendering.forget()
        self._compositing.forget()
        self._enhancing.forget()
