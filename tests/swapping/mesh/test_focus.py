"""Faces out of focus: how far they are is measured, and what is drawn on them is as soft."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from understudy.casting.portraits import portrait_in
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.topology import topology
from understudy.guard import unguarded
from understudy.pipeline.compositing import Compositing
from understudy.swapping import MeshEngine
from understudy.swapping.mesh.focus import IN_FOCUS, Focus, blur_of, softened
from understudy.testing import REST, Motion, Puppet


@pytest.fixture(scope="module")
def shots(astronaut, hopper):
    """Faces of 240 and 320 pixels."""
    pictures = ((astronaut, 0.5), (hopper, 0.5), (astronaut, 0.65))
    return [Puppet(picture, (480, 480), face_share=share).render(REST) for picture, share in pictures]


def defocused(picture, spread):
    return cv2.GaussianBlur(picture, (0, 0), spread) if spread else picture


def frame_of(picture, number=0):
    return Frame(picture.copy(), pts=number, time_base=Fraction(1, 30))


def edges(picture, mesh):
    """How steep the steepest hundredth of the face is."""
    oval = mesh[topology().oval, :2]
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [(oval.mean(0) + (oval - oval.mean(0)) * 0.85).round().astype(np.int32)], 1)
    green = picture[:, :, 1].astype(np.float32)
    return float(np.percentile(np.hypot(cv2.Sobel(green, -1, 1, 0), cv2.Sobel(green, -1, 0, 1))[mask > 0], 99))


def test_a_blur_is_measured_whoever_is_seen(shots):
    for shot in shots:
        found = [blur_of(frame_of(defocused(shot.picture, spread)), shot.mesh) for spread in (0, 3, 6)]
        print("blur of 0, 3 and 6 pixels is measured as " + ", ".join(f"{blur:.1f}" for blur in found))
        assert found[0] < IN_FOCUS < found[1] < found[2]
        assert found[1] == pytest.approx(3, rel=0.4)


def test_noise_of_the_sensor_is_not_taken_for_focus(shots):
    noise = np.random.default_rng(0).normal(0, 3, shots[0].picture.shape)
    noisy = np.clip(defocused(shots[0].picture, 4) + noise, 0, 255).astype(np.uint8)
    assert blur_of(frame_of(noisy), shots[0].mesh) > 1.2 * IN_FOCUS


@pytest.mark.parametrize("height", [5, 30, 60, 120, pytest.param(900, marks=pytest.mark.slow)])
def test_a_face_in_focus_is_never_softened_however_large(astronaut, height):
    share = height / 400 if height < 400 else 0.65
    puppet = Puppet(astronaut, (1400, 1400) if height > 400 else (400, 400), face_share=share)
    shot = puppet.render(REST)
    assert Focus().softness(frame_of(shot.picture), shot.mesh) == 0


@pytest.mark.slow
def test_on_a_face_out_of_focus_the_swap_has_no_crisp_edges(hopper, shots, perception):
    portrait = portrait_in(hopper, "a photo", perception, None)[0]
    engine, shot = MeshEngine(), shots[0]
    identity = engine.identity([portrait])
    own, frame = defocused(shot.picture, 6), frame_of(defocused(shot.picture, 6))
    faces = Faces(boxes_xyxy=np.zeros((1, 4)), mesh=shot.mesh[None], track_ids=np.array([1]))
    Compositing().compose(unguarded(frame), engine.renderer().render(frame, faces, {1: identity}))
    crisp = edges(frame.picture, shot.mesh) / edges(own, shot.mesh)
    print(f"edges are {crisp:.2f} times as steep as the frame's")
    assert crisp < 1.8


@pytest.mark.slow
def test_out_of_focus_and_back_nothing_pops(shots):
    focus, found = Focus(), []
    for number in range(60):
        spread = 5 * max(0.0, np.sin((number - 15) / 30 * np.pi))
        picture = defocused(shots[0].picture, spread if spread > 0.3 else 0)
        found.append(focus.softness(frame_of(picture, number), shots[0].mesh))
    assert max(found[:12]) == 0
    assert max(found) > 1.5
    assert found[-1] == 0
    assert np.abs(np.diff(found)).max() < 0.9
    assert focus.softness(frame_of(shots[0].picture, 900), shots[0].mesh) == 0  # after a gap: anew


def test_sizes_of_a_texture_are_as_soft_as_each_other(shots):
    """What is softened on a coarser size looks no different: nothing pops where the size changes."""
    texture = np.zeros((512, 512, 4), np.uint8)
    texture[:, 256:] = 255
    levels = [texture]
    while len(levels) < 5:
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    mesh, steep = shots[0].mesh, []
    for softness in np.arange(1.6, 3.2, 0.1):
        soft = softened(tuple(levels), 1, mesh, softness)
        row = cv2.resize(soft[:4], (512, 4), interpolation=cv2.INTER_LINEAR)[0, :, 0].astype(float)
        steep.append(float(np.abs(row[6:] - row[:-6]).max()))
    assert np.abs(np.diff(steep)).max() < 0.12 * steep[0]


def test_openings_of_a_softened_texture_stay_open(hopper, perception):
    shot = Puppet(hopper, (480, 480), face_share=0.5).render(Motion(mouth=1))
    levels = MeshEngine().identity([portrait_in(hopper, "a photo", perception, None)[0]]).levels
    soft = softened(levels, 1, shot.mesh, 3.0)
    for ring in (topology().eye_left, topology().eye_right):
        u, v = (topology().uv[ring].mean(0) * len(soft)).astype(int)
        assert soft[v, u, 3] < 100
