"""Enhancement of what was just put into a frame: everybody's as the settings say, or as they were assigned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.canvas import Canvas
from understudy.casting.assignment import Assigned
from understudy.enhancement import EnhanceOptions, Enhancer, SwappedFace
from understudy.patches import Patch
from understudy.pipeline.parts import Parts


class Enhancing:
    """Of one clip. Frames come in order. Whoever asks nothing of it pays nothing for it.

    Args:
        parts: The settings, and the models that they name.
        live: Whether no frame may wait for a restorer.
    """

    def __init__(self, parts: Parts, *, live: bool = False) -> None:
        self._parts, self._live = parts, live
        self._options = parts.settings.enhance
        self._enhancer: Enhancer | None = None

    def asked(self, assigned: Mapping[int, Assigned]) -> bool:
        """Whether anything is to be enhanced: of the frame, or of those who are in it."""
        if self._options.steps:
            return True
        return any(one.enhance is not None and one.enhance.steps for one in assigned.values())

    def __call__(
        self,
        canvas: Canvas,
        patches: Sequence[Patch],
        masks: Sequence[UInt8Array | None],
        assigned: Mapping[int, Assigned],
    ) -> int:
        """Enhance a frame.

        Args:
            canvas: Of the frame, with the patches in it.
            patches: What was written.
            masks: Where each is seen (see ``Compositing.compose``).
            assigned: What the tracks that are there were assigned.

        Returns:
            How many times as large the frame is now.

        Raises:
            ModelError: a model failed.
        """
        if self._enhancer is None:
            self._enhancer = Enhancer(self._options, self._parts.enhancers, beside=self._live)
        own = [assigned[patch.track_id].enhance if patch.track_id in assigned else None for patch in patches]
        faces = [_swapped(patch, mask) for patch, mask in zip(patches, masks, strict=True)]
        return self._enhancer.enhance(canvas, faces, own)

    def adopt(self, options: EnhanceOptions) -> None:
        """Take over other options, between two frames. What is done as before goes on with what it knows."""
        self._options = options
        if self._enhancer is not None:
            self._enhancer.options = options

    @property
    def every(self) -> float | None:
        """In how many frames what a restorer gave once was shown, on average; None where none gave anything yet."""
        found = self._enhancer
        return None if found is None or not found.runs else round(found.frames / found.runs, 2)

    def forget(self, tracks: Sequence[int] | None = None) -> None:
        """What was added to some tracks' faces is of no account any more; to all, if None: another shot comes."""
        if self._enhancer is not None:
            self._enhancer.forget(tracks)

    def close(self) -> None:
        """End what runs beside."""
        if self._enhancer is not None:
            self._enhancer.close()


def _swapped(patch: Patch, mask: UInt8Array | None) -> SwappedFace:
    """Where a swap is seen, and how far: nothing else is enhanced."""
    shown = patch.alpha if mask is None else np.asarray(cv2.multiply(patch.alpha, mask, scale=1 / 255), np.uint8)
    if patch.share < 1:
        shown = np.asarray(shown * np.float32(patch.share), np.uint8)
    return SwappedFace(patch.box, shown, patch.mesh if patch.warp is None else patch.warp.mesh, patch.track_id)
