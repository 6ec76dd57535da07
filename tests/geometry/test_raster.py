"""The rasteriser: each pixel whose centre is covered, once, by the nearest surface."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.geometry.raster import EMPTY, rasterise

ONE = np.array([[0, 1, 2]], np.int32)


def square(x0, y0, x1, y1, z=0.0):
    points = np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]], np.float32)
    return points, np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def test_a_square_covers_exactly_the_pixels_whose_centres_lie_in_it():
    points, triangles = square(2, 3, 7, 9)
    _, depth = rasterise(points, triangles, np.zeros((4, 1), np.float32), (12, 12))
    covered = depth < EMPTY
    assert covered.sum() == 5 * 6
    assert covered[3:9, 2:7].all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 37), st.floats(-5, 37)), min_size=3, max_size=3))
def test_interpolation_gives_back_linear_functions(corners):
    points = np.array([[x, y, 0] for x, y in corners], np.float32)
    values, depth = rasterise(points, ONE, points[:, :2].copy(), (32, 32))
    y, x = np.nonzero(depth < EMPTY)
    # A sliver's barycentric weights are ill-conditioned: what they give may be off by what the area lacks.
    edges = points[1:, :2] - points[0, :2]
    area = abs(float(np.linalg.det(edges.astype(np.float64))))
    np.testing.assert_allclose(values[y, x, 0], x + 0.5, atol=0.02 + 0.5 / max(area, 1e-3))
    np.testing.assert_allclose(values[y, x, 1], y + 0.5, atol=0.02 + 0.5 / max(area, 1e-3))


def test_the_nearer_surface_wins_whatever_the_order():
    near, triangles = square(0, 0, 8, 8, z=-1)
    far, _ = square(0, 0, 8, 8, z=5)
    for first, second, expected in ((near, far, 0), (far, near, 1)):
        points = np.concatenate([first, second])
        values = np.repeat([[0.0], [1.0]], 4, axis=0).astype(np.float32)
        drawn, _ = rasterise(points, np.concatenate([triangles, triangles + 4]), values, (8, 8))
        assert (drawn == expected).all()


def test_triangles_that_face_away_or_are_not_numbers_are_not_drawn():
    points, triangles = square(0, 0, 8, 8)
    _, depth = rasterise(points, triangles[:, ::-1].copy(), np.zeros((4, 1), np.float32), (8, 8))
    assert (depth == EMPTY).all()
    points[0, 0] = np.nan
    _, depth = rasterise(points, triangles, np.zeros((4, 1), np.float32), (8, 8))
    assert (depth == EMPTY).all()


def test_neighbouring_triangles_leave_no_gap():
    rng = np.random.default_rng(5)
    grid = np.stack(np.meshgrid(np.arange(9) * 8.0, np.arange(9) * 8.0), -1).reshape(-1, 2)
    grid += rng.uniform(-2, 2, grid.shape)
    index = np.arange(81).reshape(9, 9)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    triangles = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))]).astype(np.int32)
    points = np.column_stack([grid, np.zeros(81)]).astype(np.float32)
    _, depth = rasterise(points, triangles, np.zeros((81, 1), np.float32), (64, 64))
    assert (depth[4:60, 4:60] < EMPTY).all()


def test_a_large_one_is_the_same_by_halves_and_a_triangle_across_them_is_whole():
    rng = np.random.default_rng(7)
    points = np.concatenate([rng.uniform(-20, 620, (90, 2)), rng.uniform(-5, 5, (90, 1))], axis=1).astype(np.float32)
    triangles = rng.integers(0, 90, (60, 3)).astype(np.int32)
    values, asked = rng.normal(size=(90, 4)).astype(np.float32), []

    def backwards(work, rows):
        asked.extend(rows)
        return [work(some) for some in asked[::-1]]

    whole, halves = (rasterise(points, triangles, values, (600, 501), each) for each in (map, backwards))
    assert asked == [(0, 250), (250, 501)]
    for one, other in zip(whole, halves, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (whole[1] < EMPTY)[249:251].any()


@pytest.mark.parametrize("far", [1e19, -1e30, 3e38, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("corner", [0, 1, 2])
def test_a_corner_beyond_all_whole_numbers_neither_ends_the_process_nor_spoils_what_is_drawn(far, axis, corner):
    points = np.array([[0, 0, 0], [8, 0, 0], [0, 8, 0]], np.float32)
    points[corner, axis] = far
    values, depth = rasterise(points, ONE, np.ones((3, 1), np.float32), (16, 12))
    assert np.isfinite(values).all()
    assert depth.shape == (12, 16)
