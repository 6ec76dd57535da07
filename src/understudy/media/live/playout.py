"""Makes whatever live pictures go to: a window, a virtual camera, a server, a recording, a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from understudy.media.endpoints import SinkEndpoint, sink_endpoint
from understudy.media.live.base import LiveSink
from understudy.media.live.broadcast import BroadcastOptions, PushSink
from understudy.media.live.raw import RawSink
from understudy.media.live.recording import RecordingSink, check_recording
from understudy.media.live.virtual import VirtualCameraSink
from understudy.media.live.window import WindowSink
from understudy.release import Release


def playout(
    what: str | SinkEndpoint,
    options: BroadcastOptions | None = None,
    *,
    inputs: Iterable[Path] = (),
    overwrite: bool = False,
    window: Callable[[], LiveSink] = WindowSink,
) -> Callable[[Release], LiveSink]:
    """What makes the sink at an endpoint, once a session knows how its files are signed.

    Args:
        what: The endpoint, or a word for it.
        options: How what is sent or recorded is coded.
        inputs: Files that are read, which no recording may replace.
        overwrite: Whether a recording may replace another file.
        window: Makes the window, where that is asked for.

    Raises:
        UsageError, OutputError: there can't be such a sink, as far as can be told before it is opened.
        TypeError: it is neither a word nor an endpoint.
    """
    if not isinstance(what, (str, SinkEndpoint)):
        raise TypeError(f"pictures go to a word or a SinkEndpoint, not {type(what).__name__}")
    sink = sink_endpoint(what) if isinstance(what, str) else what
    if sink.kind == "window":
        return lambda _: window()
    if sink.kind == "virtual":
        return lambda _: VirtualCameraSink()
    if sink.kind == "pipe":
        return lambda _: RawSink(sys.stdout.buffer)
    if sink.kind == "address":
        pushing = PushSink(sink.place, options)
        return lambda _: pushing
    path = Path(sink.place)
    check_recording(path, inputs, overwrite=overwrite)
    return lambda release: RecordingSink(path, release, options, overwrite=overwrite)
