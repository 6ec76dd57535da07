"""Points of a face are carried along with the picture."""

import numpy as np
import pytest

from understudy.testing import REST, Motion, Puppet
from understudy.tracking.motion import FaceMotion
from understudy.tracking.smoothing import OneEuroFilter, OneEuroOptions


@pytest.fixture(scope="module")
def puppet(astronaut):
    return Puppet(astronaut, (640, 480), face_share=0.5)


@pytest.mark.parametrize("share", [0.08, 0.2, 0.5, 0.95])
def test_points_are_carried_as_far_as_the_face_went(astronaut, share):
    puppet = Puppet(astronaut, (640, 480), face_share=share)
    motion = FaceMotion()
    before, after = puppet.render(REST), puppet.render(Motion(shift=(0.02, -0.01)))
    points, truth = before.mesh[:, :2], after.mesh[:, :2] - before.mesh[:, :2]
    assert not motion.follow(before.picture, points).any()
    moved = motion.follow(after.picture, points)
    size = float(np.ptp(points, axis=0).max())
    assert np.median(np.linalg.norm(moved - truth, axis=1)) < 0.01 * size
    assert np.linalg.norm(np.median(moved, axis=0) - truth.mean(0)) < 0.25 * np.linalg.norm(truth.mean(0)) + 0.15


def test_nothing_is_carried_in_a_picture_that_is_shown_twice(puppet):
    motion, shot = FaceMotion(), puppet.render(REST)
    motion.follow(shot.picture, shot.mesh[:, :2])
    assert np.abs(motion.follow(shot.picture, shot.mesh[:, :2])).max() < 1e-3


def test_an_opening_mouth_is_seen(puppet):
    motion, shut, open_ = FaceMotion(), puppet.render(Motion(mouth=0.2)), puppet.render(Motion(mouth=0.35))
    motion.follow(shut.picture, shut.mesh[:, :2])
    moved = motion.follow(open_.picture, shut.mesh[:, :2])
    truth = open_.mesh[:, :2] - shut.mesh[:, :2]
    chin, brow = 152, 105
    assert moved[chin, 1] > 0.5 * truth[chin, 1] > 1
    assert abs(moved[brow, 1]) < 0.3 * truth[chin, 1]


@pytest.mark.parametrize(
    ("middle", "size"), [((0, 0), 300), ((640, 480), 300), ((320, 240), 5000), ((320, 240), 3), ((-900, 240), 100)]
)
def test_faces_out_of_the_picture_or_of_odd_sizes_do_no_harm(puppet, middle, size):
    shot, motion = puppet.render(REST), FaceMotion()
    mesh = shot.mesh.copy()
    mesh[:, :2] = (mesh[:, :2] - mesh[:, :2].mean(0)) / np.ptp(mesh[:, :2]) * size + middle
    for picture in (shot.picture, shot.picture, shot.picture[:200, :200].copy(), shot.picture):
        moved = motion.follow(picture, mesh[:, :2])
        assert moved.shape == (478, 2)
        assert np.isfinite(moved).all()


def test_the_filter_keeps_up_with_what_is_carried():
    """Motion that the picture shows is not smoothed; what it does not show is."""
    options = OneEuroOptions(min_cutoff=0.5, beta=0.0)
    carried, plain = OneEuroFilter(options), OneEuroFilter(options)
    step = np.full((4, 2), 3, np.float32)
    for number in range(20):
        points = step * number
        carried.carry(step)
        here = carried(points, number / 30, 100)
        there = plain(points, number / 30, 100)
    assert np.abs(here - points).max() < 1e-3
    assert np.abs(there - points).min() > 10
