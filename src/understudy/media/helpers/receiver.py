"""A process that takes in a network stream, or a device's sound: started by ``media.live.receiving``.

What comes from the network is decoded in here: a server that says nothing holds up nobody else, and what breaks
FFmpeg breaks this process only. Writes BGR pictures and 16-bit stereo sound to its standard output, each with the
time it belongs to on the system's monotonic clock. States (on stderr): ``open`` with what comes; ``ended``; ``lost``,
with a reason.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final, NoReturn, TypeAlias

import av
import av.container
import av.error
import numpy as np

from understudy.geometry.orientation import orientation_in
from understudy.media.helpers.encoder import SOUND_RATE
from understudy.media.helpers.messages import PICTURE, SOUND, Helper, at_most, leave, reason_of, write_message
from understudy.media.resampling import Resampler

#: What a stream may use; files are left out, because it could name them.
_PROTOCOLS: Final = "rtmp,rtmps,rtmpt,rtsp,rtp,udp,tcp,tls,http,https,crypto,srtp"
#: Seconds to wait for a source to answer, and for more of it to come.
ANSWER, _MORE = 8.0, 3.0
#: What a stream is made of.
_Decoded: TypeAlias = "av.VideoFrame | av.AudioFrame"
#: Where systems keep ALSA's settings.
_ALSA: Final = Path("/usr/share/alsa/alsa.conf")
#: Seconds by which a stream's clock may be ahead of ours (a playlist's segments come in bursts) or behind it.
_AHEAD, _BEHIND = 12.0, 2.0
#: Seconds a picture by which a clock that runs faster than ours is followed.
_DRIFT: Final = 2e-5
#: Microseconds of a stream that FFmpeg looks at where it has not found pictures and sound before; of its own accord
#: it takes 5 to 9 seconds. A web server's files and playlists come faster than they play, and take no time.
_LOOKED_AT: Final = "3000000"
#: Pixels of a picture: 8K.
_MOST: Final = 7680 * 4320
#: Seconds that sound is written before it is due.
_LEAD: Final = 0.1


class Clock:
    """Ties a stream's own times to ours: by its first picture, and anew where they part.

    Args:
        paced: Whether the stream is to be shown at its own pace, as what a web server delivers in bursts; else it is
            shown as it comes, and what comes earlier than thought says that the delay was thought too long.
    """

    def __init__(self, *, paced: bool) -> None:
        self._paced = paced
        self._shift: float | None = None

    def due(self, own: float, now: float) -> float:
        """When something of the time ``own`` is to be shown."""
        if self._shift is None or not -_BEHIND <= own + self._shift - now <= _AHEAD:
            self._shift = now - own
        if not self._paced:
            # What comes earlier than thought says so; a clock that runs slower than ours is followed slowly.
            self._shift = min(now - own, self._shift + _DRIFT)
        return own + self._shift


def main() -> NoReturn:
    """Receive until the stream ends or is lost."""
    helper = Helper(talks=True)
    asked = helper.asked()
    address = str(asked["address"])
    device = asked.get("device")
    options = {} if device else {"protocol_whitelist": _PROTOCOLS, "flags": "low_delay"}
    if address.startswith("rtsp"):
        options["rtsp_transport"] = "tcp"
    if _ALSA.exists():
        # PyAV's own ALSA looks for its settings in the folder where it was built.
        os.environ.setdefault("ALSA_CONFIG_PATH", str(_ALSA))
    try:
        with at_most(2 * ANSWER):
            container = _container(address, device, options)
            frames = _decoded(container)
            opened, waiting = _opened(container, frames, sound_only=device is not None)
        helper.say(state="open", **opened)
        # A file on a server is sent as fast as it can be, a playlist's parts come in bursts. A camera's JPEGs have no
        # times of their own: FFmpeg numbers them at a rate that it guesses.
        bursts = address.startswith("http") and "jpeg" not in container.format.name
        _receive(helper, chain(waiting, frames), Clock(paced=bursts))
    except (av.error.ExitError, av.error.TimeoutError):
        helper.say(state="lost", reason="it stalled")
    except av.error.EOFError:
        # A file on a server ends; whoever sends may come back.
        ended = address.startswith("http")
        helper.say(state="ended" if ended else "lost", reason="closed by the other side")
    except (av.error.FFmpegError, OSError, LookupError, ValueError) as fault:
        helper.say(state="lost", reason=reason_of(fault))
    leave(0)


def _container(address: str, device: str | None, options: dict[str, str]) -> av.container.InputContainer:
    if not device and not address.startswith("http"):
        quick = av.open(address, options={**options, "analyzeduration": _LOOKED_AT}, timeout=(ANSWER, _MORE))
        if quick.streams.video:
            return quick
        quick.close()  # a server gives sound at once, and pictures from a key frame on, which may be seconds later
    return av.open(address, format=device, options=options, timeout=(ANSWER, _MORE))


def _opened(
    container: av.container.InputContainer, frames: Iterator[_Decoded], *, sound_only: bool
) -> tuple[dict[str, object], list[_Decoded]]:
    """What comes; and what had to be decoded to know how the pictures lie."""
    if sound_only:
        if not container.streams.audio:
            raise LookupError("there is no sound in it")
        return {"sound": True}, []
    if not container.streams.video:
        raise LookupError("there are no pictures in it")
    video = container.streams.video[0]
    size = video.codec_context.width, video.codec_context.height
    if 0 not in size:  # else it says so with its first key frame
        _check_size(*size)
    rate = video.average_rate or video.guessed_rate or Fraction(30)
    fps = Fraction(rate).limit_denominator(1001) if 1 <= rate <= 240 else Fraction(30)
    waiting: list[_Decoded] = []
    for frame in frames:
        waiting.append(frame)
        if isinstance(frame, av.VideoFrame):
            size = frame.width, frame.height
            _check_size(*size)
            size = size[::-1] if orientation_in(frame).lying else size
            break
    if 0 in size:
        raise LookupError("it has sent no picture yet")
    opened = {"width": size[0], "height": size[1], "rate": str(fps), "sound": bool(container.streams.audio)}
    return opened, waiting


def _decoded(container: av.container.InputContainer) -> Iterator[_Decoded]:
    """The pictures and the sound of a stream that have a time, until it ends."""
    streams = [*container.streams.video[:1], *container.streams.audio[:1]]
    packets = container.demux(streams)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                raise av.error.EOFError(0, "the end")
            frames = packet.decode()
        except av.error.InvalidDataError:
            # A damaged packet: the next key frame mends it. The generator that raised is done for.
            packets = container.demux(streams)
            continue
        for frame in frames:
            if isinstance(frame, (av.VideoFrame, av.AudioFrame)) and frame.time is not None:
                yield frame


def _receive(helper: Helper, frames: Iterable[_Decoded], clock: Clock) -> None:
    to_stereo = Resampler("s16", "stereo", SOUND_RATE)
    for frame in frames:
        own, now = float(frame.time or 0), time.monotonic()
        if isinstance(frame, av.VideoFrame):
            due = clock.due(own, now)
            _check_size(frame.width, frame.height)
            _wait(due)
            picture = np.ascontiguousarray(orientation_in(frame).applied(frame.to_ndarray(format="bgr24")))
            size = picture.shape[1].to_bytes(4, "little") + picture.shape[0].to_bytes(4, "little")
            content = memoryview(b"".join([size, picture.data]))
            write_message(helper.output, PICTURE, min(due, time.monotonic()), content)
        else:
            # Sound comes when its last sample was taken.
            length = frame.samples / frame.sample_rate
            due = clock.due(own + length, now) - length
            _wait(due - _LEAD)
            for piece in to_stereo.resample(frame):
                write_message(helper.output, SOUND, due, memoryview(bytes(piece.planes[0])[: piece.samples * 4]))


def _check_size(width: int, height: int) -> None:
    if width * height > _MOST:
        raise LookupError(f"its pictures are too large ({width}x{height})")


def _wait(until: float) -> None:
    left = until - time.monotonic()
    if left > 0:
        time.sleep(left)


if __name__ == "__main__":
    main()
