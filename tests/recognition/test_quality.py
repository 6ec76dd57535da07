"""How good a picture of a face is: each part falls with what it is of, and with it the whole."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from understudy.recognition.quality import Quality, light_part, pose_part, quality, sharpness_part, size_part
from understudy.testing import Motion, Puppet


@pytest.fixture(scope="module")
def puppet(astronaut):
    return Puppet(astronaut, (640, 480), face_share=0.6)


@pytest.fixture(scope="module")
def judged(perception):
    def judge(picture):
        faces = perception.still(picture)
        return quality(picture, faces, int(np.argmax(faces.areas)))

    return judge


@pytest.fixture(scope="module")
def picture(puppet):
    return puppet.render(Motion()).picture


def falls(values):
    return all(a > b for a, b in pairwise(values))


def test_a_large_sharp_frontal_face_in_even_light_is_good(judged, picture):
    found = judged(picture)
    assert min(found) > 0.7
    assert 0.85 < found.score <= 1


def test_smaller_faces_are_worse(judged, picture):
    shrunk = [cv2.resize(picture, None, fx=f, fy=f, interpolation=cv2.INTER_AREA) for f in (1, 0.5, 0.3, 0.2)]
    found = [judged(one) for one in shrunk]
    assert falls([one.size for one in found])
    assert falls([one.score for one in found])


def test_blurred_faces_are_worse(perception, picture):
    faces = perception.still(picture)
    found = [quality(cv2.GaussianBlur(picture, (0, 0), spread), faces) for spread in (3, 6, 12, 24)]
    assert falls([one.sharpness for one in found])
    assert falls([one.score for one in found])


@pytest.mark.slow
def test_faces_that_are_turned_away_are_worse(judged, puppet):
    found = [judged(puppet.render(Motion(yaw=yaw)).picture) for yaw in (0, 20, 40)]
    assert falls([one.pose for one in found])


def test_faces_in_bad_light_are_worse(perception, picture):
    faces = perception.still(picture)
    width = picture.shape[1]
    fade = np.linspace(1, 0.2, width, dtype=np.float32)[None, :, None]
    found = [
        light_part(picture, faces.boxes_xyxy[0]),
        light_part((picture * fade).astype(np.uint8), faces.boxes_xyxy[0]),
        light_part((picture * 0.15 * fade).astype(np.uint8), faces.boxes_xyxy[0]),
    ]
    assert falls(found)
    burnt = np.minimum(picture.astype(np.float32) * 2.5, 255).astype(np.uint8)
    assert light_part(burnt, faces.boxes_xyxy[0]) < found[0]


@pytest.mark.parametrize(
    ("part", "values"),
    [
        (size_part, [120, 80, 40, 20, 11]),
        (sharpness_part, [0.39, 0.3, 0.2, 0.1, 0.05]),
        (lambda yaw: pose_part(yaw, 0), [0, 20, 40, 60, 80]),
        (lambda pitch: pose_part(0, pitch), [0, -20, -40, -60, -80]),
    ],
    ids=["size", "sharpness", "yaw", "pitch"],
)
def test_each_part_falls_from_one_to_nothing(part, values):
    found = [part(value) for value in values]
    assert falls(found)
    assert found[0] > 0.95
    assert 0 <= found[-1] < 0.06


def test_what_one_part_lacks_another_does_not_make_up_for():
    assert Quality(1, 1, 1, 1).score == 1
    assert Quality(1, 1, 0, 1).score == 0
    assert Quality(1, 0.0625, 1, 1).score == pytest.approx(0.5)


def test_beside_the_picture_nothing_is_good(perception, picture):
    faces = perception.still(picture)
    away = replace(faces, boxes_xyxy=faces.boxes_xyxy + np.float32(5000))
    assert quality(picture, away).score == 0


def test_without_a_mesh_it_is_not_said(perception, picture):
    with pytest.raises(ValueError, match="mesh"):
        quality(picture, replace(perception.still(picture), mesh=None))
