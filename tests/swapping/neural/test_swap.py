"""A neural swap as its user does it: fetched, consented to, checked, swapped, labelled, signed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

import understudy
from tests.evidence import has_label, is_released_honestly
from tests.models.lying import lying_server
from tests.models.shelf import stocked
from tests.sessions.stage import Screen, until
from tests.twins import SMALL, graphs
from understudy import Settings, Understudy
from understudy.casting.portraits import portrait_in
from understudy.cli.main import main
from understudy.errors import ContentRefusedError, ModelError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.topology import topology
from understudy.models import opening
from understudy.models.providers import OnnxRuntime
from understudy.models.session import Session
from understudy.models.store import FOLDER
from understudy.testing import REST, ClipSpec, FakeCamera, Motion, Puppet, talking, twins, write_clip
from understudy.testing.opened import engine_of


def swap(home, source, target, output, *more, engine="inswapper_128"):
    words = ["swap", "-s", str(source), "-t", str(target), "-o", str(output), "--engine", engine]
    return main([*words, "--home", str(home), "--consent", "sample", *more])


@pytest.mark.slow
def test_from_nothing_to_a_neural_swap_in_three_commands(tmp_path, astronaut_path, hopper_path):
    """Install; pull; swap. Here from a server of our own, with twins."""
    home, output = tmp_path / "home", tmp_path / "out.png"
    with lying_server() as server:
        stocked(server, tmp_path / "elsewhere", graphs())
        places = (tmp_path / "elsewhere" / "models.toml").read_text()

        def understudy_does(*words):
            command = [sys.executable, "-m", "understudy", *words, "--home", str(home)]
            return subprocess.run(command, capture_output=True, text=True, check=False)

        wanted = ["swap", "-s", str(hopper_path), "-t", str(astronaut_path), "-o", str(output)]
        wanted += ["--engine", "inswapper_128", "--consent", "sample"]
        early = understudy_does(*wanted)
        assert early.returncode == 5
        assert f"understudy models pull --home {home} inswapper_128\n" in early.stderr
        assert not home.exists()
        home.mkdir(mode=0o700, exist_ok=True)
        (home / "models.toml").write_text(places)
        assert understudy_does("models", "pull", "inswapper", "--accept-licence").returncode == 0
        done = understudy_does(*wanted, "--json")
        assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["engine"] == "inswapper_128"
    assert report["frames_swapped"] == 1
    assert any("checked with open_nsfw: 2 looks" in note for note in report["notes"])
    assert has_label(cv2.imread(str(output)))
    assert understudy.inspect(output, home=home).verdict == "made by this tool"


@pytest.mark.slow
def test_a_clip_is_swapped_in_every_frame_and_released_honestly(shelf, hopper_path, small_clip, tmp_path, capsys):
    output = tmp_path / "out.mp4"
    assert swap(shelf, hopper_path, small_clip, output, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["frames_swapped"] == report["frames"] > 10
    assert is_released_honestly(output)


@pytest.mark.slow
def test_while_a_face_is_followed_only_the_swapper_runs(put, perception, hopper_path, astronaut, tmp_path, monkeypatch):
    """Whose face it is is asked once for the photo, where faces are only when one may have come."""
    frames = [Puppet(astronaut, (320, 240), face_share=0.5).render(talking(n / 30)).picture for n in range(30)]
    write_clip(tmp_path / "clip.mp4", frames, ClipSpec(rate=30))
    face = perception.still(frames[0])
    seen = twins.scrfd_answers(face.boxes_xyxy[0], face.keypoints5[0], 320)
    home, _, _ = put("scrfd_10g", twins.planted_twin((1, 3, 640, 640), seen, "input.1"))
    runs, run = Counter(), Session.run
    monkeypatch.setattr(opening, "probe", lambda session: None)  # trying a model is not using it

    def counted(session, values):
        runs[session.entry.name] += 1
        return run(session, values)

    monkeypatch.setattr(Session, "run", counted)
    assert swap(home, hopper_path, tmp_path / "clip.mp4", tmp_path / "out.mp4", "--detector", "scrfd_10g") == 0
    print(dict(runs))
    assert runs["inswapper_128"] == 30
    assert runs["arcface_w600k_r50"] == 1
    assert 1 <= runs["scrfd_10g"] <= 4
    assert runs["nsfw_384"] == 2  # the photo, and the first frame


@pytest.mark.slow
def test_live_too(shelf, hopper_path, astronaut):
    puppet, screen = Puppet(astronaut, (320, 240), face_share=0.5), Screen()
    camera = FakeCamera([puppet.render(talking(n / 30)).picture for n in range(30)])
    settings = Settings(engine="inswapper_128", home=shelf)
    app = Understudy(settings)
    with app.live(app.person(hopper_path, consent="sample"), camera, [lambda _: screen]) as live:
        until(lambda: len(screen.seconds) > 10, 60)
        statistics = live.statistics()
    assert statistics.frames_swapped > 5
    assert all(has_label(picture) for picture in screen.frames)


def red(size=(400, 400)):
    picture = np.zeros((*size, 3), np.uint8)
    picture[..., 2] = 255
    return picture


@pytest.mark.slow
def test_live_and_eval_look_at_content_too(shelf, put, hopper_path, small_clip, tmp_path):
    settings = Settings(engine="inswapper_128", home=shelf)
    app = Understudy(settings)
    person = app.person(hopper_path, consent="sample")
    live = app.live(person, FakeCamera([red((240, 320))] * 5), [lambda _: Screen()])
    live.start()
    assert live.wait(30)
    with pytest.raises(ContentRefusedError):
        live.stop()
    home, _, _ = put("nsfw_384", twins.classifier_twin(intimate=0.9))
    words = ["eval", "--sources", str(hopper_path), "--clips", str(small_clip), "-d", str(tmp_path / "report")]
    words += ["--embedder", "none", "--engine", "inswapper_128", "--home", str(home), "--consent", "sample"]
    assert main(words) == 4


@pytest.mark.slow
def test_a_clip_that_runs_fast_is_looked_at_as_often(shelf, hopper_path, astronaut, tmp_path):
    clip = tmp_path / "fast.mp4"
    clean = cv2.resize(astronaut, (320, 240))
    write_clip(clip, [clean] * 5 + [red((240, 320))] * 40, ClipSpec(rate=1000))
    assert swap(shelf, hopper_path, clip, tmp_path / "o.mp4") == 4
    assert not (tmp_path / "o.mp4").exists()


@pytest.mark.slow
def test_a_frame_of_no_numbers_is_no_black_square(put, hopper, perception, astronaut):
    """A model that works on noise and fails on this picture."""
    graph = twins.GraphWriter()
    mean = graph.node("ReduceMean", "target", axes=[1, 2, 3], keepdims=1)
    bright = graph.node("Sqrt", graph.node("Sub", graph.constant(np.array(0.26, np.float32)), mean))
    graph.node("Add", "target", graph.node("Mul", bright, graph.constant(np.array(0.1, np.float32))), name="output")
    graph.constant(np.eye(512, dtype=np.float32), "emap")
    shape = (1, 3, 128, 128)
    home, _, _ = put("inswapper_128", graph.finished([("target", shape), ("source", (1, 512))], [("output", shape)]))
    made = engine_of(Settings(engine="inswapper_128", home=home))
    identity = made.identity([portrait_in(hopper, "hopper", perception, None)[0]])
    assert drawn((made, identity), Puppet(astronaut, (480, 480), face_share=0.5).render(REST)) == []


@pytest.mark.slow
def test_what_the_models_have_to_say_is_in_the_report(put, hopper_path, astronaut_path, tmp_path, capsys, monkeypatch):
    home, _, _ = put("inswapper_128", twins.inswapper_twin(**SMALL))
    start = OnnxRuntime.start

    def started(self, entry, data, device, **how):
        if device == "cuda":
            raise ModelError(f"{entry.name}: cuda is not usable here", "")
        return start(self, entry, data, device, **how)

    monkeypatch.setattr(OnnxRuntime, "devices", lambda _: ["cuda", "cpu"])
    monkeypatch.setattr(OnnxRuntime, "start", started)
    assert swap(home, hopper_path, astronaut_path, tmp_path / "o.png", "--json") == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert "inswapper_128: cuda is not usable here; cpu is used" in notes
    assert any(note.startswith("content was checked with open_nsfw and nsfw_384: 2 looks") for note in notes)


@pytest.mark.slow
def test_intimate_content_is_refused(shelf, hopper_path, tmp_path, capsys):
    """The twin takes a wholly red picture for such."""
    picture = np.zeros((400, 400, 3), np.uint8)
    picture[..., 0] = 255
    Image.fromarray(picture).save(tmp_path / "red.png")
    assert swap(shelf, hopper_path, tmp_path / "red.png", tmp_path / "o.png") == 4
    assert "nsfw_384" in capsys.readouterr().err
    assert not (tmp_path / "o.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inswapper_128", "arcface_w600k_r50"])
def test_no_model_may_be_missing_or_altered(name, shelf, hopper_path, tmp_path, capsys):
    home = tmp_path / "home"
    shutil.copytree(shelf, home)
    path = next((home / FOLDER).glob({"arcface_w600k_r50": "w600k_r50.onnx"}.get(name, f"{name}.onnx")))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert swap(home, hopper_path, hopper_path, tmp_path / "o.png") == 5
    assert f"file of {name} is not what it was" in capsys.readouterr().err
    path.unlink()
    assert swap(home, hopper_path, hopper_path, tmp_path / "o.png") == 5
    said = capsys.readouterr().err
    assert f"the model {name} is not here" in said
    assert f"pull --home {home} inswapper_128" in said
    assert not (tmp_path / "o.png").exists()


@pytest.mark.slow
def test_the_second_classifier_may_be_missing_but_not_altered(shelf, hopper_path, tmp_path, capsys):
    """An altered one is not passed over: somebody may have altered it so that it lets everything through."""
    home, output = tmp_path / "home", tmp_path / "o.png"
    shutil.copytree(shelf, home)
    path = home / FOLDER / "nsfw_384.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert swap(home, hopper_path, hopper_path, output) == 5
    assert "file of nsfw_384 is not what it was" in capsys.readouterr().err
    assert not output.exists()
    path.unlink()
    assert swap(home, hopper_path, hopper_path, output, "--json") == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert any(note.startswith("content was checked with open_nsfw: 2 looks") for note in notes)


@pytest.mark.slow
def test_a_stranger_among_the_photos_is_named(shelf, hopper_path, astronaut_path, tmp_path, capsys, monkeypatch):
    """The twin embeds at random: two photos of one person are the same file."""
    copy = tmp_path / "again.jpg"
    shutil.copy(hopper_path, copy)
    monkeypatch.setattr("understudy.recognition.arcface.SOMEBODY_ELSE", 0.999)
    more = ["-s", str(copy), "-s", str(astronaut_path), "--json"]
    assert swap(shelf, hopper_path, astronaut_path, tmp_path / "o.png", *more) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert "astronaut.png was left out: it seems to show somebody else" in notes


@pytest.fixture(scope="module")
def engine(shelf, hopper, perception):
    made = engine_of(Settings(engine="hyperswap_1a_256", home=shelf))
    return made, made.identity([portrait_in(hopper, "hopper", perception, None)[0]])


def drawn(engine, shot):
    made, identity = engine
    mesh = shot.mesh[None]
    from understudy.geometry.topology import keypoints5

    faces = Faces(
        boxes_xyxy=np.array([[0, 0, 1, 1]], np.float32),
        mesh=mesh,
        keypoints5=keypoints5(mesh),
        track_ids=np.array([7]),
    )
    frame = Frame(shot.picture.copy(), pts=0, time_base=Fraction(1, 30))
    return made.renderer().render(frame, faces, {7: identity})


@pytest.mark.parametrize(
    "motion", [REST, Motion(yaw=25, roll=20), Motion(mouth=1.0)], ids=["rest", "turned", "laughing"]
)
def test_the_patch_is_the_face_in_its_place_and_covers_eyes_and_mouth(motion, engine, astronaut):
    """The twin gives the face back with a known tint, so all that differs is what cropping and pasting lose."""
    shot = Puppet(astronaut, (480, 480), face_share=0.5).render(motion)
    (patch,) = drawn(engine, shot)
    box = patch.box
    under = shot.picture[box.y0 : box.y1, box.x0 : box.x1].astype(float)
    whole = patch.alpha == 255
    assert whole.mean() > 0.3
    brighter = float(engine[1].values[0, 0]) / 10 * 127.5
    difference = (patch.picture.astype(float) - under)[whole] - brighter
    assert difference[:, 2].mean() == pytest.approx(0.1 * 127.5, abs=2)  # red, raised
    assert np.abs(difference[:, 1]).mean() < 4  # green, as it was
    # And nowhere else: moved by a pixel it fits worse.
    green = patch.picture[..., 1].astype(float)
    for step in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        moved = np.roll(green, step, (0, 1))[whole] - under[..., 1][whole] - brighter
        assert np.abs(moved).mean() > 1.1 * np.abs(difference[:, 1]).mean()
    corner = np.array([box.x0, box.y0])
    for ring in (topology().eye_left, topology().eye_right, topology().lips_inner):
        x, y = (shot.mesh[ring, :2].mean(axis=0) - corner).astype(int)
        assert patch.alpha[y, x] == 255
    assert patch.uv[whole].min() > 0
    assert patch.track_id == 7


def test_a_face_at_the_frames_edge_is_covered_up_to_it(engine, astronaut):
    shot = Puppet(astronaut, (480, 480), face_share=0.5).render(REST)
    middle = int(shot.mesh[:, 0].mean())
    cut = shot._replace(picture=np.ascontiguousarray(shot.picture[:, middle:]), mesh=shot.mesh - [middle, 0, 0])
    (patch,) = drawn(engine, cut)
    assert patch.box.x0 == 0
    rows = slice(patch.alpha.shape[0] // 3, 2 * patch.alpha.shape[0] // 3)
    assert (patch.alpha[rows, 0] == 255).all()


def test_nobody_and_nothing_to_see_give_no_patch(engine, astronaut):
    shot = Puppet(astronaut, (480, 480), face_share=0.5).render(REST)
    made, identity = engine
    frame = Frame(shot.picture, pts=0, time_base=Fraction(1, 30))
    assert made.renderer().render(frame, Faces.empty(), {1: identity}) == []
    assert drawn(engine, shot._replace(mesh=shot.mesh + 5000)) == []
    assert drawn(engine, shot._replace(mesh=shot.mesh * np.nan)) == []
