"""The camera of the browser that looks at the page: sent to the studio by WebRTC, or as single pictures.

One tab sends at a time: the one in which it was started, or that took it over by a press. No other tab gets in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import threading
import time
from typing import TYPE_CHECKING, Final

from av.video.frame import VideoFrame
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from understudy.errors import InputError, UnderstudyError
from understudy.media.live.base import LiveInfo, Picture, Sound
from understudy.server.api.handed import MOST_BYTES, decoded
from understudy.server.studio.live.choices import CameraFormat
from understudy.server.webrtc.incoming import IncomingPictures
from understudy.server.webrtc.offers import read_offer
from understudy.server.webrtc.reach import LOCAL, Reach

if TYPE_CHECKING:
    from understudy.server.webrtc.peers import Peer

PLACE: Final = "/live/camera"
#: Seconds that a browser has to send its first picture: its user may have to allow that.
_PATIENCE: Final = 30.0
#: Seconds without a picture that are worth a word.
_SILENCE: Final = 3.0
#: What talks to a browser. To read it takes a fifth of a second: that is done when the first one wants to send, not at
#: each start; and where nobody waits for it.
_PEERS: Final = "understudy.server.webrtc.peers"
#: Which text tells of what a browser says of its camera (``DOMException`` by name, and words of the page's own).
FAULTS: Final = {
    "NotAllowedError": "fault.browser_refused",
    "NotFoundError": "fault.browser_none",
    "OverconstrainedError": "fault.browser_none",
    "NotReadableError": "fault.browser_in_use",
    "AbortError": "fault.browser_in_use",
    "insecure": "fault.browser_insecure",
}


class BrowserCameraError(InputError):
    """A browser's camera can't be had.

    Attributes:
        text: The name of the text that says why.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__("the browser gives no picture of its camera", "See what the page says of it.")


class BrowserCamera:
    """Takes one tab's pictures, for one session after the other.

    Attributes:
        tab: The id of the tab that sends, or is to; empty if none is.
        format: What its camera is to be asked for.
    """

    def __init__(self) -> None:
        self.tab = ""
        self.format = self._asked = CameraFormat()
        self._pictures = IncomingPictures()
        self._peer: Peer | None = None
        self._fault = ""
        self._changed = threading.Condition()

    @property
    def routes(self) -> list[BaseRoute]:
        """Where tabs send to."""
        return [Route(PLACE, self._offered, methods=["POST"]), WebSocketRoute(f"{PLACE}/pictures", self._serve)]

    @property
    def silent(self) -> bool:
        """Whether nothing has come from the tab that sends, for a while."""
        last = self._pictures.last_at
        return last is None or time.monotonic() - last > _SILENCE

    def claim(self, tab: str) -> None:
        """Have a tab's camera used from now on, in place of another's."""
        with self._changed:
            self.tab, self._fault = tab, ""

    def fail(self, tab: str, what: str) -> None:
        """A tab says that its camera can't be had.

        Args:
            tab: Its id; another's than the one that is to send is not listened to.
            what: See ``FAULTS``.
        """
        with self._changed:
            if tab == self.tab:
                self._fault = FAULTS.get(what, "fault.browser_none")
                self._changed.notify_all()

    def asked(self, tab: str, camera: CameraFormat) -> None:
        """A tab's camera was asked for a format: its pictures are of that one from now on."""
        with self._changed:
            if tab == self.tab:
                self._asked = camera

    def source(self, camera: CameraFormat | None = None) -> BrowserSource:
        """A source for the session that begins now.

        Args:
            camera: What the camera is asked for; None for what is usual.
        """
        with self._changed:
            self.format = camera or CameraFormat()
            self._pictures, self._fault = IncomingPictures(), ""
        return BrowserSource(self, self._pictures)

    def wait(self, pictures: IncomingPictures) -> None:
        """Wait until a picture came.

        Raises:
            BrowserCameraError: the browser says why not, or nothing.
        """
        until = time.monotonic() + _PATIENCE
        with self._changed:
            while pictures.last_at is None and not self._fault and time.monotonic() < until and not pictures.over:
                self._changed.wait(0.2)
            if pictures.last_at is None:
                raise BrowserCameraError(self._fault or "fault.browser_silent")

    def hand_over(self, frame: VideoFrame, at: float) -> None:
        """Take a picture: see ``IncomingPictures``. Those of a format that is not wanted any more are left out."""
        if self._asked != self.format:
            return
        self._pictures.hand_over(frame, at)
        with self._changed:
            self._changed.notify_all()

    async def close(self) -> None:
        """End the connection."""
        peer, self._peer = self._peer, None
        if peer is not None:
            await peer.close()

    async def _offered(self, request: Request) -> Response:
        if request.query_params.get("tab", "") != self.tab or not self.tab:
            return JSONResponse({"fault": "fault.browser_other_tab"}, 409)
        await asyncio.to_thread(importlib.import_module, _PEERS)
        from understudy.server.webrtc.peers import Peer

        peer = Peer(Reach((LOCAL,)) if request.url.hostname in (LOCAL, "localhost") else Reach(), self._lost)
        try:
            answer = await peer.take(read_offer(await request.body(), "send"), self)
        except UnderstudyError as fault:
            return JSONResponse({"error": fault.message}, 422)
        before, self._peer = self._peer, peer
        if before is not None:
            await before.close()
        return Response(answer, 201, media_type="application/sdp")

    def _lost(self, peer: Peer) -> None:
        if self._peer is peer:
            self._peer = None
        self._closing = asyncio.ensure_future(peer.close())

    async def _serve(self, socket: WebSocket) -> None:
        """Take single pictures. Each is answered, and the next one sent then."""
        if socket.query_params.get("tab", "") != self.tab or not self.tab:
            await socket.close(1008)
            return
        tab = self.tab
        await socket.accept()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError, KeyError, UnderstudyError):
            while self.tab == tab:
                data = await socket.receive_bytes()
                if len(data) > MOST_BYTES:
                    break
                picture = await asyncio.to_thread(decoded, data)
                self.hand_over(VideoFrame.from_ndarray(picture, format="bgr24"), time.monotonic())
                await socket.send_text("next")
        with contextlib.suppress(RuntimeError, OSError):
            await socket.close(1008)


class BrowserSource:
    """A live source of a browser's camera.

    Args:
        camera: Of which.
        pictures: What comes of it.
    """

    def __init__(self, camera: BrowserCamera, pictures: IncomingPictures) -> None:
        self._camera, self._pictures = camera, pictures

    def open(self) -> LiveInfo:
        """See ``LiveSource``.

        Raises:
            BrowserCameraError: no picture comes.
        """
        self._camera.wait(self._pictures)
        return self._pictures.open()

    def read(self) -> Picture | Sound | None:
        """See ``LiveSource``."""
        return self._pictures.read()

    def close(self) -> None:
        """See ``LiveSource``."""
        self._pictures.end()

    def abandon(self) -> None:
        """See ``LiveSource``."""
        self._pictures.end()
