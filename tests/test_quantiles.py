"""Medians and percentiles: numpy's own."""

import numpy as np
import pytest

from understudy.quantiles import median, median_of_rows, percentile, percentiles

pytestmark = pytest.mark.parametrize("kind", [np.uint8, np.int32, np.float32, np.float64])


def drawn(rows, kind):
    return np.random.default_rng(rows).normal(100, 40, (rows, 3)).clip(0, 255).astype(kind)


@pytest.mark.parametrize("rows", [1, 2, 7, 30])
def test_medians_are_numpys(rows, kind):
    values = drawn(rows, kind)
    before = values.copy()
    found, expected = median_of_rows(values), np.median(values, axis=0)
    assert (found.dtype, found.tolist()) == (expected.dtype, expected.tolist())
    assert median(values) == np.median(values)
    assert (values == before).all()


@pytest.mark.parametrize("rows", [1, 2, 7, 30])
def test_percentiles_are_numpys(rows, kind):
    values, shares = drawn(rows, kind), (0, 2, 25, 50, 95, 99, 100)
    before = values.copy()
    assert percentiles(values, shares) == pytest.approx(np.percentile(values, shares).tolist(), rel=1e-6)
    assert percentile(values, 98) == pytest.approx(np.percentile(values, 98), rel=1e-6)
    assert (values == before).all()


def test_those_of_nothing_are_no_numbers(kind):
    nothing = drawn(0, kind)
    assert np.isnan(median(nothing))
    assert np.isnan(median_of_rows(nothing)).tolist() == [True] * 3
    assert np.isnan(percentiles(nothing, (5, 95))).tolist() == [True] * 2
