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
    lenses.look(face(0, 1, radius=radius), UV, heavy=False)
    allowed = lenses.rims(heavy=False)
    # Beside and below: above are the brows.
    for eye, turn in ((eye, turn) for eye in (0, 1) for turn in np.radians([20, 60, 90, 120, 160])):
        assert at(allowed, eye, radius, turn)
        assert not at(allowed, eye, radius - 0.04, turn)
        if abs(np.cos(turn)) < 0.6:  # else there is the bridge, or an arm
            assert not at(allowed, eye, radius + 0.04, turn)


def test_the_bridge_and_the_arms_are_rims_and_a_cheek_is_none():
    lenses = Lenses()
    lenses.look(face(0, 1), UV, heavy=False)
    allowed = lenses.rims(heavy=False)
    height = int((EYES[0][1] - 0.06) * FLAT)
    assert allowed[height, FLAT // 2]
    assert allowed[height, [4, -4]].all()
    assert not allowed[int((EYES[0][1] + 0.1) * FLAT), [4, FLAT // 2, -4]].any()


def test_thick_rims_go_all_the_way_round_and_wire_with_folds_behind_it_is_not_thick():
    folded = face(0, 1, grey=125)
    for u, v in EYES:
        for radius in (0.09, 0.11):
            axes = (int(radius * SIDE), int(radius * SIDE))
            cv2.ellipse(folded, (int(u * SIDE), int(v * SIDE)), axes, 0, 30, 150, (70, 70, 70), 3)
    lenses = Lenses()
    lenses.look(folded, UV, heavy=True)
    assert lenses.rims(heavy=True) is None
    allowed = lenses.rims(heavy=False)
    assert at(allowed, 0, 0.15, np.pi / 2)
    assert not at(allowed, 0, 0.1, np.pi / 2)
    lenses.look(face(0, 1), UV, heavy=True)
    assert lenses.rims(heavy=True) is not None


def test_brows_are_not_taken_for_wire_above_the_eye():
    browed = face(0, 1, radius=0.15, grey=125)
    for brow in (topology().brow_left, topology().brow_right):
        hull = cv2.convexHull((topology().uv[brow] * SIDE).astype(np.int32))
        cv2.polylines(browed, [hull], True, (40, 40, 40), 4)
    lenses = Lenses()
    lenses.look(browed, UV, heavy=False)
    allowed = lenses.rims(heavy=False)
    for eye in (0, 1):
        assert all(at(allowed, eye, 0.15, turn) for turn in np.radians([-90, 20, 90, 160]))


def test_what_is_not_seen_is_known_from_before():
    lenses = Lenses()
    lenses.look(face(0, 1), UV, heavy=False)
    known = lenses.rims(heavy=False)
    half = UV.copy()
    half[:, SIDE // 2 :] = 0
    for _ in range(5):
        lenses.look(face(0, 1), half, heavy=False)
    assert np.mean(lenses.rims(heavy=False) == known) > 0.99


def test_where_only_one_lens_is_seen_or_none_nothing_is_known():
    lenses = Lenses()
    assert lenses.rims(heavy=False) is None
    for picture in (face(), face(0), face(1)):
        lenses.look(picture, UV, heavy=False)
        assert lenses.rims(heavy=False) is None
    lenses.look(face(0, 1), UV, heavy=False)
    assert lenses.rims(heavy=False) is not None
    lenses.forget()
    assert lenses.rims(heavy=False) is None


def test_a_single_look_says_where_rims_run_now():
    lenses = Lenses()
    for radius in (0.14, 0.18):
        lenses.look(face(0, 1, radius=radius), UV, heavy=False)
        assert at(lenses.rims(heavy=False), 0, radius, np.pi / 2)
    assert not at(lenses.rims(heavy=False), 0, 0.14, np.pi / 2)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (900, 700)])
def test_any_size_of_picture_is_looked_at(size):
    lenses = Lenses()
    height, width = size
    lenses.look(cv2.resize(face(0, 1), (width, height)), cv2.resize(UV, (width, height)), heavy=True)
    found = lenses.rims(heavy=True)
    assert found is None if min(size) < 10 else found.shape == (FLAT, FLAT)
    lenses.forget()
    lenses.look(face(0, 1), np.zeros_like(UV), heavy=False)  # beside the face
    assert lenses.rims(heavy=False) is None


def test_what_lies_nowhere_on_the_face_is_left_out():
    lenses, known = Lenses(), Lenses()
    broken = UV.copy()
    broken[:20], broken[20:24], broken[-4:] = np.nan, -3.0, 5.0
    lenses.look(face(0, 1), broken, heavy=True)
    known.look(face(0, 1), UV, heavy=True)
    assert np.array_equal(lenses.rims(heavy=True), known.rims(heavy=True))
