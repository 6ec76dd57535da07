"""Live pictures and sound from an address: RTMP, RTSP, UDP, HTTP."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av
import av.error
import numpy as np

from understudy.media.live import LiveInfo, Picture, Sound, SourceEnded, SourceLostError, reason_of
from understudy.media.sound import resampler, samples_of

#: Addresses that can be watched.
SCHEMES: Final = ("rtmp", "rtmps", "rtsp", "udp", "http", "https", "rtp", "tcp")
#: What they may use; files are left out, because a stream could name them.
_PROTOCOLS: Final = "rtmp,rtmps,rtmpt,rtsp,rtp,udp,tcp,tls,http,https,crypto,srtp"
#: Seconds to wait for a source to answer, and for more of it to come.
_ANSWER, _MORE = 8.0, 3.0


class StreamSource:
    """A network stream: RTMP, RTSP, UDP, HTTP."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._name = re.sub(r"//[^/@]*@", "//", address)  # without a password
        self._container: Any = None
        self._packets: Iterator[Any] = iter(())
        self._ready: deque[Picture | Sound] = deque()
        self._streams: list[Any] = []
        self._shift: float | None = None
        self._resampler: Any = None

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        options = {"protocol_whitelist": _PROTOCOLS, "fflags": "nobuffer", "flags": "low_delay"}
        if self._address.startswith("rtsp"):
            options["rtsp_transport"] = "tcp"
        try:
            self._container = av.open(self._address, options=options, timeout=(_ANSWER, _MORE))
            video = self._container.streams.video[0]
        except (av.error.FFmpegError, IndexError, OSError) as fault:
            self.close()
            raise SourceLostError(
                f"can't watch {self._name}: {reason_of(fault)}", "Is it being sent, and is the address right?"
            ) from fault
        self._streams = streams = [video, *self._container.streams.audio[:1]]
        self._packets = self._container.demux(streams)
        self._shift, self._resampler = None, resampler()
        rate = video.average_rate or video.guessed_rate or Fraction(30)
        size = video.codec_context.width, video.codec_context.height
        if 0 in size:
            self.close()
            raise SourceLostError(f"{self._name} has sent no picture yet", "Try again when it does.")
        fps = Fraction(rate).limit_denominator(1001) if 1 <= rate <= 240 else Fraction(30)
        return LiveInfo(self._name, *size, fps, sound=len(streams) > 1)

    def read(self) -> Picture | Sound | None:
        """See ``LiveSource``."""
        while not self._ready:
            try:
                packet = next(self._packets)
                frames = packet.decode()
            except StopIteration:
                raise self._end() from None
            except (av.error.ExitError, av.error.TimeoutError) as fault:
                raise SourceLostError(f"{self._name} stalled", "It is opened again.") from fault
            except av.error.EOFError:
                raise self._end() from None
            except av.error.InvalidDataError:
                # A damaged packet: the next key frame mends it. The generator that raised is done for.
                self._packets = self._container.demux(self._streams)
                return None
            except (av.error.FFmpegError, OSError) as fault:
                raise SourceLostError(f"{self._name} broke off: {reason_of(fault)}", "It is opened again.") from fault
            for frame in frames:
                self._take(frame)
            if not frames and not self._ready:
                return None
        return self._ready.popleft()

    def _end(self) -> Exception:
        """A file on a server ends; whoever sends may come back."""
        if self._address.startswith("http"):
            return SourceEnded()
        return SourceLostError(f"{self._name} was closed by the other side", "It is opened again.")

    def _take(self, frame: Any) -> None:
        now = time.monotonic()
        if frame.pts is None:
            return
        own = float(frame.pts * frame.time_base)
        # The stream's own clock, tied to ours by the first packet; tied anew where they part.
        if self._shift is None or abs(own + self._shift - now) > 2.0:
            self._shift = now - own
        if isinstance(frame, av.VideoFrame):
            picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            self._ready.append(Picture(picture, min(own + self._shift, now)))
        else:
            for piece in self._resampler.resample(frame):
                self._ready.append(Sound(samples_of(piece), own + self._shift))

    def close(self) -> None:
        """See ``LiveSource``."""
        self._ready.clear()
        if self._container is not None:
            self._container.close()
            self._container = None
