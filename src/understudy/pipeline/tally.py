"""What a pipeline did: to one frame, and to all so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from understudy.face import Faces
from understudy.guard import Cover
from understudy.patches import Patch
from understudy.pipeline.timings import Timings


class Swapped(NamedTuple):
    """What was done to a frame.

    Attributes:
        faces: Everybody in it, as they were before.
        patches: What was blended in, swaps of earlier frames that are held included.
        cover: What had to be covered: in a file nothing.
    """

    faces: Faces
    patches: Sequence[Patch]
    cover: Cover = Cover()


class Tally:
    """Counts of what was done so far.

    Attributes:
        timings: Of the stages.
        frames: How many went through.
        frames_swapped: In how many of them a face was swapped.
        frames_covered: In how many of them something had to be covered.
        people: The tracks that were swapped.
    """

    def __init__(self) -> None:
        self.timings = Timings()
        self.frames = self.frames_swapped = self.frames_covered = 0
        self.people: set[int] = set()

    def add(self, done: Swapped) -> Swapped:
        """Count one frame, and hand on what was done to it."""
        self.frames += 1
        self.frames_swapped += bool(done.patches)
        self.frames_covered += done.cover.any
        self.people |= {patch.track_id for patch in done.patches}
        return done
