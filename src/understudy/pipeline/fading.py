"""Lets go of a swap before it breaks: where the mesh no longer fits, a face that is drawn on it has two noses.

The mesh model says how sure it is that what it fitted is a face. On faces that are seen well that is 1, also behind a
microphone or a mask, and 0.92 and more with a hand before the chin; it falls when a head turns away beyond what the
model has seen, 50 to 65 degrees to the side, and soon after that the mesh breaks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from understudy.face import Faces
from understudy.patches import Patch

#: Presence at which nothing is shown any more, and from which all is.
_GONE, _SURE = 0.6, 0.9
#: Seconds in which a swap comes back, and after which it is forgotten that it went.
_BACK, _FORGOTTEN = 0.25, 1.0
#: Shown whole or not at all: a share below the first takes a swap away, one from the second on brings it back.
_LEAVES, _RETURNS = 0.5, 0.9


@dataclass(eq=False)
class _Shown:
    """How far somebody's swap is shown, and since when they are known so."""

    share: float
    seconds: float
    gone: bool = False


class Fading:
    """How far each person's swap is shown. Frames come in order."""

    def __init__(self) -> None:
        self._people: dict[int, _Shown] = {}

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
        for number, score in zip(faces.track_ids.tolist(), faces.scores, strict=True):
            self._update(number, float(score), seconds)
        self._people = {
            number: person for number, person in self._people.items() if 0 <= seconds - person.seconds < _FORGOTTEN
        }
        shown: list[Patch] = []
        for patch in patches:
            person = self._people.get(patch.track_id)
            if person is None or (not person.gone if whole else person.share >= 1):
                shown.append(patch)
            elif not whole and person.share > 0:
                shown.append(replace(patch, share=patch.share * person.share))
        return shown

    def _update(self, number: int, presence: float, seconds: float) -> None:
        """How far a person is shown: less at once, more step by step, so that nothing flickers."""
        share = float(np.clip((presence - _GONE) / (_SURE - _GONE), 0, 1))
        person = self._people.setdefault(number, _Shown(share, seconds))
        passed = seconds - person.seconds
        person.share = min(share, person.share + passed / _BACK) if 0 <= passed < _FORGOTTEN else share
        person.seconds = seconds
        person.gone = person.share < (_RETURNS if person.gone else _LEAVES)
