"""What pages of the clips' room ask for beside themselves: frames, a clip that is played, its sound, who is in it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from understudy.errors import InputNotFoundError, UnderstudyError
from understudy.media.files.listening import sound_at
from understudy.server.faults import fault_of
from understudy.server.studio.clips.clip import Clip
from understudy.server.studio.clips.desk import PLACE, ClipsDesk
from understudy.server.studio.clips.frames import StaleError
from understudy.server.studio.clips.player import Wanted

#: Seconds of sound that a page is given at a time, and most letters of what it calls a run.
_SOUND: Final = 4.0
_NAME: Final = 40


class ClipRoutes:
    """Of one desk.

    Args:
        desk: With the clip that is open.
    """

    def __init__(self, desk: ClipsDesk) -> None:
        self._desk = desk

    @property
    def all(self) -> list[BaseRoute]:
        """What there is."""
        return [
            Route(f"{PLACE}/{{clip}}/original.jpg", self._original),
            Route(f"{PLACE}/{{clip}}/swapped.jpg", self._swapped),
            Route(f"{PLACE}/{{clip}}/playing", self._playing),
            Route(f"{PLACE}/{{clip}}/sound.wav", self._sound),
            Route(f"{PLACE}/{{clip}}/person/{{number:int}}.jpg", self._person),
        ]

    def _wanted(self, request: Request) -> tuple[Clip, float]:
        """The clip that a page asks about, and a time in it.

        Raises:
            InputNotFoundError: it is not open any more, or that is no time.
        """
        clip = self._desk.clip
        try:
            seconds = float(request.query_params.get("at", "0"))
        except ValueError:
            seconds = float("nan")
        if clip is None or clip.id != request.path_params["clip"] or not 0 <= seconds <= 1e6:
            raise InputNotFoundError(Path("clip"), "clip")
        return clip, seconds

    async def _original(self, request: Request) -> Response:
        try:
            clip, seconds = self._wanted(request)
            data = await asyncio.to_thread(clip.frames.original, seconds)
        except UnderstudyError as fault:
            return _refused(fault)
        return Response(data, media_type="image/jpeg")

    async def _swapped(self, request: Request) -> Response:
        loop = asyncio.get_running_loop()

        def wanted() -> bool:
            gone = asyncio.run_coroutine_threadsafe(request.is_disconnected(), loop)
            return not gone.result()

        try:
            clip, seconds = self._wanted(request)
            version, settings, cast = self._desk.version, self._desk.asked, self._desk.cast()
            if cast is None:
                return Response(status_code=204)
            data = await asyncio.to_thread(clip.frames.swapped, seconds, version, cast, settings, wanted)
        except StaleError:
            return Response(status_code=204)
        except UnderstudyError as fault:
            return _refused(fault)
        return Response(data, media_type="image/jpeg")

    async def _playing(self, request: Request) -> Response:
        """One frame of a clip that is played: see ``Played.packed``."""
        try:
            clip, seconds = self._wanted(request)
            run, original = request.query_params.get("run", "")[:_NAME], request.query_params.get("original") == "1"
            wanted = Wanted(run, self._desk.version, self._desk.cast(), self._desk.asked)
            played = await asyncio.to_thread(clip.player.at, seconds, wanted, original=original)
        except StaleError:
            return Response(status_code=204)
        except UnderstudyError as fault:
            return _refused(fault)
        return Response(played.packed(), media_type="application/octet-stream")

    async def _sound(self, request: Request) -> Response:
        """Some seconds of a clip's sound; nothing where it has none."""
        try:
            clip, seconds = self._wanted(request)
            data = await asyncio.to_thread(sound_at, clip.path, seconds, _SOUND)
        except UnderstudyError as fault:
            return _refused(fault)
        return Response(status_code=204) if data is None else Response(data, media_type="audio/wav")

    async def _person(self, request: Request) -> Response:
        clip = self._desk.clip
        if clip is None or clip.id != request.path_params["clip"]:
            return Response(status_code=404)
        data = clip.thumbnail(request.path_params["number"])
        return Response(status_code=404) if data is None else Response(data, media_type="image/jpeg")


def _refused(fault: UnderstudyError) -> Response:
    said = fault_of(fault, "target")
    return JSONResponse({"fault": said.text, "detail": said.detail}, 422)
