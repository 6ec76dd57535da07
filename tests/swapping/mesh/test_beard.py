"""Beards in a photo: told from shadows, and kept as they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from understudy.casting.portraits import portrait_in
from understudy.geometry.topology import topology
from understudy.swapping.mesh.beard import facial_hair
from understudy.swapping.mesh.texture import build_texture
from understudy.swapping.mesh.unwrap import TEXTURE_SIZE, unwrap

JAW = (58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 410, 322, 164, 92, 186)
CHIN, CHEEKS, LIPS = (200, 199, 175), (50, 280), (16, 17, 0, 11)


def bearded(picture, mesh, color):
    """Strands of hair, each of its own shade, on lip, chin and jaw."""
    rng, shape = np.random.default_rng(0), picture.shape[:2]
    unit = float(np.linalg.norm(mesh[33, :2] - mesh[263, :2]))
    grows, lips = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    cv2.fillPoly(grows, [mesh[list(JAW), :2].astype(np.int32)], 255)
    cv2.fillPoly(lips, [cv2.convexHull(mesh[topology().lips_outer, :2].astype(np.int32))], 255)
    rows, columns = np.nonzero((grows > 0) & (lips == 0))
    result = picture.copy()
    for k in rng.choice(len(rows), int(len(rows) * 0.35), replace=False):
        angle, length = np.pi / 2 + rng.normal(0, 0.4), unit * rng.uniform(0.04, 0.1)
        root = np.array([columns[k], rows[k]], float)
        ends = np.round(8 * np.stack([root, root + length * np.array([np.cos(angle), np.sin(angle)])])).astype(int)
        shade = np.clip(np.array(color) * rng.uniform(0.6, 1.5), 0, 255).tolist()
        cv2.line(result, ends[0].tolist(), ends[1].tolist(), shade, 1, cv2.LINE_AA, 3)
    bare = cv2.GaussianBlur(lips, (0, 0), unit * 0.01)[:, :, None] / 255
    return (result * (1 - bare) + picture * bare).astype(np.uint8)


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
