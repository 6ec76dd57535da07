"""A process that codes and sends: ``python -m understudy.streaming.sender``, started by ``media.broadcast``.

A server that accepts and then says nothing holds FFmpeg, and with it Python, for minutes. In here it holds nobody
else, and a clock that needs no Python ends the process. It is also where coding's share of Python's lock goes.

It reads messages from its standard input - a kind, a time, a length, and so many bytes - and writes one line of JSON
for each change of its state: ``{"state": "open"}``, or ``{"state": "lost", "reason": "...", "fatal": false}``.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import struct
import sys
from collections.abc import Iterator
from typing import IO, Any, Final

import av
import av.error

from understudy.streaming.encoder import Encoder, StreamFormat, muxer_options

#: Kind (a byte), seconds, bytes that follow.
HEADER: Final = struct.Struct("<cdI")
#: The kinds: what to open (JSON), a picture, sound. The end of the input is the end.
OPEN, PICTURE, SOUND = b"O", b"P", b"S"
#: Seconds that a server has to answer, and to take what is sent.
ANSWER: Final = 8.0
#: How far it steps back: the swap, which everybody waits for, comes first.
_NICE: Final = 5
#: Longest message, in bytes: an 8K picture.
LONGEST: Final = 64_000_000


def main() -> int:
    """Send until the input ends or the server is lost."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the session, which then ends this
    with contextlib.suppress(AttributeError, OSError):  # not on Windows
        os.nice(_NICE)
    source = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    opened = _message(source)
    if opened is None or opened[0] != OPEN:
        return 2
    asked: dict[str, Any] = json.loads(bytes(opened[2]))
    form = StreamFormat(**asked["format"])
    try:
        _send(source, str(asked["address"]), str(asked["muxer"]), form)
    except (av.error.FFmpegError, OSError, ValueError) as fault:
        passing = isinstance(fault, (av.error.FFmpegError, OSError))
        fatal = not passing or isinstance(fault, av.error.ProtocolNotFoundError)
        _say({"state": "lost", "reason": _reason(fault), "fatal": fatal})
        _leave(1)
    return 0


def _send(source: IO[bytes], address: str, muxer: str, form: StreamFormat) -> None:
    with _at_most(ANSWER):
        container = av.open(address, "w", format=muxer, options=dict(muxer_options(muxer)))
        encoder = Encoder(container, form)
        container.start_encoding()
    _say({"state": "open"})
    while (message := _message(source)) is not None:
        kind, seconds, content = message
        with _at_most(ANSWER):
            if kind == PICTURE:
                encoder.write(content, seconds)
            else:
                encoder.hear(content, seconds)
    with _at_most(ANSWER), contextlib.suppress(av.error.FFmpegError, OSError):
        encoder.finish()
        container.close()


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """End the process if the block takes longer, even where Python itself is held up."""
    faulthandler.dump_traceback_later(seconds, exit=True)  # what it prints goes where the whole stderr goes: nowhere
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _message(source: IO[bytes]) -> tuple[bytes, float, memoryview] | None:
    header = _exactly(source, HEADER.size)
    if header is None:
        return None
    kind, seconds, length = HEADER.unpack(header)
    content = _exactly(source, length) if length <= LONGEST else None
    return None if content is None else (kind, seconds, content)


def _exactly(source: IO[bytes], length: int) -> memoryview | None:
    """So many bytes; None if the input ends before."""
    content = memoryview(bytearray(length))
    filled = 0
    while filled < length:
        count = source.readinto(content[filled:])  # type: ignore[attr-defined]
        if not count:
            return None
        filled += count
    return content


def _say(state: dict[str, object]) -> None:
    with contextlib.suppress(OSError):
        sys.stdout.write(json.dumps(state) + "\n")
        sys.stdout.flush()


def _reason(fault: BaseException) -> str:
    return str(getattr(fault, "strerror", None) or fault or type(fault).__name__)


def _leave(code: int) -> None:
    """Go at once: to close a container whose server is gone may take for ever."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
