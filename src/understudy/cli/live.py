"""``understudy live``."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.consent import ConsentNote, ConsentOption, ask, claim_of
from understudy.cli.options import OUTPUT, Json, Overwrite
from understudy.cli.parts import CastFile, LikeDistance, LiveOthers, Put, asked, claimed
from understudy.cli.rehearsal import rehearsed
from understudy.cli.running import run
from understudy.cli.setting_options import EVERY, OF_A_CLIP
from understudy.cli.streams import fault_of
from understudy.cli.terminal import answer, answer_json, say
from understudy.errors import UsageError
from understudy.imports import not_collecting
from understudy.text import counted, listed

if TYPE_CHECKING:
    from understudy.media.endpoints import SinkEndpoint, SourceEndpoint
    from understudy.media.live.base import CaptureOptions
    from understudy.sessions import LiveReport

Sources = Annotated[
    list[Path] | None,
    typer.Option(
        "--source",
        "-s",
        help="Photo of the person whose face is used. May be given several times, for more photos of them.",
    ),
]
Next = Annotated[
    list[Path] | None,
    typer.Option(
        "--next",
        help="Photo of another person, to switch to while it runs (key n in the window). May be given several times.",
    ),
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
Size = Annotated[
    str | None,
    typer.Option(
        "--size",
        help="Size of the pictures that a camera is asked for, or that stdin delivers: WIDTHxHEIGHT. "
        "Default: 1280x720.",
    ),
]
Fps = Annotated[
    float | None,
    typer.Option(
        "--fps",
        min=1,
        max=240,
        help="Pictures a second that a camera is asked for, or that stdin delivers. Default: 30.",
    ),
]
Loop = Annotated[bool, typer.Option("--loop", help="Play a file again and again.")]
Mirror = Annotated[bool, typer.Option("--mirror", help="Show the picture as in a mirror: left and right exchanged.")]
Stats = Annotated[
    Path | None,
    typer.Option(
        "--stats",
        help="Write statistics to this file (.json) every second; --overwrite replaces it.",
        rich_help_panel=OUTPUT,
    ),
]
Seconds = Annotated[float | None, typer.Option("--seconds", min=0, help="End after this many seconds.")]
Bitrate = Annotated[
    int,
    typer.Option("--bitrate", min=100, help="Kilobits a second of what is sent or recorded.", rich_help_panel=OUTPUT),
]


@takes_settings(
    EVERY
    - OF_A_CLIP
    - {
        "--label-later-size",
        "--encoder",
        "--quality",
        "--show",
        "--frame",
        "--frame-fit",
        "--caption",
        "--animation-fps",
    }
)
def command(
    source: Sources = None,
    next_person: Next = None,
    put: Put = None,
    cast: CastFile = None,
    others: LiveOthers = None,
    like_distance: LikeDistance = 1.0,
    come_from: From = "0",
    to: To = None,
    list_them: ListCameras = False,
    size: Size = None,
    fps: Fps = None,
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
    with not_collecting():
        from understudy.app import Understudy
        from understudy.casting.cast import photos_of
        from understudy.casting.person import Person
        from understudy.media.endpoints import sink_endpoints, source_endpoint
        from understudy.media.live.broadcast import BroadcastOptions
        from understudy.outputs import refuse_inputs

    if list_them:
        _list(json=json)
        return
    if next_person and not source:
        raise UsageError("--next goes with -s", "Name the first person's photo with -s PHOTO.")
    wanted = asked(source or [], put, cast, others or ("blur" if put else None), like_distance, None)
    capture = _capture(size, fps, loop=loop)
    origin, outputs = source_endpoint(come_from), sink_endpoints(to or ["window"])
    _say_what_is_idle(origin, size, fps, loop=loop)
    _check_stdout(outputs, json=json)
    if stats is not None:
        refuse_inputs(stats, chosen.files)
    settings = chosen.settings()
    photos = [*photos_of(wanted), *(next_person or [])]
    claim = claim_of(consent, consent_note) or ask(photos, settings.home)
    rehearsed()
    with Understudy(settings) as app:
        wanted = claimed(wanted, claim)
        session = app.live(
            [wanted, *(app.person(photo, consent=claim) for photo in next_person or [])]
            if isinstance(wanted, Person)
            else wanted,
            origin,
            outputs,
            capture=capture,
            broadcast=BroadcastOptions(bitrate=bitrate * 1000),
            mirror=mirror,
            stats_file=stats,
            overwrite=overwrite,
            microphone=microphone,
        )
        report = run(session, seconds, [path for output in outputs for path in output.files])
    _tell(report, json=json)


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


def _tell(report: LiveReport, *, json: bool) -> None:
    """Say what a session did."""
    for note in report.notes:
        say(f"note: {note}")
    if json:
        answer_json(report.as_json())
        return
    for line in _lines(report):
        say(line)


def _lines(report: LiveReport) -> list[str]:
    found = report.statistics
    latency = ", ".join(f"{name} {value:.1f} ms" for name, value in found.latency_ms.items()) or "none"
    drops = ", ".join(f"{count} {cause}" for cause, count in found.drops.items()) or "none"
    every = found.enhanced_every
    enhanced = [] if every is None else [f"what the face restorer made was shown in {every:g} frames each, on average"]
    carried = [] if found.neural_fps is None else [_carried(found.neural_fps, found.texture_age_ms)]
    return [
        f"{counted(found.frames_in, 'frame')} in {found.seconds:.1f} s, {found.frames_swapped} swapped, "
        f"{found.frames_covered} with a lost face covered",
        f"latency from capture to hand-over: {latency}; dropped: {drops}",
        *enhanced,
        *carried,
        f"session {report.identifier}",
    ]


def _carried(rate: float, ages: Mapping[str, float]) -> str:
    """How often an engine drew a face, and how long the mesh carried it."""
    age = ", ".join(f"{name} {value:.0f} ms" for name, value in ages.items()) or "not at all"
    return f"faces that the model drew lately: {rate:.1f} a second; the mesh carried them {age}"


def _capture(size: str | None, fps: float | None, *, loop: bool) -> CaptureOptions:
    from understudy.media.live.base import CaptureOptions

    capture = CaptureOptions(loop=loop)
    if size is not None:
        found = re.fullmatch(r"([0-9]{2,4})x([0-9]{2,4})", size)
        if found is None:
            raise UsageError(f"--size can't be {size!r}", "Give WIDTHxHEIGHT, such as 1280x720.")
        width, height = (int(side) for side in found.groups())
        capture = replace(capture, width=width, height=height)
    return capture if fps is None else replace(capture, fps=Fraction(fps).limit_denominator(1001))


def _say_what_is_idle(origin: SourceEndpoint, size: str | None, fps: float | None, *, loop: bool) -> None:
    """Say which options there are that such a source does not heed."""
    idle = [flag for flag, value in (("--size", size), ("--fps", fps)) if value is not None]
    if idle and origin.kind not in ("camera", "pipe"):
        say(f"note: {listed(idle)} {'is' if len(idle) == 1 else 'are'} not heeded: {origin} has its own")
    if loop and origin.kind != "file":
        say("note: --loop is not heeded: only a file can begin again")
