"""What is asked of a camera, and where sound comes from."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from understudy.media.live.microphone import Device, list_microphones
from understudy.server.studio.controls import box, shown
from understudy.server.studio.fields import choice, field
from understudy.server.studio.live.choices import CameraFormat
from understudy.server.studio.visitor import Visitor

#: Sizes and rates that cameras usually have.
_SIZES: Final = ((640, 360), (640, 480), (1280, 720), (1920, 1080))
_RATES: Final = (15, 24, 25, 30, 60)
#: In the list of sound's sources: one that is written.
_WRITTEN: Final = "?"


class AskedPanel:
    """Puts it into a page.

    Args:
        visitor: Who looks at it.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.live, visitor.texts
        texts, camera = self._texts, self._desk.camera_format
        self._camera = box("pair")
        with self._camera:
            usual = {"": texts("sources.usual")}
            choice(
                texts("sources.size"),
                options=usual | {f"{width}x{height}": f"{width} × {height}" for width, height in _SIZES},
                value="" if camera.size is None else "{}x{}".format(*camera.size),
                change=self._size,
            )
            choice(
                texts("sources.fps"),
                options=usual | {str(rate): str(rate) for rate in _RATES},
                value="" if camera.fps is None else str(camera.fps),
                change=lambda fps: self._change(replace(self._desk.camera_format, fps=int(fps) if fps else None)),
            )
        self._sound()
        visitor.watch(self._look)

    def _sound(self) -> None:
        texts, devices = self._texts, _devices()
        now = self._desk.microphone
        known: Mapping[str, str] = {
            "": texts("sources.own_sound"),
            **{device.place: device.name or texts("sources.usual_sound") for device in devices},
            _WRITTEN: texts("sources.other_sound"),
        }
        self._written = bool(now) and now not in known
        choice(
            texts("sources.sound"),
            options=known,
            value=_WRITTEN if self._written else now,
            change=self._listen,
        )
        self._place = box("indented")
        with self._place:
            field(
                texts("sources.device"),
                value=now if self._written else "",
                placeholder="plughw:1,0" if sys.platform == "linux" else "",
                change=lambda name: self._hear(name.strip()),
                hint=texts("sources.device_more"),
            )

    def _size(self, size: str) -> None:
        found = re.fullmatch(r"(\d+)x(\d+)", size)
        self._change(replace(self._desk.camera_format, size=None if found is None else (int(found[1]), int(found[2]))))

    def _change(self, wanted: CameraFormat) -> None:
        self._desk.camera_format = wanted
        self._visitor.look()

    def _listen(self, place: str) -> None:
        self._written = place == _WRITTEN
        self._hear("" if self._written else place)

    def _hear(self, place: str) -> None:
        self._desk.faults.pop("source", None)
        self._desk.microphone = place
        self._visitor.look()

    def _look(self) -> None:
        shown(self._camera, self._desk.origin.kind in ("camera", "browser"))
        shown(self._place, self._written)


def _devices() -> list[Device]:
    """What can be chosen: on Linux what the system takes as a rule comes first."""
    found = list_microphones()
    return [Device("default", ""), *found] if found else []
