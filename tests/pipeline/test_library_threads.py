"""OpenCV and numpy have one thread while frames run, and as many as before when the last of them are done."""

import pytest

from tests.library_threads import library_threads
from understudy import Settings, Understudy
from understudy.pipeline.library_threads import one_library_thread

pytestmark = pytest.mark.usefixtures("three_library_threads")


def test_they_have_one_until_the_last_block_has_ended_whichever_that_is():
    first, second = one_library_thread(), one_library_thread()
    first.__enter__()
    second.__enter__()
    assert library_threads() == {1}
    first.__exit__(None, None, None)
    assert library_threads() == {1}
    second.__exit__(None, None, None)
    assert library_threads() == {3}


def test_they_have_as_many_as_before_after_an_error():
    with pytest.raises(ZeroDivisionError), one_library_thread():
        assert library_threads() == {1}
        raise ZeroDivisionError
    assert library_threads() == {3}


@pytest.mark.slow
def test_they_have_one_while_a_clip_is_swapped(brief_clip, hopper_path, tmp_path):
    seen = set()
    with Understudy(Settings(home=tmp_path / "home")) as app:
        person = app.person(hopper_path, consent="sample")
        app.swap(brief_clip, tmp_path / "out.mp4", person, progress=lambda *_: seen.update(library_threads()))
    assert seen == {1}
    assert library_threads() == {3}
