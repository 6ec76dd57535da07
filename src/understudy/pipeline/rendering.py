"""Rendering of the chosen faces: by the engine, with the identity and at the strength that each track was assigned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.casting.assignment import Assigned
from understudy.each import Each
from understudy.face import Faces
from understudy.frames import Frame
from understudy.patches import Patch
from understudy.swapping import Renderer, Swapper


class Rendering:
    """Engines at work on one clip. Frames come in order.

    Args:
        engine: What renders those who are assigned no other.
        each: How several faces of one frame are rendered.
    """

    def __init__(self, engine: Swapper[Any], each: Each = map) -> None:
        self._engine, self._each = engine, each
        self._renderers: dict[Swapper[Any], Renderer[Any]] = {}

    def render(self, frame: Frame, faces: Faces, assigned: Mapping[int, Assigned]) -> list[Patch]:
        """Patches for one frame.

        Args:
            frame: The frame that the faces were found in; it is only read.
            faces: Those who are swapped.
            assigned: What each track gets.
        """
        tracks = [] if faces.track_ids is None else faces.track_ids.tolist()
        jobs = [
            (face, track, self._renderer(assigned[track].engine or self._engine))
            for face, track in zip(faces, tracks, strict=False)
            if track in assigned
        ]
        rendered = self._each(lambda job: job[2].render(frame, job[0], {job[1]: assigned[job[1]].identity}), jobs)
        return [
            replace(patch, share=patch.share * assigned[patch.track_id].strength)
            for patches in rendered
            for patch in patches
        ]

    def forget(self) -> None:
        """What comes next is another shot."""
        self._renderers.clear()

    def _renderer(self, engine: Swapper[Any]) -> Renderer[Any]:
        if engine not in self._renderers:
            self._renderers[engine] = engine.renderer()
        return self._renderers[engine]
