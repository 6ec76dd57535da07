"""A session's labelled frames, coded once in each codec that is watched, to everybody who watches.

Only a ``LabelledFrame`` comes in here, as into any sink. While no frame comes nothing is sent: those who watch keep
what they saw last, and whoever comes sees nothing until there is a frame again.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from fractions import Fraction
from typing import Any, Final

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from understudy.frames import LabelledFrame
from understudy.media.live.base import LiveInfo, Sound
from understudy.server.webrtc.encoding import CLOCK, Codec, PictureEncoder, usual_bitrate

#: Coded pictures that may wait for one who watches; then all are left out until one can be decoded by itself.
_WAITING: Final = 30
#: Seconds between two pictures that are made decodable by themselves because somebody asked.
_KEYS: Final = 0.4


class Watched(MediaStreamTrack):
    """The track of one who watches. Made and read in the server's loop.

    Args:
        codec: In which it is coded.
    """

    kind = "video"

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        self.codec = codec
        self._serving = asyncio.get_running_loop()
        self._coded: deque[av.Packet[Any]] = deque()
        self._changed = asyncio.Event()
        #: Whether what comes next must be decodable by itself. Read in the thread that codes.
        self.lost = True

    def offer(self, packet: av.Packet[Any], *, key: bool) -> None:
        """From another thread: send a coded picture."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._serving.call_soon_threadsafe(self._take, packet, key)

    def _take(self, packet: av.Packet[Any], key: bool) -> None:
        if len(self._coded) >= _WAITING:
            self._coded.clear()
            self.lost = True
        if self.lost and not key:
            return
        self.lost = False
        self._coded.append(packet)
        self._changed.set()

    async def recv(self) -> av.Packet[Any]:
        """See ``MediaStreamTrack``.

        Raises:
            MediaStreamError: it has ended.
        """
        while not self._coded:
            if self.readyState != "live":
                raise MediaStreamError
            self._changed.clear()
            await self._changed.wait()
        return self._coded.popleft()

    def stop(self) -> None:
        """See ``MediaStreamTrack``."""
        super().stop()
        self._coded.clear()
        self._changed.set()


class Watchers:
    """A live sink for any number of people who watch, whether there is a session or not. For several threads."""

    depth, steady, keeps, name = 1, False, False, "watchers"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tracks: set[Watched] = set()
        self._encoders: dict[Codec, PictureEncoder] = {}
        self._keyed: dict[Codec, float] = {}
        self._size: tuple[int | None, int | None] = (None, None)

    def add(self, track: Watched) -> None:
        """Show the frames from now on to one more."""
        with self._lock:
            self._tracks.add(track)

    def remove(self, track: Watched) -> None:
        """One watches no longer."""
        track.stop()
        with self._lock:
            self._tracks.discard(track)
            for codec in [codec for codec in self._encoders if all(one.codec != codec for one in self._tracks)]:
                del self._encoders[codec]

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        self._size = (info.width, info.height)

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        """See ``LiveSink``."""
        frame = LabelledFrame.opened(labelled, *self._size)
        with self._lock:
            tracks = list(self._tracks)
        for codec in {track.codec for track in tracks}:
            watching = [track for track in tracks if track.codec == codec]
            encoder, new = self._encoder(codec, frame.width // 2 * 2, frame.height // 2 * 2)
            asked = any(track.lost for track in watching)
            key = new or (asked and seconds - self._keyed.get(codec, -1.0) >= _KEYS)
            data = encoder.encode(frame.picture, round(seconds * CLOCK), key=key)
            if not data:
                continue
            if key:
                self._keyed[codec] = seconds
            packet = av.Packet(data)
            packet.pts, packet.time_base = round(seconds * CLOCK), Fraction(1, CLOCK)
            for track in watching:
                track.offer(packet, key=key)

    def _encoder(self, codec: Codec, width: int, height: int) -> tuple[PictureEncoder, bool]:
        with self._lock:
            known = self._encoders.get(codec)
        if known is not None:
            return known, False
        made = PictureEncoder(codec, width, height, usual_bitrate(width, height))
        with self._lock:
            self._encoders[codec] = made
        return made, True

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``: pictures only."""

    def abandon(self) -> None:
        """See ``LiveSink``: it waits for nobody."""

    def discard(self) -> None:
        """See ``LiveSink``: it keeps nothing."""

    def close(self) -> list[str]:
        """See ``LiveSink``."""
        with self._lock:
            self._encoders.clear()
        return []
