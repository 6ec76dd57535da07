"""Rendering of the chosen faces: by the engine, with the identity and at the strength that each track was assigned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from understudy.arrays import UInt8Array
from understudy.casting.assignment import Assigned
from understudy.each import Each
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.patches import Patch
from understudy.swapping import Identity, Renderer, Swapper
from understudy.swapping.carried.engine import Carried
from understudy.swapping.carried.renderer import CarriedRenderer
from understudy.swapping.carried.running import AtOnce, Counts, Runner

#: Where every engine draws in the frame at hand.
NO_RUNNERS: Final[Mapping[Carried, Runner]] = MappingProxyType({})


class Rendering:
    """Engines at work on one clip. Frames come in order.

    Args:
        engine: What renders those who are assigned no other.
        each: How several faces of one frame are rendered, and the parts of a large one.
        runners: Run the engines whose faces are carried; those without one run in the frame at hand.

    Attributes:
        counts: How often those engines ran, and how many faces no engine drew.
    """

    def __init__(self, engine: Swapper[Any], each: Each = map, runners: Mapping[Carried, Runner] = NO_RUNNERS) -> None:
        self._engine, self._each = engine, each
        self._runners = dict(runners)
        self._at_once = AtOnce()
        self.counts: Counts = next((one.counts for one in self._runners.values()), self._at_once.counts)
        self._renderers: dict[Swapper[Any], Renderer[Any]] = {}
        self._shaped: dict[tuple[Identity, float], Identity] = {}

    def render(
        self, frame: Frame, faces: Faces, assigned: Mapping[int, Assigned], *, unseen: bool = False
    ) -> list[Patch]:
        """Patches for one frame.

        Args:
            frame: The frame that the faces were found in; it is only read.
            faces: Those who are swapped.
            assigned: What each track gets.
            unseen: Whether they are drawn only so that they are known later: then none of them is missed.
        """
        tracks = [] if faces.track_ids is None else faces.track_ids.tolist()
        jobs = [
            (face, track, self._renderer(assigned[track].engine or self._engine))
            for face, track in zip(faces, tracks, strict=False)
            if track in assigned
        ]
        identities = {track: self._identity(assigned[track]) for _, track, _ in jobs}
        rendered = list(self._each(lambda job: job[2].render(frame, job[0], {job[1]: identities[job[1]]}), jobs))
        if not unseen:
            self.counts.missed += sum(
                not patches and _in_sight(frame, face) for patches, (face, _, _) in zip(rendered, jobs, strict=True)
            )
        return [
            replace(patch, share=patch.share * assigned[patch.track_id].strength)
            for patches in rendered
            for patch in patches
        ]

    def hidden(self, frame: Frame, patches: Sequence[Patch], in_front: Sequence[UInt8Array | None]) -> None:
        """Say what is before the faces that were drawn: of that nothing is carried to other frames.

        Args:
            frame: Which they were drawn for.
            patches: As they were drawn.
            in_front: uint8 of each one's size: 255 shows the patch, 0 what is before it. None: nothing is.
        """
        for renderer in self._carrying:
            for patch, mask in zip(patches, in_front, strict=True):
                renderer.hidden(frame, patch, mask)

    def turning(self, patches: Sequence[Patch]) -> list[int]:
        """The tracks of those patches that go over from one engine's face to another's: each is lit in its own way."""
        return [
            patch.track_id for patch in patches if any(renderer.turning(patch.track_id) for renderer in self._carrying)
        ]

    def forget(self) -> None:
        """What comes next is another shot."""
        self._renderers.clear()

    def _identity(self, one: Assigned) -> Identity:
        """Whose face is drawn: the same object each time, so that renderers know that it is the same."""
        if one.shape is None:
            return one.identity
        key = (one.identity, one.shape)
        if key not in self._shaped:
            self._shaped[key] = one.identity.shaped(one.shape)
        return self._shaped[key]

    def _renderer(self, engine: Swapper[Any]) -> Renderer[Any]:
        if engine not in self._renderers:
            self._renderers[engine] = (
                engine.renderer(self._each, self._runners.get(engine, self._at_once))
                if isinstance(engine, Carried)
                else engine.renderer(self._each)
            )
        return self._renderers[engine]

    @property
    def _carrying(self) -> list[CarriedRenderer]:
        return [one for one in self._renderers.values() if isinstance(one, CarriedRenderer)]


def _in_sight(frame: Frame, face: Faces) -> bool:
    """Whether there is something to draw of a face."""
    if face.mesh is None or not np.isfinite(face.mesh).all():
        return False
    return not pixel_box(bounds_xyxy(face.mesh)[0], frame.width, frame.height).empty
