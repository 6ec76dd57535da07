"""Which of the faces in a frame are swapped."""

from __future__ import annotations

from typing import get_args

import numpy as np

from understudy.face import FaceChoice, Faces

#: Another face must be so much larger (or the one chosen be gone) before "largest" changes over: two people
#: of about the same size must not swap roles with every step.
SWITCH_RATIO = 1.5
#: Seconds that the chosen face may be lost before another is chosen.
PATIENCE = 1.0


class FaceSelector:
    """Chooses faces, and stays with its choice.

    Args:
        choice: ``largest``, ``all``, or the leftmost or rightmost in the picture.

    Raises:
        ValueError: another choice.
    """

    def __init__(self, choice: FaceChoice = "largest") -> None:
        if choice not in get_args(FaceChoice):
            raise ValueError(f"faces must be one of {', '.join(get_args(FaceChoice))}, not {choice!r}")
        self.choice = choice
        self._kept: int | None = None
        self._seen = -np.inf

    def reset(self) -> None:
        """Forget the choice: after a cut."""
        self._kept = None

    def select(self, faces: Faces, seconds: float) -> Faces:
        """The rows to swap; all of them need track ids.

        Args:
            faces: Everybody.
            seconds: The frame's time.
        """
        if self.choice == "all" or not len(faces):
            return faces
        centers = faces.boxes_xyxy[:, [0, 2]].mean(axis=1)
        if self.choice == "left":
            return faces[int(np.argmin(centers))]
        if self.choice == "right":
            return faces[int(np.argmax(centers))]
        best = int(np.argmax(faces.areas))
        if faces.track_ids is not None:
            kept = np.flatnonzero(faces.track_ids == self._kept)
            if not len(kept) and self._kept is not None and 0 <= seconds - self._seen < PATIENCE:
                return faces[np.zeros(len(faces), bool)]  # only lost: nobody else takes over meanwhile
            if len(kept) and faces.areas[best] < SWITCH_RATIO * faces.areas[kept[0]]:
                best = int(kept[0])
            self._kept, self._seen = int(faces.track_ids[best]), seconds
        return faces[best]
