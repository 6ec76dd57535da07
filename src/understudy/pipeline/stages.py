"""One frame through all stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from understudy.blending import Blender
from understudy.faces import Faces
from understudy.frames import Frame, LabelledFrame
from understudy.pipeline.perception import Perception
from understudy.pipeline.settings import Settings
from understudy.pipeline.timings import Timings
from understudy.provenance import FrameSealer
from understudy.provenance.content import ContentCheck
from understudy.swapping import Identity, Swapper
from understudy.tracking import FaceSelector


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
    ) -> None:
        self._engine, self._identity, self._perception = engine, identity, perception
        self._still = still
        self._tracker = perception.tracker(settings.tracker)
        self._selector = FaceSelector(settings.faces)
        self._blender = Blender(settings.blend)
        self._sealer, self._content = sealer, content
        self.timings = Timings()
        self.frames = 0
        self.frames_swapped = 0
        self.people: set[int] = set()

    def process(self, frame: Frame) -> LabelledFrame:
        """Swap, label and mark ``frame``, in place.

        Raises:
            ContentRefusedError: it is intimate.
        """
        self._content.frame(frame.picture, frame.seconds)
        with self.timings.measure("perceive"):
            faces = self._perceive(frame)
            chosen = self._selector.select(faces)
        with self.timings.measure("swap"):
            patches = self._engine.render(frame, chosen, self._identities(chosen))
        with self.timings.measure("blend"):
            self._blender.blend(frame, patches)
        self.frames += 1
        self.frames_swapped += bool(patches)
        self.people |= {patch.track_id for patch in patches}
        with self.timings.measure("seal"):
            return self._sealer.seal(frame, faces)

    def _perceive(self, frame: Frame) -> Faces:
        if self._still:
            return self._perception.still(frame.picture)
        result = self._tracker.update(frame)
        if result.cut:
            self._blender.reset()
        return result.faces

    def _identities(self, faces: Faces) -> Mapping[int, Identity]:
        ids = [] if faces.track_ids is None else faces.track_ids.tolist()
        return dict.fromkeys(ids, self._identity)
