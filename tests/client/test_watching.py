"""How a swap is watched over lines that break."""

from __future__ import annotations

import time

import pytest

from understudy.client import ApiError

pytestmark = [pytest.mark.loopback, pytest.mark.slow]


def swap(state, share=0.0):
    return (200, {"id": "0" * 32, "state": state, "share": share, "error": "", "hint": ""}, {})


def refusal(status, **headers):
    return (status, {"error": "not now", "hint": "Come back.", "status": status}, headers)


def test_it_comes_back_where_the_line_breaks_or_the_server_is_busy(standin, ask):
    broken = [None, refusal(503), refusal(429)]
    standin.answers = [swap("running", 0.2), *broken, swap("running", 0.2), swap("done", 1.0)]
    assert [(one["state"], one["share"]) for one in ask("watch", "0" * 32)] == [("running", 0.2), ("done", 1.0)]
    standin.answers = [None, swap("done", 1.0)]
    assert ask("wait", "0" * 32)["state"] == "done"


def test_who_is_in_a_clip_is_asked_again_where_the_line_breaks(standin, ask):
    looking, found = ((200, {"state": state, "people": []}, {}) for state in ("looking", "done"))
    standin.answers = [looking, looking, None, refusal(503), found]
    assert ask("who_is_there", "0" * 32) == []


def test_who_is_in_a_clip_is_looked_for_anew_where_the_server_was_started_anew(standin, ask):
    looking, found = ((200, {"state": state, "people": []}, {}) for state in ("looking", "known"))
    standin.answers = [looking, None, refusal(422), refusal(503), looking, found]
    assert ask("who_is_there", "0" * 32) == []
    assert [method for method, _, _ in standin.asked] == ["POST", "GET", "GET", "POST", "POST", "GET"]
    standin.answers = [looking, refusal(404)]
    with pytest.raises(ApiError) as fault:
        ask("who_is_there", "0" * 32)
    assert fault.value.status == 404


def test_it_comes_back_when_the_server_says(standin, ask):
    standin.answers = [refusal(503, **{"Retry-After": 3}), swap("done", 1.0)]
    begun = time.monotonic()
    assert ask("wait", "0" * 32)["state"] == "done"
    assert time.monotonic() - begun >= 3
    standin.answers = [refusal(429, **{"Retry-After": 86400})]
    with pytest.raises(ApiError, match="not now") as refused:
        ask("wait", "0" * 32)
    assert (refused.value.status, refused.value.retry_after) == (429, 86400)


def test_it_does_not_come_back_for_ever(standin, ask):
    standin.answers = [None]
    begun = time.monotonic()
    with pytest.raises(ApiError, match="reached") as lost:
        ask("wait", "0" * 32, seconds=2.5)
    assert lost.value.status == 0
    assert len(standin.asked) == 3
    assert time.monotonic() - begun < 30


def test_a_refusal_and_an_end_are_told_at_once(standin, ask):
    for answer in (refusal(404), refusal(401), refusal(422), swap("failed"), swap("cancelled"), swap("gone")):
        standin.answers, standin.asked[:] = [answer], []
        with pytest.raises(ApiError):
            ask("wait", "0" * 32)
        assert len(standin.asked) == 1
