"""``understudy live``."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from understudy import names
from understudy.cli.consent import ConsentNote, ConsentOption, ask, claim_of
from understudy.cli.options import (
    Boost,
    DetectorOption,
    DeviceOption,
    Engine,
    FacesOption,
    HomeOption,
    Json,
    Overwrite,
    Shape,
    Strength,
    Threads,
    Weight,
    choice,
    runtime_options,
)
from understudy.cli.streams import fault_of
from understudy.cli.terminal import answer, answer_json, say
from understudy.cli.trust import (
    LabelCorner,
    LabelFont,
    LabelSize,
    LabelText,
    SigningCert,
    SigningKeyFile,
    label_options,
    signing_options,
)
from understudy.errors import UsageError
from understudy.outputs import settled

if TYPE_CHECKING:
    from understudy.guard import GuardOptions, OnLost
    from understudy.live import LiveReport, LiveSession
    from understudy.live.session import MakeSink
    from understudy.release import Release

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
OnLostOption = Annotated[
    str,
    typer.Option("--on-lost", help="What is shown of a face that is lost: hold (the last swap), blur, freeze, pass."),
]
Mirror = Annotated[bool, typer.Option("--mirror", help="Turn the picture as a mirror does.")]
Stats = Annotated[
    Path | None,
    typer.Option("--stats", help="Write statistics to this file (.json) every second; --overwrite replaces it."),
]
Seconds = Annotated[float | None, typer.Option("--seconds", min=0, help="End after so many seconds.")]
Bitrate = Annotated[int, typer.Option("--bitrate", min=100, help="Of what is sent and recorded: kilobits a second.")]


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
    faces: FacesOption = "largest",
    strength: Strength = 1.0,
    shape: Shape = 1.0,
    on_lost: OnLostOption = "hold",
    mirror: Mirror = False,
    consent: ConsentOption = None,
    consent_note: ConsentNote = "",
    label_text: LabelText = None,
    label_corner: LabelCorner = None,
    label_size: LabelSize = None,
    label_font: LabelFont = None,
    signing_cert: SigningCert = None,
    signing_key: SigningKeyFile = None,
    engine: Engine = "mesh",
    detector: DetectorOption = "embedded",
    device: DeviceOption = None,
    threads: Threads = None,
    boost: Boost = 1,
    weight: Weight = 0.5,
    home: HomeOption = None,
    stats: Stats = None,
    seconds: Seconds = None,
    bitrate: Bitrate = 6000,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Put a face onto the person in front of the camera, live. Ctrl-C ends it."""
    from understudy.app import Understudy
    from understudy.blending import BlendOptions
    from understudy.media.capture import open_capture
    from understudy.media.live import CaptureOptions
    from understudy.media.microphone import Microphone
    from understudy.settings import Settings
    from understudy.swapping import MeshOptions
    from understudy.swapping.neural.options import NeuralOptions

    if list_them:
        _list(json=json)
        return
    if not source:
        raise UsageError("no source photo", "Name one with -s PHOTO.")
    width, height = _size(size)
    outputs = [word if "://" in word else str(Path(word).absolute()) for word in to or ["window"]]
    if len(set(outputs)) < len(outputs):
        raise UsageError("the same output is named twice", "Name each once.")
    if json and "-" in (to or []):
        raise UsageError("stdout can't take frames and a report", "Leave --json out, or use --stats FILE.json.")
    settings = Settings(
        faces=choice(faces),
        blend=BlendOptions(strength=strength),
        engine=engine,
        detector=detector,
        runtime=runtime_options(device, threads),
        neural=NeuralOptions(boost=boost, weight=weight),
        mesh=MeshOptions(shape=shape),
        label=label_options(label_text, label_corner, label_size, None, label_font),
        signing=signing_options(signing_cert, signing_key),
        guard=_guard(on_lost),
        home=home,
    )
    photos = [source, *([photo] for photo in next_person or [])]
    claim = claim_of(consent, consent_note) or ask([photo for several in photos for photo in several], home)
    asked = CaptureOptions(width, height, Fraction(fps).limit_denominator(1001), loop)
    holder: list[LiveSession] = []
    inputs = [photo for several in photos for photo in several] + (
        [Path(come_from)] if names.is_file(Path(come_from)) else []
    )
    _check_stats(stats, inputs, overwrite=overwrite)
    with Understudy(settings) as app:
        session = app.live(
            [app.person(*several, consent=claim) for several in photos],
            open_capture(come_from, asked),
            [_sink(word, bitrate * 1000, holder, inputs, overwrite=overwrite) for word in to or ["window"]],
            mirror=mirror,
            stats_file=stats,
            overwrite_stats=overwrite,
            microphone=None if microphone is None else Microphone(microphone),
        )
        holder.append(session)
        report = _run(session, seconds, [Path(word) for word in to or () if word != "-" and "://" not in word])
    for note in report.notes:
        say(f"note: {note}")
    if json:
        answer_json(report.as_json())
        return
    for line in _lines(report):
        say(line)


def _list(*, json: bool) -> None:
    """Say which cameras there are."""
    from understudy.media.cameras import list_cameras

    cameras = list_cameras()
    if json:
        answer_json({"cameras": [asdict(camera) for camera in cameras]})
    for camera in [] if json else cameras:
        answer(f"{camera.number}  {camera.name}")
    if not cameras:
        say("no camera was found")


def _guard(on_lost: str) -> GuardOptions:
    from understudy.guard import GuardOptions

    try:
        return GuardOptions(on_lost=cast("OnLost", on_lost))
    except ValueError as fault:
        raise UsageError(str(fault), "See `understudy live --help`.") from fault


def _run(session: LiveSession, seconds: float | None, outputs: list[Path]) -> LiveReport:
    """Run until it is over, a signal comes, or the time is up. Of outputs that are cut short it is said what stayed."""
    from understudy.media.recording import growing_name

    with _signals() as told, session:
        told.clear()
        info = session.info
        say(f"live: {info.name}, {info.width}x{info.height}, {float(info.fps):g} fps")
        _wait(session, seconds, told)
        try:
            return session.stop()
        except KeyboardInterrupt:
            for growing in map(growing_name, outputs):
                if growing.exists():
                    say(f"note: what was recorded is in {growing}: labelled and marked, not signed")
            raise


@contextlib.contextmanager
def _signals() -> Iterator[threading.Event]:
    """An event that the first signal to end sets.

    While it is set already - before the start is over, or on a second signal, when signing takes too long - a signal
    interrupts instead.
    """
    told = threading.Event()
    told.set()
    before: dict[int, Any] = {}

    def tell(number: int, frame: FrameType | None) -> None:
        if not told.is_set():
            told.set()
            return
        handler = before[number]
        if callable(handler):
            handler(number, frame)  # it knows which one is one too many
        else:
            raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # What is ignored (by nohup, of a job in the background) stays so.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.getsignal(number)
                signal.signal(number, tell)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(session: LiveSession, seconds: float | None, told: threading.Event) -> None:
    """Until it is over; what happens meanwhile is said."""
    begun, said = time.monotonic(), 0
    while not told.is_set() and not session.wait(0.1):
        for event in session.events_after(said):
            say(event)
            said += 1
        if seconds is not None and time.monotonic() - begun >= seconds:
            return


def _sink(word: str, bitrate: int, session: list[LiveSession], inputs: list[Path], *, overwrite: bool) -> MakeSink:
    """What makes the sink that a word names; wrong words are told before anything is opened."""
    from understudy.media.broadcast import MUXERS, BroadcastOptions, PushSink
    from understudy.media.raw import RawSink
    from understudy.media.recording import RecordingSink, check_recording
    from understudy.media.virtual import VirtualCameraSink
    from understudy.media.window import WindowSink

    options = BroadcastOptions(bitrate=bitrate)
    if word == "window":
        return lambda _: WindowSink(lambda key: _press(session[0], key), lambda: _overlay(session[0]))
    if word == "virtual":
        return lambda _: VirtualCameraSink()
    if word == "-":
        if fault_of(sys.stdout) is not None:
            raise UsageError("stdout is closed", "Have a program read the frames, or name another output.")
        return lambda _: RawSink(sys.stdout.buffer)
    if "://" in word:
        if word.split(":", 1)[0] not in MUXERS:
            raise UsageError(f"can't send to {word.split(':', 1)[0]}:// addresses", f"Known: {', '.join(MUXERS)}.")
        sink = PushSink(word, options)
        return lambda _: sink
    path = Path(word)
    check_recording(path, inputs, overwrite=overwrite)

    def record(release: Release) -> RecordingSink:
        return RecordingSink(path, release, options, overwrite=overwrite)

    return record


def _check_stats(stats: Path | None, inputs: list[Path], *, overwrite: bool) -> None:
    """Refuse a statistics file that is something else, before anything is opened."""
    if stats is None:
        return
    if not stats.parent.is_dir():
        raise UsageError(f"there is no folder {stats.parent}", "Make it first, or name another file for --stats.")
    if any(path.exists() and stats.exists() and path.samefile(stats) for path in inputs) or stats.suffix != ".json":
        raise UsageError(f"statistics are not written to {stats.name}", "Name a file that ends in .json.")
    settled(stats, overwrite=overwrite)


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
