"""``understudy live``."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.consent import ConsentNote, ConsentOption, ask, claim_of
from understudy.cli.options import OUTPUT, Json, Overwrite
from understudy.cli.running import run
from understudy.cli.setting_options import EVERY
from understudy.cli.streams import fault_of
from understudy.cli.terminal import answer, answer_json, say
from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.media.endpoints import SinkEndpoint
    from understudy.media.live.broadcast import BroadcastOptions
    from understudy.sessions import LiveReport, LiveSession
    from understudy.sessions.session import MakeSink

Sources = Annotated[
    list[Path] | None,
    typer.Option("--source", "-s", help="Photo of the person whose face is used; several of one person may be given."),
]
Next = Annotated[
    list[Path] | None,
    typer.Option("--next", help="Photo of another person, to change over to while it runs (key n in the window)."),
]
From = Annotated[
    str,
    typer.Option(
        "--from",
        help="Camera by number or name, a video file (played at its own pace), an address (rtmp, rtsp, udp, http), "
        "or - for raw BGR frames on stdin.",
    ),
]
To = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        help="window, virtual, an address (rtmp://, rtmps://, udp://, tcp://), a file to record (mp4, mov), or - for "
        "raw BGR frames on stdout. May be given several times. Default: window.",
    ),
]
MicrophoneOption = Annotated[
    str | None,
    typer.Option(
        help="Take sound from this device, in step with the pictures (Linux: ALSA's name, such as default).",
    ),
]
ListCameras = Annotated[bool, typer.Option("--list", help="List the cameras and end.")]
Size = Annotated[str, typer.Option("--size", help="What is asked of a camera, or what stdin delivers: WIDTHxHEIGHT.")]
Fps = Annotated[float, typer.Option("--fps", min=1, max=240, help="The same: pictures a second.")]
Loop = Annotated[bool, typer.Option("--loop", help="Begin a file again at its end.")]
Mirror = Annotated[bool, typer.Option("--mirror", help="Turn the picture as a mirror does.")]
Stats = Annotated[
    Path | None,
    typer.Option(
        "--stats",
        help="Write statistics to this file (.json) every second; --overwrite replaces it.",
        rich_help_panel=OUTPUT,
    ),
]
Seconds = Annotated[float | None, typer.Option("--seconds", min=0, help="End after so many seconds.")]
Bitrate = Annotated[
    int,
    typer.Option("--bitrate", min=100, help="Of what is sent and recorded: kilobits a second.", rich_help_panel=OUTPUT),
]


@takes_settings(EVERY - {"--label-later-size", "--encoder", "--quality"})
def command(
    source: Sources = None,
    next_person: Next = None,
    come_from: From = "0",
    to: To = None,
    list_them: ListCameras = False,
    size: Size = "1280x720",
    fps: Fps = 30,
    loop: Loop = False,
    microphone: MicrophoneOption = None,
    mirror: Mirror = False,
    consent: ConsentOption = None,
    consent_note: ConsentNote = "",
    stats: Stats = None,
    seconds: Seconds = None,
    bitrate: Bitrate = 6000,
    overwrite: Overwrite = False,
    json: Json = False,
    *,
    chosen: Chosen,
) -> None:
    """Put a face onto the person in front of the camera, live. Ctrl-C ends it."""
    from understudy.app import Understudy
    from understudy.media.endpoints import sink_endpoints, source_endpoint
    from understudy.media.live.base import CaptureOptions
    from understudy.media.live.broadcast import BroadcastOptions
    from understudy.media.live.capture import open_capture
    from understudy.media.live.microphone import Microphone
    from understudy.sessions.statistics import check_statistics

    if list_them:
        _list(json=json)
        return
    if not source:
        raise UsageError("no source photo", "Name one with -s PHOTO.")
    width, height = _size(size)
    origin, outputs = source_endpoint(come_from), sink_endpoints(to or ["window"])
    _check_stdout(outputs, json=json)
    settings = chosen.settings()
    people = [source, *([photo] for photo in next_person or [])]
    photos = [photo for some in people for photo in some]
    claim = claim_of(consent, consent_note) or ask(photos, settings.home)
    inputs = [*photos, *origin.files]
    if stats is not None:
        check_statistics(stats, inputs, overwrite=overwrite)
    holder: list[LiveSession] = []
    coded = BroadcastOptions(bitrate=bitrate * 1000)
    with Understudy(settings) as app:
        session = app.live(
            [app.person(*some, consent=claim) for some in people],
            open_capture(origin, CaptureOptions(width, height, Fraction(fps).limit_denominator(1001), loop)),
            [_sink(output, coded, holder, inputs, overwrite=overwrite) for output in outputs],
            mirror=mirror,
            stats_file=stats,
            overwrite_stats=overwrite,
            microphone=None if microphone is None else Microphone(microphone),
        )
        holder.append(session)
        report = run(session, seconds, [path for output in outputs for path in output.files])
    for note in report.notes:
        say(f"note: {note}")
    if json:
        answer_json(report.as_json())
        return
    for line in _lines(report):
        say(line)


def _list(*, json: bool) -> None:
    """Say which cameras there are."""
    from understudy.media.live.cameras import list_cameras

    cameras = list_cameras()
    if json:
        answer_json({"cameras": [asdict(camera) for camera in cameras]})
    for camera in [] if json else cameras:
        answer(f"{camera.number}  {camera.name}")
    if not cameras:
        say("no camera was found")


def _check_stdout(outputs: list[SinkEndpoint], *, json: bool) -> None:
    """Refuse frames on a stdout that is taken or closed."""
    if any(output.kind == "pipe" for output in outputs):
        if json:
            raise UsageError("stdout can't take frames and a report", "Leave --json out, or use --stats FILE.json.")
        if fault_of(sys.stdout) is not None:
            raise UsageError("stdout is closed", "Have a program read the frames, or name another output.")


def _sink(
    output: SinkEndpoint, coded: BroadcastOptions, session: list[LiveSession], inputs: list[Path], *, overwrite: bool
) -> MakeSink:
    """What makes a sink; a window's keys and statistics are those of the session, once there is one."""
    from understudy.media.live.playout import playout
    from understudy.media.live.window import WindowSink

    def window() -> WindowSink:
        return WindowSink(lambda key: _press(session[0], key), lambda: _overlay(session[0]))

    return playout(output, coded, inputs=inputs, overwrite=overwrite, window=window)


def _press(session: LiveSession, key: str) -> None:
    if key == "mirror":
        session.mirror = not session.mirror
    elif key == "next":
        session.identity = (session.identity + 1) % session.people


def _overlay(session: LiveSession) -> list[str]:
    found = session.statistics()
    latency = " ".join(f"{name} {value:.0f} ms" for name, value in found.latency_ms.items())
    stages = " ".join(f"{name} {times['p50']:.1f}" for name, times in found.stages_ms.items())
    return [f"in {found.fps_in:.1f} fps  out {found.fps_out:.1f} fps", f"latency {latency}", f"stages (ms) {stages}"]


def _lines(report: LiveReport) -> list[str]:
    found = report.statistics
    latency = ", ".join(f"{name} {value:.1f} ms" for name, value in found.latency_ms.items()) or "none"
    drops = ", ".join(f"{count} {cause}" for cause, count in found.drops.items()) or "none"
    return [
        f"{found.frames_in} frames in {found.seconds:.1f} s, {found.frames_swapped} swapped, "
        f"{found.frames_covered} with a lost face covered",
        f"latency from capture to hand-over: {latency}; dropped: {drops}",
        f"session {report.identifier}",
    ]


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{2,4})x([0-9]{2,4})", text)
    width, height = (int(side) for side in found.groups()) if found else (0, 0)
    if not (16 <= width <= 7680 and 16 <= height <= 4320):
        raise UsageError(f"--size can't be {text!r}", "Give WIDTHxHEIGHT, such as 1280x720.")
    return width, height
