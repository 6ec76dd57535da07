"""A beard in the frame stays in front of a face that has none."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.drawn_beard import bearded
from tests.masking.test_occlusion import swapped
from understudy.geometry.topology import topology
from understudy.masking.beards import OwnBeard
from understudy.masking.occlusion import Occlusion, OcclusionOptions
from understudy.swapping.base import Portrait
from understudy.swapping.mesh.engine import MeshEngine
from understudy.testing import Motion, Puppet

BROWN = (40, 60, 90)
#: Chin and jaw well inside where the beard grows, and both cheeks.
CHIN, CHEEKS = (200, 199, 175, 208, 428, 32, 262), (50, 280, 205, 425)


@pytest.fixture(scope="module")
def shot(hopper, perception):
    face = perception.still(hopper)[:1]
    return Puppet(bearded(hopper, face.mesh[0], BROWN), (960, 720), face_share=0.7).render(Motion())


def identity_of(picture, perception):
    return MeshEngine().identity([Portrait(picture, perception.still(picture)[:1])])


def changed(result, picture, mesh, vertices):
    """How far the surroundings of vertices are from what they were, in grey levels."""
    spots = mesh[list(vertices), :2].astype(int)
    where = np.zeros(picture.shape[:2], np.uint8)
    for x, y in spots:
        cv2.circle(where, (int(x), int(y)), 6, 1, -1)
    return float(np.abs(result.astype(int) - picture)[where > 0].mean())


def test_it_stays_and_the_rest_is_swapped(shot, astronaut, perception):
    (result,), _ = swapped(identity_of(astronaut, perception), [shot.picture], shot.mesh)
    kept = changed(result, shot.picture, shot.mesh, CHIN)
    assert kept < 4
    assert changed(result, shot.picture, shot.mesh, CHEEKS) > 8
    off = OcclusionOptions(beards=False)
    (painted,), _ = swapped(identity_of(astronaut, perception), [shot.picture], shot.mesh, occlusion=off)
    assert changed(painted, shot.picture, shot.mesh, CHIN) > 3 * kept


@pytest.mark.slow
def test_under_a_bearded_face_it_is_painted_over(shot, astronaut, perception):
    face = perception.still(astronaut)[:1]
    black = identity_of(bearded(astronaut, face.mesh[0], (28, 34, 44)), perception)
    assert black.bearded
    # Things of another colour stay, too: of this test is only what is known to be a beard.
    only = OcclusionOptions(things=False)
    (own,), _ = swapped(black, [shot.picture], shot.mesh, occlusion=only)
    (bare,), _ = swapped(replace(black, bearded=False), [shot.picture], shot.mesh, occlusion=only)
    assert changed(own, shot.picture, shot.mesh, CHIN) > 3 * changed(bare, shot.picture, shot.mesh, CHIN)


@pytest.mark.parametrize("who", ["astronaut", "hopper"])
@pytest.mark.parametrize("motion", [Motion(), Motion(yaw=25), Motion(mouth=0.8)], ids=["still", "turned", "laughing"])
def test_a_bare_face_has_none(who, motion, request):
    shot = Puppet(request.getfixturevalue(who), (640, 480), face_share=0.7).render(motion)
    uv = np.ones((480, 640, 2), np.float32) / 2
    assert OwnBeard(0.4).hides(shot.picture, uv, shot.mesh, 0.0) is None


@pytest.mark.slow
def test_it_is_believed_slowly_and_forgotten_after_a_gap(shot, hopper):
    uv = np.broadcast_to(topology().uv[199].astype(np.float32), (720, 960, 2))
    bare = Puppet(hopper, (960, 720), face_share=0.7).render(Motion())
    beard = OwnBeard(0.4)

    def strength(picture, mesh, seconds):
        found = beard.hides(picture, np.ascontiguousarray(uv), mesh, seconds)
        return 0 if found is None else int(found.max())

    assert strength(bare.picture, bare.mesh, 0.0) == 0
    first, second = (strength(shot.picture, shot.mesh, seconds) for seconds in (0.5, 1.0))
    assert 0 < first < second
    # After a gap what is seen counts at once.
    assert strength(shot.picture, shot.mesh, 9.0) > second
    assert strength(bare.picture, bare.mesh, 0.0) == 0


@pytest.mark.slow
def test_it_is_looked_for_beside_the_other_things_and_only_when_it_is_time(shot):
    uv = np.broadcast_to(topology().uv[199].astype(np.float32), (720, 960, 2)).copy()
    tones, asked = np.full((16, 16, 3), 4.5, np.float32), []

    def noted(function, items):
        asked.append(list(items))
        return [function(item) for item in asked[-1][::-1]][::-1]  # the beard first

    alone, beside, bare = Occlusion(), Occlusion(), Occlusion(OcclusionOptions(beards=False))
    for number in range(15):
        given = shot.picture, uv, tones, number / 30
        expected = alone.visible(*given, mesh=shot.mesh)
        np.testing.assert_array_equal(beside.visible(*given, mesh=shot.mesh, each=noted), expected)
        assert expected.min() < 200
        bare.visible(*given, mesh=shot.mesh, each=noted)
        beside.visible(*given, each=noted)  # under a face that has one
    assert [len(items) for items in asked] == [2, 2]  # at once, and after 0.4 s
