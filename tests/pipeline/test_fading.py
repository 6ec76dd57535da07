"""A swap is let go before it breaks."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from understudy import Settings
from understudy.blending.light import LightOptions
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import portrait_in
from understudy.face import Faces
from understudy.frames import Frame, PixelBox
from understudy.geometry.topology import topology
from understudy.guard import unguarded
from understudy.masking import OcclusionOptions
from understudy.patches import Patch, Warp
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.compositing import Compositing
from understudy.pipeline.fading import Fading
from understudy.settings import BlendOptions
from understudy.testing import Motion, Puppet
from understudy.testing.opened import parts_of


def patch(number=1):
    mesh = np.zeros((478, 3), np.float32)
    flat = np.full((8, 8, 2), 0.5, np.float32)
    picture = np.full((8, 8, 3), 90, np.uint8)
    alpha = np.full((8, 8), 200, np.uint8)
    return Patch(picture, alpha, flat, PixelBox(0, 0, 8, 8), mesh, number, Warp(mesh, flat * 4))


def faces(*scores):
    count = len(scores)
    return Faces(np.zeros((count, 4)), np.array(scores, np.float32), track_ids=np.arange(1, count + 1))


def test_what_is_sure_is_left_as_it_is():
    one = patch()
    assert Fading()([one], faces(1.0), 0.0, whole=False) == [one]
    assert Fading()([one], faces(0.95), 0.0, whole=True) == [one]
    assert Fading()([one], Faces.empty(), 0.0, whole=False) == [one]


def test_what_is_doubtful_is_shown_less_and_moves_less():
    (shown,) = Fading()([patch()], faces(0.75), 0.0, whole=False)
    assert shown.share == pytest.approx(0.5, abs=0.01)
    assert Fading()([patch()], faces(0.55), 0.0, whole=False) == []


def test_live_nothing_shines_through():
    for presence in np.linspace(0, 1, 21):
        shown = Fading()([patch()], faces(presence), 0.0, whole=True)
        assert all(one.share == 1 for one in shown)
        assert bool(shown) == (presence >= 0.76 or presence == pytest.approx(0.75))


def test_it_goes_at_once_and_comes_back_step_by_step():
    fading, shares = Fading(), []
    for number, presence in enumerate([1.0, 0.5, *[1.0] * 12]):
        shown = fading([patch()], faces(presence), number / 30, whole=False)
        shares.append(shown[0].share if shown else 0.0)
    assert shares[:2] == [1.0, 0.0]
    assert shares[-1] == 1.0
    assert np.all(np.diff(shares[1:]) >= 0)
    assert max(np.diff(shares[1:])) < 0.2


def test_everybody_has_their_own_share():
    fading = Fading()
    shown = fading([patch(1), patch(2)], faces(1.0, 0.75), 0.0, whole=False)
    assert [one.share for one in shown] == pytest.approx([1, 0.5], abs=0.01)
    shown = fading([patch(2)], faces(0.6, 1.0), 0.02, whole=False)
    assert 0.5 < shown[0].share < 0.65


def test_live_a_presence_that_wavers_does_not_make_it_flicker():
    fading, shown = Fading(), []
    for number in range(40):
        shown.append(bool(fading([patch()], faces(0.76 if number % 2 else 0.74), number / 30, whole=True)))
    assert np.abs(np.diff(np.array(shown, int))).sum() <= 1


def test_who_was_not_seen_for_a_frame_does_not_pop_back():
    fading = Fading()
    assert fading([patch()], faces(0.55), 0.0, whole=False) == []
    gone = Faces(np.zeros((0, 4)), np.zeros(0, np.float32), track_ids=np.zeros(0, int))
    assert fading([], gone, 1 / 30, whole=False) == []
    (shown,) = fading([patch()], faces(1.0), 2 / 30, whole=False)
    assert shown.share < 0.4


def blended(share):
    picture = np.full((40, 40, 3), 60, np.uint8)
    shot = Frame(picture.copy())
    mesh = topology().canonical * 12 + [20, 20, 0]
    uv = np.stack(np.meshgrid(np.linspace(0.1, 0.9, 40), np.linspace(0.1, 0.9, 40)), axis=-1).astype(np.float32)
    alpha, color = np.full((40, 40), 255, np.uint8), np.full((40, 40, 3), 180, np.uint8)
    box = PixelBox(0, 0, 40, 40)
    off = OcclusionOptions(things=False, glasses=False)
    Compositing(BlendOptions(occlusion=off, light=LightOptions(max_gain=1.0001, max_dimming=1.0001))).compose(
        unguarded(shot), [Patch(color, alpha, uv, box, mesh.astype(np.float32), 1, None, share)]
    )
    return float(shot.picture.mean()) - 60


def test_a_share_is_that_share_of_the_change():
    assert blended(1.0) > 60
    assert blended(0.5) == pytest.approx(blended(1.0) / 2, abs=1.5)
    assert blended(0.0) == pytest.approx(0, abs=0.5)


@pytest.mark.slow
def test_a_head_that_turns_to_its_profile_does_not_keep_a_mask_that_looks_ahead(astronaut, hopper, perception):
    parts = parts_of(Settings(), perception)
    swap = ClipPipeline(parts, OnePerson(parts.engine.identity([portrait_in(hopper, "a photo", perception, None)[0]])))
    puppet, opacity = Puppet(astronaut, (640, 640), face_share=0.5), []
    for number in range(88):
        shot = puppet.render(Motion(yaw=-number * 0.9))
        result = swap.swap(Frame(shot.picture.copy(), pts=number, time_base=Fraction(1, 30)))
        opacity.append(max((one.share for one in result.patches), default=0.0))
    assert opacity[50] == 1  # 45 degrees
    assert max(opacity[82:]) < 0.5  # 74 and more
