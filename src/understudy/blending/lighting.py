"""The light under each patch of a frame, measured before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from understudy.blending.light import GRID, LightOptions, LightTransfer
from understudy.each import Each
from understudy.frames import Frame
from understudy.patches import Light, Patch
from understudy.per_track import PerTrack

#: Coefficients that leave every colour as it is.
_OWN: Final = np.ones((GRID, GRID, 7), np.float32)
_OWN[:, :, 6] = 0
_OWN.flags.writeable = False
#: Times these, coefficients leave the colours of shadows as they are.
_WITH_SHADOWS: Final = np.array([1, 1, 1, 1, 1, 1, 0], np.float32)


class Lighting:
    """Measures the light on each face, and remembers it.

    Args:
        options: Limits of the light and colour transfer.
    """

    def __init__(self, options: LightOptions | None = None) -> None:
        self._people = PerTrack(lambda: LightTransfer(options))

    def measure(self, frame: Frame, patches: Sequence[Patch], each: Each = map) -> list[Light]:
        """The light under each of some patches.

        Args:
            frame: The frame under them; it is only read.
            patches: Whose.
            each: Calls a function with each of several items.
        """
        people = self._people.of([patch.track_id for patch in patches])
        return list(each(lambda of: _measured(frame, *of), zip(patches, people, strict=True)))

    def forget(self, tracks: Sequence[int] | None = None) -> None:
        """Forget the light on some tracks; on all if None."""
        self._people.forget(tracks)


def _measured(frame: Frame, patch: Patch, person: LightTransfer) -> Light:
    corner = np.array([patch.box.x0, patch.box.y0], np.float32)
    drawn = patch.mesh if patch.warp is None else patch.warp.mesh
    coefficients = person.coefficients(
        frame.part(patch.box),
        patch.picture,
        patch.alpha,
        patch.mesh[:, :2] - corner,
        drawn[:, :2] - corner,
        frame.seconds,
    )
    if not patch.flat:
        coefficients = coefficients * _WITH_SHADOWS
    return Light(coefficients if patch.lit else _OWN, person.tones, person.measured)
