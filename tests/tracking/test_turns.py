"""People who stand on their heads, or pictures that do."""

from __future__ import annotations

import numpy as np
import pytest

import understudy
from tests.counting import CountingFits
from tests.resources.test_perception import eye_distance
from understudy.frames import Frame
from understudy.geometry.pose import pose_degrees
from understudy.geometry.topology import keypoints5
from understudy.geometry.transforms import RotatedSquare
from understudy.resources.perception import Perception
from understudy.testing import REST, Puppet, portrait
from understudy.tracking import TrackerOptions
from understudy.tracking.turns import SURE, right_way_up


def turned(points, quarters, size):
    """Where points of a picture of ``size`` (width, height) lie when it is turned anticlockwise."""
    width, height = size
    x, y = points[:, 0], points[:, 1]
    return np.stack([(x, y), (y, width - x), (width - x, height - y), (height - y, x)][quarters], axis=1)


def off_by(mesh, truth):
    return np.linalg.norm(mesh[:, :2] - truth, axis=1).mean()


@pytest.fixture(scope="module", params=["astronaut", "hopper"])
def shot(request):
    return Puppet(portrait(request.param), (480, 360), face_share=0.5).render(REST)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_in_a_turned_photo_is_found_the_right_way_up(shot, perception, quarters):
    picture = np.ascontiguousarray(np.rot90(shot.picture, quarters))
    faces = perception.still(picture)
    assert len(faces) == 1
    truth = turned(shot.mesh, quarters, (480, 360))
    assert off_by(faces.mesh[0], truth) < 0.06 * eye_distance(shot.mesh)
    roll = (pose_degrees(faces.mesh[0])[2] + 90 * quarters + 180) % 360 - 180
    assert abs(roll) < 15


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_in_a_turned_clip_is_followed_the_right_way_up(shot, perception, quarters):
    picture = np.ascontiguousarray(np.rot90(shot.picture, quarters))
    truth = turned(shot.mesh, quarters, (480, 360))
    tracker = perception.tracker(TrackerOptions())
    for number in range(4):
        faces = tracker.update(Frame(picture.copy(), pts=number * 40)).faces
        if len(faces):
            assert off_by(faces.mesh[0], truth) < 0.08 * eye_distance(shot.mesh)
    assert len(faces) == 1


class Blind:
    """A detector that sees only people who stand upright."""

    def __init__(self, detector, mesh):
        self._detector, self._mesh = detector, mesh

    def detect(self, picture, *, thorough=False):
        found = self._detector.detect(picture, thorough=thorough)
        eyes = found.keypoints5[:, :2].mean(axis=1)[:, 1]
        mouths = found.keypoints5[:, 3:].mean(axis=1)[:, 1]
        right = found.scores > 0.85
        return found[right & (mouths > eyes)]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_where_nobody_is_detected_the_picture_is_turned(shot, perception, quarters):
    strict = Perception(Blind(perception.detector, shot.mesh), perception.landmarker)
    picture = np.ascontiguousarray(np.rot90(shot.picture, quarters))
    faces = strict.still(picture)
    assert len(faces) == 1
    assert off_by(faces.mesh[0], turned(shot.mesh, quarters, (480, 360))) < 0.06 * eye_distance(shot.mesh)


def test_a_face_that_surely_stands_upright_costs_nothing_more(shot, perception):
    counting = CountingFits(perception.landmarker)
    tracker = Perception(perception.detector, counting).tracker(TrackerOptions())
    tracker.update(Frame(shot.picture.copy()))
    assert counting.fits == 2
    tracker.update(Frame(shot.picture.copy(), pts=40))
    assert counting.fits == 3


def test_a_turned_mesh_is_preferred_only_where_it_fits_far_better(shot):
    mesh, turns = np.ones((478, 3), np.float32), []

    class Fake:
        next_roi = staticmethod(lambda mesh: RotatedSquare((1, 1), 1, 0))

        def __init__(self, presence):
            self.presence = presence

        def fit(self, picture, roi):
            turns.append(roi.angle)
            return mesh * 2, self.presence

    roi = RotatedSquare((5, 5), 10, 0)
    for given, other, changed in (
        (SURE, 1.0, False),
        (0.9, 0.99, False),
        (0.9, 0.99999, True),
        (0.999995, 0.99999, False),
    ):
        result, _ = right_way_up(Fake(other), shot.picture, roi, mesh, given)
        assert (result is not mesh) == changed
    turns.clear()
    right_way_up(Fake(0.0001), shot.picture, roi, mesh, 0.9)
    assert len(turns) == 4  # a hopeless quarter is not looked at twice; of a half the first look may be off


def test_upside_down_the_second_look_counts(shot):
    """In the region of the first, which is the detection's, the model may see next to nothing."""
    wrong, right = np.ones((478, 3), np.float32), np.full((478, 3), 2, np.float32)

    class Fake:
        next_roi = staticmethod(lambda mesh: RotatedSquare((1, 1), 1, np.pi))

        def fit(self, picture, roi):
            half = abs(roi.angle - np.pi) < 0.01
            return (right, 1.0 if roi.size == 1 else 0.00003) if half else (wrong, 0.00003)

    for given in (0.9, 0.999995):  # what is wrong may look as sure as that
        result, presence = right_way_up(Fake(), shot.picture, RotatedSquare((5, 5), 10, 0), wrong, given)
        assert (result is right, presence) == (True, 1.0)


@pytest.mark.parametrize("turned_one", ["source", "target"])
@pytest.mark.slow
def test_a_photo_upside_down_is_swapped_like_the_photo_itself(hopper, astronaut, tmp_path, turned_one):
    import cv2

    def swapped(source, target, name):
        for path, picture in (("source.png", source), ("target.png", target)):
            cv2.imwrite(str(tmp_path / path), picture)
        understudy.swap(tmp_path / "source.png", tmp_path / "target.png", tmp_path / name, consent="self")
        return cv2.imread(str(tmp_path / name)).astype(int)

    usual = swapped(hopper, astronaut, "usual.png")
    upside_down = np.ascontiguousarray(np.rot90(hopper if turned_one == "source" else astronaut, 2))
    if turned_one == "source":
        other = swapped(upside_down, astronaut, "other.png")
    else:
        other = np.rot90(swapped(hopper, upside_down, "other.png"), 2)
    faces = Perception.embedded().still(astronaut)
    x0, y0, x1, y1 = faces.boxes_xyxy[0].astype(int)
    assert np.abs(usual - other)[y0:y1, x0:x1].mean() < 5
    assert np.abs(usual - astronaut)[y0:y1, x0:x1].mean() > 10
    assert keypoints5(faces.mesh).shape == (1, 5, 2)
