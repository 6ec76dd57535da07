"""Beards in a photo: told from shadows, and kept as they are."""

from __future__ import annotations

import numpy as np
import pytest

from tests.drawn_beard import bearded
from understudy.beard import facial_hair
from understudy.casting.portraits import portrait_in
from understudy.geometry.topology import topology
from understudy.geometry.unwrap import TEXTURE_SIZE, unwrap
from understudy.swapping.mesh.texture import build_texture

CHIN, CHEEKS, LIPS = (200, 199, 175), (50, 280), (16, 17, 0, 11)


def tone_at(picture, vertices):
    places = (topology().uv[list(vertices)] * TEXTURE_SIZE).astype(int)
    spots = [picture[y - 6 : y + 7, x - 6 : x + 7].reshape(-1, 3) for x, y in places]
    return float(np.log(np.concatenate(spots).astype(np.float32) + 4).mean())


def unwrapped(portrait):
    return unwrap(portrait.picture, portrait.face.mesh[0])


@pytest.mark.parametrize("who", ["astronaut", "hopper"])
def test_a_bare_face_has_none(who, request, perception):
    portrait = portrait_in(request.getfixturevalue(who), "a photo", perception, None)[0]
    flat = unwrapped(portrait)
    assert not facial_hair(flat.texture, flat.seen).any()
    # Neither does a smooth shadow over the lower face.
    dark = np.linspace(0, 1, TEXTURE_SIZE, dtype=np.float32)[:, None, None]
    assert not facial_hair(flat.texture * (1 - 0.8 * np.clip((dark - 0.6) * 8, 0, 1)), flat.seen).any()


@pytest.mark.parametrize("who", ["astronaut", "hopper"])
@pytest.mark.slow
def test_a_dark_beard_stays_dark_and_the_lips_in_it_are_not_bleached(who, request, perception):
    picture = request.getfixturevalue(who)
    bare = portrait_in(picture, "a photo", perception, None)[0]
    portrait = portrait_in(bearded(picture, bare.face.mesh[0], (28, 34, 44)), "a photo", perception, None)[0]
    flat = unwrapped(portrait)
    hair = facial_hair(flat.texture, flat.seen)
    chin = (topology().uv[list(CHIN)] * TEXTURE_SIZE).astype(int)
    cheeks = (topology().uv[list(CHEEKS)] * TEXTURE_SIZE).astype(int)
    assert hair[chin[:, 1], chin[:, 0]].min() > 0.9
    assert not hair[cheeks[:, 1], cheeks[:, 0]].any()
    color, plain = build_texture([portrait]).color, build_texture([bare]).color
    assert tone_at(color, CHEEKS) - tone_at(color, CHIN) > 0.8
    # The lips against the cheeks are as without a beard.
    away = [tone_at(texture, LIPS) - tone_at(texture, CHEEKS) for texture in (color, plain)]
    assert abs(away[0] - away[1]) < 0.25


def test_a_moustache_alone_is_hair_and_the_chin_below_it_is_not(hopper, perception):
    bare = portrait_in(hopper, "a photo", perception, None)[0]
    picture = bearded(hopper, bare.face.mesh[0], (28, 34, 44), only_lip=True)
    flat = unwrapped(portrait_in(picture, "a photo", perception, None)[0])
    hair = facial_hair(flat.texture, flat.seen)
    (left, corner), (right, _) = (topology().uv[[186, 410]] * TEXTURE_SIZE).astype(int)
    place = (slice(corner - 30, corner + 5), slice(left, right))
    black = flat.texture[place].max(axis=2) < 60
    assert black.sum() > 500
    assert hair[place][black].mean() > 0.8
    chin = (topology().uv[list(CHIN)] * TEXTURE_SIZE).astype(int)
    assert hair[chin[:, 1], chin[:, 0]].max() < 0.05
