"""The ruler: measures with known answers, and a whole evaluation of puppets."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from benchmarks.ruler import Floor

from tests.faceres_file import SMALL, SmallFaceRes
from understudy import Settings, Understudy
from understudy.cli.main import main
from understudy.errors import ModelError, UsageError
from understudy.evaluation import EvaluationOptions, evaluate, open_embedder
from understudy.evaluation.faceres import FaceRes
from understudy.evaluation.files import Pictures, write_report
from understudy.evaluation.looks import Look, Onlooker, expression_kept, fidelity
from understudy.evaluation.material import clips_in, pictures_in, read_clip
from understudy.evaluation.report import GOALS, PairReport, Report
from understudy.evaluation.steadiness import Instant, flicker, jitter, lag
from understudy.evaluation.strips import Strips
from understudy.evaluation.surface import similarity, surface
from understudy.frames import PixelBox
from understudy.geometry.pose import pose_degrees
from understudy.geometry.topology import topology
from understudy.landmarks import BlendshapeModel
from understudy.landmarks.blendshapes import GROUPS, NAMES
from understudy.patches import Patch
from understudy.provenance import ConsentClaim
from understudy.recognition import identity
from understudy.tasks.inspect import inspect_file
from understudy.testing import ClipSpec, Motion, Puppet, write_clip, write_puppet_clip

SIDE = 200
ROOT = Path(__file__).parents[2]


@pytest.fixture
def mesh():
    """A frontal face that fills most of a picture of SIDE pixels."""
    points = topology().canonical * 55
    return np.add(points, (SIDE / 2, SIDE / 2 - 15, 0)).astype(np.float32)


@pytest.fixture
def skin():
    """Something with slopes and grain, as skin has."""
    noise = np.random.default_rng(3).normal(0, 2, (SIDE, SIDE, 1))
    slope = np.linspace(90, 150, SIDE)[None, :, None]
    return np.clip(slope + noise + [0, 10, 30], 0, 255).astype(np.uint8)


def patch_on(mesh, fade=12):
    """An oval patch that fades at its rim."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    inside = 70 - np.hypot(x - SIDE / 2, (y - SIDE / 2) * 0.8)
    alpha = np.clip(inside / fade * 255, 0, 255).astype(np.uint8)
    empty = np.zeros((SIDE, SIDE, 3), np.uint8)
    return Patch(empty, alpha, np.zeros((SIDE, SIDE, 2), np.float32), PixelBox(0, 0, SIDE, SIDE), mesh, 1)


def blended(before, change, patch):
    opacity = patch.alpha[:, :, None] / 255
    return np.clip(before + (change - before.astype(float)) * opacity, 0, 255).round().astype(np.uint8)


def test_what_is_not_changed_has_no_fault(skin, mesh):
    found = surface(skin, skin.copy(), patch_on(mesh))
    assert found["outside_pixels"] == found["seam_excess"] == found["cheek_error"] == found["clipped_share"] == 0
    assert found["saturation_ratio"] == found["sharpness_ratio"] == found["grain_ratio"] == 1
    assert similarity(skin, skin.copy(), patch_on(mesh))["ssim"] == pytest.approx(1)


def test_a_pixel_beside_the_patch_is_counted(skin, mesh):
    after = skin.copy()
    after[2, 3] ^= 1
    assert surface(skin, after, patch_on(mesh))["outside_pixels"] == 1


def test_a_step_at_the_rim_is_a_seam_and_a_slow_change_is_none(skin, mesh):
    hard, slow = patch_on(mesh, fade=2), patch_on(mesh, fade=40)
    darker = skin * 0.85
    assert surface(skin, blended(skin, darker, hard), hard)["seam_excess"] > 0.8
    assert surface(skin, blended(skin, darker, slow), slow)["seam_excess"] < 0.3


def test_light_from_the_other_side_is_measured(skin, mesh):
    lit = skin.astype(float) * np.linspace(1.3, 0.7, SIDE)[None, :, None]
    patch = patch_on(mesh)
    found = surface(skin, blended(skin, lit, patch), patch)["cheek_error"]
    x = [mesh[list(side), 0].mean() / SIDE for side in ((50, 205, 187, 123), (280, 425, 411, 352))]
    assert found == pytest.approx((1.3 - 0.6 * x[0]) / (1.3 - 0.6 * x[1]) - 1, abs=0.05)


@pytest.mark.parametrize(
    ("change", "measure", "low", "high"),
    [
        (lambda p: cv2.GaussianBlur(p, (0, 0), 2), "sharpness_ratio", 0, 0.5),
        (lambda p: cv2.GaussianBlur(p, (0, 0), 2), "grain_ratio", 0, 0.5),
        (lambda p: p + np.random.default_rng(5).normal(0, 5, p.shape[:2])[:, :, None], "grain_ratio", 1.8, 3.5),
        (lambda p: p.mean(axis=2, keepdims=True) + 0 * p, "saturation_ratio", 0, 0.2),
        (lambda p: p * 0.0 + 255, "clipped_share", 0.5, 1),
    ],
    ids=["blurred", "grain gone", "grain added", "grey", "white"],
)
def test_faults_of_the_surface_move_their_own_measure(skin, mesh, change, measure, low, high):
    patch = patch_on(mesh, fade=4)
    found = surface(skin, blended(skin, change(skin.astype(np.float32)), patch), patch)[measure]
    assert low <= found <= high


def look_at(mesh, mouth=0.0, **scores):
    blendshapes = np.array([scores.get(name, 0) for name in NAMES], np.float32)
    return Look(mesh.astype(np.float32), pose_degrees(mesh), mouth, 0.3, 0.2, np.zeros(2, np.float32), blendshapes)


def test_even_motion_is_no_jitter_and_trembling_is(mesh):
    even = [look_at(np.add(mesh, (2.0 * t, t, 0))) for t in range(20)]
    assert jitter(even).max() < 0.01
    trembling = [look_at(np.add(mesh, (0.5 * (-1) ** t, 0, 0))) for t in range(20)]
    # ±0.5 in turns has a second difference of 2 pixels.
    assert jitter(trembling).mean() == pytest.approx(1000 * 2 / trembling[0].eye_distance, rel=1e-3)
    assert len(jitter(even[:2])) == 0


def test_a_lag_of_two_frames_is_found_and_a_still_face_has_none(mesh):
    def speaking(t):
        return look_at(mesh, mouth=0.3 + 0.2 * np.sin(t / 2.2) + 0.1 * np.sin(t / 1.3))

    target = [speaking(t) for t in range(40)]
    assert lag(target, target) == pytest.approx(0, abs=0.05)
    assert lag(target, [speaking(t - 2) for t in range(40)]) == pytest.approx(2, abs=0.2)
    assert lag([look_at(mesh)] * 40, [look_at(mesh)] * 40) is None


def test_flicker_is_what_motion_does_not_explain(skin, mesh):
    patch = patch_on(mesh)
    moved = [np.roll(skin, t, axis=1) for t in range(4)]
    steady = [Instant(p, p.copy(), patch) for p in moved]
    own, swapped = flicker(steady)
    np.testing.assert_array_equal(own, swapped)
    pulsing = [Instant(p, blended(p, p * (1.1 if t % 2 else 0.9), patch), patch) for t, p in enumerate(moved)]
    own, swapped = flicker(pulsing)
    assert swapped.mean() > own.mean() + 10


def test_expression_and_pose_are_measured_in_the_picture(perception, astronaut):
    puppet = Puppet(astronaut, (320, 320), face_share=0.6)
    onlooker = Onlooker(perception.landmarker, BlendshapeModel())
    looks = [onlooker.look(f.picture, f.mesh) for f in map(puppet.render, (Motion(), Motion(yaw=15, mouth=0.8)))]
    assert fidelity(looks[:1], looks[:1])["expression"] == 0
    found = fidelity(looks[:1], looks[1:])
    assert 3 < found["pose_degrees"] < 12  # 15 degrees in one of three angles
    assert found["mouth"] > 0.15
    assert found["expression"] >= found["mouth"]
    assert expression_kept(looks[:1], looks[:1])["blendshapes"] == 0
    parts = expression_kept(looks[:1], looks[1:])
    assert max(GROUPS, key=lambda group: parts[f"blendshapes_{group}"]) in ("jaw", "lips")
    assert looks[1].score("jawOpen") > looks[0].score("jawOpen") + 0.2


@pytest.mark.slow
def test_where_nothing_changed_the_ruler_sees_little_but_not_nothing(media):
    (path,) = clips_in(media / "clips")
    found = Floor([open_embedder("dlib")]).of(path, 3)
    for change, values in found.items():
        assert 0 < values["pose_degrees"] < 1, change
        assert 0 < values["expression"] < 0.09, change
        assert 0 < values["blendshapes"] < 0.05, change
        assert 0 < values["distance, dlib"] < 0.05, change
    assert found["noise"]["jitter"] > 0


def test_differences_of_blendshapes_are_told_by_group(mesh):
    target = [look_at(mesh, jawOpen=0.5, cheekPuff=0.9)] * 4
    found = expression_kept(target, [look_at(mesh, jawOpen=0.1, browInnerUp=0.2)] * 4)
    assert found["blendshapes_jaw"] == pytest.approx(0.4 / len(GROUPS["jaw"]))
    assert found["blendshapes_brows"] == pytest.approx(0.2 / len(GROUPS["brows"]))
    assert found["blendshapes_lids"] == found["blendshapes_gaze"] == found["blendshapes_lips"] == 0
    assert found["blendshapes"] == pytest.approx((0.4 / 4 + 0.2 / 5) / 5)
    # All of it is how the faces are, and nothing what they do: there is no motion to be kept or lost.
    assert found["blendshapes_motion"] == pytest.approx(0, abs=1e-6)
    assert found["motion_kept"] is None


def test_half_the_motion_is_half_of_it_wherever_the_face_rests(mesh):
    way = [0.5 + 0.4 * np.sin(t / 3) for t in range(30)]
    target = [look_at(mesh, jawOpen=x, eyeBlinkLeft=1 - x) for x in way]
    assert expression_kept(target, target)["motion_kept"] == pytest.approx(1)
    half = [look_at(mesh, jawOpen=0.2 + x / 2, eyeBlinkLeft=0.5 - x / 2, browDownLeft=0.7) for x in way]
    found = expression_kept(target, half)
    assert found["motion_kept"] == pytest.approx(0.5)
    assert 0 < found["blendshapes_motion"] < found["blendshapes"]
    frozen = [look_at(mesh, jawOpen=0.5)] * 30
    assert expression_kept(target, frozen)["motion_kept"] == pytest.approx(0)


def test_ratios_that_cancel_out_do_not_reach_their_goal():
    def pair(source, sharpness):
        measures = {"sharpness_ratio": sharpness, "outside_pixels": 0.0, "expression": 0.02}
        return PairReport(source, "clip", 10, measures, {}, {"swap": 2.0})

    report = Report("mesh", "none", {}, (pair("a", 0.5), pair("b", 1.5)), (pair("self", 1.0),))
    lines = {line.measure: line for line in report.lines()}
    assert lines["sharpness_ratio"].mean == pytest.approx(1)
    assert lines["sharpness_ratio"].reached is False
    assert lines["sharpness_ratio"].within == 0
    assert lines["outside_pixels"].reached is True
    assert lines["expression"].limit == "at most 0.022"
    assert set(lines) <= set(GOALS)
    assert report.cost() == {"swap": 2.0}


def test_a_limit_that_is_one_networks_is_none_for_another():
    pairs = (PairReport("a", "clip", 10, {"identity_distance": 0.3, "second_identity_distance": 0.3}, {}, {}),)

    def limits(embedder, second):
        report = Report("mesh", embedder, {}, pairs, (), second_embedder=second)
        return [(line.limit, line.reached) for line in report.lines()]

    assert limits("dlib", "faceres") == [("at most 0.4", True), ("at most 0.36", True)]
    assert limits("other.onnx", "dlib") == [("", None), ("", None)]


@pytest.fixture(scope="module")
def media(tmp_path_factory, hopper_path, astronaut):
    folder = tmp_path_factory.mktemp("media")
    (folder / "sources").mkdir()
    (folder / "clips").mkdir()
    (folder / "sources" / "hopper.jpg").write_bytes(hopper_path.read_bytes())
    (folder / "clips" / "notes.txt").write_text("not a clip")
    puppet = Puppet(astronaut, (240, 240), face_share=0.6)
    write_puppet_clip(folder / "clips" / "talk.mp4", puppet, 1.0, ClipSpec(audio=()))
    return folder


def measured(media, pictures=None, judge="dlib", second=None):
    app = Understudy()
    return evaluate(
        pictures_in(media / "sources"),
        clips_in(media / "clips"),
        Settings(),
        EvaluationOptions(frames=15),
        resources=app.resources,
        known=app.known,
        embedder=open_embedder(judge),
        second=second,
        consent=ConsentClaim("sample"),
        pictures=pictures,
    )


def between(one, other, perception):
    """How far apart two people are, by the package's network."""
    judge = open_embedder("dlib")
    vectors = [judge.embed(picture, perception.still(picture)) for picture in (one, other)]
    return float(judge.distances(vectors[0][0], vectors[1])[0])


@pytest.mark.slow
def test_the_same_figures_every_time_but_for_the_cost(media, hopper, astronaut, perception):
    first, again = (measured(media).as_json() for _ in range(2))
    for report in (first, again):
        # The one thing that may differ: what it took this time, on this machine.
        assert min(report.pop("cost")["median_ms"].values()) > 0
    assert first == again
    (pair,) = first["pairs"]
    assert (pair["source"], pair["clip"], pair["frames"]) == ("hopper", "talk", 15)
    assert pair["measures"]["outside_pixels"] == 0
    assert pair["measures"]["missed_share"] == 0
    # How good the engine is, is not said here: only that it went from the one face towards the other.
    apart = between(hopper, astronaut, perception)
    assert 0.2 < pair["measures"]["identity_distance"] < apart - 0.1
    assert 0.2 < pair["measures"]["target_distance"] < apart
    (own,) = first["selves"]
    assert own["measures"]["ssim"] > 0.85
    assert own["measures"]["psnr"] > 24
    assert own["measures"]["expression"] < pair["measures"]["expression"] * 1.5
    assert own["measures"]["blendshapes"] < pair["measures"]["blendshapes"] * 1.5
    assert 0.5 < own["measures"]["motion_kept"] < 1.3


@pytest.mark.slow
def test_a_second_judge_has_measures_of_its_own(media, tmp_path):
    second = FaceRes(SmallFaceRes().written(tmp_path), SMALL)
    report = measured(media, second=second)
    (pair,) = report.as_json()["pairs"]
    for measure in ("identity_distance", "target_distance", "retrieval"):
        assert f"second_{measure}" in pair["measures"]
    assert pair["measures"]["second_identity_distance"] != pair["measures"]["identity_distance"]
    assert (report.embedder, report.second_embedder) == ("dlib", "faceres")
    write_report(report, tmp_path)
    assert "dlib, then by faceres" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_pictures_are_labelled_and_signed_and_the_page_loads_nothing(media, tmp_path, home):
    with Pictures(tmp_path) as pictures:
        report = measured(media, pictures, judge="none")
        write_report(report, tmp_path, pictures=pictures)
    name = report.pairs[0].picture
    assert inspect_file(tmp_path / name).verdict == "made by this tool"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f'src="{name}"' in page
    assert "http" not in page
    assert "<script" not in page
    assert json.loads((tmp_path / "report.json").read_text())["embedder"] == "none"
    assert "identity_distance" not in report.pairs[0].measures

    # Two reports beside each other; these two are the same.
    tool = [
        sys.executable,
        str(ROOT / "tools" / "compare_reports.py"),
        *[str(tmp_path)] * 2,
        str(tmp_path / "sheet.jpg"),
    ]
    said = subprocess.run(tool, capture_output=True, text=True, check=True).stdout
    assert "1 pairs that both have" in said
    assert re.search(r"^pose_degrees +(\d\.\d{4}) +\1 +\+0\.0000", said, re.MULTILINE)
    sheet, picture = (cv2.imread(str(tmp_path / one)) for one in ("sheet.jpg", name))
    assert sheet.shape[1] == 2 * picture.shape[1]


def test_long_clips_are_measured_at_start_middle_and_end(media):
    clip = read_clip(media / "clips" / "talk.mp4", 9, 10**8)
    times = [[round(frame.seconds * 30) for frame in stretch] for stretch in clip.stretches]
    assert times == [[0, 1, 2], [14, 15, 16], [27, 28, 29]]
    for asked in (1, 2, 4, 10):
        assert sum(map(len, read_clip(media / "clips" / "talk.mp4", asked, 10**8).stretches)) <= asked
    assert len(read_clip(media / "clips" / "talk.mp4", 500, 10**8).stretches) == 1


def test_an_onnx_embedder_sees_the_aligned_face_in_rgb(tmp_path, hopper, perception):
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "mean.onnx"
    pool = onnx.helper.make_node("GlobalAveragePool", ["face"], ["mean"])
    flat = onnx.helper.make_node("Flatten", ["mean"], ["vector"])
    ports = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("face", [1, 3, 112, 112]), ("vector", [1, 3]))
    ]
    graph = onnx.helper.make_graph([pool, flat], "means", ports[:1], ports[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    embedder = open_embedder(str(path))
    red = np.zeros_like(hopper)
    red[:, :, 2] = 255
    faces = perception.still(hopper)
    # Red first: 255/127.5-1 and twice -1, at unit length. Outside the photo the crop is black.
    expected = np.array([1, -1, -1]) / np.sqrt(3)
    np.testing.assert_allclose(embedder.embed(red, faces)[0], expected, atol=0.05)
    assert embedder.distances(expected, np.stack([expected, -expected])).tolist() == pytest.approx([0, 2])


def test_an_embedder_that_is_not_there_is_told_with_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="no such embedder"):
        open_embedder(str(tmp_path / "none.onnx"))
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(UsageError, match="no ONNX file"):
        open_embedder(str(tmp_path / "junk.onnx"))

    monkeypatch.setattr(identity, "FILE", "gone.onnx")
    with pytest.raises(ModelError, match=r"without its embedded model gone\.onnx") as told:
        open_embedder("dlib")
    assert told.value.exit_code == 5


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"--sources": "nowhere"}, 3, "nowhere"),
        ({"--clips": "sources"}, 2, "no clip"),
        ({"--embedder": "nobody"}, 2, "no such embedder"),
        ({"--second-embedder": "nobody.json"}, 2, "no such embedder"),
        ({"--frames": "0"}, 2, "frames"),
        ({"--engine": "other"}, 2, "unknown engine"),
        ({"--output-dir": "sources/hopper.jpg"}, 6, "can't make the folder"),
    ],
)
def test_what_can_not_be_measured_is_told_at_once(media, tmp_path, monkeypatch, capsys, change, code, said):
    monkeypatch.chdir(media)
    asked = {"--sources": "sources", "--clips": "clips", "--output-dir": str(tmp_path / "out"), "--embedder": "none"}
    words = [word for pair in (asked | change).items() for word in pair]
    assert main(["eval", *words, "--consent", "sample"]) == code
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_a_report_is_not_replaced_unasked(media, tmp_path, capsys):
    words = ["eval", "--sources", str(media / "sources"), "--clips", str(media / "clips"), "-d", str(tmp_path)]
    words += ["--embedder", "none", "--frames", "3", "--no-pictures", "--consent", "sample"]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pairs"][0]["frames"] == 3
    assert main(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
    assert "seam_excess" in capsys.readouterr().out


@pytest.mark.slow
def test_nothing_that_swaps_imports_the_ruler():
    code = (
        "import sys, understudy, understudy.cli.main, understudy.sessions, understudy.pipeline;"
        "import understudy.swapping.neural.engine, understudy.swapping.neural.source;"
        "sys.exit(any(name.startswith(('understudy.evaluation', 'understudy.recognition.identity'))"
        " for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_a_clip_without_a_face_is_left_out_and_the_others_are_measured(media, tmp_path, capsys):
    shutil.copytree(media, tmp_path / "media")
    clips = tmp_path / "media" / "clips"
    write_clip(clips / "a-wall.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 12, ClipSpec(audio=()))
    words = ["eval", "--sources", str(tmp_path / "media" / "sources"), "-d", str(tmp_path / "out"), "--no-pictures"]
    words += ["--consent", "sample", "--frames", "8", "--embedder", "none", "--shape", "0.5", "--strength", "0.8"]
    assert main([*words, "--clips", str(clips)]) == 0
    assert "a-wall is left out: no face" in capsys.readouterr().err
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [pair["clip"] for pair in report["pairs"]] == ["talk"]
    assert list(report["left_out"]) == ["a-wall"]
    assert (report["options"]["shape"], report["options"]["strength"]) == (0.5, 0.8)
    assert "a-wall is left out" in (tmp_path / "out" / "report.html").read_text()
    assert main([*words, "--clips", str(clips / "a-wall.mp4"), "--overwrite"]) == 3
    assert "no face was found in a-wall.mp4" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("when", ["evaluating", "writing"])
def test_an_interrupted_run_leaves_no_picture_and_none_is_replaced(media, tmp_path, monkeypatch, capsys, when):
    clips, out = tmp_path / "clips", tmp_path / "out"
    shutil.copytree(media / "clips", clips)
    shutil.copy(clips / "talk.mp4", clips / "talk-again.mp4")
    out.mkdir()
    (out / "mine.txt").write_text("stays")
    words = ["eval", "--sources", str(media / "sources"), "--clips", str(clips), "-d", str(out)]
    words += ["--embedder", "none", "--frames", "3", "--consent", "sample"]
    written = []

    def interrupted(_):
        raise KeyboardInterrupt

    def second_is_interrupted(strips, clip, *more, write=Strips.write):
        written.append(write(strips, clip, *more))
        if len(written) == 2:
            raise KeyboardInterrupt
        return written[-1]

    if when == "writing":
        monkeypatch.setattr("understudy.evaluation.files.page", interrupted)
    else:
        monkeypatch.setattr(Strips, "write", second_is_interrupted)
    assert main(words) == 130
    assert [path.name for path in out.iterdir()] == ["mine.txt"]

    (out / "hopper-on-talk.jpg").write_text("of an earlier report")
    written.clear()
    assert main([*words, "--overwrite"]) == 130
    assert sorted(path.name for path in out.iterdir()) == ["hopper-on-talk.jpg", "mine.txt"]
    assert (out / "hopper-on-talk.jpg").read_text() == "of an earlier report"
