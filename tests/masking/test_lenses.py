"""Where the rims of glasses run."""

import cv2
import numpy as np
import pytest

from understudy.geometry.topology import topology
from understudy.glasses import FLAT
from understudy.masking.lenses import Lenses

SIDE = 256
PLACES = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
#: The flattened face, seen as it is.
UV = np.dstack(np.meshgrid(PLACES, PLACES)).astype(np.float32)
EYES = [topology().uv[ring].mean(axis=0) for ring in (topology().eye_left, topology().eye_right)]


def face(*lenses, radius=0.15, grey=60):
    """Skin, with a ring around each of these eyes."""
    picture = np.full((SIDE, SIDE, 3), 150, np.uint8)
    for eye in lenses:
        center = tuple((EYES[eye] * SIDE).astype(int).tolist())
        cv2.circle(picture, center, int(radius * SIDE), (grey,) * 3, 3)
    return picture


def at(allowed, eye, radius, turn):
    u, v = EYES[eye] + radius * np.array([np.cos(turn), np.sin(turn)])
    return bool(allowed[int(v * FLAT), int(u * FLAT)])


@pytest.mark.parametrize("radius", [0.11, 0.15, 0.18])
def test_rims_run_once_around_each_eye(radius):
    lenses = Lenses()
    lenses.look(face(0, 1, radius=radius), UV, 1.0, heavy=False)
    allowed = lenses.rims(heavy=False)
    # Beside and below: above are the brows.
    for eye, turn in ((eye, turn) for eye in (0, 1) for turn in np.radians([20, 60, 90, 120, 160])):
        assert at(allowed, eye, radius, turn)
        assert not at(allowed, eye, radius - 0.04, turn)
        if abs(np.cos(turn)) < 0.6:  # else there is the bridge, or an arm
            assert not at(allowed, eye, radius + 0.04, turn)


def test_where_only_one_lens_is_seen_or_none_nothing_is_known():
    lenses = Lenses()
    assert lenses.rims(heavy=False) is None
    for picture in (face(), face(0), face(1)):
        lenses.look(picture, UV, 1.0, heavy=False)
        assert lenses.rims(heavy=False) is None
    lenses.look(face(0, 1), UV, 1.0, heavy=False)
    assert lenses.rims(heavy=False) is not None
    lenses.forget()
    assert lenses.rims(heavy=False) is None


def test_one_look_counts_as_much_as_it_is_told():
    lenses = Lenses()
    lenses.look(face(0, 1, radius=0.15, grey=125), UV, 1.0, heavy=False)
    for _ in range(2):
        lenses.look(face(0, 1, radius=0.18, grey=125), UV, 0.1, heavy=False)
    assert at(lenses.rims(heavy=False), 0, 0.15, np.pi / 2)
    for _ in range(2):
        lenses.look(face(0, 1, radius=0.18, grey=125), UV, 0.9, heavy=False)
    assert not at(lenses.rims(heavy=False), 0, 0.15, np.pi / 2)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (900, 700)])
def test_any_size_of_picture_is_looked_at(size):
    lenses = Lenses()
    height, width = size
    lenses.look(cv2.resize(face(0, 1), (width, height)), cv2.resize(UV, (width, height)), 1.0, heavy=True)
    found = lenses.rims(heavy=True)
    assert found is None or found.shape == (FLAT, FLAT)
    lenses.look(face(0, 1), np.zeros_like(UV), 1.0, heavy=False)  # beside the face
    assert lenses.rims(heavy=False) is None


def test_what_lies_nowhere_on_the_face_is_left_out():
    lenses, known = Lenses(), Lenses()
    broken = UV.copy()
    broken[:20], broken[20:24], broken[-4:] = np.nan, -3.0, 5.0
    lenses.look(face(0, 1), broken, 1.0, heavy=True)
    known.look(face(0, 1), UV, 1.0, heavy=True)
    assert np.array_equal(lenses.rims(heavy=True), known.rims(heavy=True))
