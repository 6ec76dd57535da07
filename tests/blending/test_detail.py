"""Sharpness and grain: the patch gets what the frame has."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from understudy.blending.detail import AS_STRONG, DetailMatch, DetailOptions

SIDE = 120
ALPHA = np.full((SIDE, SIDE), 255, np.uint8)


def grained(strength, seed=1, blur=0.0):
    noise = np.random.default_rng(seed).normal(0, strength, (SIDE, SIDE, 1))
    picture = np.clip(128 + np.repeat(noise, 3, axis=2), 0, 255).astype(np.uint8)
    return cv2.GaussianBlur(picture, (0, 0), blur) if blur else picture


def weighed(detail, patch, frame):
    soft, wide = detail.soft.astype(float), detail.wide.astype(float)
    grain = np.clip(frame.astype(float) - detail.under, -detail.limit, detail.limit)
    return wide + detail.middle * (soft - wide) + detail.fine * (patch - soft) + detail.grain * grain


def fine_band(picture):
    smooth = cv2.GaussianBlur(picture.astype(np.float32), (5, 5), 0)
    return float(np.abs(picture - smooth).mean())


def next_band(picture):
    smooth, smoother = (cv2.GaussianBlur(picture.astype(np.float32), (0, 0), spread) for spread in (1.1, 2.6))
    return float(np.abs(smooth - smoother).mean())


@pytest.mark.parametrize(("of_patch", "of_frame"), [(12, 4), (6, 6), (2, 6), (0, 5)])
def test_the_finest_band_becomes_the_frames(of_patch, of_frame):
    patch, frame = grained(of_patch), grained(of_frame, seed=2)
    detail = DetailMatch().measure(frame, patch, ALPHA, 0.0)
    assert fine_band(weighed(detail, patch, frame)) == pytest.approx(fine_band(frame), rel=0.25)


def test_a_patch_like_the_frame_is_left_alone():
    picture = grained(5)
    detail = DetailMatch().measure(picture, picture, ALPHA, 0.0)
    assert (detail.fine, detail.middle, detail.grain) == pytest.approx((1, 1, 0), abs=1e-3)


def test_the_next_band_is_held_to_the_frames_and_never_made_stronger():
    strong, weak = grained(40, blur=1.5), grained(26, seed=2, blur=1.5)
    held = weighed(DetailMatch().measure(weak, strong, ALPHA, 0.0), strong, weak)
    assert next_band(held) == pytest.approx(AS_STRONG * next_band(weak), rel=0.15)
    assert DetailMatch().measure(strong, weak, ALPHA, 0.0).middle == 1
    # However soft the frame, some of what the person's skin is like stays.
    assert DetailMatch().measure(grained(1), strong, ALPHA, 0.0).middle == DetailOptions().least_middle


def test_an_edge_of_the_frame_is_no_grain():
    frame = grained(3)
    frame[:, 60:] //= 3
    detail = DetailMatch().measure(frame, grained(0), ALPHA, 0.0)
    assert detail.grain > 0.5
    added = weighed(detail, grained(0), frame) - 128
    assert np.abs(added).max() <= detail.limit + 1
    assert detail.limit < 20


def test_features_of_a_smooth_frame_do_not_make_a_painting_grainy():
    """Lids, lips and brows: a twentieth of the pixels."""
    plain = grained(1.5)
    frame = plain.copy()
    frame[::40, :] = frame[1::40, :] = 40
    featured, bare = (DetailMatch().measure(one, grained(8, seed=2), ALPHA, 0.0).fine for one in (frame, plain))
    assert featured < 1.5 * bare


def test_factors_follow_slowly_keep_within_limits_and_forget():
    match, soft, sharp = DetailMatch(), grained(20, blur=2), grained(20)
    first = match.measure(soft, sharp, ALPHA, 0.0)
    assert first.fine >= DetailOptions().least
    assert match.measure(sharp, sharp, ALPHA, 1 / 30).fine == first.fine  # not measured yet
    later = match.measure(sharp, sharp, ALPHA, 4 / 30)
    assert first.fine <= later.fine < (first.fine + 1) / 2
    assert match.measure(sharp, sharp, ALPHA, 60.0).fine == pytest.approx(1, abs=0.01)
    assert match.measure(sharp, grained(1), ALPHA, 0.0).fine <= DetailOptions().most


def test_where_next_to_nothing_is_shown_nothing_is_measured():
    hidden = np.zeros_like(ALPHA)
    hidden[0, :10] = 255
    detail = DetailMatch().measure(grained(9), grained(1), hidden, 0.0)
    assert (detail.fine, detail.middle, detail.grain) == (1, 1, 0)


@pytest.mark.parametrize(("of_patch", "of_frame"), [(12, 4), (2, 6), (40, 40)])
def test_large_pictures_are_softened_beside_each_other_with_the_same_result(of_patch, of_frame):
    """Frame after frame: what is measured now and then, and what follows from what is known."""
    patch, frame = (np.tile(grained(strength, blur=0.8), (5, 4, 1)) for strength in (of_patch, of_frame))
    alpha, asked = np.full(patch.shape[:2], 255, np.uint8), []

    def noted(function, items):
        asked.append(list(items))
        return [function(item) for item in asked[-1]]

    alone, shared = DetailMatch(), DetailMatch()
    for number in range(6):
        seconds = number / 25
        expected, given = (
            match.measure(frame, patch, alpha, seconds, each) for match, each in ((alone, map), (shared, noted))
        )
        for one, other in zip(expected, given, strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(given.soft, cv2.GaussianBlur(patch, (5, 5), 0))
        if given.grain > 0:
            np.testing.assert_array_equal(given.under, cv2.GaussianBlur(frame, (5, 5), 0))
    assert [len(items) for items in asked] == [2] * 6
