"""Landmarks and guesses of the field's models as a user asks for them, and the pose that 68 points tell."""

from __future__ import annotations

import json

import numpy as np
import pytest

from understudy.cli.main import main
from understudy.geometry import topology as topo
from understudy.geometry.pose import pose_degrees
from understudy.landmarks.pose import PAIRS, pose_of_points
from understudy.models.store import FOLDER
from understudy.testing import Motion, Puppet
from understudy.testing.shelf import stock
from understudy.testing.twins import planted_twin, points_twin


def points_of(mesh, axes=2):
    """68 points, of which those that matter lie where the mesh has them."""
    points = np.random.default_rng(0).normal(200, 80, (68, axes)).astype(np.float32)
    points[list(PAIRS)] = mesh[list(PAIRS.values()), :axes]
    return points


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (35, 0, 0), (-40, 10, 20), (5, -25, -60), (0, 30, 170)])
def test_68_points_tell_the_pose_that_the_mesh_tells(yaw, pitch, roll, axes):
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    mesh = (topo.topology().canonical @ (about_z @ about_x @ about_y).T * 90 + [300, 200, 0]).astype(np.float32)
    assert pose_degrees(mesh) == pytest.approx((yaw, pitch, roll), abs=0.01)
    assert pose_of_points(points_of(mesh, axes)) == pytest.approx((yaw, pitch, roll), abs=0.05)


def test_on_another_face_the_pose_is_about_the_same(astronaut):
    """The puppet's face is not the mean face: a few degrees, and turning right is turning right."""
    for motion in (Motion(), Motion(yaw=25), Motion(yaw=-20, pitch=8, roll=10)):
        mesh = Puppet(astronaut, (480, 480), face_share=0.5).render(motion).mesh
        assert pose_of_points(points_of(mesh)) == pytest.approx(pose_degrees(mesh), abs=6)


def test_points_without_a_pose_are_refused():
    line = np.outer(np.arange(68), [1, 1]) + np.random.default_rng(0).normal(0, 0.1, (68, 2))
    for points in (np.zeros((67, 2)), np.full((68, 2), np.nan), np.full((68, 2), 5.0), line, line * [0, 1]):
        with pytest.raises(ValueError, match=r"68 finite|on a line"):
            pose_of_points(points.astype(np.float32))


@pytest.fixture
def home(tmp_path, hopper, perception):
    """A store whose 2dfan4 knows where the points of this photo lie."""
    face = perception.still(hopper)
    box = face.boxes_xyxy[0]
    scale = 195 / (box[2:] - box[:2]).max()
    inside = (points_of(face.mesh[0]) - (box[:2] + box[2:]) / 2) * scale + 128
    answers = np.zeros((1, 68, 3), np.float32)
    answers[0, :, :2] = inside / 4
    graphs = {
        "2dfan4": planted_twin((1, 3, 256, 256), {"landmarks": answers}),
        "2d106det": points_twin(212),
        "genderage": planted_twin((1, 3, 96, 96), {"fc1": np.array([[0.7, 0.2, 0.79]])}, "data"),
    }
    stock(tmp_path / "home", graphs)
    return tmp_path / "home"


@pytest.mark.slow
def test_faces_are_read_by_the_models_that_are_asked(home, hopper_path, hopper, perception, capsys):
    words = ["faces", str(hopper_path), "--home", str(home), "--ask", "2dfan4", "--ask", "genderage"]
    assert main([*words, "--ask", "2d106det", "--ask", "2dfan4", "--json"]) == 0
    (face,) = json.loads(capsys.readouterr().out)["faces"]
    by_model = {reading["model"]: reading for reading in face["readings"]}
    assert list(by_model) == ["2dfan4", "genderage", "2d106det"]
    expected = points_of(perception.still(hopper).mesh[0])
    assert np.abs(np.array(by_model["2dfan4"]["points"]) - expected).max() < 0.02
    assert by_model["2dfan4"]["pose"] == pytest.approx([face["yaw"], face["pitch"], face["roll"]], abs=6)
    assert by_model["genderage"]["looks"] == ["female", 79]
    assert by_model["genderage"]["points"] == []
    assert len(by_model["2d106det"]["points"]) == 106
    assert by_model["2d106det"]["pose"] is None
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "2dfan4: 68 points, yaw" in said
    assert "looks female, about 79 (a guess)" in said


def test_models_that_read_no_faces_are_not_asked(home, hopper_path, capsys):
    words = ["faces", str(hopper_path), "--home", str(home)]
    assert main([*words, "--ask", "inswapper_128"]) == 2
    assert "2dfan4" in capsys.readouterr().err
    assert main([*words, "--ask", "1k3d68"]) == 5
    assert f"understudy models pull --home {home} 1k3d68" in capsys.readouterr().err
    assert main([*words, "--detector", "nothing"]) == 2
    assert (home / FOLDER).is_dir()


def test_without_a_question_no_store_is_made(tmp_path, hopper_path, capsys):
    assert main(["faces", str(hopper_path), "--home", str(tmp_path / "none")]) == 0
    assert "1 face" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
