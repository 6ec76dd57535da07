"""Where the room's page shows what goes wrong, and in which words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal

from understudy.errors import (
    InputError,
    NoFaceError,
    NoSpaceError,
    OutputError,
    RefusedError,
    UnderstudyError,
    UsageError,
)
from understudy.media.live.microphone import MicrophoneError
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.live.browser_camera import BrowserCameraError
from understudy.server.studio.live.choices import Origin, SourceKind

Place = Literal["session", "faces", "source", "outputs", "settings"]
#: What is said of a source that can't be used, by its kind.
_SOURCE_FAULTS: Final[Mapping[SourceKind, str]] = {
    "camera": "fault.camera",
    "browser": "fault.browser_none",
    "stream": "fault.stream",
    "clip": "fault.no_clip",
    "sample": "fault.input",
}


class PlacedError(Exception):
    """An error, and where the page shows it.

    Attributes:
        place, fault: These.
    """

    def __init__(self, place: Place, fault: UnderstudyError) -> None:
        super().__init__(fault.message)
        self.place, self.fault = place, fault


@contextmanager
def at(place: Place) -> Iterator[None]:
    """Note where the page shows the errors of a block.

    Raises:
        PlacedError: in place of them.
    """
    try:
        yield
    except UnderstudyError as fault:
        raise PlacedError(place, fault) from fault


def place_of(fault: UnderstudyError) -> Place:
    """Where the page shows what a session fails with."""
    if isinstance(fault, (RefusedError, NoFaceError)):
        return "faces"
    if isinstance(fault, InputError):
        return "source"
    return "outputs" if isinstance(fault, OutputError) else "session"


def said_of(fault: UnderstudyError, place: Place, origin: Origin) -> Fault:
    """What is said of a session's fault.

    Args:
        fault: What it failed with.
        place: Where the page shows it.
        origin: Where the session took its pictures from.
    """
    if isinstance(fault, BrowserCameraError):
        return Fault(fault.text)
    if isinstance(fault, MicrophoneError):
        return Fault("fault.microphone", f"{fault.message}. {fault.hint}")
    if place == "source" and isinstance(fault, (InputError, UsageError)):
        return Fault(_SOURCE_FAULTS[origin.kind], f"{fault.message}. {fault.hint}")
    said = fault_of(fault)
    # Which disk, and what was kept of a recording: only the program's own words tell.
    return Fault(said.text, f"{fault.message}. {fault.hint}") if isinstance(fault, NoSpaceError) else said
