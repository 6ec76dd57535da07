"""One photo through all stages."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace

from understudy.casting.assignment import Assignment
from understudy.casting.course import Now
from understudy.casting.placing import told_apart
from understudy.casting.roles import BLUR, Roles
from understudy.face import Faces
from understudy.frames import Frame, LabelledFrame
from understudy.guard import unguarded
from understudy.guard.blurring import Blurring
from understudy.pipeline.comparing import Comparing
from understudy.pipeline.compositing import Compositing
from understudy.pipeline.enhancing import Enhancing
from understudy.pipeline.framing import Framing
from understudy.pipeline.parts import Parts
from understudy.pipeline.rendering import Rendering
from understudy.pipeline.sealing import sealed
from understudy.pipeline.tally import Swapped, Tally
from understudy.tracking import FaceSelector


class PhotoPipeline:
    """Swaps faces in photos. Each is looked at thoroughly and by itself: nothing is remembered of another.

    Args:
        parts: What the stages are made of.
        assignment: Who gets whose face.
        now: Of a frame of a clip: what holds for it; None for the settings.

    Attributes:
        tally: What was done.
    """

    def __init__(self, parts: Parts, assignment: Assignment, now: Now | None = None) -> None:
        self._parts, self._assignment, self._now = parts, assignment, now
        self._framing = Framing(parts.settings.frame, parts.pixel_aspect)
        self.tally = Tally()

    def processed(self, frames: Iterable[Frame]) -> Generator[LabelledFrame, None, None]:
        """Swap, label and mark photos, in place.

        Raises:
            ContentRefusedError: one is intimate.
        """
        yield from map(self.process, frames)

    def process(self, frame: Frame) -> LabelledFrame:
        """Swap, label and mark ``frame``, in place.

        Raises:
            ContentRefusedError: it is intimate.
        """
        measure, comparing = self.tally.timings.measure, Comparing(self._parts.settings.compare)
        original = comparing.original(frame)
        done = self.swap(frame)
        if original is not None:
            with measure("compare"):
                done = comparing.compose(frame, original, done)
            del original
        if done.view is not None:
            with measure("frame"):
                done = self._framing.compose(frame, done, done.view)
        with measure("seal"):
            return sealed(self._parts.sealer, frame, done)

    def swap(self, frame: Frame) -> Swapped:
        """``process`` without what comes after the swap: no labelled frame comes out, so no sink takes it.

        Raises:
            ContentRefusedError: it is intimate.
        """
        parts, settings, measure = self._parts, self._parts.settings, self.tally.timings.measure
        parts.content.still(frame.picture)
        with measure("perceive"):
            faces = parts.perception.still(frame.picture)
            faces, chosen = self._chosen(frame, faces)
            before_faces = settings.blend.occlusion.hands
            hands = parts.perception.hands(live=False).update(frame, chosen.boxes_xyxy) if before_faces else []
        with measure("swap"):
            assigned, now = self._assignment.assign(chosen), self._now
            assigned = assigned if now is None else {} if now.do is not None else now.applied(assigned)
            rendering = Rendering(parts.engine)
            patches = rendering.render(frame, chosen, assigned)
            self.tally.carried.missed += rendering.counts.missed
        canvas = unguarded(frame)
        with measure("blend"):
            masks = Compositing(settings.blend, models=parts.masks).compose(canvas, patches, assigned, hands, faces)
            if isinstance(self._assignment, Roles):  # over what was drawn: they may be before somebody who is swapped
                Blurring()(canvas, self._assignment.blurred(chosen), faces, cut=True)
            if now is not None and now.do == BLUR:
                Blurring()(canvas, chosen, faces, cut=True)
        scale, enhancing = 1, Enhancing(parts)
        if enhancing.asked(assigned):
            with measure("enhance"):
                scale = enhancing(canvas, patches, masks, assigned)
        view = self._framing.view(frame, chosen, scale=scale, cut=True)
        return self.tally.add(Swapped(faces, patches, scale=scale, view=view))

    def _chosen(self, frame: Frame, faces: Faces) -> tuple[Faces, Faces]:
        """Everybody, and those whose faces must not be seen as they are."""
        roles, embedder = self._assignment, self._parts.embedder
        if not isinstance(roles, Roles) or embedder is None:
            return faces, FaceSelector(self._parts.settings.faces).select(faces, frame.seconds)
        people = told_apart(embedder.embed(frame.picture, faces), roles.people, embedder)
        faces = replace(faces, person_ids=people)
        return faces, roles.chosen(faces)
