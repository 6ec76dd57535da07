"""Rendering of the chosen faces, each with the identity and at the strength that its track was assigned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from understudy.casting.assignment import Assigned
from understudy.each import Each
from understudy.face import Faces
from understudy.frames import Frame
from understudy.patches import Patch
from understudy.swapping import Swapper


class Rendering:
    """An engine at work on one clip. Frames come in order.

    Args:
        engine: What renders.
        each: How several faces of one frame are rendered.
    """

    def __init__(self, engine: Swapper[Any], each: Each = map) -> None:
        self._engine, self._each = engine, each
        self._renderer = engine.renderer()

    def render(self, frame: Frame, faces: Faces, assigned: Mapping[int, Assigned]) -> list[Patch]:
        """Patches for one frame.

        Args:
            frame: The frame that the faces were found in; it is only read.
            faces: Those who are swapped.
            assigned: What each track gets.
        """
        identities = {number: one.identity for number, one in assigned.items()}
        rendered = self._each(lambda face: self._renderer.render(frame, face, identities), faces)
        return [
            replace(patch, share=patch.share * assigned[patch.track_id].strength)
            for patches in rendered
            for patch in patches
        ]

    def forget(self) -> None:
        """What comes next is another shot."""
        self._renderer = self._engine.renderer()
