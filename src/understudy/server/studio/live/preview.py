"""What a session shows, in the page: labelled frames as JPEG over a WebSocket, the newest only."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
import time
from collections import deque
from typing import Final, NamedTuple

import cv2
import numpy as np
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from understudy.frames import LabelledFrame, SealedFrame
from understudy.media.live.base import LiveInfo, Sound
from understudy.quantiles import percentiles

PLACE: Final = "/live/preview"
#: Widest picture that is sent: pages show none larger, and label and face are seen as well.
_WIDEST: Final = 1280
#: How well a picture is coded (JPEG).
_QUALITY: Final = 80
#: Pictures that may be on their way to a page: while it draws one, the next can come.
_AHEAD: Final = 2
#: Pictures that figures are taken over.
_WINDOW: Final = 150


class Coded(NamedTuple):
    """A frame, coded.

    Attributes:
        number: Rises by one from picture to picture.
        captured: When it was captured (``time.monotonic``).
        data: The number in four bytes, the most important first, and a JPEG.
    """

    number: int
    captured: float
    data: bytes


class Shown(NamedTuple):
    """How a page that looks keeps up.

    Attributes:
        fps: Pictures a second that it drew lately.
        p50, p95: Milliseconds from capture until they were drawn; None where none was.
    """

    fps: float
    p50: float | None
    p95: float | None


class Preview:
    """Shows the frames of one session after the other to any number of pages."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._viewers: set[_Viewer] = set()
        self._number = 0
        self._last: tuple[SealedFrame, float] | None = None
        self._drawn: deque[tuple[float, float]] = deque(maxlen=_WINDOW)
        #: When a frame came last (``time.monotonic``); None if none did since it was cleared.
        self.last_at: float | None = None

    @property
    def route(self) -> WebSocketRoute:
        """Where pages get the pictures."""
        return WebSocketRoute(PLACE, self._serve)

    def clear(self) -> None:
        """There is nothing to be seen any more."""
        with self._lock:
            self._last = self.last_at = None
            self._drawn.clear()
            for viewer in self._viewers:
                viewer.offer(None)

    def offer(self, frame: SealedFrame, captured: float) -> None:
        """Show a frame to every page that has drawn what it has.

        Args:
            frame: Of a ``LabelledFrame``.
            captured: When it was captured (``time.monotonic``).
        """
        with self._lock:
            self._last, self.last_at = (frame, captured), time.monotonic()
            hungry = [viewer for viewer in self._viewers if viewer.hungry]
            if hungry:
                coded = self._coded(frame, captured)
                for viewer in hungry:
                    viewer.offer(coded)

    def shown(self) -> Shown:
        """How the pages keep up, all together."""
        drawn = list(self._drawn)
        recent = [at for at, _ in drawn if drawn[-1][0] - at <= 3 and time.monotonic() - at < 5]
        fps = (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 and recent[-1] > recent[0] else 0.0
        if not drawn:
            return Shown(fps, None, None)
        p50, p95 = percentiles(np.array([1000 * late for _, late in drawn]), (50, 95))
        return Shown(fps, p50, p95)

    def drawn(self, coded: Coded) -> None:
        """A page has drawn a picture just now."""
        now = time.monotonic()
        self._drawn.append((now, now - coded.captured))

    def _coded(self, frame: SealedFrame, captured: float) -> Coded:
        self._number = (self._number + 1) % 2**32
        picture = frame.picture
        if frame.width > _WIDEST:
            size = (_WIDEST, max(round(frame.height * _WIDEST / frame.width), 1))
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        return Coded(self._number, captured, struct.pack(">I", self._number) + data.tobytes())

    async def _serve(self, socket: WebSocket) -> None:
        """Send pictures to a page until it goes."""
        await socket.accept()
        viewer = _Viewer(asyncio.get_running_loop())
        with self._lock:
            self._viewers.add(viewer)
            if self._last is not None:
                viewer.offer(self._coded(*self._last))
        sending = asyncio.ensure_future(viewer.send(socket))
        try:
            while True:
                for coded in viewer.drew(await socket.receive_text()):
                    self.drawn(coded)
        except (WebSocketDisconnect, ValueError, KeyError, RuntimeError):  # gone, or no page of ours
            pass
        finally:
            with self._lock:
                self._viewers.discard(viewer)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
                await sending
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
                await socket.close()


class _Viewer:
    """One page. Its methods are called in the server's loop, but for ``offer`` and ``hungry``."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._changed = asyncio.Event()
        self._next: Coded | None = None
        self._cleared = False
        self._sent: deque[Coded] = deque()
        #: Whether a picture would be sent at once.
        self.hungry = True

    def offer(self, coded: Coded | None) -> None:
        """Have a picture sent as soon as it can be, in place of one that waits; None: there is none any more."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._take, coded)

    def _take(self, coded: Coded | None) -> None:
        self._next, self._cleared = coded, coded is None
        if coded is None:  # nor does the page draw what is on its way, or say so
            self._sent.clear()
        self._judge()

    def _judge(self) -> None:
        self.hungry = self._next is None and len(self._sent) < _AHEAD
        self._changed.set()

    async def send(self, socket: WebSocket) -> None:
        """Send what there is to send, for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._cleared:
                self._cleared = False
                await socket.send_text("clear")
            if self._next is not None and len(self._sent) < _AHEAD:
                coded, self._next = self._next, None
                self._sent.append(coded)
                self._judge()
                await socket.send_bytes(coded.data)

    def drew(self, said: str) -> list[Coded]:
        """What a page says it has drawn: all up to a number; the last of them was seen.

        Raises:
            ValueError: that is no number.
        """
        number, done = int(said), []
        while self._sent and any(coded.number == number for coded in self._sent):
            done.append(self._sent.popleft())
        self._judge()
        return done[-1:]


class PreviewSink:
    """Hands a session's frames to pages. Like any sink it takes labelled frames only.

    Args:
        preview: Where they are shown.
        begun: When the session began (``time.monotonic``), of which frames' times count.
    """

    depth, steady, keeps, name = 1, False, False, "preview"

    def __init__(self, preview: Preview, begun: float) -> None:
        self._preview, self._begun = preview, begun
        self._size: tuple[int | None, int | None] = (None, None)

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        self._size = (info.width, info.height)

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        """See ``LiveSink``."""
        self._preview.offer(LabelledFrame.opened(labelled, *self._size), self._begun + seconds)

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``: pages have no sound, or one would hear oneself."""

    def abandon(self) -> None:
        """See ``LiveSink``: it waits for nobody."""

    def discard(self) -> None:
        """See ``LiveSink``: what was refused is seen no longer."""
        self._preview.clear()

    def close(self) -> list[str]:
        """See ``LiveSink``."""
        return []
