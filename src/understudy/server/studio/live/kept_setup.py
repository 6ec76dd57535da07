"""How the live room is set up, kept as it changes: where pictures come from and go, and how faces look.

The next studio begins with it. Not kept are the key of a server, whether it is sent to, faces (each has a ribbon for
that), clips that were handed over, and whether nobody is to be seen.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import UnderstudyError
from understudy.media.live.delayed import MOST_SECONDS
from understudy.provenance.records.home import Home, write_private
from understudy.regular import read_regular
from understudy.server.faults import fault_of
from understudy.server.studio.live.choices import KILOBITS, CameraFormat, Origin, Outputs, missing
from understudy.server.studio.live.desk import Desk
from understudy.settings import Settings
from understudy.settings.schema import schema, unusual, values_of

_FILE: Final = "set-up.json"
#: Longest file, in bytes.
_LONGEST: Final = 1_000_000
#: Seconds between two looks: what was changed since the last is what a kill takes.
_EVERY: Final = 1.0


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class _Origin(_Strict):
    kind: Literal["sample", "camera", "browser", "stream"] = "sample"
    place: str = ""
    name: str = ""


class _Outputs(_Strict):
    recording: bool = False
    virtual: bool = False
    window: bool = False
    address: str = ""
    kilobits: int = Field(default=Outputs.kilobits, ge=KILOBITS[0], le=KILOBITS[1])


class _SetUp(_Strict):
    version: Literal[1] = 1
    origin: _Origin
    size: tuple[int, int] | None = Field(default=None, strict=False)
    fps: int | None = Field(default=None, ge=1, le=1000)
    microphone: str = ""
    outputs: _Outputs
    mirror: bool = False
    delay: float = Field(default=0.0, ge=0, le=MOST_SECONDS)
    settings: dict[str, Any] = {}


class KeptSetUp:
    """One for a studio.

    Args:
        home: The private folder.
        desk: What is set up.
        settings: Those that the studio began with: of them only what differs is kept.
    """

    def __init__(self, home: Home, desk: Desk, settings: Settings) -> None:
        self._path, self._desk = home.folder("studio") / _FILE, desk
        self._usual = values_of(settings)
        #: What the command said, or a settings file: that holds this time, in place of what was kept.
        self._said = {*unusual(settings)}
        self._aside: dict[str, Any] = {}
        self._kept: _SetUp | None = None
        self._told = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="set-up", daemon=True)

    def begin(self) -> None:
        """Have the room set up as it was left, as far as that can be, and keep it from now on."""
        if (said := _read(self._path)) is not None:
            self._take_up(said)
        self._kept = self._now()
        self._thread.start()

    def close(self) -> None:
        """Keep what holds, and end."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
            self._keep()

    def _run(self) -> None:
        while not self._ended.wait(_EVERY):
            self._keep()

    def _take_up(self, said: _SetUp) -> None:
        desk, outputs = self._desk, said.outputs
        desk.origin = Origin(said.origin.kind, said.origin.place, said.origin.name)
        desk.camera_format, desk.microphone = CameraFormat(said.size, said.fps), said.microphone
        virtual, window = outputs.virtual and not missing("virtual"), outputs.window and not missing("window")
        desk.outputs = Outputs(**outputs.model_dump() | {"virtual": virtual, "window": window})
        desk.turn(said.mirror)
        desk.wait(said.delay)
        self._aside = {name: value for name, value in said.settings.items() if name in self._said}
        own = {name: value for name, value in said.settings.items() if name in schema() and name not in self._aside}
        own.pop("home", None)
        desk.set(own)
        if "settings" not in desk.faults:
            return
        faults = []
        for name, value in own.items():  # a model was removed, say: all the others hold
            desk.set({name: value})
            faults += [desk.faults.pop("settings")] if "settings" in desk.faults else []
        if faults:
            desk.faults["settings"] = faults[-1]

    def _now(self) -> _SetUp:
        desk = self._desk
        origin, outputs = desk.origin, desk.outputs
        own = {name: value for name, value in values_of(desk.settings).items() if value != self._usual[name]}
        return _SetUp(
            origin=_Origin() if origin.kind == "clip" else _Origin(**vars(origin)),
            size=desk.camera_format.size,
            fps=desk.camera_format.fps,
            microphone=desk.microphone,
            outputs=_Outputs(**{name: getattr(outputs, name) for name in _Outputs.model_fields}),
            mirror=desk.mirror,
            delay=desk.delay,
            settings=self._aside | own,
        )

    def _keep(self) -> None:
        """Have what holds now kept. What can't be is told, once."""
        try:
            now = self._now()
            if now != self._kept:
                write_private(self._path, now.model_dump_json(indent=1).encode())
                self._kept = now
            self._told = ""
        except UnderstudyError as fault:
            said = fault_of(fault)
            if said.text != self._told:
                self._told = said.text
                self._desk.faults["settings"] = said


def _read(path: Path) -> _SetUp | None:
    """What was kept; None if nothing was, or it can't be read, or is a newer version's."""
    try:
        return _SetUp.model_validate(json.loads(read_regular(path, _LONGEST)))
    except (OSError, ValueError, TypeError, RecursionError, UnderstudyError):
        return None
