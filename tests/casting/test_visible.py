"""Which faces are seen well enough to tell whose they are."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from understudy.casting.visible import VisibleOptions, seen_well, thumbnail
from understudy.face import Faces
from understudy.recognition.quality import sharpness
from understudy.testing import Motion, Puppet

OPTIONS = VisibleOptions()


@pytest.fixture(scope="module")
def puppet(astronaut):
    return Puppet(astronaut, (480, 360), face_share=0.5)


@pytest.fixture(scope="module")
def seen(perception):
    return lambda picture: (picture, perception.still(picture))


@pytest.fixture(scope="module")
def ahead(puppet, seen):
    return seen(puppet.render(Motion()).picture)


def smaller(picture, height):
    return cv2.resize(picture, None, fx=height / 180, fy=height / 180, interpolation=cv2.INTER_AREA)


def test_a_face_that_looks_ahead_is_seen_well_down_to_forty_pixels(ahead, seen):
    assert seen_well(*ahead, 0, OPTIONS)
    assert seen_well(*seen(smaller(ahead[0], 48)), 0, OPTIONS)
    assert not seen_well(*seen(smaller(ahead[0], 32)), 0, OPTIONS)


@pytest.mark.parametrize(("yaw", "well"), [(-15, True), (15, True), (-40, False), (40, False)])
def test_one_that_is_turned_away_is_not(puppet, seen, yaw, well):
    assert seen_well(*seen(puppet.render(Motion(yaw=yaw)).picture), 0, OPTIONS) == well


def test_one_that_is_blurred_is_not(ahead):
    picture, faces = ahead
    blurred = cv2.GaussianBlur(picture, (0, 0), 0.03 * 180)
    assert sharpness(picture, faces.boxes_xyxy[0]) > 2 * sharpness(blurred, faces.boxes_xyxy[0])
    assert not seen_well(blurred, faces, 0, OPTIONS)


def test_how_bright_it_is_matters_little(ahead):
    picture, faces = ahead
    dark = sharpness((picture * 0.3).astype(np.uint8), faces.boxes_xyxy[0])
    assert dark == pytest.approx(sharpness(picture, faces.boxes_xyxy[0]), rel=0.25)


def test_one_with_another_before_it_at_the_edge_or_hardly_there_is_not(ahead):
    picture, faces = ahead
    faces = faces[0]
    beside = replace(faces, boxes_xyxy=faces.boxes_xyxy + 60, mesh=faces.mesh + 60)
    assert not seen_well(picture, Faces.concatenate([faces, beside]), 0, OPTIONS)
    middle = int(faces.boxes_xyxy[0, [0, 2]].mean())
    assert not seen_well(np.ascontiguousarray(picture[:, :middle]), faces, 0, OPTIONS)
    assert not seen_well(picture, replace(faces, scores=np.float32([0.8])), 0, OPTIONS)


def test_a_thumbnail_tells_faces_apart_and_does_not_mind_light(ahead, puppet, hopper, perception):
    picture, faces = ahead
    own = thumbnail(picture, faces.boxes_xyxy[0])
    assert own @ own == pytest.approx(1, abs=1e-5)
    talks = puppet.render(Motion(mouth=0.3, yaw=5)).picture
    dim = (talks * 0.4 + 30).astype(np.uint8)
    stranger = thumbnail(hopper, perception.still(hopper).boxes_xyxy[0])
    assert own @ thumbnail(dim, perception.still(dim).boxes_xyxy[0]) > 0.85
    assert own @ stranger < 0.75


@pytest.mark.parametrize("box", [(500, 0, 600, 100), (-100, -100, -50, -50), (10, 10, 10, 10)])
def test_a_box_outside_the_picture_shows_nothing(ahead, box):
    assert sharpness(ahead[0], np.float32(box)) == 0
    assert not thumbnail(ahead[0], np.float32(box)).any()


def test_options_below_zero_are_refused():
    with pytest.raises(ValueError, match="can't be below zero"):
        VisibleOptions(most_yaw=-1)
