"""Skin of a texture is held to what skin looks like."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from understudy.geometry.unwrap import TEXTURE_SIZE
from understudy.swapping.mesh.complexion import BANDS, HUE, calm
from understudy.swapping.mesh.regions import regions

SKIN = np.array([120, 150, 200], np.float32)
TRUST = np.ones((TEXTURE_SIZE, TEXTURE_SIZE), np.float32)
PLAIN = regions().plain > 0.99


def flat():
    return np.tile(SKIN, (TEXTURE_SIZE, TEXTURE_SIZE, 1))


def strength(texture):
    tone = np.log(texture.mean(axis=2) + 4)
    return float((tone - tone[PLAIN].mean())[PLAIN].std())


def test_even_skin_is_left_alone():
    assert np.abs(calm(flat(), TRUST) - flat())[PLAIN].max() < 0.5


def test_cracks_are_calmed_and_pores_are_not():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (TEXTURE_SIZE, TEXTURE_SIZE, 1)).astype(np.float32)
    cracked, pored = flat() * np.exp(0.2 * noise), flat() * np.exp(0.004 * noise)
    assert strength(calm(cracked, TRUST)) < 0.22 * strength(cracked)
    assert strength(calm(cracked, TRUST)) < 2 * sum(most for _, most in BANDS)
    assert strength(calm(pored, TRUST)) == pytest.approx(strength(pored), rel=0.05)


def test_a_mole_stays():
    mole = cv2.circle(np.zeros_like(TRUST), (150, 330), 4, 1, -1) > 0  # three millimetres across
    marked = np.where(mole[..., None], flat() * np.float32(0.5), flat())
    kept = (calm(marked, TRUST) / marked)[mole]
    assert kept.mean() < 1.2
    assert np.percentile(kept, 90) < 1.3


@pytest.mark.parametrize("strength_of_line", [0.6, 1.5])
def test_a_crack_and_its_shine_go_though_they_stand_alone(strength_of_line):
    """Of a thin line across a cheek, far darker or brighter than the skin, hardly anything stays."""
    drawn = cv2.line(np.zeros_like(TRUST), (90, 250), (170, 350), 1, 2, cv2.LINE_AA)[..., None]
    cracked = flat() * (1 + (np.float32(strength_of_line) - 1) * drawn)
    line = (drawn[..., 0] > 0.9) & PLAIN
    left = np.abs(np.log(calm(cracked, TRUST) / flat()))[line].mean()
    assert line.sum() > 100
    assert left < 0.1 * abs(np.log(strength_of_line))


def test_lips_and_brows_keep_their_contrast():
    rng = np.random.default_rng(1)
    marked = flat() * np.exp(0.2 * rng.normal(0, 1, (TEXTURE_SIZE, TEXTURE_SIZE, 1)).astype(np.float32))
    features = regions().plain < 0.01
    inside = features & (regions().face > 0)
    tones = [texture.mean(axis=2)[inside] for texture in (marked, calm(marked, TRUST))]
    assert tones[1].std() > 0.9 * tones[0].std()


def test_a_blue_forehead_gets_the_skins_hue_and_lips_stay_red():
    blue = flat()
    blue[:150] = [170, 160, 170]
    lips = regions().pale < 0.01
    lips &= regions().face > 0
    blue[lips] = [60, 60, 200]
    result = calm(blue, TRUST)
    hue = result / result.mean(axis=2, keepdims=True)
    forehead = PLAIN.copy()
    forehead[140:] = False
    cheeks = PLAIN.copy()
    cheeks[:170] = False
    apart = np.linalg.norm(np.median(hue[forehead], axis=0) - np.median(hue[cheeks], axis=0))
    assert apart < 2 * HUE < 0.5 * np.linalg.norm(blue[100, 256] / 166.7 - SKIN / 156.7)
    assert np.abs(result - blue)[lips].max() < 1


def test_a_painted_face_stays_painted():
    painted = flat()
    painted[200:300, 60:200] = [60, 200, 60]
    result = calm(painted, TRUST)
    assert np.linalg.norm(result[250, 130] - painted[250, 130]) < 0.4 * np.linalg.norm(SKIN - painted[250, 130])


def test_where_nothing_is_trusted_nothing_is_changed():
    rng = np.random.default_rng(2)
    texture = rng.uniform(0, 255, (TEXTURE_SIZE, TEXTURE_SIZE, 3)).astype(np.float32)
    assert (calm(texture, TRUST * 0) == texture).all()
