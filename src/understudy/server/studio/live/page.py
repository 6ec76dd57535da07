"""The Live room: the stage, and beside it whose face, from where, to where, and how."""

from __future__ import annotations

from understudy.server.studio.controls import box
from understudy.server.studio.live.faces import FacePanel
from understudy.server.studio.live.look import LookPanel
from understudy.server.studio.live.outputs import OutputPanel
from understudy.server.studio.live.sources import SourcePanel
from understudy.server.studio.live.stage import Stage
from understudy.server.studio.live.this_tab import ThisTab
from understudy.server.studio.visitor import Visitor


def build(visitor: Visitor) -> None:
    """Put the room into the page."""
    with box("live"):
        tab = ThisTab(visitor)
        with box("stage-column"):
            stage = Stage(visitor, tab)
            FacePanel(visitor)
        with box("side"):
            SourcePanel(visitor, tab)
            OutputPanel(visitor)
            LookPanel(visitor, stage.shortcuts)
