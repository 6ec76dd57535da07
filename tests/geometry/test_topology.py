"""The mesh's topology, and the pose that it tells."""

import numpy as np
import pytest

from understudy.geometry import topology as topo
from understudy.geometry.pose import pose_degrees
from understudy.geometry.topology import topology
from understudy.testing import Motion


def _areas(points, triangles):
    a, b, c = (points[triangles[:, i], :2] for i in range(3))
    return (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]


def test_the_mesh_has_its_known_size():
    shape = topology()
    assert shape.triangles.shape == (852, 3)
    assert sorted(np.unique(shape.triangles)) == list(range(468))
    assert [len(ring) for ring in (shape.oval, shape.lips_outer, shape.lips_inner)] == [36, 20, 20]
    assert [len(ring) for ring in (shape.eye_left, shape.eye_right)] == [16, 16]


def test_no_triangle_of_the_flattened_face_is_folded():
    assert (_areas(topology().uv, topology().triangles) > 0).all()


def test_the_openings_of_the_mesh_are_its_eyes_and_its_inner_mouth():
    shape = topology()
    edges = {}
    for triangle in shape.triangles.tolist():
        for a, b in zip(triangle, triangle[1:] + triangle[:1], strict=True):
            edges[frozenset((a, b))] = edges.get(frozenset((a, b)), 0) + 1
    rim = {vertex for edge, count in edges.items() if count == 1 for vertex in edge}
    rings = (shape.oval, shape.eye_left, shape.eye_right, shape.lips_inner)
    assert rim == {int(vertex) for ring in rings for vertex in ring}


def test_the_mirror_is_its_own_inverse_and_swaps_the_eyes():
    shape = topology()
    np.testing.assert_array_equal(shape.mirror[shape.mirror], np.arange(478))
    assert set(shape.mirror[shape.eye_left].tolist()) == set(shape.eye_right.tolist())
    np.testing.assert_allclose(shape.uv[shape.mirror, 0], 1 - shape.uv[:, 0], atol=1e-3)


def test_left_means_left_in_the_picture():
    points = topo.keypoints5(topology().canonical[None])[0]
    assert points[0, 0] < points[1, 0]
    assert points[3, 0] < points[4, 0]
    assert np.linalg.norm(points[1] - points[0]) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (25, 0, 0), (0, -15, 0), (0, 0, 20), (-30, 10, -8)])
def test_pose_is_read_back_from_a_turned_head(yaw, pitch, roll):
    mesh = topology().canonical @ Motion(yaw=yaw, pitch=pitch, roll=roll).rotation.T * 80 + 300
    np.testing.assert_allclose(pose_degrees(mesh.astype(np.float32)), (yaw, pitch, roll), atol=0.05)


def test_arrays_can_not_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        topology().uv[0] = 0
