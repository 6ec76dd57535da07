"""Quotas: by the day, by the minute, for each user on their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from understudy.errors import UsageError
from understudy.server.access.quotas import QuotaError, Quotas, Rate, Usage

NOON = 20_000 * 86400.0 + 43200


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


def test_a_day_is_used_up_and_the_next_one_begins_anew(own):
    clock, quotas = Clock(NOON), Quotas(clips=2)
    usage = Usage(own, clock)
    usage.take("anna", "clips", 1, quotas)
    usage.take("anna", "clips", 1, quotas)
    with pytest.raises(QuotaError) as refused:
        usage.take("anna", "clips", 1, quotas)
    assert refused.value.seconds == 43200
    usage.take("ben", "clips", 1, quotas)  # his own
    assert usage.today("anna") == {"clips": 2, "minutes": 0, "live_seconds": 0}
    clock.now += 43200
    usage.take("anna", "clips", 1, quotas)


def test_what_was_not_done_is_given_back(own):
    usage = Usage(own, Clock(NOON))
    usage.take("anna", "minutes", 60, Quotas(minutes=60))
    usage.give_back("anna", "minutes", 20)
    usage.take("anna", "minutes", 20, Quotas(minutes=60))
    usage.give_back("anna", "minutes", 1000)
    assert usage.today("anna")["minutes"] == 0


def test_a_clock_that_goes_back_gives_no_day_anew(own):
    clock, quotas = Clock(NOON), Quotas(clips=1)
    usage = Usage(own, clock)
    usage.take("anna", "clips", 1, quotas)
    clock.now -= 86400
    with pytest.raises(QuotaError):
        usage.take("anna", "clips", 1, quotas)


def test_of_two_who_ask_at_once_for_the_last_one_gets_it(own):
    usage, quotas = Usage(own, Clock(NOON)), Quotas(clips=5)

    def one(_):
        try:
            Usage(own, Clock(NOON)).take("anna", "clips", 1, quotas)
        except QuotaError:
            return 0
        return 1

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(12))) == 5
    assert usage.today("anna")["clips"] == 5


def test_requests_come_evenly_and_some_at_once():
    clock = Clock(0.0)
    rate, quotas = Rate(clock), Quotas(requests=60)
    for _ in range(10):
        rate.take("anna", quotas)
    with pytest.raises(QuotaError) as refused:
        rate.take("anna", quotas)
    assert refused.value.seconds == 1
    rate.take("ben", quotas)
    clock.now += 1
    rate.take("anna", quotas)
    with pytest.raises(QuotaError):
        rate.take("anna", quotas)


def test_no_request_at_all_may_be_allowed():
    rate = Rate(Clock(0.0))
    rate.take("anna", Quotas(requests=0))  # the first of all is free: it learns of the quota
    with pytest.raises(QuotaError):
        rate.take("anna", Quotas(requests=0))


@pytest.mark.parametrize(
    "wrong", [{"clips": -1}, {"minutes": float("nan")}, {"requests": float("inf")}, {"bytes": "1"}]
)
def test_what_is_no_quota_is_told(wrong):
    with pytest.raises(UsageError):
        Quotas(**wrong)


def test_quotas_of_another_version_are_read():
    assert Quotas.parse('{"clips": 3, "songs": 7}') == Quotas(clips=3)
