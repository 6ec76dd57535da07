"""OpenCV and numpy have one thread while a session runs, and as many as before once it has ended or could not begin."""

import pytest

from tests.library_threads import library_threads
from tests.sessions.stage import Screen

pytestmark = pytest.mark.usefixtures("three_library_threads")


@pytest.mark.slow
def test_they_have_one_until_the_session_has_ended(session):
    with session(Screen()):
        assert library_threads() == {1}
    assert library_threads() == {3}


@pytest.mark.slow
def test_a_session_that_can_not_begin_leaves_them_as_they_were(session):
    def broken(_):
        raise RuntimeError("no such sink")

    with pytest.raises(RuntimeError):
        session(broken).start()
    assert library_threads() == {3}
