"""Detection and mesh against a clip whose motion is known."""

import numpy as np
import pytest

from understudy.detection import BlazeFace
from understudy.frames import Frame
from understudy.geometry import topology as topo
from understudy.geometry.pose import pose_degrees
from understudy.geometry.topology import keypoints5, topology
from understudy.models.runtime import LiteModel
from understudy.testing import REST, Motion, Puppet, talking


def eye_distance(mesh):
    return float(np.linalg.norm(np.diff(keypoints5(mesh[None])[0, :2], axis=0)))


@pytest.fixture(scope="module", params=["astronaut", "hopper"])
def puppet(request):
    from understudy.testing import portrait

    return Puppet(portrait(request.param), (640, 480), face_share=0.5)


@pytest.fixture(scope="module")
def poses():
    return [talking(t) for t in np.arange(0, 4, 0.25)]


@pytest.mark.slow
def test_the_detector_finds_the_face_where_it_is(puppet, poses):
    errors = []
    for pose in poses:
        frame = puppet.render(pose)
        found = BlazeFace().detect(frame.picture)
        assert len(found) == 1
        truth = keypoints5(frame.mesh[None])[0]
        errors.append(np.linalg.norm(found.keypoints5[0] - truth, axis=1) / eye_distance(frame.mesh))
    mean = np.mean(errors, axis=0)
    print(f"detector's keypoints: mean error {mean.round(3)} of the eye distance (eyes, nose, mouth corners)")
    assert mean[:3].max() < 0.16
    assert mean[3:].max() < 0.30  # the mouth's corners are only estimated


@pytest.mark.slow
def test_the_mesh_follows_the_truth(puppet, poses, perception):
    errors, still = [], []
    for pose in poses:
        frame = puppet.render(pose)
        faces = perception.still(frame.picture)
        assert len(faces) == 1
        error = np.linalg.norm(faces.mesh[0, :, :2] - frame.mesh[:, :2], axis=1) / eye_distance(frame.mesh)
        errors.append(error.mean())
    rest = puppet.render(REST)
    still = np.linalg.norm(perception.still(rest.picture).mesh[0, :, :2] - rest.mesh[:, :2], axis=1).mean()
    print(
        f"mesh: mean error {np.mean(errors):.4f} of the eye distance, worst frame {np.max(errors):.4f}; "
        f"at rest {still:.2f} px"
    )
    assert np.mean(errors) < 0.05
    assert np.max(errors) < 0.09


@pytest.mark.slow
def test_mouth_lids_and_pose_are_read_from_the_picture(puppet, perception):
    def seen(motion):
        return perception.still(puppet.render(motion).picture).mesh[0]

    rest, wide, shut = seen(REST), seen(Motion(mouth=1)), seen(Motion(blink=1))
    assert topo.mouth_aperture(wide) > topo.mouth_aperture(rest) + 0.2
    assert max(topo.eye_apertures(shut)) < 0.92 * min(topo.eye_apertures(rest))
    assert pose_degrees(seen(Motion(yaw=15)))[0] > pose_degrees(rest)[0] + 8
    assert pose_degrees(seen(Motion(yaw=-15)))[0] < pose_degrees(rest)[0] - 8
    assert pose_degrees(seen(Motion(roll=12)))[2] == pytest.approx(pose_degrees(rest)[2] + 12, abs=3)


def test_irises_lie_in_the_eyes(puppet, perception):
    frame = puppet.render(REST)
    faces = perception.still(frame.picture)
    irises = faces.irises[0]
    shape = topology()
    for iris, ring in zip(irises, (shape.eye_left, shape.eye_right), strict=True):
        eye = faces.mesh[0, ring, :2]
        assert (iris[0, :2] > eye.min(0)).all()
        assert (iris[0, :2] < eye.max(0)).all()
        radius = np.linalg.norm(iris[1:, :2] - iris[0, :2], axis=1).mean()
        assert 0.1 < radius / np.ptp(eye[:, 0]) < 0.4


@pytest.mark.parametrize("share", [0.08, 0.15, 0.9])
def test_small_and_large_faces_are_found(astronaut, perception, share):
    frame = Puppet(astronaut, (960, 720), face_share=share).render(REST)
    faces = perception.still(frame.picture)
    assert len(faces) == 1
    error = np.linalg.norm(faces.mesh[0, :, :2] - frame.mesh[:, :2], axis=1).mean() / eye_distance(frame.mesh)
    assert error < 0.15


@pytest.mark.slow
def test_nobody_is_found_where_nobody_is(perception, blank):
    assert len(perception.still(blank)) == 0
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    assert len(perception.still(noise)) == 0


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 2), (17, 31)])
def test_tiny_pictures_are_no_trouble(perception, size):
    assert len(perception.still(np.zeros((size[1], size[0], 3), np.uint8))) == 0
    tracker = perception.tracker(__import__("understudy.tracking", fromlist=["TrackerOptions"]).TrackerOptions())
    assert len(tracker.update(Frame(np.zeros((size[1], size[0], 3), np.uint8))).faces) == 0


def test_a_long_strip_too_narrow_for_faces_is_not_searched_piece_by_piece(perception, monkeypatch):
    runs, run = [], LiteModel.run
    monkeypatch.setattr(LiteModel, "run", lambda self, *words: runs.append(self) or run(self, *words))
    assert len(perception.still(np.zeros((2000, 8, 3), np.uint8))) == 0
    assert len(runs) < 20


@pytest.mark.slow
def test_two_people_are_told_apart_and_counted_from_the_left(perception, astronaut, hopper):
    left = Puppet(hopper, (480, 480), face_share=0.4).render(REST)
    right = Puppet(astronaut, (480, 480), face_share=0.3).render(REST)
    faces = perception.still(np.hstack([left.picture, right.picture]))
    assert len(faces) == 2
    assert faces.track_ids.tolist() == [1, 2]
    assert faces.boxes_xyxy[0, 0] < 480 < faces.boxes_xyxy[1, 0]
