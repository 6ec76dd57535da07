"""Blurs chosen people of a clip, wherever they go, and a little before and after they are seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from understudy.arrays import FloatArray
from understudy.canvas import Canvas
from understudy.face import Faces
from understudy.geometry.boxes import rounded_box
from understudy.guard.cover import grown
from understudy.guard.obscuring import obscure

#: Seconds for which the place of somebody who is lost from sight is still blurred: a head that turns away comes back.
_LONGER: Final = 1.0


class Blurring:
    """Of one clip. Frames come in order."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[float, FloatArray]] = {}

    def __call__(
        self,
        canvas: Canvas,
        blurred: Faces,
        here: Faces,
        *,
        cut: bool,
        coming: Sequence[tuple[float, FloatArray]] = (),
    ) -> bool:
        """Blur faces beyond recognition, and the places of those who were there just now.

        Args:
            canvas: Of the frame.
            blurred: Whose, with ``track_ids``.
            here: Everybody who is seen; those who are not blurred (any more) are seen.
            cut: Whether a new shot begins: nobody is where they were.
            coming: In how many seconds others of them will be seen, and the boxes in which, as far as that is known.

        Returns:
            Whether anything was blurred.
        """
        now, present = canvas.frame.seconds, set(_tracks(here))
        before = {} if cut else self._seen
        kept = {track: last for track, last in before.items() if track not in present and 0 <= now - last[0] < _LONGER}
        kept.update((track, (now, box)) for track, box in zip(_tracks(blurred), blurred.boxes_xyxy, strict=True))
        self._seen = kept
        places = [(now - seconds, box) for seconds, box in kept.values()] + [*coming]
        for unseen, box in places:
            obscure(canvas, rounded_box(grown(box, unseen)))
        return bool(places)


def _tracks(faces: Faces) -> list[int]:
    return [] if faces.track_ids is None else faces.track_ids.tolist()
