"""A process that codes and sends: started by ``media.live.broadcast``.

A server that accepts and then says nothing holds FFmpeg, and with it Python, for minutes. In here it holds nobody
else, and a clock that needs no Python ends the process. Coding's share of Python's lock goes with it.

Reads pictures and sound from its standard input. States: ``open``; ``lost``, with a reason and whether it is no use to
try again.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Final

import av
import av.error

from understudy.media.helpers.encoder import Encoder, StreamFormat, muxer_options
from understudy.media.helpers.messages import PICTURE, Helper, at_most, leave, read_message, reason_of

#: Seconds that a server has to answer, and to take what is sent.
ANSWER: Final = 8.0
#: How far it steps back: the swap, which everybody waits for, comes first.
_NICE: Final = 5


def main() -> int:
    """Send until the input ends or the server is lost."""
    helper = Helper(nice=_NICE)
    asked = helper.asked()
    try:
        _send(helper, str(asked["address"]), str(asked["muxer"]), StreamFormat(**asked["format"]))
    except (av.error.FFmpegError, OSError, ValueError) as fault:
        passing = isinstance(fault, (av.error.FFmpegError, OSError))
        fatal = not passing or isinstance(fault, av.error.ProtocolNotFoundError)
        helper.say(state="lost", reason=reason_of(fault), fatal=fatal)
        leave(1)
    return 0


def _send(helper: Helper, address: str, muxer: str, form: StreamFormat) -> None:
    with at_most(ANSWER):
        container = av.open(address, "w", format=muxer, options=dict(muxer_options(muxer)))
        encoder = Encoder(container, form)
        container.start_encoding()
    helper.say(state="open")
    while (message := read_message(helper.input)) is not None:
        kind, seconds, content = message
        with at_most(ANSWER):
            if kind == PICTURE:
                encoder.write(content, seconds)
            else:
                encoder.hear(content, seconds)
    with at_most(ANSWER), contextlib.suppress(av.error.FFmpegError, OSError):
        encoder.finish()
        container.close()


if __name__ == "__main__":
    sys.exit(main())
