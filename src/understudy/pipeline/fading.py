"""Lets go of a swap before it breaks: where the mesh no longer fits, a face that is drawn on it has two noses.

The mesh model says how sure it is that what it fitted is a face. On faces that are seen well that is 1, also behind a
hand; it falls when a head turns away beyond what the model has seen, some 60 degrees to the side, while its mesh still
looks straight ahead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from understudy.arrays import UInt8Array
from understudy.faces import Faces
from understudy.patches import Patch, Warp

#: Presence at which nothing is shown any more, and from which all is.
_GONE, _SURE = 0.6, 0.9
#: Seconds in which a swap comes back.
_BACK: Final = 0.25
#: A swap that is shown less than this is none.
_LEAST: Final = 0.5


class Fading:
    """How far each person's swap is shown. Frames come in order."""

    def __init__(self) -> None:
        self._shares: dict[int, tuple[float, float]] = {}

    def __call__(self, patches: list[Patch], faces: Faces, seconds: float, *, whole: bool) -> list[Patch]:
        """The patches as far as their meshes are to be trusted.

        Args:
            patches: One a face at most.
            faces: With ``scores`` and ``track_ids``.
            seconds: The frame's time.
            whole: Show a patch whole or not at all: nothing may shine through.
        """
        if faces.scores is None or faces.track_ids is None:
            return patches
        shares = {
            number: self._share(number, float(score), seconds)
            for number, score in zip(faces.track_ids.tolist(), faces.scores, strict=True)
        }
        self._shares = {number: (share, seconds) for number, share in shares.items()}
        if whole:
            return [patch for patch in patches if shares.get(patch.track_id, 1.0) >= _LEAST]
        shown = [_thinned(patch, shares.get(patch.track_id, 1.0)) for patch in patches]
        return [patch for patch in shown if patch is not None]

    def _share(self, number: int, presence: float, seconds: float) -> float:
        """How far a person is shown: less at once, more step by step, so that nothing flickers."""
        share = float(np.clip((presence - _GONE) / (_SURE - _GONE), 0, 1))
        before, then = self._shares.get(number, (1.0, seconds))
        passed = seconds - then
        return min(share, before + passed / _BACK) if 0 <= passed < 1 else share


def _thinned(patch: Patch, share: float) -> Patch | None:
    """The patch with its opacity times ``share``, and moving what is under it so much less."""
    if share >= 1:
        return patch
    if share <= 0:
        return None
    alpha: UInt8Array = (patch.alpha * np.float32(share)).astype(np.uint8)
    warp = None if patch.warp is None else Warp(patch.warp.mesh, patch.warp.field * np.float32(share))
    return replace(patch, alpha=alpha, warp=warp)
