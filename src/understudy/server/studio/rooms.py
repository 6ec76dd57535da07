"""The rooms of the studio, in the order in which they are shown. Each is a folder beside this file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from understudy.server.studio.check.page import build as check
from understudy.server.studio.clips.page import build as clips
from understudy.server.studio.jobs.page import build as jobs
from understudy.server.studio.live.page import build as live
from understudy.server.studio.models.page import build as models
from understudy.server.studio.records.page import build as records
from understudy.server.studio.visitor import Visitor


@dataclass(frozen=True)
class Room:
    """A room.

    Attributes:
        path: Its address.
        title: The name of the text that says what it is called.
        build: Puts what is in it into the page.
    """

    path: str
    title: str
    build: Callable[[Visitor], None]


ROOMS: Final[tuple[Room, ...]] = (
    Room("/", "room.live", live),
    Room("/clips", "room.clips", clips),
    Room("/jobs", "room.jobs", jobs),
    Room("/check", "room.check", check),
    Room("/models", "room.models", models),
    Room("/records", "room.records", records),
)
