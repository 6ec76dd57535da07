"""Tries to get an unlabelled picture or an unsigned file out of every public call and command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest
import typer
from PIL import Image

import understudy
import understudy.media
from tests.evidence import has_label, is_released_honestly, left
from tests.liars import Quiet, Silent
from understudy import Settings
from understudy.app import Understudy
from understudy.cli.main import application, main
from understudy.errors import UnderstudyError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.media.files import EncodeOptions
from understudy.provenance import ConsentClaim, Labeller, LabelOptions
from understudy.provenance.credentials import read_credentials
from understudy.release import SIDECAR_SUFFIX
from understudy.testing import ClipSpec, write_puppet_clip

STILLS, CLIPS = ("png", "jpg", "webp"), ("mp4", "mov", "mkv", "webm", "gif", "webp")


def test_the_judge_is_not_blind(hopper, hopper_path):
    assert not has_label(hopper)
    frame = Frame(hopper.copy())
    Labeller().draw(frame, Faces.empty())
    assert has_label(frame.picture)
    assert read_credentials(hopper_path, None).state == "absent"


def test_every_command_is_known_here():
    """A command that is added to this list is to be tried below, if it writes pictures.

    What jobs, studio and server make comes out of the same sinks: ``tests/jobs``, ``tests/server`` look at it.
    """
    assert set(typer.main.get_command(application()).commands) == {
        "demo", "swap", "live", "faces", "inspect", "consent", "ledger", "models", "eval", "doctor", "settings",
        "people", "jobs", "studio", "serve", "token", "audit"
    }  # fmt: skip
    functions = {name for name in understudy.__all__ if callable(getattr(understudy, name)) and name.islower()}
    assert functions == {
        "swap", "live", "faces", "inspect", "open_capture", "playout", "read_settings", "read_lanes", "as_toml",
        "read_cast", "write_cast", "write_sheet"
    }  # fmt: skip
    public = {name for name in vars(understudy.Understudy) if not name.startswith("_")}
    assert public == {"person", "swap", "live", "people", "faces", "inspect", "doctor", "jobs", "close"}


@pytest.mark.slow
@pytest.mark.parametrize("others", ["leave", "blur"])
def test_a_cast_turns_nothing_off(others, hopper_path, astronaut_path, tmp_path):
    output = tmp_path / "out.png"
    with understudy.Understudy() as app:
        part = understudy.Part(1, app.person(hopper_path), strength=0.0)
        app.swap(astronaut_path, output, understudy.PartList((part,), others))
    assert is_released_honestly(output)


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
@pytest.mark.parametrize("suffix", ["png", pytest.param("mp4", marks=pytest.mark.slow)])
def test_settings_turn_nothing_off(name, suffix, hopper_path, astronaut_path, brief_clip, tmp_path):
    output = tmp_path / f"out.{suffix}"
    target = astronaut_path if suffix == "png" else brief_clip
    try:
        understudy.swap(hopper_path, target, output, consent="sample", settings=replace(Settings(), **QUIET[name]))
    except (UnderstudyError, ValueError, TypeError, AttributeError, IndexError, ZeroDivisionError):
        # However it ends, nothing may be there then.
        assert left(tmp_path) == []
        return
    assert is_released_honestly(output)


@pytest.mark.parametrize("name", QUIET)
@pytest.mark.slow
def test_settings_turn_nothing_off_live(name, hopper_path, brief_clip, tmp_path):
    output, settings = tmp_path / "out.mp4", replace(Settings(), **QUIET[name])
    try:
        with understudy.live(hopper_path, brief_clip, output, consent="sample", settings=settings) as session:
            assert session.wait(30)
    except (UnderstudyError, ValueError, TypeError, AttributeError, IndexError, ZeroDivisionError):
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
        ["--label-text", "real photo"],
        ["--label-text", "n0t  A.I."],
        ["--label-text", "未经编辑"],
        ["--label-text", "一一一一"],
        ["--label-text", "\u0640" * 30],
        ["--label-text", "A\u0301\u0301\u0301\u0301\u0301I"],
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


@pytest.mark.slow
@pytest.mark.parametrize("suffix", STILLS)
def test_every_picture_format_is_labelled_and_signed(suffix, hopper_path, astronaut_path, tmp_path):
    output = tmp_path / f"out.{suffix}"
    understudy.swap(hopper_path, astronaut_path, output)
    assert is_released_honestly(output)


@pytest.mark.parametrize("suffix", CLIPS)
@pytest.mark.slow
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


@pytest.mark.slow
def test_a_transparent_target_is_labelled_all_the_same(hopper_path, astronaut, tmp_path):
    see_through = np.dstack([astronaut[:, :, ::-1], np.zeros(astronaut.shape[:2], np.uint8)])
    Image.fromarray(see_through).save(tmp_path / "target.png")
    understudy.swap(hopper_path, tmp_path / "target.png", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as found:
        colors = np.asarray(found.convert("RGBA"))
    seen = (colors[:, :, :3] * (colors[:, :, 3:] / 255.0)).astype(np.uint8)[:, :, ::-1]
    assert has_label(seen)


@pytest.mark.slow
def test_a_clip_that_is_read_by_another_program_is_labelled(hopper_path, small_clip, tmp_path):
    output = tmp_path / "out.mkv"
    understudy.swap(hopper_path, small_clip, output)
    with av.open(str(output)) as container:
        seen = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(seen) == 25
    assert all(has_label(picture) for picture in seen)


@pytest.mark.parametrize("size", [(24, 24), (32, 32), (16, 300)])
def test_a_picture_too_small_for_a_label_is_refused_before_the_work(size, hopper_path, astronaut, tmp_path, capfd):
    Image.fromarray(np.ascontiguousarray(cv2.resize(astronaut, size)[:, :, ::-1])).save(tmp_path / "small.png")
    words = ["swap", "-s", str(hopper_path), "-t", str(tmp_path / "small.png"), "-o", str(tmp_path / "out.png")]
    assert main(words) == 3
    assert ("too small" in capfd.readouterr().err) == (size != (32, 32))  # which has room for a short one, but no face
    assert left(tmp_path) == ["small.png"]


@pytest.mark.parametrize("suffix", ["mp4", "webm", "webp", "jpg"])
@pytest.mark.slow
def test_the_worst_quality_leaves_the_label_readable(suffix, small_clip, hopper_path, astronaut_path, tmp_path):
    target, output = (astronaut_path if suffix == "jpg" else small_clip), tmp_path / f"out.{suffix}"
    understudy.swap(hopper_path, target, output, settings=Settings(encode=EncodeOptions(quality=0)))
    assert is_released_honestly(output)


class Stop(Exception):
    pass


@pytest.mark.slow
def test_an_interrupted_swap_leaves_nothing(hopper_path, small_clip, tmp_path):
    def stop(done, total):
        if done == 20:
            raise Stop

    with Understudy() as app, pytest.raises(Stop):
        app.swap(small_clip, tmp_path / "out.mp4", app.person(hopper_path), progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.slow
def test_a_killed_swap_leaves_nothing_under_the_name(hopper_path, long_clip, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    words = [sys.executable, "-m", "understudy", "swap", "-s", str(hopper_path), "-t", str(long_clip)]
    with subprocess.Popen([*words, "-o", str(folder / "out.mp4")], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not list(folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert list(folder.iterdir()) != []  # it was at work
    assert left(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "broken", ["understudy.provenance.releasing.sign_file", "understudy.provenance.records.ledger.Ledger.append"]
)
@pytest.mark.parametrize("suffix", ["png", *(pytest.param(one, marks=pytest.mark.slow) for one in ("mp4", "mkv"))])
def test_what_fails_at_the_very_end_is_not_released(broken, suffix, hopper_path, astronaut_path, brief_clip, tmp_path):
    def fail(*_, **__):
        raise UnderstudyError("broken", "on purpose")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broken, fail)
        with pytest.raises(UnderstudyError, match="broken"):
            target = astronaut_path if suffix == "png" else brief_clip
            understudy.swap(hopper_path, target, tmp_path / f"out.{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_without_consent_no_frame_is_made(hopper_path, astronaut, small_clip, tmp_path):
    stranger = tmp_path / "stranger.png"
    Image.fromarray(np.ascontiguousarray(astronaut[:, ::-1, ::-1])).save(stranger)
    before = left(tmp_path)
    for claim in (None, ConsentClaim("sample")):
        with Understudy() as app, pytest.raises(UnderstudyError) as refusal:
            app.swap(small_clip, tmp_path / "out.mp4", app.person(stranger, consent=claim))
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
