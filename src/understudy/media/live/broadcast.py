"""Live output to a server or address: RTMP, RTMPS, MPEG-TS over UDP or TCP."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from understudy.errors import EncodingError, UsageError
from understudy.frames import LabelledFrame
from understudy.media.helpers.encoder import StreamFormat
from understudy.media.helpers.messages import PICTURE, SOUND
from understudy.media.helpers.process import START, HelperProcess
from understudy.media.helpers.sender import ANSWER
from understudy.media.live.base import LiveInfo, SinkLostError, Sound, check_address, public_address
from understudy.media.live.planar import i420

#: FFmpeg's muxer by scheme.
MUXERS: Final = {"rtmp": "flv", "rtmps": "flv", "udp": "mpegts", "tcp": "mpegts"}


#: Bits of a live picture, at least, for each of its pixels and for itself. With half of that the label blurs where all
#: moves (x264, 320x240 to 2560x1440).
LEAST_BITS, LEAST_OVERHEAD = 0.004, 400


@dataclass(frozen=True)
class BroadcastOptions:
    """How live output is coded.

    Attributes:
        bitrate: Most bits a second of the pictures.
        preset: Of x264: ``ultrafast`` costs least.
    """

    bitrate: int = 6_000_000
    preset: str = "ultrafast"


def stream_format(info: LiveInfo, options: BroadcastOptions) -> StreamFormat:
    """What a live encoder is told. An odd row or column is left out.

    Raises:
        UsageError: so few bits that the label could not be read.
    """
    width, height = info.width - info.width % 2, info.height - info.height % 2
    least = int((width * height * LEAST_BITS + LEAST_OVERHEAD) * info.fps)
    if not options.bitrate >= least:
        raise UsageError(
            f"{options.bitrate / 1000:.0f} kbit/s are too few for {width}x{height}: the label could not be read",
            f"Name {-(-least // 1000)} or more, or a smaller picture.",
        )
    return StreamFormat(width, height, str(info.fps), info.sound, options.bitrate, options.preset)


class PushSink:
    """Sends to a server or address, from a process of its own (see ``media.helpers.sender``).

    Raises:
        UsageError: it is no address.
    """

    depth, steady, keeps = 4, True, False

    def __init__(self, address: str, options: BroadcastOptions | None = None) -> None:
        check_address(address)
        self._address, self._options = address, options or BroadcastOptions()
        self._muxer = MUXERS[address.split(":", 1)[0]]
        self.name = public_address(address)
        self._size: tuple[int | None, int | None] = (None, None)
        self._process: HelperProcess | None = None
        self._abandoned = threading.Event()

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        self._size = (info.width, info.height)
        self._drop()
        address = self._address
        if address.startswith("udp"):
            address += ("&" if "?" in address else "?") + "pkt_size=1316"
        form = stream_format(info, self._options)
        asked = {"address": address, "muxer": self._muxer, "format": form.as_json()}
        self._process = HelperProcess("sender", asked)
        state = self._process.first_state(ANSWER + START, self._abandoned)
        if state.get("state") == "open":
            return
        self._drop()
        reason = state.get("reason", "it does not answer")
        if state.get("fatal"):
            raise EncodingError(f"can't send to {self.name}: {reason}", "Name another address.")
        raise SinkLostError(f"no answer ({reason})", "Is the server there, and the key right?")

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        """See ``LiveSink``."""
        self._send(PICTURE, seconds, i420(LabelledFrame.opened(labelled, *self._size).picture).data)

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``."""
        self._send(SOUND, seconds, sound.samples.data.cast("B"))

    def _send(self, kind: bytes, seconds: float, content: memoryview) -> None:
        assert self._process is not None
        try:
            # Gives way: what reads at the other end ends by itself when the server says nothing.
            self._process.send(kind, seconds, content)
        except OSError as fault:
            reason = self._process.last_state().get("reason", "no answer")
            self._drop()
            raise SinkLostError(f"broke off ({reason})", "It is tried again.") from fault

    def abandon(self) -> None:
        """See ``LiveSink``."""
        self._abandoned.set()
        if (process := self._process) is not None:
            process.kill()

    def discard(self) -> None:
        """See ``LiveSink``: it keeps nothing."""

    def close(self) -> list[str]:
        """See ``LiveSink``."""
        self._drop()
        return []

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()
