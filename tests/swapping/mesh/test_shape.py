"""Identity shape: what is moved, how far, and what stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.casting.portraits import portrait_in
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry import topology as topo
from understudy.geometry.raster import EMPTY, rasterise
from understudy.geometry.topology import closed, openings, topology
from understudy.guard import unguarded
from understudy.pipeline.compositing import Compositing
from understudy.swapping import MeshEngine, MeshOptions
from understudy.swapping.mesh.expression import at_rest, gap, motions, shut, smile
from understudy.swapping.mesh.shape import (
    FORGOTTEN,
    LONGEST,
    NeutralShape,
    across,
    moved,
    neutral,
    posed,
    symmetric,
)
from understudy.testing import REST, Motion, Puppet


def turned(degrees, axis):
    angle = np.radians(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    i, j = [k for k in range(3) if k != axis]
    matrix = np.eye(3)
    matrix[[i, i, j, j], [i, j, i, j]] = cos, -sin, sin, cos
    return matrix


angles = st.floats(-50, 50)


@given(yaw=angles, pitch=angles, roll=st.floats(-180, 180), scale=st.floats(5, 900), x=st.floats(-2000, 2000))
def test_a_shape_is_the_same_from_every_side(yaw, pitch, roll, scale, x):
    canonical = topology().canonical
    turn = turned(yaw, 1) @ turned(pitch, 0) @ turned(roll, 2)
    mesh = (canonical @ turn.T * scale + [x, 7, 0]).astype(np.float32)
    found = posed(mesh)
    np.testing.assert_allclose(found.shape, canonical, atol=3e-3)
    np.testing.assert_allclose(found.turn, turn, atol=3e-3)
    assert found.scale == pytest.approx(scale, rel=1e-3)


def test_a_neutral_shape_is_symmetric_and_a_crooked_smile_is_none():
    shape = topology().canonical.copy()
    shape[topo.MOUTH_LEFT, 1] -= 0.2
    even = neutral(shape * 100)
    np.testing.assert_allclose(even, symmetric(even), atol=1e-4)
    assert abs(even[topo.MOUTH_LEFT, 1] - even[topo.MOUTH_RIGHT, 1]) < 1e-4


def test_the_contour_stays_and_the_nose_takes_the_sources_width():
    canonical, shape = topology().canonical, topology()
    mesh = canonical * 80
    wide = canonical.copy()
    nose = [48, 278, 64, 294, 98, 327]
    wide[nose, 0] *= 1.5
    result = moved(mesh, posed(mesh), wide - canonical, 1.0)
    np.testing.assert_array_equal(result[shape.oval], mesh[shape.oval])
    assert np.ptp(result[[48, 278], 0]) > np.ptp(mesh[[48, 278], 0]) * 1.06
    np.testing.assert_array_equal(moved(mesh, posed(mesh), wide - canonical, 0.0), mesh)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 3))
def test_no_vertex_moves_further_than_is_said(seed, size):
    canonical = topology().canonical
    difference = np.random.default_rng(seed).normal(0, size, canonical.shape).astype(np.float32)
    mesh = canonical * 50
    step = moved(mesh, posed(mesh), difference, 1.0) - mesh
    assert np.linalg.norm(step, axis=1).max() <= LONGEST * 50 * 1.001


def test_an_open_mouth_in_the_photo_opens_nobody_elses():
    canonical = topology().canonical
    speaking = canonical.copy()
    lower = [i for i in topology().lips_inner if canonical[i, 1] > canonical[topo.LIP_UPPER_INNER, 1] + 1e-3]
    speaking[lower, 1] += 0.3
    mesh = canonical * 100
    before = topo.mouth_aperture(mesh)
    after = topo.mouth_aperture(moved(mesh, posed(mesh), speaking - canonical, 1.0))
    assert after - before < 0.25 * (topo.mouth_aperture(speaking) - topo.mouth_aperture(canonical))


def seen(learned, shape, seconds):
    learned.update(posed((shape * 60).astype(np.float32)), seconds)
    return learned.shape


def test_a_neutral_shape_is_learned_and_forgotten():
    canonical = topology().canonical
    learned, wide = NeutralShape(), canonical * [1.2, 1, 1]
    assert not learned.trust.any()
    resting = at_rest(canonical)
    np.testing.assert_allclose(seen(learned, canonical, 0.0), resting, atol=1e-3)
    assert learned.trust.min() > 0.7
    half = seen(learned, wide, 0.04)
    assert np.ptp(half[:, 0]) == pytest.approx(
        (np.ptp(posed(wide * 60).shape[:, 0]) + np.ptp(canonical[:, 0])) / 2, rel=0.02
    )
    np.testing.assert_allclose(seen(learned, canonical, 0.04 + FORGOTTEN), resting, atol=1e-3)
    seen(learned, wide, 20.0)
    np.testing.assert_allclose(seen(learned, canonical, 0.0), resting, atol=1e-3)  # another clip


@pytest.mark.parametrize("opened", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("smiling", [0.0, 0.8])
def test_a_mouth_is_laid_to_rest_and_nothing_above_it_moves(hopper, perception, opened, smiling):
    mesh = portrait_in(hopper, "a photo", perception, None)[0].face.mesh[0]
    resting = at_rest(symmetric(posed(mesh).shape))
    shape = resting + np.float32(opened) * motions().opening + np.float32(smiling) * motions().smiling
    laid = at_rest(shape)
    assert abs(gap(laid) - gap(resting)) < 0.03
    corner = np.linalg.norm(laid[topo.MOUTH_LEFT] - resting[topo.MOUTH_LEFT])
    assert corner <= 0.02 + 0.6 * np.linalg.norm(shape[topo.MOUTH_LEFT] - resting[topo.MOUTH_LEFT])
    above = topology().canonical[:, 1] <= 0.1
    np.testing.assert_array_equal(laid[above], shape[above])


def test_a_smile_in_a_photo_is_told_and_is_no_trait(astronaut, hopper, perception):
    shapes = [
        symmetric(posed(portrait_in(photo, "a photo", perception, None)[0].face.mesh[0]).shape)
        for photo in (astronaut, hopper)
    ]
    assert smile(shut(shapes[0], motions().opening)) > 0.7  # she smiles broadly
    assert smile(shut(shapes[1], motions().opening)) < 0.3
    widths = [np.ptp(shape[[topo.MOUTH_LEFT, topo.MOUTH_RIGHT], 0]) for shape in (shapes[0], at_rest(shapes[0]))]
    assert widths[1] < widths[0] - 0.2
    assert smile(at_rest(shapes[0])) < 0.5 * smile(shut(shapes[0], motions().opening))


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 1))
def test_how_far_lids_and_lips_are_open_is_the_targets(seed, size):
    canonical = topology().canonical
    difference = np.random.default_rng(seed).normal(0, size, canonical.shape).astype(np.float32)
    mesh = canonical * 50
    result = moved(mesh, posed(mesh), difference, 1.0)
    for ring in (topology().eye_left, topology().eye_right, topology().lips_inner):
        pairs = np.array(across(ring))
        assert len(pairs) == len(ring) // 2 - 1
        np.testing.assert_allclose(np.diff(result[pairs], axis=1), np.diff(mesh[pairs], axis=1), atol=1e-2)


@pytest.mark.parametrize("mouth", [0.4, 1.0])
def test_the_mouth_of_a_puppet_that_shouts_is_mostly_shut(hopper, mouth):
    speaking = symmetric(posed(Puppet(hopper, (320, 320), face_share=0.6).render(Motion(mouth=mouth)).mesh).shape)
    assert topo.mouth_aperture(at_rest(speaking)) < 0.45 * topo.mouth_aperture(speaking)


def test_a_speaking_mouth_says_little_of_the_neutral_face():
    canonical = topology().canonical
    speaking = canonical.copy()
    speaking[canonical[:, 1] > canonical[topo.LIP_UPPER_INNER, 1] + 1e-3, 1:] += [0.3, 0.12]  # down, and back
    learned = NeutralShape()
    for number in range(30):
        learnt = seen(learned, speaking, number / 30)
        if not number:
            above = canonical[:, 1] <= canonical[topo.NOSE_TIP, 1]
            assert learned.trust[topology().lips_inner].max() < learned.trust[above].min()
            assert learned.trust[above].min() > 0.9  # eyes and nose are the same, whoever speaks
    assert topo.mouth_aperture(learnt) < topo.mouth_aperture(canonical)


def test_the_openings_are_closed_without_a_hole():
    shape = topology()
    fans, rings = openings()
    assert len(rings) == 3
    flat = closed(np.column_stack([shape.uv * 200, np.zeros(len(shape.uv))]).astype(np.float32))
    _, depth = rasterise(
        flat, np.concatenate([shape.triangles, fans]), np.zeros((len(flat), 1), np.float32), (200, 200)
    )
    middle = depth[60:150, 60:140]
    assert (middle < EMPTY).all()


def test_a_shut_eye_stays_shut_under_another_face(astronaut, hopper, perception):
    shot = Puppet(astronaut, (320, 320), face_share=0.6).render(Motion(blink=1.0))
    faces = Faces(boxes_xyxy=np.zeros((1, 4)), mesh=shot.mesh[None], track_ids=np.array([1]))
    engine = MeshEngine(MeshOptions(shape=1.5))
    portrait = portrait_in(hopper, "a photo", perception, None)[0]
    (patch,) = engine.renderer().render(Frame(shot.picture.copy()), faces, {1: engine.identity([portrait])})
    for ring in (topology().eye_left, topology().eye_right):
        lower, upper = np.array(across(ring)).T
        assert np.abs(patch.warp.mesh[lower] - shot.mesh[lower]).max() > 0.5  # the eye is moved
        shift = (patch.warp.mesh - shot.mesh)[:, :2]
        np.testing.assert_allclose(shift[lower], shift[upper], atol=0.02)


@pytest.fixture(scope="module")
def scene(astronaut, hopper, perception):
    shot = Puppet(astronaut, (320, 320), face_share=0.6).render(REST)
    faces = Faces(boxes_xyxy=np.zeros((1, 4)), mesh=shot.mesh[None], track_ids=np.array([1]))
    return shot, faces, portrait_in(hopper, "a photo", perception, None)[0]


def test_a_laugh_in_a_photo_is_not_shut(astronaut, hopper, perception):
    shot = Puppet(astronaut, (320, 320), face_share=0.6).render(Motion(mouth=0.8))
    faces = Faces(boxes_xyxy=np.zeros((1, 4)), mesh=shot.mesh[None], track_ids=np.array([1]))
    engine = MeshEngine()
    portrait = portrait_in(hopper, "a photo", perception, None)[0]
    (patch,) = engine.renderer().render(Frame(shot.picture.copy()), faces, {1: engine.identity([portrait])})
    before = topo.mouth_aperture(shot.mesh)
    assert before > 0.3
    assert topo.mouth_aperture(patch.warp.mesh) > 0.93 * before


def test_what_is_moved_stays_within_the_patch_and_strength_zero_moves_nothing(scene):
    shot, faces, portrait = scene
    engine, frame = MeshEngine(), Frame(shot.picture.copy())
    (patch,) = engine.renderer().render(frame, faces, {1: engine.identity([portrait])})
    assert patch.warp is not None
    assert np.abs(patch.warp.field).max() > 1
    Compositing().compose(unguarded(frame), [patch])
    changed = (frame.picture != shot.picture).any(axis=2)
    box = patch.box
    assert not changed[box.y0 : box.y1, box.x0 : box.x1][~patch.touched].any()
    changed[box.y0 : box.y1, box.x0 : box.x1] = False
    assert not changed.any()
    inside = np.zeros((320, 320), bool)
    inside[box.y0 : box.y1, box.x0 : box.x1] = np.abs(patch.warp.field).max(axis=2) > 1.5
    oval = shot.mesh[topology().oval, :2].astype(int)
    assert not inside[oval[:, 1], oval[:, 0]].any()


def test_without_a_shape_nothing_is_moved(scene):
    shot, faces, portrait = scene
    engine = MeshEngine(MeshOptions(shape=0))
    (patch,) = engine.renderer().render(Frame(shot.picture.copy()), faces, {1: engine.identity([portrait])})
    assert patch.warp is None
    for wrong in (-0.1, 2.0, float("nan")):
        with pytest.raises(ValueError, match="shape"):
            MeshOptions(shape=wrong)
