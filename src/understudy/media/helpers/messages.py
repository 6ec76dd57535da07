"""What a session and its helper processes say to each other over pipes: messages one way, lines of JSON the other."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import struct
import sys
from collections.abc import Iterator
from typing import IO, Any, Final, NoReturn

#: Kind (a byte), seconds, bytes that follow.
HEADER: Final = struct.Struct("<cdI")
#: The kinds: what to open (JSON), a picture, sound, lines of text (UTF-8).
OPEN, PICTURE, SOUND, TEXT = b"O", b"P", b"S", b"T"
#: Longest message, in bytes: more than the largest picture that a source may deliver.
LONGEST: Final = 300_000_000


def read_message(pipe: IO[bytes]) -> tuple[bytes, float, memoryview] | None:
    """The next message: its kind, its time and what it holds; None at the end, or if it makes no sense.

    Args:
        pipe: Unbuffered.
    """
    header = _exactly(pipe, HEADER.size)
    if header is None:
        return None
    kind, seconds, length = HEADER.unpack(header)
    content = _exactly(pipe, length) if length <= LONGEST else None
    return None if content is None else (kind, seconds, content)


def write_message(pipe: IO[bytes], kind: bytes, seconds: float, content: memoryview) -> None:
    """Write a message; waits until the other side takes it.

    Args:
        pipe: Unbuffered.
        kind: See above.
        seconds: Its time.
        content: Contiguous bytes.

    Raises:
        OSError: the other side is gone.
    """
    for part in (HEADER.pack(kind, seconds, content.nbytes), content.cast("B")):
        left = memoryview(part)
        while left:
            left = left[pipe.write(left) :]


def _exactly(pipe: IO[bytes], length: int) -> memoryview | None:
    content = memoryview(bytearray(length))
    filled = 0
    while filled < length:
        count = pipe.readinto(content[filled:])  # type: ignore[attr-defined]
        if not count:
            return None
        filled += count
    return content


class Helper:
    """The helper's side.

    Args:
        talks: Whether messages go out on stdout and states on stderr; else messages come in and states go to stdout.
        nice: How far it steps back for others.
    """

    def __init__(self, *, talks: bool = False, nice: int = 0) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the session, which then ends this
        with contextlib.suppress(AttributeError, OSError):  # not on Windows
            os.nice(nice)
        self.input: IO[bytes] = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
        self.output: IO[bytes] = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
        self._states = os.fdopen(os.dup(sys.stderr.fileno() if talks else sys.stdout.fileno()), "w", encoding="utf-8")

    def asked(self) -> dict[str, Any]:
        """What the session wants: its first message."""
        message = read_message(self.input)
        if message is None or message[0] != OPEN:
            leave(2)
        asked: dict[str, Any] = json.loads(bytes(message[2]))
        return asked

    def say(self, **state: object) -> None:
        """Tell the session a state."""
        with contextlib.suppress(OSError):
            self._states.write(json.dumps(state) + "\n")
            self._states.flush()


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End the process if the block takes longer, even where a library holds up Python itself."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - what it would print is for nobody
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def reason_of(fault: BaseException) -> str:
    """What FFmpeg or the system says, without its numbers."""
    return str(getattr(fault, "strerror", None) or fault or type(fault).__name__)


def leave(code: int) -> NoReturn:
    """Go at once: to close what the other side does not answer for may take for ever."""
    os._exit(code)
