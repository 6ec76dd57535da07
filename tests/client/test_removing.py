"""How a client removes what is still being stopped."""

from __future__ import annotations

import pytest

from understudy.client import ApiError

pytestmark = [pytest.mark.loopback, pytest.mark.slow]
GONE = (204, None, {})
STOPPING = (409, {"error": "the swap is being stopped", "hint": "Wait."}, {"Retry-After": 1})
BUSY = (429, {"error": "too many requests", "hint": "Wait."}, {"Retry-After": 1})


def test_a_swap_that_is_being_stopped_is_removed_once_it_has_stopped(standin, ask):
    standin.answers = [STOPPING, BUSY, GONE]
    assert ask("remove", "swaps", "0" * 32) is None
    assert [method for method, *_ in standin.asked] == ["DELETE"] * 3


def test_one_that_does_not_stop_and_a_refusal_are_told(standin, ask):
    for answer, times in ((STOPPING, 3), ((422, {"error": "it is needed", "hint": ""}, {}), 1)):
        standin.answers, standin.asked[:] = [answer], []
        with pytest.raises(ApiError) as refused:
            ask("remove", "swaps", "0" * 32, seconds=2.5)
        assert refused.value.status == answer[0]
        assert len(standin.asked) == times
