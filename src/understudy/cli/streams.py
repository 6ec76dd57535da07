"""The standard streams: closed, full, or left by whoever read them, and shared with libraries that print.

What is written never raises: a stream that fails takes the rest without a word, remembers why, and is asked at the
end. So a command's own exit code stays what it is, and Python has nothing left to complain of when it ends. What
compiled libraries print goes nowhere, because an error is one line; with ``--debug`` it is shown.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from typing import Final, TextIO, cast

#: Whoever read our output has read enough, or there never was anybody: no failure.
_NOBODY_READS: Final = (errno.EPIPE, errno.EBADF)


class Outflow(io.RawIOBase):
    """The end of a stream.

    Args:
        raw: What takes the bytes; None if the stream was closed from the start.
    """

    def __init__(self, raw: io.RawIOBase | None) -> None:
        self._raw = raw
        #: Why nothing more is taken; None while all is well.
        self.fault: OSError | None = OSError(errno.EBADF, os.strerror(errno.EBADF)) if raw is None else None

    def writable(self) -> bool:
        """See ``io.RawIOBase``."""
        return True

    def fileno(self) -> int:
        """See ``io.RawIOBase``."""
        if self._raw is None:
            raise io.UnsupportedOperation("closed")
        return self._raw.fileno()

    def isatty(self) -> bool:
        """See ``io.RawIOBase``."""
        return self._raw is not None and self._raw.isatty()

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        """Write, as far as that is possible; the rest is taken and lost."""
        taken = None
        try:
            while self._raw is not None and self.fault is None and taken is None:
                taken = self._raw.write(data)
                if taken is None:  # somebody made it one that never waits
                    select.select([], [self._raw], [])
        except OSError as fault:
            self.fault = fault
        return len(data) if taken is None else taken


def settle(*, debug: bool) -> None:
    """Make stdout and stderr streams that never raise, and keep libraries' own words out of them.

    Args:
        debug: Let libraries print.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # Taken, so that no output gets this number, which libraries print to.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name, number in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, _kept(getattr(sys, name), number, debug=debug))


def _kept(stream: TextIO | None, number: int, *, debug: bool) -> TextIO:
    outflow = Outflow(None)
    if stream is not None:
        raw = _raw_of(stream)
        if not debug and os.name == "posix" and raw.fileno() == number:
            raw = io.FileIO(os.dup(number), "w")
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, number)
            os.close(nothing)
        outflow = Outflow(raw)
    return io.TextIOWrapper(
        io.BufferedWriter(cast(io.RawIOBase, outflow)),
        encoding=None if stream is None else stream.encoding,
        errors="backslashreplace",  # what a terminal can't show
        line_buffering=number == 2 or outflow.isatty(),
        write_through=bool(getattr(stream, "write_through", False)),
    )


def _raw_of(stream: TextIO) -> io.RawIOBase:
    buffer = stream.buffer
    return cast(io.RawIOBase, getattr(buffer, "raw", buffer))  # unbuffered, Python leaves the layer out


def fault_of(stream: TextIO) -> OSError | None:
    """Why a stream takes nothing more; None if it does, or is none of ours."""
    raw = _raw_of(stream) if hasattr(stream, "buffer") else None
    return raw.fault if isinstance(raw, Outflow) else None


def lost() -> OSError | None:
    """Why what was asked for did not reach stdout; None if it did, or nobody wanted to read it."""
    sys.stdout.flush()
    fault = fault_of(sys.stdout)
    return None if fault is None or fault.errno in _NOBODY_READS else fault
