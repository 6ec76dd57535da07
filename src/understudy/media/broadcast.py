"""Live output to a server or address: RTMP, RTMPS, MPEG-TS over UDP or TCP."""

from __future__ import annotations

import contextlib
import json
import queue
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from understudy.errors import EncodingError
from understudy.frames import LabelledFrame
from understudy.media.live import LiveInfo, SinkLostError, Sound
from understudy.media.planar import i420
from understudy.streaming.encoder import StreamFormat
from understudy.streaming.sender import ANSWER, HEADER, OPEN, PICTURE, SOUND

#: FFmpeg's muxer by scheme.
MUXERS: Final = {"rtmp": "flv", "rtmps": "flv", "udp": "mpegts", "tcp": "mpegts"}
#: Seconds that the sending process has for its start, beyond what the server has for its answer.
_START: Final = 8.0
#: Seconds that it has to send what is left at the end.
_ENDING: Final = 0.5
#: Bytes that a pipe to it holds where the system lets us say so: a frame takes a few turns, not forty.
_PIPE: Final = 1 << 20


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
    """What a live encoder is told. An odd row or column is left out."""
    width, height = info.width - info.width % 2, info.height - info.height % 2
    return StreamFormat(width, height, str(info.fps), info.sound, options.bitrate, options.preset)


class PushSink:
    """Sends to a server or address, from a process of its own (see ``streaming.sender``)."""

    depth, steady, keeps = 4, True, False

    def __init__(self, address: str, options: BroadcastOptions | None = None) -> None:
        self._address, self._options = address, options or BroadcastOptions()
        self._muxer = MUXERS[address.split(":", 1)[0]]
        # Neither password nor stream key is for logs.
        plain = re.sub(r"//[^/@]*@", "//", address).split("?", 1)[0]
        self.name = plain.rsplit("/", 1)[0] if self._muxer == "flv" else plain
        self._process: subprocess.Popen[bytes] | None = None
        self._states: queue.Queue[dict[str, Any]] = queue.Queue()
        self._abandoned = threading.Event()

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        self._drop()
        address = self._address
        if address.startswith("udp"):
            address += ("&" if "?" in address else "?") + "pkt_size=1316"
        form = stream_format(info, self._options)
        self._states = queue.Queue()
        self._process = _started(self._states)
        asked = {"address": address, "muxer": self._muxer, "format": form.as_json()}
        with contextlib.suppress(OSError):  # it says why
            self._send(OPEN, 0.0, memoryview(json.dumps(asked).encode()))
        state = self._state(ANSWER + _START)
        if state.get("state") == "open":
            return
        self._drop()
        reason = state.get("reason", "it does not answer")
        if state.get("fatal"):
            raise EncodingError(f"can't send to {self.name}: {reason}", "Name another address.")
        raise SinkLostError(f"no answer ({reason})", "Is the server there, and the key right?")

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        """See ``LiveSink``."""
        self._send_or_lose(PICTURE, seconds, i420(LabelledFrame.opened(labelled).picture).data)

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``."""
        self._send_or_lose(SOUND, seconds, sound.samples.data.cast("B"))

    def _send_or_lose(self, kind: bytes, seconds: float, content: memoryview) -> None:
        try:
            self._send(kind, seconds, content)
        except OSError as fault:
            state = self._state(0.5)
            self._drop()
            raise SinkLostError(f"broke off ({state.get('reason', 'no answer')})", "It is tried again.") from fault

    def _send(self, kind: bytes, seconds: float, content: memoryview) -> None:
        assert self._process is not None
        pipe = self._process.stdin
        assert pipe is not None
        for part in (HEADER.pack(kind, seconds, len(content)), content):
            left = memoryview(part)
            while left:
                # It gives way: what reads at the other end ends by itself when the server says nothing.
                left = left[pipe.write(left) :]

    def _state(self, patience: float) -> dict[str, Any]:
        """What the process says next; an empty answer if that is nothing within ``patience`` seconds."""
        until = time.monotonic() + patience
        while not self._abandoned.is_set():
            with contextlib.suppress(queue.Empty):
                return self._states.get(timeout=0.05)
            if time.monotonic() > until:
                break
        return {}

    def abandon(self) -> None:
        """See ``LiveSink``."""
        self._abandoned.set()
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> list[str]:
        """See ``LiveSink``."""
        if self._process is not None:
            assert self._process.stdin is not None
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_ENDING)
        self._drop()
        return []

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _started(states: queue.Queue[dict[str, Any]]) -> subprocess.Popen[bytes]:
    """The process; a thread that ends with it puts what it says into ``states``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "understudy.streaming.sender"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        # The folder that this package is in: a file of the user's folder is not taken for a library.
        cwd=Path(__file__).resolve().parents[2],
        start_new_session=True,  # Ctrl-C is for the session
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(process.stdin.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)
    threading.Thread(target=_listen, args=(process.stdout, states), name="sender", daemon=True).start()
    return process


def _listen(said: IO[bytes], states: queue.Queue[dict[str, Any]]) -> None:
    with contextlib.suppress(OSError, ValueError):  # closed meanwhile
        for line in said:
            states.put(json.loads(line))
    states.put({"state": "gone"})
