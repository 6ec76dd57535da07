"""Who is in the frames of a clip, and who of them is swapped."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from understudy.casting.recognising import Recognised, Recogniser
from understudy.face import FaceChoice, Faces
from understudy.frames import Frame
from understudy.pipeline.parts import Parts
from understudy.tracking import FaceSelector, Tracker


class Seen(NamedTuple):
    """What is seen in a frame.

    Attributes:
        faces: Everybody in it; with ``person_ids``, if people are recognised.
        chosen: Those of them who are swapped.
        cut: Whether a new shot begins with it.
        mistaken: Whether a track turned out to be of somebody else than it was taken for.
        stand_in: Whether somebody is swapped in the place of one who is not there: that one may come back any time.
        renamed: Who turned out to be one who was there before: the number they had up to now, and the one they have.
    """

    faces: Faces
    chosen: Faces
    cut: bool
    mistaken: bool
    stand_in: bool
    renamed: tuple[tuple[int, int], ...]


class Perceiving:
    """Of one clip. Frames come in order.

    Args:
        parts: The models, and how faces are followed and chosen.
        live: One mesh a frame is fitted, unless the settings say another number, and nobody waits for an embedding.

    Attributes:
        tracker: Follows the faces.
    """

    def __init__(self, parts: Parts, *, live: bool) -> None:
        settings, options = parts.settings, parts.settings.tracker
        self._live = live
        self.tracker: Tracker = parts.perception.tracker(
            replace(options, max_fits=options.max_fits or 1) if live else options
        )
        self._recogniser = None if parts.embedder is None else Recogniser(parts.embedder, live=live)
        self._selector = FaceSelector(settings.faces, all_who_may=live)

    def __call__(self, frame: Frame) -> Seen:
        """Follow everybody into a frame.

        Args:
            frame: As it came; it is only read.

        Raises:
            ModelError: a model failed.
        """
        tracked = self.tracker.update(frame)
        known = (
            Recognised(tracked.faces)
            if self._recogniser is None
            else self._recogniser.update(frame, tracked.faces, busy=tracked.searched)
        )
        if tracked.cut:
            self._selector.reset()
        for before, now in known.renamed:
            self._selector.rename(before, now)
        chosen = self._selector.select(known.faces, frame.seconds, known.known)
        return Seen(known.faces, chosen, tracked.cut, known.mistaken, self._selector.stand_in, known.renamed)

    def choose(self, faces: FaceChoice) -> None:
        """Choose other faces from the next frame on."""
        self._selector = FaceSelector(faces, all_who_may=self._live)

    def close(self) -> None:
        """End what runs beside."""
        if self._recogniser is not None:
            self._recogniser.close()
