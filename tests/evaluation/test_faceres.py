"""FaceRes, the judge that a user brings: read from TensorFlow.js's files, and fed as its authors feed it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.faceres_file import SMALL, SmallFaceRes
from understudy.errors import UsageError
from understudy.evaluation import open_embedder
from understudy.evaluation.faceres import SAME_PERSON, FaceRes
from understudy.evaluation.faceres_network import faceres_onnx
from understudy.face import Faces
from understudy.geometry.topology import topology
from understudy.models.onnx_runtime import ort as onnxruntime

#: Names faceres.json itself, with faceres.bin beside it.
FILE = os.environ.get("UNDERSTUDY_FACERES")
real = pytest.mark.skipif(not FILE, reason="faceres.json is not named by UNDERSTUDY_FACERES")


@pytest.fixture
def small():
    return SmallFaceRes()


def answer(data, picture):
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(None, {"face": np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32)})[0][0]


def test_the_onnx_file_answers_as_the_network_does(small, tmp_path):
    picture = np.random.default_rng(1).uniform(-120, 150, (SMALL.side, SMALL.side, 3))
    expected = small.run(picture)
    assert expected.std() > 0.1
    np.testing.assert_allclose(answer(faceres_onnx(small.written(tmp_path), SMALL), picture), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"paths": ["../faceres.bin"]}, "another folder"),
        ({"paths": ["..\\faceres.bin"]}, "another folder"),
        ({"paths": [7]}, "another folder"),
        ({"paths": ["other.bin"]}, "no such embedder"),
        ({"paths": ["one.bin", "two.bin"]}, "no TensorFlow.js model"),
        ({"weights": []}, "says nothing of"),
        ({"weights": [{"name": "a", "shape": [1 << 60, 9], "dtype": "float32"}]}, "asks for more"),
        ({"weights": [{"name": "a", "shape": [-1], "dtype": "float32"}]}, "no TensorFlow.js model"),
        ({"weights": [{"name": "a", "shape": [1], "dtype": "string"}]}, "no TensorFlow.js model"),
        ({"weights": "all"}, "no TensorFlow.js model"),
    ],
)
def test_what_is_no_such_model_is_refused_in_one_line(small, tmp_path, change, said):
    with pytest.raises(UsageError, match=said) as told:
        faceres_onnx(small.written(tmp_path, **change), SMALL)
    assert "\n" not in told.value.message
    assert "faceres.json" in told.value.hint


@pytest.mark.parametrize("text", ["", "[]", "{", '{"weightsManifest": []}', "[" * 100_000, "\x80"])
def test_what_is_no_list_of_weights_is_refused(tmp_path, text):
    path = tmp_path / "faceres.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match=r"no TensorFlow\.js model"):
        open_embedder(str(path))


def test_another_network_and_damaged_weights_are_refused(small, tmp_path):
    path = small.written(tmp_path)
    with pytest.raises(UsageError, match=r"holds another model: conv1/.* has the shape"):
        open_embedder(str(path))  # the layout that FaceRes has
    with pytest.raises(UsageError, match="conv_dw_5/depthwise_kernel is not there"):
        faceres_onnx(path, replace(SMALL, blocks=(*SMALL.blocks, (8, False))))
    small.weights["conv_dw_2/depthwise_kernel"][0, 0, 0, 0] = np.nan
    with pytest.raises(UsageError, match="holds what is no number"):
        faceres_onnx(small.written(tmp_path), SMALL)
    data = (tmp_path / "faceres.bin").read_bytes()
    (tmp_path / "faceres.bin").write_bytes(data[:-2])
    with pytest.raises(UsageError, match="asks for more"):
        faceres_onnx(path, SMALL)


def face_in(side, turn=0.0):
    """A frontal face in the middle of a picture, turned in its plane by degrees."""
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    mesh = topology().canonical @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) * (side / 6) + [side / 2, side / 2, 0]
    return Faces(boxes_xyxy=np.zeros((1, 4)), mesh=mesh[None])


def test_it_sees_the_face_level_in_blue_green_red_with_the_means_taken_off(small, tmp_path):
    judge = FaceRes(small.written(tmp_path), SMALL)
    blue = np.full((200, 200, 3), (200, 60, 30), np.uint8)
    seen = np.broadcast_to(np.array([200, 60, 30]) - (103.939, 116.779, 123.68), (SMALL.side, SMALL.side, 3))
    np.testing.assert_allclose(judge.embed(blue, face_in(200))[0], small.run(seen), atol=1e-3)
    assert np.abs(small.run(seen) - small.run(seen[:, :, ::-1])).max() > 0.05
    # A picture that is turned with its face is seen as before.
    slope = np.zeros((400, 400, 3), np.uint8)
    slope[:, :, 1] = np.linspace(0, 255, 400)[None, :]
    turned = np.ascontiguousarray(np.rot90(slope, -1))
    upright, leaning = judge.embed(slope, face_in(400))[0], judge.embed(turned, face_in(400, turn=90))[0]
    np.testing.assert_allclose(leaning, upright, atol=0.02)
    assert np.abs(judge.embed(turned, face_in(400))[0] - upright).max() > 0.1


def test_where_nothing_is_seen_there_is_no_embedding(small, tmp_path):
    judge, picture = FaceRes(small.written(tmp_path), SMALL), np.full((200, 200, 3), 90, np.uint8)
    face = face_in(200).mesh
    meshes = np.concatenate([face, face * np.nan, face * 0 + 7, face + 5000])
    found = judge.embed(picture, Faces(boxes_xyxy=np.zeros((4, 4)), mesh=meshes))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1:]).all()
    assert judge.embed(picture, Faces(mesh=np.zeros((0, 478, 3)))).shape == (0, SMALL.blocks[-1][0])
    with pytest.raises(ValueError, match="by their mesh"):
        judge.embed(picture, Faces(boxes_xyxy=np.zeros((1, 4))))


@real
def test_faceres_itself_answers_as_tensorflow_js_does():
    picture = np.random.default_rng(0).normal(0, 60, (224, 224, 3)).astype(np.float32)
    found = answer(faceres_onnx(Path(FILE)), picture)
    # TensorFlow.js 4, its own loader, on a processor.
    assert found.argmax() == 7
    assert found[7] == pytest.approx(1.8076, abs=1e-3)
    assert np.linalg.norm(found) == pytest.approx(2.7302, abs=1e-3)


@real
def test_faceres_tells_two_people_apart(hopper, astronaut, perception):
    judge = open_embedder(FILE)
    pictures = hopper, np.ascontiguousarray(hopper[:, ::-1]), astronaut
    one, again, other = (judge.embed(picture, perception.still(picture))[0] for picture in pictures)
    same, apart = judge.distances(one, np.stack([again, other]))
    assert same < SAME_PERSON < apart
