"""The light that a patch is shown in."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.blending import Lighting
from understudy.frames import Frame, PixelBox
from understudy.geometry.topology import topology
from understudy.guard import unguarded
from understudy.patches import Patch
from understudy.pipeline.compositing import Compositing
from understudy.swapping import MeshEngine
from understudy.tones import LUMA

SIDE = 120
COLOR = (60, 90, 170)


def patch_at(x, y, *, side=SIDE, track_id=1, **more):
    """A patch of one colour, all of it shown."""
    places = np.linspace(0.02, 0.98, side, dtype=np.float32)
    uv = np.dstack(np.meshgrid(places, places))
    mesh = np.column_stack([topology().uv * side + [x, y], np.zeros(478)]).astype(np.float32)
    picture, alpha = np.full((side, side, 3), COLOR, np.uint8), np.full((side, side), 255, np.uint8)
    return Patch(picture, alpha, uv, PixelBox(x, y, x + side, y + side), mesh, track_id, **more)


def shown(patch, grey=200):
    frame = Frame(np.full((SIDE, SIDE, 3), grey, np.uint8))
    Compositing().compose(unguarded(frame), [patch])
    return frame.picture


@pytest.mark.slow
def test_a_patch_that_does_not_want_the_frames_light_keeps_its_own_colours():
    np.testing.assert_array_equal(shown(patch_at(0, 0, lit=False)), np.full((SIDE, SIDE, 3), COLOR))
    np.testing.assert_array_equal(shown(patch_at(0, 0, lit=False, share=0.0)), np.full((SIDE, SIDE, 3), 200))
    assert np.abs(shown(patch_at(0, 0)).astype(int) - 200).max() < 3  # in the frame's light it is as grey as the frame


@pytest.mark.parametrize("grey", [20, 128, 240])
def test_its_colours_are_not_those_of_any_light(grey):
    np.testing.assert_array_equal(shown(patch_at(0, 0, lit=False), grey), shown(patch_at(0, 0, lit=False), 90))


def test_what_is_before_it_is_known_as_of_a_patch_in_the_frames_light():
    frame = Frame(np.full((SIDE, SIDE, 3), 150, np.uint8))
    lit, own = (Lighting().measure(frame, [patch_at(0, 0, lit=lit)])[0] for lit in (True, False))
    np.testing.assert_array_equal(lit.tones, own.tones)
    assert lit.fresh and own.fresh
    assert (lit.coefficients != own.coefficients).any()


@pytest.mark.slow
def test_the_mesh_engine_wants_the_frames_light_and_the_colours_of_its_shadows(astronaut, perception):
    from understudy.swapping.base import Portrait

    engine, faces = MeshEngine(), perception.still(astronaut)
    (patch,) = engine.renderer().render(Frame(astronaut), faces, {1: engine.identity([Portrait(astronaut, faces[:1])])})
    assert patch.lit and patch.flat


@pytest.mark.slow
def test_the_light_on_a_face_is_not_that_of_a_patch_over_which_it_lies():
    """Where two overlap, both are measured on the frame as it came."""
    picture = np.full((200, 240, 3), 90, np.uint8)
    small, large = patch_at(70, 40, side=100, track_id=2, lit=False), patch_at(0, 20)
    together, alone = Frame(picture.copy()), Frame(picture.copy())
    Compositing().compose(unguarded(together), [large, small])
    Compositing().compose(unguarded(alone), [large])
    box = large.box
    np.testing.assert_array_equal(together.part(box), alone.part(box))
    assert (together.part(small.box)[:, 60:] == COLOR).all()


def test_a_face_in_glaring_light_is_as_bright_as_the_frame():
    """Where the frame is as bright as can be shown, relief must not make the swap darker: it can't be made brighter."""
    patch = patch_at(0, 0)
    folds = np.float32(0.8) + np.float32(0.4) * (np.indices((SIDE, SIDE)).sum(0) // 12 % 2)
    patch.picture[:] = np.float32(patch.picture) * folds[..., None]

    def mean(*color):
        frame = Frame(np.full((SIDE, SIDE, 3), color, np.uint8))
        Compositing().compose(unguarded(frame), [patch])
        return frame.picture[20:-20, 20:-20].mean((0, 1))

    assert mean(255, 255, 255).min() > 250
    assert mean(150, 180, 255)[2] > 245
    # One colour alone says little of how bright it is, and the others are as they were.
    np.testing.assert_allclose(mean(150, 180, 255)[:2], [150, 180], atol=5)
    np.testing.assert_allclose(mean(150, 180, 210), [150, 180, 210], atol=5)


def test_the_light_is_remembered_of_each_track_until_it_is_forgotten():
    lighting = Lighting()

    def light(grey, seconds, number):
        frame = Frame(np.full((SIDE, SIDE, 3), grey, np.uint8), pts=round(seconds * 1000))
        return lighting.measure(frame, [patch_at(0, 0, track_id=number)])[0].tones.mean()

    first = [light(100, 0.0, 1), light(100, 0.0, 2)]
    lighting.forget([1])
    later = [light(120, 0.1, 1), light(120, 0.1, 2)]
    assert first[0] == first[1] < later[1] < later[0]


def shadowed(skin, *, flat=True):
    """Colours over luminance of a stone's light parts and of its shadows, float (2, 3), on a face of one colour."""
    stone = patch_at(0, 0, flat=flat)
    dark = np.zeros((SIDE, SIDE), bool)
    dark[20:50:10, 20:100] = dark[100:110:5, 20:100] = True  # on the forehead and on the chin
    stone.picture[:] = np.where(dark, 90, 180)[..., None]
    frame = Frame(np.full((SIDE, SIDE, 3), skin, np.uint8))
    Compositing().compose(unguarded(frame), [stone])
    light = np.zeros_like(dark)
    light[25:45, 20:100] = True
    means = np.array([frame.picture[where].mean(0) for where in (light & ~dark, dark)])
    return means / (means @ LUMA)[:, None]


def test_pale_skin_is_warmer_in_shadows():
    light, shadow = shadowed((190, 196, 236))
    assert light[2] == pytest.approx(1.14, abs=0.02)
    assert 1.19 < shadow[2] < 1.31
    assert shadow[0] < light[0] - 0.03


def test_a_patch_with_shadows_of_its_own_keeps_their_colours():
    light, shadow = shadowed((190, 196, 236), flat=False)
    np.testing.assert_allclose(shadow, light, atol=0.02)


@pytest.mark.parametrize("skin", [(150, 150, 150), (40, 75, 130), (130, 160, 190), (190, 120, 90), (200, 110, 190)])
def test_shadows_are_as_they_were_on_grey_films_brown_skin_sepia_and_under_coloured_lamps(skin):
    light, shadow = shadowed(skin)
    np.testing.assert_allclose(shadow, light, atol=0.03)
