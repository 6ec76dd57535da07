"""Tries to get a frame without its label, or a file without its signature, out of every sink and every public call."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import pkgutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from importlib import import_module
from types import SimpleNamespace

import av
import numpy as np
import pytest
import typer
from PIL import Image

import understudy
import understudy.media
from tests.evidence import has_label, is_released_honestly
from understudy.cli.main import application, main
from understudy.errors import UnderstudyError
from understudy.faces import Faces
from understudy.frames import Frame, LabelledFrame
from understudy.media import EncodeOptions, MediaKind, open_sink, open_source
from understudy.media.broadcast import PushSink
from understudy.media.live import LiveInfo
from understudy.media.raw import RawSink
from understudy.media.recording import RecordingSink
from understudy.media.virtual import VirtualCameraSink
from understudy.media.window import WindowSink
from understudy.pipeline import Settings
from understudy.pipeline.swap import swap_file
from understudy.provenance import ConsentClaim, FrameSealer, Labeller, LabelOptions, WatermarkOptions
from understudy.provenance.credentials import read_credentials
from understudy.release import SIDECAR_SUFFIX, SignedFile, Tags
from understudy.testing import ClipSpec, write_puppet_clip

STILLS, CLIPS = ("png", "jpg", "webp"), ("mp4", "mov", "mkv", "webm", "gif", "webp")


class Quiet(LabelOptions):
    """A label that says it is valid and is not."""

    def __post_init__(self):
        pass


class Silent(WatermarkOptions):
    def __post_init__(self):
        pass


class Unsigned:
    """A release that signs nothing."""

    tags, notes = Tags(b"", {}), []

    def sign(self, path, final):
        return SimpleNamespace(path=path, sidecar=None)


def left(folder):
    """What is there under a name that a user would take for an output."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_the_judge_is_not_blind(hopper, hopper_path):
    assert not has_label(hopper)
    frame = Frame(hopper.copy())
    Labeller().draw(frame, Faces.empty())
    assert has_label(frame.picture)
    assert read_credentials(hopper_path, None).state == "absent"


# Sinks


def sinks():
    """Every class of ``understudy.media`` that takes frames."""
    for module in pkgutil.iter_modules(understudy.media.__path__):
        for name, kind in inspect.getmembers(import_module(f"understudy.media.{module.name}"), inspect.isclass):
            if callable(getattr(kind, "write", None)) and not getattr(kind, "_is_protocol", False):
                yield name


def test_every_sink_is_tried_below():
    files, live = (
        {"StillSink", "VideoSink"},
        {"PushSink", "RecordingSink", "RawSink", "VirtualCameraSink", "WindowSink"},
    )
    assert {name for name in sinks() if name.endswith("Sink")} == files | live


@pytest.fixture(params=[("png", MediaKind.IMAGE), ("mp4", MediaKind.VIDEO), ("gif", MediaKind.ANIMATION)])
def sink(request, tmp_path, astronaut_path, small_clip):
    """Opens a sink of each kind for a release."""
    suffix, kind = request.param
    with open_source(astronaut_path if kind is MediaKind.IMAGE else small_clip) as source:
        info = replace(source.info, kind=kind)
    folder = tmp_path / "out"
    folder.mkdir()
    return lambda release: open_sink(folder / f"out.{suffix}", info, EncodeOptions(), release), info, folder


def raw(info):
    return Frame(np.full((info.height, info.width, 3), 127, np.uint8))


def impostors(info):
    """Things that hold an unlabelled frame."""
    yield raw(info)
    yield raw(info).picture
    yield SimpleNamespace(frame=raw(info))
    made = LabelledFrame.__new__(LabelledFrame)
    made._frame = raw(info)
    yield made
    made = LabelledFrame.__new__(LabelledFrame)
    made._frame, made._seal = raw(info), object()
    yield made

    class Relaxed(LabelledFrame):
        def __init__(self, frame):
            self._frame = frame

    yield Relaxed(raw(info))
    yield None


def test_no_sink_takes_what_is_not_labelled(sink):
    make, info, folder = sink
    for impostor in impostors(info):
        with pytest.raises(TypeError, match="LabelledFrame"), make(Unsigned()) as opened:
            opened.write(impostor)
        assert left(folder) == []


def test_no_live_sink_takes_what_is_not_labelled(tmp_path, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    info = LiveInfo("nothing", 64, 48, Fraction(25))
    made = [
        RecordingSink(tmp_path / "out.mp4", Unsigned()),
        PushSink("udp://127.0.0.1:9"),
        RawSink((tmp_path / "raw").open("wb")),
        WindowSink(),
    ]
    for sink in made:
        sink.open(info)
        for impostor in impostors(info):
            with pytest.raises(TypeError, match="LabelledFrame"):
                sink.write(impostor, 0.0)
    camera = VirtualCameraSink()
    camera._camera = SimpleNamespace(send=lambda _: pytest.fail("sent"), close=lambda: None)
    for impostor in impostors(info):
        with pytest.raises(TypeError, match="LabelledFrame"):
            camera.write(impostor, 0.0)
    # And a recording without a signature gets no name.
    made[0].write(FrameSealer(1).seal(raw(info), Faces.empty()), 0.0)
    with pytest.raises(TypeError, match="SignedFile"):
        made[0].close()
    for sink in made[1:]:
        sink.close()
    made[2]._pipe.close()
    assert (tmp_path / "raw").stat().st_size == 0
    assert not (tmp_path / "out.mp4").exists()


def test_a_labelled_frame_is_not_changed_any_more(sink):
    make, info, folder = sink
    labelled = FrameSealer(1).seal(raw(info), Faces.empty())
    with pytest.raises(ValueError, match="read-only"):
        labelled.frame.picture[:] = 0
    with pytest.raises(ValueError, match="read-only"):
        labelled.frame.change(understudy.frames.PixelBox(0, 0, 9, 9))[:] = 0
    with pytest.raises(AttributeError):
        labelled.frame = raw(info)
    for copied in (copy.copy, copy.deepcopy, lambda frame: pickle.loads(pickle.dumps(frame))):
        try:
            other = copied(labelled)
        except (TypeError, AttributeError):
            continue
        if not other.frame.picture.flags.writeable:
            continue
        with pytest.raises(TypeError, match="LabelledFrame"), make(Unsigned()) as opened:
            opened.write(other)
    blank = np.zeros_like(labelled.frame.picture)
    blank.flags.writeable = False

    def opens(frame):
        frame.frame.picture.flags.writeable = True
        frame.frame.picture[:] = 0

    def replaces(frame):
        frame.frame.picture = blank

    def forgets(frame):  # what was changed: a sink would send the original
        frame.frame.changes.clear()

    for change in (opens, replaces, forgets):
        tampered = FrameSealer(1).seal(raw(info), Faces.empty())
        change(tampered)
        with pytest.raises(TypeError, match="LabelledFrame"), make(Unsigned()) as opened:
            opened.write(tampered)
    assert left(folder) == []


def test_no_sink_gives_a_name_to_an_unsigned_file(sink):
    make, info, folder = sink
    with pytest.raises(TypeError, match="SignedFile"), make(Unsigned()) as opened:
        opened.write(FrameSealer(1).seal(raw(info), Faces.empty()))
    assert left(folder) == []
    with pytest.raises(TypeError, match="provenance"):
        SignedFile(folder / "x", None, object())


# Public calls


def test_every_command_is_known_here():
    """A command that is added to this list is to be tried below, if it writes pictures."""
    assert set(typer.main.get_command(application()).commands) == {
        "demo", "swap", "live", "faces", "inspect", "consent", "ledger", "models", "eval", "doctor"
    }  # fmt: skip
    assert set(understudy.__all__) == {"__version__", "swap", "inspect"}


QUIET = {
    "no label": {"label": None},
    "empty text": {"label": Quiet(text="")},
    "blank text": {"label": Quiet(text="   ")},
    "no size": {"label": Quiet(size=0.0, later_size=0.0)},
    "negative size": {"label": Quiet(size=-1.0, later_size=-1.0)},
    "no corner": {"label": Quiet(corner="outside")},
    "no mark": {"watermark": None},
    "a mark of nothing": {"watermark": Silent(least=0.0, most=0.0, slope=0.0, psnr=90.0)},
    "no signature": {"signing": None},
}


@pytest.mark.parametrize("name", QUIET)
@pytest.mark.parametrize("suffix", ["png", "mp4"])
def test_settings_turn_nothing_off(name, suffix, hopper_path, astronaut_path, small_clip, tmp_path):
    output = tmp_path / f"out.{suffix}"
    target = astronaut_path if suffix == "png" else small_clip
    try:
        understudy.swap(hopper_path, target, output, consent="sample", settings=replace(Settings(), **QUIET[name]))
    except (UnderstudyError, ValueError, TypeError, AttributeError, IndexError, ZeroDivisionError):
        # However it ends, nothing may be there then.
        assert left(tmp_path) == []
        return
    assert is_released_honestly(output)


@pytest.mark.parametrize(
    "words",
    [
        ["--label-text", ""],
        ["--label-text", "\u200b\u200b\u200b"],
        ["--label-text", "\u2800\u2800"],
        ["--label-text", "\u3164\u3164"],
        ["--label-text", "\u3164\u3164."],
        ["--label-text", "\u115f\uffa0\u1160"],
        ["--label-size", "0"],
        ["--label-size", "-0.05"],
        ["--label-size", "nan"],
        ["--label-later-size", "0"],
        ["--label-later-size", "nan"],
        ["--label-size", "inf"],
        ["--label-corner", "none"],
        ["--signing-cert", os.devnull, "--signing-key", os.devnull],
        ["--no-label"],
    ],
    ids=str,
)
def test_options_turn_nothing_off(words, hopper_path, small_clip, tmp_path, capfd):
    output = tmp_path / "out.mp4"
    code = main(["swap", "-s", str(hopper_path), "-t", str(small_clip), "-o", str(output), *words])
    assert code == (6 if "--signing-cert" in words else 2)
    assert left(tmp_path) == []


@pytest.mark.parametrize("suffix", STILLS)
def test_every_picture_format_is_labelled_and_signed(suffix, hopper_path, astronaut_path, tmp_path):
    output = tmp_path / f"out.{suffix}"
    understudy.swap(hopper_path, astronaut_path, output)
    assert is_released_honestly(output)


@pytest.mark.parametrize("suffix", CLIPS)
def test_every_clip_format_is_labelled_and_signed(suffix, hopper_path, small_puppet, tmp_path):
    """At its smallest, and beyond the opening."""
    clip, output = tmp_path / "clip.mp4", tmp_path / f"out.{suffix}"
    write_puppet_clip(clip, small_puppet, 2.6, ClipSpec(rate=5))
    label = LabelOptions(later_size=0.025)
    understudy.swap(hopper_path, clip, output, settings=Settings(label=label))
    assert is_released_honestly(output)
    if suffix in ("mkv", "webm"):
        output.with_name(output.name + SIDECAR_SUFFIX).unlink()
        assert read_credentials(output, None).state == "absent"


def test_a_transparent_target_is_labelled_all_the_same(hopper_path, astronaut, tmp_path):
    see_through = np.dstack([astronaut[:, :, ::-1], np.zeros(astronaut.shape[:2], np.uint8)])
    Image.fromarray(see_through).save(tmp_path / "target.png")
    understudy.swap(hopper_path, tmp_path / "target.png", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as found:
        colors = np.asarray(found.convert("RGBA"))
    seen = (colors[:, :, :3] * (colors[:, :, 3:] / 255.0)).astype(np.uint8)[:, :, ::-1]
    assert has_label(seen)


def test_a_clip_that_is_read_by_another_program_is_labelled(hopper_path, small_clip, tmp_path):
    output = tmp_path / "out.mkv"
    understudy.swap(hopper_path, small_clip, output)
    with av.open(str(output)) as container:
        seen = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(seen) == 25
    assert all(has_label(picture) for picture in seen)


class Stop(Exception):
    pass


def test_an_interrupted_swap_leaves_nothing(hopper_path, small_clip, tmp_path):
    def stop(done, total):
        if done == 20:
            raise Stop

    with pytest.raises(Stop):
        swap_file([hopper_path], small_clip, tmp_path / "out.mp4", Settings(), progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.slow
def test_a_killed_swap_leaves_nothing_under_the_name(hopper_path, small_puppet, tmp_path):
    clip, folder = tmp_path / "clip.mp4", tmp_path / "out"
    folder.mkdir()
    write_puppet_clip(clip, small_puppet, 12.0, ClipSpec(rate=25))
    words = [sys.executable, "-m", "understudy", "swap", "-s", str(hopper_path), "-t", str(clip)]
    with subprocess.Popen([*words, "-o", str(folder / "out.mp4")], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not list(folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert list(folder.iterdir()) != []  # it was at work
    assert left(folder) == []


@pytest.mark.parametrize(
    "broken", ["understudy.provenance.releasing.sign_file", "understudy.provenance.ledger.Ledger.append"]
)
@pytest.mark.parametrize("suffix", ["png", "mp4", "mkv"])
def test_what_fails_at_the_very_end_is_not_released(broken, suffix, hopper_path, astronaut_path, small_clip, tmp_path):
    def fail(*_, **__):
        raise UnderstudyError("broken", "on purpose")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broken, fail)
        with pytest.raises(UnderstudyError, match="broken"):
            target = astronaut_path if suffix == "png" else small_clip
            understudy.swap(hopper_path, target, tmp_path / f"out.{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_without_consent_no_frame_is_made(hopper_path, astronaut, small_clip, tmp_path):
    stranger = tmp_path / "stranger.png"
    Image.fromarray(np.ascontiguousarray(astronaut[:, ::-1, ::-1])).save(stranger)
    before = left(tmp_path)
    for claim in (None, ConsentClaim("sample")):
        with pytest.raises(UnderstudyError) as refusal:
            swap_file([stranger], small_clip, tmp_path / "out.mp4", Settings(), consent=claim)
        assert refusal.value.exit_code == 4
    assert left(tmp_path) == before


@pytest.mark.slow
def test_the_demo_is_labelled_and_signed(tmp_path, capfd):
    assert main(["demo", "--output-dir", str(tmp_path / "demo"), "--seconds", "1"]) == 0
    outputs = [path for path in (tmp_path / "demo").iterdir() if path.suffix in (".mp4", ".png", ".jpg")]
    signed = [path for path in outputs if read_credentials(path, None).state == "valid"]
    assert {path.name for path in signed} >= {"swapped.mp4", "side-by-side.mp4"}
    for path in outputs:
        assert path in signed or path.name == "sample.mp4"  # the target: no face was put into it
