"""Transforms: fitted to points, undone, and crops made with them."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from understudy.geometry.templates import TEMPLATES
from understudy.geometry.transforms import RotatedSquare, apply, crop, invert, scale_of, similarity

number = st.floats(-1000, 1000, width=32)
points = hnp.arrays(np.float32, st.tuples(st.integers(2, 8), st.just(2)), elements=number)


@st.composite
def transforms(draw):
    scale, angle = draw(st.floats(0.05, 20)), draw(st.floats(-3.14, 3.14))
    shift = draw(st.tuples(number, number))
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]], np.float32)


@given(points, transforms())
def test_a_similarity_is_found_again_from_its_points(some, truth):
    assume(np.ptp(some, axis=0).max() > 10)
    found = similarity(some, apply(truth, some))
    np.testing.assert_allclose(apply(found, some), apply(truth, some), atol=2e-3 * scale_of(truth) * 1000, rtol=1e-3)
    assert scale_of(found) == pytest.approx(scale_of(truth), rel=1e-2)


@given(points, transforms())
def test_the_inverse_undoes(some, transform):
    there_and_back = apply(invert(transform), apply(transform, some))
    np.testing.assert_allclose(there_and_back, some, atol=0.1 + 0.05 / scale_of(transform))


@given(points)
def test_no_other_similarity_fits_better(some):
    assume(np.ptp(some, axis=0).max() > 10)
    target = some[::-1] * np.float32(0.7) + np.float32(3)
    best = similarity(some, target)
    error = np.square(apply(best, some) - target).sum()
    for row in range(2):
        for column in range(3):
            other = best.copy()
            other[row, column] += 0.01 * (1 if column < 2 else 100)
            other[1 - row, (1 - column) if column < 2 else column] += 0
            assert np.square(apply(_as_similarity(other), some) - target).sum() >= error * 0.999 - 1


def _as_similarity(matrix):
    a, b = (matrix[0, 0] + matrix[1, 1]) / 2, (matrix[1, 0] - matrix[0, 1]) / 2
    return np.array([[a, -b, matrix[0, 2]], [b, a, matrix[1, 2]]], np.float32)


@pytest.mark.parametrize("bad", [np.zeros((1, 2)), np.zeros((3, 2)), np.zeros((0, 2))])
def test_points_in_one_place_or_too_few_are_refused(bad):
    with pytest.raises(ValueError, match=r"two|one place"):
        similarity(bad.astype(np.float32), bad.astype(np.float32))


@given(st.floats(10, 500), st.floats(-3.14, 3.14), st.integers(16, 256))
def test_a_region_fills_its_crop(size, angle, side):
    roi = RotatedSquare((123.0, 45.0), size, angle)
    corners = apply(roi.to_crop(side), roi.corners)
    np.testing.assert_allclose(corners, [[0, 0], [side, 0], [side, side], [0, side]], atol=side * 1e-3)


@pytest.mark.parametrize("scale", [0.1, 0.3, 0.5, 1.0, 1.7])
def test_a_crop_shows_the_point_where_the_transform_says(scale):
    picture = np.zeros((400, 400, 3), np.uint8)
    picture[200:220, 120:140] = 255
    transform = np.array([[scale, 0, 5], [0, scale, 7]], np.float32)
    small = crop(picture, transform, (400, 400))[:, :, 0].astype(float)
    y, x = np.mgrid[0:400, 0:400] + 0.5
    center = np.array([(x * small).sum(), (y * small).sum()]) / small.sum()
    np.testing.assert_allclose(center, [130 * scale + 5, 210 * scale + 7], atol=0.15)


def test_a_much_smaller_crop_averages_and_does_not_skip_pixels():
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    small = crop(stripes, np.array([[0.125, 0, 0], [0, 0.125, 0]], np.float32), (64, 64))
    assert np.ptp(small[4:-4, 4:-4]) <= 4
    assert abs(int(small[32, 32, 0]) - 127) <= 3


def test_every_template_is_a_face_the_right_way_up():
    for name, template in TEMPLATES.items():
        assert template.shape == (5, 2), name
        assert ((template > 0) & (template < 1)).all(), name
        left_eye, right_eye, nose, left_mouth, right_mouth = template
        assert left_eye[0] < nose[0] < right_eye[0], name
        assert left_mouth[0] < nose[0] < right_mouth[0], name
        assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1]), name


def test_templates_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        TEMPLATES["ffhq_512"][0, 0] = 0
