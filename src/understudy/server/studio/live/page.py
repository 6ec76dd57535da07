"""The Live room."""

from __future__ import annotations

from understudy.server.studio.controls import Text, box
from understudy.server.studio.visitor import Visitor


def build(visitor: Visitor) -> None:
    """Put the room into the page."""
    with box("stage"):
        Text(visitor.texts("live.ready"))
