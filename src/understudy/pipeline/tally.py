"""What a pipeline did: to one frame, and to all so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from understudy.face import Faces
from understudy.frames import PixelBox
from understudy.guard import Cover
from understudy.patches import Patch
from understudy.pipeline.timings import Timings
from understudy.swapping.carried.running import Counts


class Swapped(NamedTuple):
    """What was done to a frame.

    Attributes:
        faces: Everybody in it, as they were before.
        patches: What was blended in, swaps of earlier frames that are held included.
        cover: What had to be covered: in a file nothing.
        scale: How many times as large the frame is now.
        view: The part of it that is shown, in its pixels as it is now; None for all of it.
        result: Where the result is, if something else is beside it; likewise.
    """

    faces: Faces
    patches: Sequence[Patch]
    cover: Cover = Cover()
    scale: int = 1
    view: PixelBox | None = None
    result: PixelBox | None = None

    @property
    def placed(self) -> Faces:
        """The faces where they are in the frame as it is now: boxes and scores only, where it was enlarged."""
        if self.scale == 1:
            return self.faces
        return Faces(boxes_xyxy=self.faces.boxes_xyxy * np.float32(self.scale), scores=self.faces.scores)


class Tally:
    """Counts of what was done so far.

    Args:
        carried: Of faces that are carried from frame to frame; None where none can be.

    Attributes:
        timings: Of the stages.
        frames: How many went through.
        frames_swapped: In how many of them a face was swapped.
        frames_covered: In how many of them something had to be covered.
        enhanced_every: Live: in how many frames what a face restorer gave once was shown; None where none gave
            anything.
        carried: Of faces that are carried from frame to frame, and of those that no engine drew.
    """

    def __init__(self, carried: Counts | None = None) -> None:
        self.timings = Timings()
        self.carried = carried or Counts()
        self.frames = self.frames_swapped = self.frames_covered = 0
        self.enhanced_every: float | None = None
        self._tracks: dict[int, int] = {}

    def add(self, done: Swapped) -> Swapped:
        """Count one frame, and hand on what was done to it."""
        self.frames += 1
        self.frames_swapped += bool(done.patches)
        self.frames_covered += done.cover.any
        self._note(done.faces, {patch.track_id for patch in done.patches})
        return done

    @property
    def known(self) -> frozenset[int]:
        """The numbers of those who were swapped and of whom it is known who they are."""
        return frozenset(person for person in self._tracks.values() if person >= 0)

    @property
    def people(self) -> int:
        """How many different people were swapped; each track of somebody who is not known counts as one."""
        unknown = sum(person < 0 for person in self._tracks.values())
        return unknown + len(self.known)

    def rename(self, renamed: Iterable[tuple[int, int]]) -> None:
        """People turned out to be others who were there before: by the number they had, and the one they have."""
        for before, now in renamed:
            self._tracks = {track: now if person == before else person for track, person in self._tracks.items()}

    def _note(self, faces: Faces, swapped: set[int]) -> None:
        """Note whose tracks were swapped: who is known once stays known."""
        tracks = [] if faces.track_ids is None else faces.track_ids.tolist()
        people = [-1] * len(tracks) if faces.person_ids is None else faces.person_ids.tolist()
        for track, person in zip(tracks, people, strict=True):
            if (track in swapped or track in self._tracks) and (person >= 0 or track not in self._tracks):
                self._tracks[track] = person
        for track in swapped - self._tracks.keys():  # a swap that is held after its track was lost
            self._tracks[track] = -1
