"""How strong a step is by itself: more for larger faces, and for those that need it more."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from understudy.enhancement.automatic import automatic, noise
from understudy.enhancement.steadying import Following
from understudy.testing import Motion, Puppet

STEPS = ("gfpgan_1.4", "sharpen", "denoise", "clahe")


@pytest.fixture(scope="module")
def large(astronaut, perception):
    picture = Puppet(astronaut, (960, 720), face_share=0.5).render(Motion()).picture
    return picture, perception.still(picture).boxes_xyxy[0]


def drawn_with(picture, box, pixels):
    """A face as if it had been drawn with so many pixels of height."""
    factor = pixels / float(box[3] - box[1])
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def rises(values):
    return all(a < b for a, b in pairwise(values))


def at_height(picture, box, height):
    factor = height / float(box[3] - box[1])
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA), box * np.float32(factor)


@pytest.mark.parametrize("step", STEPS)
def test_a_face_of_ninety_pixels_needs_nothing(step):
    """However soft, noisy or flat it is."""
    random = np.random.default_rng(0)
    picture = cv2.GaussianBlur(random.integers(90, 110, (480, 640, 3), np.uint8), (0, 0), 3)
    noisy = random.integers(80, 120, (480, 640, 3), np.uint8)
    for one in (picture, noisy):
        assert automatic(step, one, np.float32([200, 100, 270, 190])) == 0


def test_the_larger_a_soft_face_the_more_it_needs(large):
    picture, box = large
    found = [automatic("gfpgan_1.4", *at_height(drawn_with(picture, box, 40), box, h)) for h in (96, 130, 180, 250)]
    assert found[0] == pytest.approx(0, abs=0.02)
    assert rises(found)
    assert found[-1] > 0.9


@pytest.mark.parametrize("step", ["gfpgan_1.4", "sharpen"])
def test_the_softer_a_face_the_more_it_needs(large, step):
    picture, box = large
    found = [automatic(step, drawn_with(picture, box, pixels), box) for pixels in (200, 110, 80, 50)]
    print(found)
    assert rises(found)


def test_the_noisier_a_face_the_more_it_is_denoised(large):
    picture, box = large
    random = np.random.default_rng(1)
    soft = cv2.GaussianBlur(picture, (0, 0), 2).astype(np.float32)
    found = []
    for spread in (0, 4, 8):
        grainy = np.clip(soft + random.normal(0, spread, soft.shape[:2])[:, :, None], 0, 255).astype(np.uint8)
        found.append(automatic("denoise", grainy, box))
    assert found[0] == 0
    assert rises(found)


def test_the_flatter_a_face_the_more_contrast_it_gets(large):
    picture, box = large
    found = [automatic("clahe", (110 + (picture - 110.0) * share).astype(np.uint8), box) for share in (0.9, 0.5, 0.2)]
    assert rises(found)


def test_noise_is_measured_in_grey_levels():
    random = np.random.default_rng(2)
    for spread in (2, 6):
        grey = (128 + random.normal(0, spread, (200, 200))).astype(np.float32)
        assert noise(grey) == pytest.approx(spread, rel=0.1)
    assert noise(np.zeros((2, 9), np.float32)) == 0


def test_a_face_beside_the_picture_needs_nothing(large):
    assert automatic("sharpen", large[0], np.float32([2000, 0, 2300, 300])) == 0


def test_a_strength_follows_slowly_and_begins_anew_after_a_gap():
    follow = Following()
    assert follow(0.2, 1.0) == 0.2
    first, second = follow(1.0, 1.04), follow(1.0, 1.08)
    assert 0.2 < first < 0.3
    assert first < second < 1
    assert follow(0.9, 5.0) == 0.9
