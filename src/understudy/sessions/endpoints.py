"""A live session between endpoints that are named in words: a camera, a file, an address; a window, a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from os import PathLike, fspath
from pathlib import Path

from understudy.casting.cast import PartList
from understudy.casting.person import People, Person
from understudy.errors import UnderstudyError, UsageError
from understudy.media.endpoints import SinkEndpoint, SourceEndpoint, sink_endpoints, source_endpoint
from understudy.media.live.base import CaptureOptions, LiveSource
from understudy.media.live.broadcast import BroadcastOptions
from understudy.media.live.capture import open_capture
from understudy.media.live.microphone import Microphone, SoundSource
from understudy.media.live.playout import playout
from understudy.media.live.window import WindowSink
from understudy.resources import Resources
from understudy.sessions.session import LiveSession, MakeSink
from understudy.sessions.statistics import check_statistics
from understudy.settings import Settings

#: Where live pictures come from: a word as ``--from`` takes it, a camera's number, a file's path, an endpoint, or the
#: source itself.
AnySource = str | int | PathLike[str] | SourceEndpoint | LiveSource
#: Where they go: a word as ``--to`` takes it, a file's path, an endpoint, or what makes the sink.
AnySink = str | PathLike[str] | SinkEndpoint | MakeSink


def session_between(
    source: AnySource,
    sinks: AnySink | Sequence[AnySink],
    cast: Sequence[Person] | PartList,
    settings: Settings,
    *,
    resources: Resources,
    known: People,
    capture: CaptureOptions | None = None,
    broadcast: BroadcastOptions | None = None,
    mirror: bool = False,
    stats_file: Path | None = None,
    overwrite: bool = False,
    microphone: str | SoundSource | None = None,
) -> LiveSession:
    """A session, not started yet. No file that it writes may be one that it reads.

    Args:
        source: Where pictures come from.
        sinks: Where they go; a window has the keys and the statistics of the session.
        cast: Whose faces may be used, of whom the first is used first; or who gets whose.
        settings: Everything else.
        resources: What is opened.
        known: Whose faces are known already.
        capture: What is asked of a source that is named.
        broadcast: How what is sent or recorded is coded, where that is named.
        mirror: Turn the picture as a mirror does.
        stats_file: Where statistics are written every second; None for nowhere.
        overwrite: Whether a recording that is named, or the statistics, may replace a file that is there.
        microphone: The device that sound comes from, in place of the source's own.

    Raises:
        UsageError, InputError, OutputError: there is no person, or no such source or sink, as far as can be told
            before it is opened.
    """
    people = cast.persons if isinstance(cast, PartList) else cast
    inputs = [photo for person in people for photo in person.photos]
    if isinstance(source, (str, int, PathLike, SourceEndpoint)):
        origin = _source(source)
        inputs += origin.files
        source = open_capture(origin, capture or CaptureOptions())
    elif isinstance(source, type) or not all(hasattr(source, name) for name in ("open", "read", "close")):
        raise UsageError(
            f"live pictures can't come from {type(source).__name__}",
            'Give a word such as "0" or "clip.mp4", a path, or an object with open, read and close.',
        )
    session: LiveSession
    make = partial(playout, options=broadcast, inputs=inputs, overwrite=overwrite, window=lambda: _window(session))
    makers = _makers([sinks] if isinstance(sinks, (str, PathLike, SinkEndpoint)) or callable(sinks) else sinks, make)
    if stats_file is not None:
        check_statistics(stats_file, inputs, overwrite=overwrite)
    session = LiveSession(
        cast,
        source,
        makers,
        settings,
        resources=resources,
        known=known,
        mirror=mirror,
        stats_file=stats_file,
        overwrite_stats=overwrite,
        microphone=Microphone(microphone) if isinstance(microphone, str) else microphone,
    )
    return session


def _makers(sinks: Sequence[AnySink], make: Callable[[SinkEndpoint], MakeSink]) -> list[MakeSink]:
    """What makes each sink: itself, or ``make`` of what is named."""
    if not isinstance(sinks, Sequence) or not all(
        callable(sink) or isinstance(sink, (str, PathLike, SinkEndpoint)) for sink in sinks
    ):
        raise UsageError(
            f"live pictures can't go to {sinks!r}",
            'Give words such as "window" or "out.mp4", paths, or functions that make a sink.',
        )
    named = iter(sink_endpoints(_sink(sink) for sink in sinks if not callable(sink)))
    return [sink if callable(sink) else make(next(named)) for sink in sinks]


def _source(named: str | int | PathLike[str] | SourceEndpoint) -> SourceEndpoint:
    if isinstance(named, SourceEndpoint):
        return named
    return source_endpoint(str(named)) if isinstance(named, (str, int)) else SourceEndpoint("file", fspath(named))


def _sink(named: str | PathLike[str] | SinkEndpoint) -> str | SinkEndpoint:
    return named if isinstance(named, (str, SinkEndpoint)) else SinkEndpoint("file", fspath(named))


def _window(session: LiveSession) -> WindowSink:
    """A window with the keys and the statistics of a session."""
    return WindowSink(lambda key: _press(session, key), lambda: overlay(session))


def _press(session: LiveSession, key: str) -> None:
    """What a key in the window does."""
    if key == "mirror":
        session.mirror = not session.mirror
    elif key == "cover":
        session.covered = not session.covered
    elif key == "next" and session.people:
        try:
            session.identity = (session.identity + 1) % session.people
        except UnderstudyError as fault:
            session.tell(f"it goes on with the same face: {fault.message}")


def overlay(session: LiveSession) -> list[str]:
    """The lines of statistics below the window's picture: five at most, for more it has no room."""
    found = session.statistics()
    latency = " ".join(f"{name} {value:.0f} ms" for name, value in found.latency_ms.items())
    stages = " ".join(f"{name} {times['p50']:.1f}" for name, times in found.stages_ms.items())
    lines = [f"in {found.fps_in:.1f} fps  out {found.fps_out:.1f} fps", f"latency {latency}", f"stages (ms) {stages}"]
    if found.neural_fps is not None:
        age = " ".join(f"{name} {value:.0f} ms" for name, value in found.texture_age_ms.items()) or "none yet"
        lines.insert(1, f"neural {found.neural_fps:.1f} fps  its faces are carried over {age}")
    if session.covered:
        lines.insert(0, "all of every picture is blurred: c shows it again")
    return lines
