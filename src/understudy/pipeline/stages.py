"""One frame through all stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from understudy.arrays import FloatArray
from understudy.blending import Blender
from understudy.each import Each
from understudy.errors import UsageError
from understudy.face import Faces
from understudy.frames import Frame, LabelledFrame
from understudy.guard import Cover, Guard, unguarded
from understudy.guard.freezing import Freezing
from understudy.patches import Patch
from understudy.pipeline.fading import Fading
from understudy.pipeline.overlap import ParallelMap
from understudy.pipeline.timings import Timings
from understudy.provenance import FrameSealer
from understudy.provenance.content import ContentCheck
from understudy.resources.perception import Perception
from understudy.settings import Settings
from understudy.swapping import Identity, Swapper
from understudy.tracking import FaceSelector
from understudy.tracking.hands import BESIDE, NEAR


class Swapped(NamedTuple):
    """What was done to a frame.

    Attributes:
        faces: Everybody in it, as they were before.
        patches: What was blended in, swaps of earlier frames that are held included.
        cover: What had to be covered.
    """

    faces: Faces
    patches: list[Patch]
    cover: Cover


class FaceSwap:
    """Swaps one identity onto the chosen faces of one clip, frame after frame.

    Args:
        engine: Renders the identity.
        identity: What ``engine.identity`` learned.
        perception: Finds and follows the faces.
        settings: Everything else.
        sealer: Labels and marks what comes out.
        content: Looks at what comes in.
        still: The clip is one photo: look more thoroughly, smooth nothing.
        guard: Covers faces that should be swapped and are not; None to leave them.

    Raises:
        UsageError: the engine takes a content classifier, and there is none.
    """

    def __init__(
        self,
        engine: Swapper[Any],
        identity: Identity,
        perception: Perception,
        settings: Settings,
        sealer: FrameSealer,
        content: ContentCheck,
        *,
        still: bool,
        guard: Guard | None = None,
    ) -> None:
        if engine.photoreal and not content.classifies:
            raise UsageError(
                "this engine does not run without a content classifier", "Give one: Understudy(classifier=…)."
            )
        self._engine, self._perception = engine, perception
        self._renderer = engine.renderer()
        #: Whose face is put in; may be changed between frames.
        self.identity = identity
        self._guard = guard
        # Live, latency counts: several faces at once. A file's decoder and encoder keep the other cores busy anyway.
        live = guard is not None
        self._each: Each = ParallelMap() if live else map
        self._cut = False
        self._freezing = Freezing()
        self._still = still
        self._tracker = perception.tracker(
            replace(settings.tracker, max_fits=settings.tracker.max_fits or 1) if live else settings.tracker
        )
        self._hands = perception.hands(live=live)
        self._look_for_hands(settings)
        self._fading = Fading()
        self._chosen: Faces | None = None
        self._shown_identity = identity
        self._selector = FaceSelector(settings.faces)
        self._blender = Blender(settings.blend)
        self._sealer, self.content = sealer, content
        self.timings = Timings()
        self.frames = 0
        self.frames_swapped = 0
        self.frames_covered = 0
        self.people: set[int] = set()

    def adopt(self, settings: Settings) -> None:
        """Take over ``blend``, ``faces`` and ``guard`` of other settings, between two frames."""
        if settings.faces != self._selector.choice:
            self._selector = FaceSelector(settings.faces)
        if settings.blend != self._blender.options:
            self._blender = Blender(settings.blend)
        if self._guard is not None:
            self._guard.options, self._guard.choice = settings.guard, settings.faces
        self._look_for_hands(settings)

    def _look_for_hands(self, settings: Settings) -> None:
        """Where everybody is to be swapped, a hand beside a face must not be taken for somebody else."""
        self._hands.margin = BESIDE if self._guard is not None and settings.faces == "all" else NEAR

    def process(self, frame: Frame) -> LabelledFrame:
        """Swap, label and mark ``frame``, in place.

        Raises:
            ContentRefusedError: it is intimate.
        """
        faces = self.swap(frame).faces
        with self.timings.measure("seal"):
            labelled = self._sealer.seal(frame, faces)
        # Of a large photo one more copy would be too much: what was processed is given up.
        frame.picture, frame.alpha = labelled.frame.picture, labelled.frame.alpha
        frame.changes.clear()
        return labelled

    def swap(self, frame: Frame) -> Swapped:
        """All but the last of ``process``: what comes out is no labelled frame, so no sink takes it.

        Raises:
            ContentRefusedError: it is intimate.
        """
        self.content.frame(frame.picture, frame.seconds)
        if self.identity is not self._shown_identity:
            # What was learned of the light on one face would put another in the wrong one.
            self._shown_identity = self.identity
            self._blender.reset()
        if self._guard is not None:
            self._guard.look_ahead(frame)
        with self.timings.measure("perceive"):
            faces, chosen, hands = self._perceive(frame)
        with self.timings.measure("swap"):
            patches = self._rendered(frame, chosen)
            if not self._still:
                hidden = self._guard is not None and self._guard.options.on_lost != "pass"
                patches = self._fading(patches, chosen, frame.seconds, whole=hidden)
        cover, canvas = Cover(), unguarded(frame)
        if self._guard is not None:
            with self.timings.measure("guard"):
                cover, canvas = self._guard.cover(frame, faces, chosen, patches, cut=self._cut, hands=hands)
                patches = [patch for patch in patches if patch.track_id not in cover.beside]
                patches += cover.held
                if cover.newcomers is not None:
                    self._tracker.offer(cover.newcomers)
                self._tracker.let_go(cover.astray)
        with self.timings.measure("blend"):
            self._blender.blend(canvas, patches, self._each, hands)
        if self._guard is not None and self._guard.options.on_lost == "freeze":
            self._freezing(canvas, covered=cover.any)
        self.frames_covered += cover.any
        self.frames += 1
        self.frames_swapped += bool(patches)
        self.people |= {patch.track_id for patch in patches}
        return Swapped(faces, patches, cover)

    def close(self) -> None:
        """End what runs beside."""
        if self._guard is not None:
            self._guard.close()
        if isinstance(self._each, ParallelMap):
            self._each.close()
        self._hands.close()

    def _rendered(self, frame: Frame, chosen: Faces) -> list[Patch]:
        identities = self._identities(chosen)
        each = self._each(lambda face: self._renderer.render(frame, face, identities), chosen)
        return [patch for patches in each for patch in patches]

    def _perceive(self, frame: Frame) -> tuple[Faces, Faces, list[FloatArray]]:
        """Who is there, who of them is swapped, and which hands are before them.

        Live, hands that are known are followed at the same time, by where the faces were in the frame before.
        """
        before, self._chosen = self._chosen, None
        if not self._blender.options.occlusion.hands:
            return *self._perceive_chosen(frame), []
        if before is None or not len(before) or not (isinstance(self._each, ParallelMap) and self._hands.following):
            faces, self._chosen = self._perceive_chosen(frame)
            if self._cut:
                self._hands.forget()
            return faces, self._chosen, self._hands.update(frame, self._chosen.boxes_xyxy)
        jobs: list[Callable[[], Any]] = [
            partial(self._perceive_chosen, frame),
            partial(self._hands.update, frame, before.boxes_xyxy),
        ]
        (faces, self._chosen), hands = self._each(lambda job: job(), jobs)
        if self._cut:
            self._hands.forget()
            hands = []
        return faces, self._chosen, hands

    def _perceive_chosen(self, frame: Frame) -> tuple[Faces, Faces]:
        faces = self._perceive_faces(frame)
        return faces, self._selector.select(faces, frame.seconds)

    def _perceive_faces(self, frame: Frame) -> Faces:
        self._cut = False
        if self._still:
            return self._perception.still(frame.picture)
        result = self._tracker.update(frame)
        self._cut = result.cut
        if result.cut:
            self._renderer = self._engine.renderer()
            self._blender.reset()
            self._selector.reset()
        return result.faces

    def _identities(self, faces: Faces) -> Mapping[int, Identity]:
        ids = [] if faces.track_ids is None else faces.track_ids.tolist()
        return dict.fromkeys(ids, self.identity)
