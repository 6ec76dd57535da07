"""Opens whatever live pictures come from: a camera, a file, an address, a pipe."""

from __future__ import annotations

import sys
from pathlib import Path

from understudy.errors import InputError
from understudy.media.endpoints import SourceEndpoint, source_endpoint
from understudy.media.live.base import CaptureOptions, LiveSource
from understudy.media.live.cameras import CameraSource
from understudy.media.live.playback import FileSource
from understudy.media.live.raw import RawSource
from understudy.media.live.streams import StreamSource


def open_capture(what: str | SourceEndpoint, options: CaptureOptions) -> LiveSource:
    """The source at an endpoint.

    Args:
        what: The endpoint, or a word for it: ``-`` for stdin, an address, a file, or a camera by number or name.
        options: What is asked of it.

    Raises:
        UsageError: it names nothing.
        InputError: it names stdin, which is closed.
    """
    source = source_endpoint(what) if isinstance(what, str) else what
    if source.kind == "pipe":
        if sys.stdin is None:
            raise InputError("stdin is closed", "Send raw BGR frames to it, or name a camera, a file or an address.")
        return RawSource(sys.stdin.buffer, options)
    if source.kind == "address":
        return StreamSource(source.place)
    if source.kind == "file":
        return FileSource(Path(source.place), options)
    return CameraSource(source.place, options)
