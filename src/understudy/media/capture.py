"""Opens whatever live pictures come from: a camera, a file, an address, a pipe."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from understudy import names
from understudy.errors import InputError, UsageError
from understudy.media.cameras import CameraSource
from understudy.media.live import CaptureOptions, LiveSource
from understudy.media.playback import FileSource
from understudy.media.raw import RawSource
from understudy.media.streams import SCHEMES, StreamSource


def open_capture(what: str, options: CaptureOptions) -> LiveSource:
    """The source that a word names: ``-`` for stdin, an address, a file, or a camera by number or name.

    Raises:
        UsageError: it names nothing.
        InputError: it names stdin, which is closed.
    """
    if what == "-":
        if sys.stdin is None:
            raise InputError("stdin is closed", "Send raw BGR frames to it, or name a camera, a file or an address.")
        return RawSource(sys.stdin.buffer, options)
    if (scheme := re.match(r"([a-z]+)://", what)) is not None:
        if scheme.group(1) not in SCHEMES:
            raise UsageError(f"can't watch {scheme.group(1)}:// addresses", f"Known: {', '.join(SCHEMES)}.")
        return StreamSource(what)
    if not what.startswith("/dev/") and (names.is_file(Path(what)) or re.search(r"\.\w{2,4}$", what)):
        return FileSource(Path(what), options)
    return CameraSource(what, options)
