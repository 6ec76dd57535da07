"""Boxes: how they overlap, which of a group stays, and which pixels they cover."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from understudy.frames import PixelBox
from understudy.geometry.boxes import bounds_xyxy, iou_xyxy, pixel_box, rounded_box, weighted_nms

coordinate = st.floats(-500, 500, width=32)


@st.composite
def boxes(draw, most=6):
    count = draw(st.integers(0, most))
    corner = draw(hnp.arrays(np.float32, (count, 2), elements=coordinate))
    size = draw(hnp.arrays(np.float32, (count, 2), elements=st.floats(1, 300, width=32)))
    return np.concatenate([corner, corner + size], axis=1)


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_between_0_and_1(first, second):
    overlap = iou_xyxy(first, second)
    assert overlap.shape == (len(first), len(second))
    np.testing.assert_allclose(overlap, iou_xyxy(second, first).T, rtol=1e-4, atol=1e-6)
    assert (overlap >= 0).all()
    assert (overlap <= 1.0001).all()


@given(boxes())
def test_a_box_overlaps_itself_wholly(some):
    np.testing.assert_allclose(np.diag(iou_xyxy(some, some)), 1, rtol=1e-3)


@given(boxes())
def test_suppression_leaves_no_two_boxes_that_were_one_group_and_keeps_the_best_score(some):
    scores = np.linspace(0.5, 1, len(some), dtype=np.float32)
    merged, kept, extra = weighted_nms(some, scores, np.zeros((len(some), 3), np.float32), 0.3)
    assert len(merged) == len(kept) == len(extra) <= len(some)
    if len(some):
        assert kept[0] == scores.max()
        # A merged box stays within the hull of what it was made of.
        assert merged.min() >= some.min() - 1e-2
        assert merged.max() <= some.max() + 1e-2


def test_overlapping_boxes_become_their_weighted_mean():
    pair = np.array([[0, 0, 10, 10], [2, 0, 12, 10]], np.float32)
    merged, scores, _ = weighted_nms(pair, np.array([0.9, 0.3], np.float32), np.zeros((2, 0), np.float32), 0.3)
    np.testing.assert_allclose(merged, [[0.5, 0, 10.5, 10]], atol=1e-5)
    np.testing.assert_allclose(scores, [0.9])


@given(hnp.arrays(np.float32, (4,), elements=st.floats(allow_nan=True, allow_infinity=True, width=32)))
def test_pixel_boxes_stay_in_the_picture_whatever_the_landmarks_say(wild):
    box = pixel_box(wild, 640, 480, 3)
    assert 0 <= box.x0 <= 640
    assert 0 <= box.x1 <= 640
    assert 0 <= box.y0 <= 480
    assert 0 <= box.y1 <= 480


@given(hnp.arrays(np.float32, (4,), elements=st.floats(allow_nan=True, allow_infinity=True, width=32)))
def test_a_rounded_box_has_numbers_of_pythons_own_whatever_is_rounded(wild):
    box = rounded_box(wild)
    assert {type(side) for side in box} == {int}
    for side, value in zip(box, wild.tolist(), strict=True):
        assert not abs(value) < 2**30 or abs(side - value) <= 0.5


def test_bounds_hold_all_points():
    points = np.array([[[1, 2, 9], [5, -3, 9]]], np.float32)
    np.testing.assert_array_equal(bounds_xyxy(points), [[1, -3, 5, 2]])


def test_a_pixel_box_without_pixels_is_empty():
    assert PixelBox(4, 4, 4, 9).empty
    assert not PixelBox(4, 4, 5, 5).empty


@given(st.tuples(*[st.integers(0, 21)] * 4))
def test_a_box_that_is_made_even_holds_the_same_and_is_odd_only_at_a_pictures_odd_edge(corners):
    box = PixelBox(*corners).clipped(21, 20)
    even = box.even(21, 20)
    if box.empty:
        assert even == box
        return
    assert even == even.clipped(21, 20)
    assert even.x0 <= box.x0
    assert even.y0 <= box.y0
    assert even.x1 - box.x1 in (0, 1)
    assert even.y1 - box.y1 in (0, 1)
    assert all(place % 2 == 0 for place in (even.x0, even.y0, even.y1))
    assert even.x1 % 2 == 0 or even.x1 == 21
