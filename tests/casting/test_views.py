"""What is said of photos that show a face from the side, or small."""

from __future__ import annotations

import cv2
import numpy as np

import understudy
from understudy.casting.views import remarks
from understudy.face import Faces
from understudy.geometry.topology import topology
from understudy.swapping.base import Portrait
from understudy.testing import Motion


def photo(yaw, height=300.0):
    """One of a face of that height, turned to the picture's right; nobody looks at its pixels."""
    face = topology().canonical
    mesh = face @ Motion(yaw=yaw).rotation.T * (height / float(np.ptp(face[:, 1])))
    return Portrait(
        np.zeros((8, 8, 3), np.uint8), Faces(boxes_xyxy=np.zeros((1, 4)), mesh=mesh[None].astype(np.float32))
    )


def test_of_a_face_from_the_front_nothing_is_said():
    assert remarks([photo(0)], ["me.jpg"]) == []
    assert remarks([photo(-25)], ["me.jpg"]) == []


def test_a_head_that_is_turned_away_in_all_photos_is_named_with_the_one_that_shows_most():
    (said,) = remarks([photo(50), photo(38)], ["a.jpg", "b.jpg"])
    assert said.startswith("the head in b.jpg is turned by 38 degrees")
    (said,) = remarks([photo(-45)], ["a.jpg"])
    assert said.startswith("the head in a.jpg is turned by 45 degrees")


def test_photos_from_both_sides_or_one_from_the_front_are_enough():
    assert remarks([photo(50), photo(-40)], ["a.jpg", "b.jpg"]) == []
    assert remarks([photo(50), photo(5)], ["a.jpg", "b.jpg"]) == []


def test_a_small_face_is_named_if_no_photo_shows_it_larger():
    (said,) = remarks([photo(0, 60), photo(0, 72)], ["a.jpg", "b.jpg"])
    assert said.startswith("the face in b.jpg is 72 pixels high")
    assert remarks([photo(0, 60), photo(0, 90)], ["a.jpg", "b.jpg"]) == []


def test_a_swap_from_a_small_photo_says_so(astronaut, hopper_path, perception, tmp_path):
    (height,) = np.ptp(perception.still(astronaut).mesh[..., 1], axis=1)
    small = cv2.resize(astronaut, None, fx=72 / height, fy=72 / height, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "small.png"), small)
    report = understudy.swap(tmp_path / "small.png", hopper_path, tmp_path / "out.png", consent="self")
    assert any("the face in small.png is 7" in note for note in report.notes)
