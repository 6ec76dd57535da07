"""Where a head points and what shape it has, whatever its expression."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.geometry import topology as topo
from understudy.geometry.pose import pose_degrees, posed
from understudy.testing import Motion


@given(
    yaw=st.floats(-70, 70),
    pitch=st.floats(-50, 50),
    roll=st.floats(-170, 170),
    scale=st.floats(5, 400),
    shift=st.floats(-900, 900),
)
def test_a_turned_head_gives_back_its_pose_and_its_shape(yaw, pitch, roll, scale, shift):
    turn = Motion(yaw=yaw, pitch=pitch, roll=roll).rotation
    mesh = (topo.topology().canonical @ turn.T * scale + shift).astype(np.float32)
    found = posed(mesh)
    np.testing.assert_allclose(found.shape, topo.topology().canonical, atol=5e-3)
    assert found.scale == pytest.approx(scale, rel=1e-3)
    assert pose_degrees(mesh) == pytest.approx((yaw, pitch, roll), abs=0.1)


def test_what_a_mouth_and_lids_do_hardly_turns_a_head():
    shape = topo.topology()
    speaking = shape.canonical.copy()
    speaking[[v for v in shape.lips_outer if shape.canonical[v, 1] > shape.canonical[topo.MOUTH_LEFT, 1]], 1] += 0.4
    speaking[[159, 386], 1] += 0.05
    assert np.abs(pose_degrees(speaking * 90)).max() < 0.5


def test_a_mesh_in_one_place_has_no_pose_but_does_no_harm():
    assert np.isfinite(posed(np.zeros((478, 3), np.float32)).shape).all()
