"""What sessions set aside for Python's garbage collector stays so until the last of them has ended."""

import gc

import pytest

from tests.sessions.stage import Screen
from understudy.sessions import collector


@pytest.mark.slow
def test_it_is_put_back_with_the_last_one_and_whoever_asked_for_nothing_changes_nothing():
    before = gc.get_freeze_count()
    first, second = object(), object()
    collector.set_aside(first)
    collector.set_aside(second)
    collector.put_back(object())
    collector.put_back(first)
    collector.put_back(first)
    assert gc.get_freeze_count() > before
    collector.put_back(second)
    assert gc.get_freeze_count() == 0


@pytest.mark.slow
def test_a_session_that_ends_or_fails_leaves_that_of_another_understudy_alone(session):
    def broken(_):
        raise RuntimeError("no such sink")

    with session(Screen()):
        other = session(Screen())
        other.start()
        other.stop()
        assert gc.get_freeze_count() > 0
        with pytest.raises(RuntimeError):
            session(broken).start()
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
