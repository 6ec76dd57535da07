"""Frames that nobody guards: those of a file, which its maker can look at before anybody else sees it."""

from __future__ import annotations

from understudy.canvas import Canvas
from understudy.frames import Frame


def unguarded(frame: Frame) -> Canvas:
    """A canvas of a frame in which nothing is covered. Never for what is shown as it is made."""
    return Canvas(frame)
