"""OpenCV and numpy have one thread while frames run, and as many as before when the last of them are done."""

import os
import subprocess
import sys

import cv2
import pytest

from tests.library_threads import library_threads
from understudy import Settings, Understudy
from understudy.pipeline.library_threads import one_blas_thread, one_library_thread

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


def test_numpy_alone_has_one_where_opencv_keeps_its_own():
    with one_blas_thread():
        assert library_threads() == {1, 3}
        assert cv2.getNumThreads() == 3
        with one_library_thread():
            assert library_threads() == {1}
        assert library_threads() == {1, 3}
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


@pytest.mark.slow
def test_numpy_has_one_while_photos_are_looked_at(brief_clip, hopper_path, tmp_path):
    seen = set()

    class Looks:
        name = "looks"

        def intimate(self, _):
            seen.add(frozenset(library_threads()))
            return 0.0

    with Understudy(Settings(home=tmp_path / "home"), classifier=Looks()) as app:
        app.swap(brief_clip, tmp_path / "out.mp4", app.person(hopper_path, consent="sample"))
    assert seen == {frozenset({1, 3}), frozenset({1})}  # of the photo, beside OpenCV's threads, and of a frame
    assert library_threads() == {3}


#: The program, and then how many threads the BLAS of numpy has, which is loaded only now.
PROGRAM = """
import sys
from understudy.cli.entry import run
sys.argv = ["understudy", "--version"]
try:
    run()
except SystemExit:
    import numpy
    from threadpoolctl import threadpool_info
    print({library["num_threads"] for library in threadpool_info()})
"""


@pytest.mark.slow
@pytest.mark.parametrize(("wished", "threads"), [(None, "{1}"), ("2", "{2}")])
def test_in_the_program_numpy_has_one_from_the_start_unless_its_user_says_otherwise(wished, threads):
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    if wished:
        environment["OPENBLAS_NUM_THREADS"] = wished
    said = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == threads
