"""A session's labelled frames, coded once in each codec that is watched, to everybody who watches.

Only a ``LabelledFrame`` comes in here, as into any sink. While no frame comes nothing is sent: those who watch keep
what they saw last, and whoever comes sees nothing until there is a frame again.

How many bits a second are sent is up to the slowest who watches (see ``Allowance``). Who can get less than half of what
the quickest gets has a thinner coding, and who can get less than a quarter the thinnest: nobody who can get a quarter
gets less than half of that for another's sake.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from understudy.frames import LabelledFrame
from understudy.media.live.base import LiveInfo, Sound
from understudy.server.webrtc.allowance import Allowance
from understudy.server.webrtc.encoding import CLOCK, Codec, PictureEncoder, usual_bitrate

#: Coded pictures that may wait for one who watches; then all are left out until one can be decoded by itself.
_WAITING: Final = 30
#: Seconds between two pictures that are made decodable by themselves because somebody asked; and where fewer bits than
#: usual may be sent, of which such a picture takes many.
_KEYS, _KEYS_OF_FEW = 0.4, 1.0
#: Each coding has so many times the bits of the one before; there are so many besides the full one; and from such a
#: share of the one before on somebody gets that again.
_THINNER, _STEPS, _BACK = 0.5, 2, 0.8
#: By how much the bits a second fall or grow before a picture is coded anew, for that one takes more of them.
_FALLS, _GROWS = 0.92, 1.25


class _Coding(NamedTuple):
    """One of those that are made of each picture."""

    codec: Codec
    step: int


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
        #: How much may be sent.
        self.allowance = Allowance()
        #: Which coding it gets: 0 is the full one. Written in the thread that codes.
        self.step = 0
        self._shown = 0

    def offer(self, packet: av.Packet[Any], step: int, *, key: bool) -> None:
        """From another thread: send a picture of one of the codings."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._serving.call_soon_threadsafe(self._take, packet, step, key)

    def _take(self, packet: av.Packet[Any], step: int, key: bool) -> None:
        if step != self._shown:  # what refers to pictures of another coding shows nonsense
            self._shown, self.lost = step, True
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
        packet = self._coded.popleft()
        self.allowance.sent(8 * packet.size, time.monotonic())
        return packet

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
        self._encoders: dict[_Coding, PictureEncoder] = {}
        self._keyed: dict[_Coding, float] = {}
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

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        self._size = (info.width, info.height)

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        """See ``LiveSink``."""
        frame = LabelledFrame.opened(labelled, *self._size)
        width, height = frame.width // 2 * 2, frame.height // 2 * 2
        with self._lock:
            tracks = list(self._tracks)
        usual = usual_bitrate(width, height)
        groups = _groups(tracks, usual)
        with self._lock:  # of those that nobody watches any more
            self._encoders = {coding: one for coding, one in self._encoders.items() if coding in groups}
        for coding, (bits, watching) in groups.items():
            encoder, new = self._encoder(coding, width, height, bits)
            asked = any(track.lost for track in watching)
            apart = _KEYS if bits == usual else _KEYS_OF_FEW
            key = new or (asked and seconds - self._keyed.get(coding, -apart) >= apart)
            data = encoder.encode(frame.picture, round(seconds * CLOCK), key=key)
            if not data:
                continue
            if key:
                self._keyed[coding] = seconds
            packet = av.Packet(data)
            packet.pts, packet.time_base = round(seconds * CLOCK), Fraction(1, CLOCK)
            for track in watching:
                track.offer(packet, coding.step, key=key)

    def _encoder(self, coding: _Coding, width: int, height: int, bits: int) -> tuple[PictureEncoder, bool]:
        """What codes, and whether it is new."""
        with self._lock:
            known = self._encoders.get(coding)
        if known is not None:
            grew = bits > _GROWS * known.bitrate or known.bitrate < bits == usual_bitrate(width, height)
            if bits >= _FALLS * known.bitrate and not grew:
                return known, False
        made = PictureEncoder(coding.codec, width, height, bits)
        with self._lock:
            self._encoders[coding] = made
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


def _groups(tracks: Sequence[Watched], usual: int) -> dict[_Coding, tuple[int, list[Watched]]]:
    """Those who watch, by the coding that they get, and with how many bits a second.

    Args:
        tracks: All of them.
        usual: Bits a second where nothing is in the way.
    """
    now = time.monotonic()
    bits = {track: track.allowance.bits(usual, now) for track in tracks}
    found: dict[_Coding, tuple[int, list[Watched]]] = {}
    for track in tracks:
        best = max(bits[one] for one in tracks if one.codec == track.codec)
        while track.step < _STEPS and bits[track] < best * _THINNER ** (track.step + 1):
            track.step += 1
        while track.step > 0 and bits[track] >= _BACK * best * _THINNER ** (track.step - 1):
            track.step -= 1
        coding = _Coding(track.codec, track.step)
        least, watching = found.get(coding, (usual, []))
        found[coding] = (min(least, bits[track]), [*watching, track])
    return found
