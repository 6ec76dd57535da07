"""From patches to pixels: the light on each face is measured, what is before it masked, and the patch blended in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.blending import Blender, Lighting, tint
from understudy.canvas import Canvas
from understudy.casting.assignment import Assigned
from understudy.each import Each
from understudy.face import Faces
from understudy.masking import Masking
from understudy.masking.base import MaskModel
from understudy.masking.masks import NO_MODELS
from understudy.masking.running import AtOnce, Runner
from understudy.patches import Patch
from understudy.settings.blend import BlendOptions
from understudy.swapping import Identity

#: Tracks whose identity is remembered, at most: those longest unseen go first.
_REMEMBERED = 64


class Compositing:
    """Puts the patches of one clip into its frames. Frames come in order.

    What is remembered of a track is forgotten when it is assigned another identity: what was learned of the light on
    one face would put another in the wrong one.

    Args:
        options: How; the strength is not asked: each patch has its own.
        each: How several patches are done; those that overlap are blended one after the other.
        models: The models of masks that are open, by name.
        runner: When they run; in the frame at hand if None. It is closed with this.

    Attributes:
        reassigned: The tracks that were assigned another identity in the last frame than before.
        in_front: Of the patches of the last frame: where each is seen but for what was not chosen of it (see
            ``PatchMask``).
    """

    def __init__(
        self,
        options: BlendOptions | None = None,
        each: Each = map,
        models: Mapping[str, MaskModel] = NO_MODELS,
        runner: Runner | None = None,
    ) -> None:
        self._options, self._each = options or BlendOptions(), each
        self._models, self._runner = models, runner or AtOnce()
        self._lighting = Lighting(self._options.light)
        self._masking = self._new_masking()
        self._blender = Blender(self._options.detail)
        self._identities: dict[int, Identity] = {}
        self.reassigned: list[int] = []
        self.in_front: list[UInt8Array | None] = []

    def compose(
        self,
        canvas: Canvas,
        patches: Sequence[Patch],
        assigned: Mapping[int, Assigned] | None = None,
        hands: Sequence[FloatArray] = (),
        faces: Faces | None = None,
    ) -> list[UInt8Array | None]:
        """Write patches into a frame.

        Args:
            canvas: Of the frame.
            patches: What is written. Some may be of tracks that are not there now: swaps of earlier frames.
            assigned: What the tracks that are there were assigned; None where nobody is ever assigned another.
            hands: The joints of hands, float32 (21, 2) each, in pixels of the frame: they stay in front.
            faces: Everybody in the frame, with meshes and track ids: also those of whom there is no patch.

        Returns:
            Where each patch is seen, uint8 of its size: 255 shows the patch, 0 what is in front; None: all is shown.
        """
        self.reassigned = self._reassigned(assigned or {})
        self._forget(self.reassigned)
        frame, each = canvas.frame, self._each
        lights = self._lighting.measure(frame, patches, each)
        chosen = None if assigned is None else {track: one.mask for track, one in assigned.items()}
        masks = self._masking.masks(frame, patches, lights, hands, each, chosen, _meshes(faces))
        self.in_front = [mask.in_front for mask in masks]
        if self._options.show == "mask":
            tint(canvas, patches, masks)
            return [np.zeros_like(patch.alpha) for patch in patches]  # nothing of them is seen
        self._blender.blend(canvas, patches, lights, masks, each)
        return [mask.shown for mask in masks]

    def relight(self, tracks: Sequence[int]) -> None:
        """Measure the light anew on some tracks: what is drawn there next is lit in another way than what was."""
        self._lighting.forget(tracks)

    def adopt(self, options: BlendOptions) -> None:
        """Take over other options, between two frames. What is done as before goes on with what it knows."""
        before, self._options = self._options, options
        if options.light != before.light:
            self._lighting = Lighting(options.light)
        if options.occlusion != before.occlusion:
            self._masking = self._new_masking()
        self._masking.options = options.mask
        if options.detail != before.detail:
            self._blender = Blender(options.detail)

    def forget(self) -> None:
        """What comes next is another shot."""
        self._forget()
        self._identities.clear()

    def close(self) -> None:
        """End what runs beside."""
        self._runner.close()

    def _new_masking(self) -> Masking:
        return Masking(self._options.occlusion, self._options.mask, self._models, self._runner)

    def _forget(self, tracks: Sequence[int] | None = None) -> None:
        self._lighting.forget(tracks)
        self._masking.forget(tracks)
        self._blender.forget(tracks)

    def _reassigned(self, assigned: Mapping[int, Assigned]) -> list[int]:
        """The tracks that were assigned another identity than when they were there last."""
        known, changed = self._identities, []
        for track, one in assigned.items():
            if known.pop(track, one.identity) is not one.identity:
                changed.append(track)
            known[track] = one.identity
        for track in list(known)[:-_REMEMBERED]:
            del known[track]
        return changed


def _meshes(faces: Faces | None) -> dict[int, FloatArray]:
    """Meshes by track."""
    if faces is None or faces.mesh is None or faces.track_ids is None:
        return {}
    return dict(zip(faces.track_ids.tolist(), faces.mesh, strict=True))
