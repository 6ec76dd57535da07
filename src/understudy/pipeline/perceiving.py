"""Who is in the frames of a clip, and who of them is swapped."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from understudy.arrays import FloatArray
from understudy.casting.gallery import NOBODY
from understudy.casting.recognising import Recognised, Recogniser
from understudy.casting.roles import Roles
from understudy.detection import Sweep
from understudy.face import FaceChoice, Faces
from understudy.frames import Frame
from understudy.pipeline.parts import Parts
from understudy.settings import Settings
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
        open: Tracks of which it is not known yet whose they are.
        detected: What the tracker's detector found in its first, not thorough search, if it ran.
        coming: In how many seconds somebody who is blurred will be seen who is not now, and the box in which.
    """

    faces: Faces
    chosen: Faces
    cut: bool
    mistaken: bool
    stand_in: bool
    renamed: tuple[tuple[int, int], ...]
    open: frozenset[int] = frozenset()
    detected: Faces | None = None
    coming: tuple[tuple[float, FloatArray], ...] = ()


class Acquainted(NamedTuple):
    """Who is known of a clip before its frames are looked at.

    Attributes:
        people: What they look like to the embedder, by number: float32 (V, D), one embedding of each view.
        order: Those who were chosen before, by number: who comes first.
    """

    people: Mapping[int, FloatArray] = MappingProxyType({})
    order: tuple[int, ...] = ()


def nobody_overlooked(settings: Settings, *, roles: bool) -> bool:
    """Whether small faces of a file are looked for also while others are followed.

    Args:
        settings: Which faces are swapped.
        roles: Whether instead each person gets something of their own.
    """
    return roles or settings.faces == "all"


class Perceiving:
    """Of one clip. Frames come in order.

    Args:
        parts: The models, and how faces are followed and chosen.
        live: One mesh a frame is fitted, unless the settings say another number, and nobody waits for an embedding.
        roles: What each person gets, who are then chosen by it; None where the settings choose.
        sweep: See ``Tracker``.
        acquainted: Who is known before, of a part of a clip; those of ``roles`` are known anyway.

    Attributes:
        tracker: Follows the faces.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        live: bool,
        roles: Roles | None = None,
        sweep: Sweep | None = None,
        acquainted: Acquainted | None = None,
    ) -> None:
        settings, options = parts.settings, parts.settings.tracker
        self._live, self._roles = live, roles
        options = replace(options, max_fits=options.max_fits or 1) if live else options
        everybody = not live and nobody_overlooked(settings, roles=roles is not None)
        detector, landmarker = parts.perception.detector, parts.perception.landmarker
        self.tracker = Tracker(detector, landmarker, options, sweep, everybody=everybody, at_once=everybody)
        known = acquainted or Acquainted()
        people = known.people if roles is None else roles.people
        self._recogniser = None if parts.embedder is None else Recogniser(parts.embedder, people=people, live=live)
        self._selector = FaceSelector(settings.faces, live=live, order=known.order)

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
            else self._recogniser.update(frame, tracked.faces, busy=tracked.detected is not None)
        )
        if tracked.cut:
            self._selector.reset()
        for before, now in known.renamed:
            self._selector.rename(before, now)
            if self._roles is not None:
                self._roles.rename(before, now)
        if self._live and known.twice:
            known = known._replace(faces=_unknown(known.faces, known.twice))
        if self._roles is not None:
            chosen = self._roles.chosen(known.faces)
        else:
            chosen = self._selector.select(known.faces, frame.seconds, known.known, known.twice)
        stand_in = self._selector.stand_in
        return Seen(
            known.faces, chosen, tracked.cut, known.mistaken, stand_in, known.renamed, known.open, tracked.detected
        )

    def named(self, seen: Seen, people: Mapping[int, int]) -> Seen:
        """What was seen, with what is known by now of whose the faces are.

        Args:
            seen: In an earlier frame.
            people: Numbers of people, by track.
        """
        faces, roles = seen.faces, self._roles
        if faces.person_ids is None or faces.track_ids is None or self._recogniser is None or roles is None:
            return seen
        current = self._recogniser.current
        pairs = zip(faces.track_ids.tolist(), faces.person_ids.tolist(), strict=True)
        found = [people.get(track, person) if track in seen.open else person for track, person in pairs]
        faces = replace(faces, person_ids=np.array([current(person) for person in found], np.int64))
        return seen._replace(faces=faces, chosen=roles.chosen(faces))

    def choose(self, faces: FaceChoice) -> None:
        """Choose other faces from the next frame on."""
        self._selector = FaceSelector(faces, live=self._live)

    def close(self) -> None:
        """End what runs beside."""
        if self._recogniser is not None:
            self._recogniser.close()


def _unknown(faces: Faces, tracks: Collection[int]) -> Faces:
    """The same faces; whose those of some tracks are is not known."""
    if faces.track_ids is None or faces.person_ids is None:
        return faces
    return replace(faces, person_ids=np.where(np.isin(faces.track_ids, list(tracks)), NOBODY, faces.person_ids))
