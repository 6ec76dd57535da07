"""Times of a clip as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.times import clock, seconds_of


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("12.5", 12.5), (12, 12.0), ("0:12.5", 12.5), ("1:02:03.25", 3723.25), ("90", 90.0), ("61:00", 3660.0),
        ("0", 0.0), (" 5. ", 5.0), ("01:02", 62.0), ("0:00:07", 7.0),
    ],
)  # fmt: skip
def test_what_people_write(written, seconds):
    assert seconds_of(written) == seconds


@pytest.mark.parametrize(
    "written",
    [
        *("", "x", "-1", "1:60", "1:60:00", "1:2:3:4", ":30", "1:", "1,5", "1e3", "nan", "٣", "12s", "0x10"),
        *(-1.0, float("nan"), float("inf"), 2e6, "99999999", True),
    ],
)
def test_what_is_no_time(written):
    with pytest.raises(ValueError, match="time"):
        seconds_of(written)


@given(st.integers(0, 999_999_999))
def test_what_is_shown_is_read_as_the_same(thousandths):
    assert seconds_of(clock(thousandths / 1000)) == pytest.approx(thousandths / 1000, abs=1e-9)
