"""The rehearsal before a machine's first live session: it compiles what that needs, once, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from understudy.cli.demo import sample_pictures
from understudy.cli.rehearsal import Rehearsal
from understudy.compiled import kept
from understudy.compiled.kept import Mark
from understudy.testing import ClipSpec, write_clip


@pytest.fixture
def kept_in(tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    monkeypatch.setattr(kept, "folders", lambda source: (folder,))
    return folder


def test_a_mark_is_there_for_this_version_on_this_machine_until_it_is_cleared(kept_in, monkeypatch):
    mark = Mark("done")
    assert not mark.is_there
    assert mark.set()
    assert Mark("done").is_there
    assert not Mark("else").is_there
    monkeypatch.setattr(kept, "__version__", "another")
    assert not Mark("done").is_there
    mark.clear()
    assert not mark.is_there
    assert not list(kept_in.iterdir())


def test_there_is_a_mark_on_systems_that_say_nothing_of_their_processor(kept_in, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "PROCESSOR", tmp_path / "none")
    assert Mark("done").set()
    assert Mark("done").is_there


def test_where_nothing_can_be_kept_nobody_waits_for_a_rehearsal(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(kept, "folders", lambda source: (tmp_path / "file" / "below",))
    rehearsal = Rehearsal()
    assert rehearsal.needed
    assert not rehearsal.begin()
    rehearsal.wait()


def test_where_it_has_no_room_it_is_left_out_and_needed_the_next_time(kept_in, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    rehearsal = Rehearsal()
    assert not rehearsal.begin()
    rehearsal.wait()
    assert Rehearsal().needed


@pytest.mark.slow
def test_one_that_is_cut_short_is_needed_again_and_leaves_nothing(kept_in, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    rehearsal = Rehearsal()
    assert rehearsal.begin(politely=True)
    assert not Rehearsal().begin()  # another program's, meanwhile
    until = time.monotonic() + 60
    while not list(temporary.glob("*/home")) and time.monotonic() < until:
        time.sleep(0.05)
    assert list(temporary.iterdir())
    rehearsal.close()
    assert rehearsal.needed
    assert not list(temporary.iterdir())
    rehearsal.close()


#: Keeps kernels in a folder of its own, which is named first.
_APART = (
    "import sys, pathlib\n"
    "from understudy.compiled import kept\n"
    "apart = pathlib.Path(sys.argv[1])\n"
    "kept.folders = lambda source: (apart,)\n"
)
_REHEARSE = (
    _APART + "import runpy\ndel sys.argv[1]\nrunpy.run_module('understudy.cli.rehearsal', run_name='__main__')\n"
)
_LIVE = _APART + (
    "from understudy import Settings, Understudy\n"
    "kernels, photo, folder, *clips = map(pathlib.Path, sys.argv[1:])\n"
    "with Understudy(Settings(home=folder / 'home')) as app:\n"
    "    for clip in clips:\n"
    "        with app.live(app.person(photo, consent='sample'), clip, folder / f'out-{clip.name}') as session:\n"
    "            session.wait(60)\n"
    "            print(session.statistics().frames_swapped)\n"
    "print(len({'numba', 'llvmlite'} & {*sys.modules}))"
)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="numba itself loads code elsewhere")
def test_the_first_sessions_after_it_need_no_compiler(hopper_path, small_clip, tmp_path):
    kernels, folder, close = tmp_path / "kernels", tmp_path / "folder", tmp_path / "close.mp4"
    folder.mkdir()
    # As wide as the picture: what lies under the face is no view of a larger picture then.
    pictures = [picture[:, 370:600].copy() for picture in list(sample_pictures(20))[::2]]
    # Live, frames are left out where something else has the cores: of so many some are swapped nevertheless.
    write_clip(close, [*pictures, *pictures[::-1]] * 3, ClipSpec())
    subprocess.run([sys.executable, "-c", _REHEARSE, str(kernels), str(folder)], check=True)
    compiled = {path.name for path in kernels.iterdir()}
    assert compiled
    command = [sys.executable, "-c", _LIVE, *map(str, (kernels, hopper_path, tmp_path, small_clip, close))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *swapped, compilers = map(int, done.stdout.split())
    assert compilers == 0
    assert len(swapped) == 2
    assert min(swapped) > 3
    assert {path.name for path in kernels.iterdir()} == compiled
