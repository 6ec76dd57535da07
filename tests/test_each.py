"""Two things done side by side."""

import threading

import pytest

from understudy.each import both


def test_both_run_at_once_and_give_their_results():
    met = threading.Barrier(2, timeout=30)  # neither goes on before the other has begun
    assert both(lambda: (met.wait(), "first")[1], lambda: (met.wait(), "other")[1]) == ("first", "other")


def test_an_error_comes_when_both_have_ended():
    begun, ended = threading.Event(), []

    def fails():
        begun.wait(30)
        raise KeyError("first")

    def works():
        begun.set()
        ended.append("other")

    with pytest.raises(KeyError, match="first"):
        both(fails, works)
    assert ended == ["other"]


def test_of_two_errors_the_other_ones_is_told():
    def fails(name):
        raise KeyError(name)

    with pytest.raises(KeyError, match="other"):
        both(lambda: fails("first"), lambda: fails("other"))
