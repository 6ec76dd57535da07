"""A mask for each patch of a frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.each import Each
from understudy.frames import Frame
from understudy.masking.occlusion import Occlusion, OcclusionOptions
from understudy.patches import Light, Patch
from understudy.per_track import PerTrack


class Masking:
    """Says where each patch is seen, and remembers what hides whom.

    Args:
        options: What is left in front.
    """

    def __init__(self, options: OcclusionOptions | None = None) -> None:
        self._people = PerTrack(lambda: Occlusion(options))

    def masks(
        self,
        frame: Frame,
        patches: Sequence[Patch],
        lights: Sequence[Light],
        hands: Sequence[FloatArray] = (),
        each: Each = map,
    ) -> list[UInt8Array | None]:
        """The masks of some patches.

        Args:
            frame: The frame under them; it is only read.
            patches: Theirs.
            lights: What was measured of the light on each.
            hands: The joints of hands, float32 (21, 2) each, in pixels of the frame.
            each: Calls a function with each of several items.

        Returns:
            uint8 of each patch's size: 255 shows the patch, 0 the frame; None where nothing is in front.
        """

        def mask(of: tuple[Patch, Light, Occlusion]) -> UInt8Array | None:
            patch, light, person = of
            corner = np.array([patch.box.x0, patch.box.y0, 0], np.float32)
            drawn = patch.mesh if patch.warp is None else patch.warp.mesh
            return person.visible(
                frame.part(patch.box),
                patch.uv,
                light.tones,
                frame.seconds,
                [joints - corner[:2] for joints in hands],
                mesh=None if patch.over_beard else drawn - corner,
                patient=light.fresh,
            )

        people = self._people.of([patch.track_id for patch in patches])
        return list(each(mask, zip(patches, lights, people, strict=True)))

    def forget(self, tracks: Sequence[int] | None = None) -> None:
        """Forget what hides some tracks; all if None."""
        self._people.forget(tracks)
