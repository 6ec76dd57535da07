"""Enhancement in its place: after the blend, before label, mark and signature; of photos and of clips."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

import understudy
from tests.evidence import has_label, is_released_honestly
from understudy import EnhanceOptions, LabelOptions, Settings
from understudy.casting.assignment import Assigned, OnePerson
from understudy.casting.portraits import portrait_in
from understudy.cli.main import main
from understudy.errors import UsageError
from understudy.frames import Frame
from understudy.media.files import open_source
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.photo import PhotoPipeline
from understudy.testing import Motion, Puppet, talking
from understudy.testing.opened import parts_of


def swap(home, source, target, output, *more):
    words = ["swap", "-s", str(source), "-t", str(target), "-o", str(output), "--home", str(home)]
    return main([*words, "--consent", "sample", *more])


@pytest.fixture(scope="module")
def picture(astronaut):
    return Puppet(astronaut, (480, 360), face_share=0.6).render(Motion()).picture


@pytest.fixture(scope="module")
def made(perception, hopper, shelf):
    """Swaps a frame with steps, and says what came out: the frame, and what was done."""

    def make(frame, *steps, own=None, strength=1.0, **more):
        settings = Settings(home=shelf, enhance=EnhanceOptions(steps, **more))
        parts = parts_of(settings, perception)
        if own is not None:
            enhancers = understudy.Understudy(settings).resources.models.enhancers(settings, [own])
            parts = replace(parts, enhancers=enhancers)
        who = parts.engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])

        class Own(OnePerson):
            def assign(self, faces):
                return {track: Assigned(who, strength, enhance=own) for track in super().assign(faces)}

        return frame, PhotoPipeline(parts, Own(who)).swap(frame)

    return make


@pytest.mark.slow
def test_it_comes_after_the_blend_and_is_not_undone(made, picture):
    """What the restorer adds is in the frame as it added it, though the blend matches light and sharpness."""
    plain, _ = made(Frame(picture.copy()))
    frame, done = made(Frame(picture.copy()), "gfpgan_1.4:1")
    (patch,) = done.patches
    box = patch.box
    change = frame.picture.astype(int) - plain.picture
    inside = np.zeros(picture.shape[:2], bool)
    inside[box.y0 : box.y1, box.x0 : box.x1] = cv2.erode(patch.alpha, np.ones((9, 9), np.uint8)) > 250
    assert np.abs(change[inside]).mean() > 10  # the twin's pattern has 15
    outside = np.ones(picture.shape[:2], bool)
    outside[box.y0 : box.y1, box.x0 : box.x1] = patch.alpha == 0
    assert not change[outside].any()


@pytest.mark.slow
def test_a_person_is_enhanced_as_they_were_assigned(made, picture):
    plain, _ = made(Frame(picture.copy()))
    everybody, _ = made(Frame(picture.copy()), "codeformer:1", weight=0.1)
    theirs, _ = made(Frame(picture.copy()), own=EnhanceOptions(("codeformer:1",), weight=0.1))
    left, _ = made(Frame(picture.copy()), "codeformer:1", own=EnhanceOptions())
    assert np.array_equal(theirs.picture, everybody.picture)
    assert np.array_equal(left.picture, plain.picture)
    assert not np.array_equal(theirs.picture, plain.picture)


@pytest.mark.slow
def test_what_is_done_to_the_whole_picture_is_nobodys_own(made, picture):
    for steps in (("span_x4", "gfpgan_1.3"), ("clahe@frame", "gfpgan_1.4"), ("sharpen@background",), ("clahe@frame",)):
        with pytest.raises(UsageError, match="whole picture"):
            made(Frame(picture.copy()), own=EnhanceOptions(steps))


@pytest.mark.slow
def test_swaps_that_are_shown_half_are_enhanced_half(made, picture):
    changes = []
    for strength in (1.0, 0.5):
        plain, _ = made(Frame(picture.copy()), strength=strength)
        frame, done = made(Frame(picture.copy()), "gfpgan_1.4:1", strength=strength)
        assert (done.scale, frame.picture.shape) == (1, picture.shape)
        changes.append(np.abs(frame.picture.astype(int) - plain.picture).mean())
    assert changes[1] == pytest.approx(changes[0] / 2, rel=0.05)


@pytest.mark.slow
def test_the_label_is_as_large_in_an_enlarged_picture_and_signed_with_it(shelf, hopper_path, astronaut_path, tmp_path):
    output = tmp_path / "large.png"
    assert swap(shelf, hopper_path, astronaut_path, output, "--enhance", "real_esrgan_x2", "--enhance", "sharpen") == 0
    before, after = cv2.imread(str(astronaut_path)), cv2.imread(str(output))
    assert after.shape == (before.shape[0] * 2, before.shape[1] * 2, 3)
    assert has_label(after)
    assert understudy.inspect(output, home=shelf).verdict == "made by this tool"


@pytest.mark.slow
def test_every_frame_of_a_clip_is_enlarged_and_released_honestly(shelf, hopper_path, small_clip, tmp_path, capsys):
    output = tmp_path / "large.mp4"
    more = ["--enhance", "span_x4@background", "--enhance", "gfpgan_1.4:0.5", "--json"]
    assert swap(shelf, hopper_path, small_clip, output, *more) == 0
    report = json.loads(capsys.readouterr().out)
    assert "enlarged from 320x240 to 1280x960" in report["notes"]
    assert report["frames_swapped"] == report["frames"] > 10
    assert report["stages_ms"]["enhance"]["p50"] > 0
    with open_source(output) as source:
        assert {frame.picture.shape for frame in source} == {(960, 1280, 3)}
    assert is_released_honestly(output)


@pytest.mark.slow
def test_beside_an_enlarged_result_the_original_is_as_large(shelf, hopper_path, astronaut_path, tmp_path, capsys):
    output, more = tmp_path / "both.png", ["--enhance", "real_esrgan_x2", "--side-by-side", "--json"]
    assert swap(shelf, hopper_path, astronaut_path, output, *more) == 0
    before, after = cv2.imread(str(astronaut_path)), cv2.imread(str(output))
    height, width = before.shape[:2]
    assert after.shape == (2 * height, 4 * width, 3)
    assert f"enlarged from {width}x{height} to {2 * width}x{2 * height}" in json.loads(capsys.readouterr().out)["notes"]
    small = cv2.resize(after[:, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - before).mean() < 3
    assert has_label(after)
    assert understudy.inspect(output, home=shelf).verdict == "made by this tool"


@pytest.mark.parametrize(
    ("steps", "code", "said"),
    [
        (["gfpgam_1.4"], 2, "Did you mean gfpgan_1.4"),
        (["sharpen:1.2"], 2, "--enhance can't be"),
        (["sharpen", "sharpen"], 2, "there twice"),
        (["inswapper_128"], 2, "nothing that enhances is called 'inswapper_128'"),
        (["gfpgan_1.4@frame"], 2, "restores faces"),
        (["span_x4@face"], 2, "enlarges pictures, not faces"),
        (["span_x4", "real_esrgan_x2"], 2, "enlarged once"),
    ],
)
def test_what_can_not_be_is_told_before_any_work(
    shelf, hopper_path, astronaut_path, tmp_path, capsys, steps, code, said
):
    words = [word for step in steps for word in ("--enhance", step)]
    assert swap(shelf, hopper_path, astronaut_path, tmp_path / "out.png", *words) == code
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_models_that_are_not_here_are_named_with_what_fetches_them(hopper_path, astronaut_path, tmp_path, capsys):
    words = ["--enhance", "sharpen", "--enhance", "codeformer", "--enhance", "real_esrgan_x2"]
    assert swap(tmp_path / "home", hopper_path, astronaut_path, tmp_path / "out.png", *words) == 5
    said = capsys.readouterr().err
    assert "error: the models codeformer, real_esrgan_x2 are not here\n" in said
    assert f"understudy models pull --home {tmp_path / 'home'} codeformer real_esrgan_x2\n" in said
    assert not (tmp_path / "out.png").exists()


def test_a_picture_that_would_become_too_large_is_told_before_any_work(
    shelf, hopper_path, astronaut_path, tmp_path, capsys
):
    words = ["--enhance", "span_x4", "--max-pixels", "2000000"]
    assert swap(shelf, hopper_path, astronaut_path, tmp_path / "out.png", *words) == 2
    said = capsys.readouterr().err
    assert "made 4 times as large" in said
    assert "leave the upscaler out" in said


@pytest.mark.slow
def test_the_weight_is_an_option(shelf, hopper_path, astronaut_path, tmp_path, capsys):
    found = []
    for weight in ("0", "1"):
        output = tmp_path / f"{weight}.png"
        more = ["--enhance", "codeformer:1", "--enhance-weight", weight]
        assert swap(shelf, hopper_path, astronaut_path, output, *more) == 0
        found.append(cv2.imread(str(output)).astype(int))
    assert np.abs(found[0] - found[1]).max() > 15  # at 1 the twin adds nothing
    assert swap(shelf, hopper_path, astronaut_path, tmp_path / "x.png", "--enhance-weight", "2") == 2
    assert "--enhance-weight can't be 2.0" in capsys.readouterr().err


@pytest.mark.slow
def test_what_is_off_loads_nothing_and_touches_nothing(perception, hopper, picture):
    """No model runtime, no catalogue, and not a pixel of a frame is passed over."""
    code = (
        "import sys, understudy.enhancement, understudy.pipeline.enhancing, understudy.settings\n"
        "print(sorted(name for name in ('onnxruntime', 'onnx', 'pydantic') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    parts = parts_of(Settings(label=LabelOptions()), perception)
    who = parts.engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])
    pipeline = ClipPipeline(parts, OnePerson(who))
    pipeline.swap(Frame(picture.copy()))
    assert "enhance" not in pipeline.tally.timings.summary()


@pytest.mark.slow
def test_with_automatic_strength_a_small_face_is_left_as_it_is(made, astronaut):
    """A face of 90 pixels in a picture of 480 lines."""
    puppet = Puppet(astronaut, (640, 480), face_share=0.19)
    plain, done = made(Frame(puppet.render(talking(0.3)).picture))
    enhanced, _ = made(Frame(puppet.render(talking(0.3)).picture), "gfpgan_1.4", "sharpen", "clahe")
    print("height of the face:", np.ptp(done.patches[0].mesh[:, 1]))
    assert 60 < np.ptp(done.patches[0].mesh[:, 1]) < 96
    assert np.array_equal(plain.picture, enhanced.picture)
