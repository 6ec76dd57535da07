"""Looks into a clip here and there before its plan is made: where scenes change, who is in it, where the label fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understudy.casting.clip_person import ClipPerson
from understudy.casting.gallery import Gallery
from understudy.casting.placing import told_apart
from understudy.casting.visible import VisibleOptions, seen_well
from understudy.errors import NotMediaError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.media.files.keyframes import Keyframes
from understudy.media.files.video_source import VideoSource
from understudy.pipeline.perceiving import nobody_overlooked
from understudy.provenance import FrameSealer
from understudy.provenance.label import Corner
from understudy.resources import Models
from understudy.settings import Settings
from understudy.tracking import FaceSelector
from understudy.tracking.cuts import CutDetector

#: Frames before a picture by which it is told whether it begins a new scene.
_BEFORE: Final = 6


class Scout:
    """Of one clip. What it sees of people is as good as its pictures are many; it takes them in the clip's order.

    Args:
        source: The clip.
        known: When its frames are shown.
        settings: How faces are found and chosen, and where the label stands.
        models: What is opened.
        recognising: Whether it is of interest who is who: not where each person gets something of their own.
    """

    def __init__(
        self, source: VideoSource, known: Keyframes, settings: Settings, models: Models, *, recognising: bool
    ) -> None:
        self._source, self._known = source, known
        self._settings, self._models = settings, models
        self._embedder = models.embedder(settings)
        self._recognising = recognising
        self._gallery = Gallery(self._embedder)
        self._selector = FaceSelector(settings.faces)
        self._sealer = FrameSealer(0, settings.label, settings.watermark, opened=known.seconds(0))

    def changes(self, before: int, key: int) -> bool:
        """Whether a frame begins a new scene.

        Args:
            before: A frame before it with which decoding can begin.
            key: The frame.
        """
        cuts, times = CutDetector(), self._known.times
        near = times[max(before, key - _BEFORE)]
        for frame in self._frames(before, lambda pts: pts >= near):
            cut = cuts.is_cut(frame.picture)
            if frame.pts >= times[key]:
                return cut and frame.pts == times[key]
        return False

    def look(self, key: int) -> None:
        """Look at a frame with which decoding can begin: who is there, and who of them would be chosen."""
        frame = next(self._frames(key, lambda _: True), None)
        if frame is None:
            return
        everybody = nobody_overlooked(self._settings, roles=not self._recognising)
        tracker = self._models.perception(self._settings).tracker(self._settings.tracker, everybody=everybody)
        faces = tracker.update(frame).faces
        self._sealer.pass_by(frame, faces)
        if self._recognising and len(faces):
            faces = replace(faces, person_ids=self._people(frame, faces))
            self._selector.reset()
            self._selector.select(faces, frame.seconds, self._gallery.known)

    @property
    def order(self) -> tuple[int, ...]:
        """Who was chosen so far, by number: who comes first."""
        return self._selector.order

    @property
    def corner(self) -> Corner:
        """Where the label would stand now."""
        return self._sealer.corner

    def people(self, clip: str) -> tuple[ClipPerson, ...]:
        """Everybody who was recognised.

        Args:
            clip: SHA-256 of the clip.
        """
        return tuple(
            ClipPerson(
                number=number,
                clip=clip,
                share=0.0,
                first_seconds=None,
                last_seconds=None,
                center_xy=(0.5, 0.5),
                size=0.0,
                views=self._gallery.views(number),
                embedder=self._embedder.name,
            )
            for number in sorted(self._gallery.known)
        )

    def _people(self, frame: Frame, faces: Faces) -> NDArray[np.int64]:
        """The numbers of those who are there; -1 for who is not seen well enough."""
        options = VisibleOptions()
        well = np.array([seen_well(frame.picture, faces, row, options) for row in range(len(faces))], bool)
        numbers = np.full(len(faces), -1, np.int64)
        if not well.any():
            return numbers
        embeddings = self._embedder.embed(frame.picture, faces[well])
        views = {number: self._gallery.views(number) for number in self._gallery.known}
        found = told_apart(embeddings, views, self._embedder)
        for place, embedding in enumerate(embeddings):
            if not np.isfinite(embedding).all():
                continue
            if found[place] < 0:
                found[place] = self._gallery.add()
            self._gallery.learn(int(found[place]), embedding)
        numbers[well] = found
        return numbers

    def _frames(self, key: int, wanted: Callable[[int], bool]) -> Iterator[Frame]:
        try:
            self._source.begin_at(self._known.times[key])
        except NotMediaError:
            return iter(())  # damaged there: whoever makes the segment finds out
        return self._source.frames(wanted)
