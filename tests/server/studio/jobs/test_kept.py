"""What jobs need is kept until they are done."""

import errno
import os
import shutil
import stat
import sys
import time
from types import SimpleNamespace

import pytest

from understudy.errors import InputError, NoSpaceError
from understudy.server.keeping import keep
from understudy.server.studio.jobs.kept import Kept, stem_of


@pytest.mark.parametrize(
    ("shown", "stem"),
    [
        ("holiday.mp4", "holiday"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot"),
        ("Scène 1 (final).mp4", "Scène 1 final"),
        ("가족 영상.mov", "가족 영상"),
        ("हिन्दी फ़िल्म!.mp4", "हिन्दी फ़िल्म"),
        ("สวัสดี.mp4", "สวัสดี"),
        ("❤️ home.mp4", "home"),
        ("  -rf .mp4", "rf"),
        ('a<b>:"c|?*\x00\n.mp4', "abc"),
        ("con.mp4", "clip"),
        ("LPT1.tar.mp4", "LPT1tar"),
        (".mp4", "mp4"),
        ("", "clip"),
        ("x" * 500 + ".mp4", "x" * 60),
    ],
)
def test_a_name_is_made_of_what_the_user_calls_it(shown, stem):
    assert stem_of(shown) == stem


def job(folder):
    return SimpleNamespace(order=SimpleNamespace(target=folder / "clip.mp4"))


@pytest.fixture
def kept(tmp_path):
    (tmp_path / "kept").mkdir()
    return Kept(tmp_path / "kept")


def test_what_no_job_needs_goes(kept, tmp_path):
    with kept.new() as needed:
        (needed / "clip.mp4").write_bytes(b"a")
    with kept.new() as idle:
        (idle / "clip.mp4").write_bytes(b"b")
    kept.sweep(lambda: [job(needed), job(tmp_path / "elsewhere")])
    assert needed.exists()
    assert not idle.exists()


def test_what_another_studio_is_about_to_use_stays(kept):
    with kept.new() as folder:
        Kept(folder.parent).sweep(list)
        assert folder.exists()
        os.utime(next(folder.iterdir()), (time.time() - 9999,) * 2)  # of a studio that was killed
        Kept(folder.parent).sweep(list)
        assert not folder.exists()
        folder.mkdir()
        (folder / ".new").touch()


def test_a_job_that_is_added_while_it_is_swept_keeps_what_it_needs(kept, tmp_path):
    added = []

    def needed():
        found = [*added]
        other = Kept(tmp_path / "kept")  # another studio, with a lock of its own
        with other.new() as folder:
            added.append(job(folder))
        return found

    kept.sweep(needed)
    assert added[0].order.target.parent.exists()
    kept.sweep(lambda: added)
    assert added[0].order.target.parent.exists()


def test_where_no_job_comes_of_it_nothing_is_left(kept):
    with pytest.raises(ZeroDivisionError), kept.new() as folder:
        (folder / "clip.mp4").write_bytes(b"a")
        raise ZeroDivisionError
    assert not folder.exists()


@pytest.mark.parametrize("linked", [True, False])
def test_a_kept_file_outlives_what_was_handed_over(tmp_path, linked):
    file, folder = tmp_path / "a.mp4", tmp_path / "kept"
    file.write_bytes(b"all of it")
    file.chmod(0o600)
    folder.mkdir()
    there = keep(file, "b.mp4", folder, linked=linked)
    file.unlink()
    assert there.read_bytes() == b"all of it"
    if sys.platform != "win32":
        assert stat.S_IMODE(there.stat().st_mode) == 0o600


def test_a_file_that_is_gone_is_an_error(tmp_path):
    with pytest.raises(InputError):
        keep(tmp_path / "gone.mp4", "b.mp4", tmp_path)


def test_a_copy_that_did_not_come_whole_leaves_nothing(tmp_path, monkeypatch):
    file, folder = tmp_path / "clip.mp4", tmp_path / "kept"
    file.write_bytes(b"x" * 100)
    folder.mkdir()

    def half(source, target):
        target.write_bytes(b"x" * 50)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", half)
    with pytest.raises(NoSpaceError):
        keep(file, "clip.mp4", folder)
    assert list(folder.iterdir()) == []
    monkeypatch.undo()
    assert keep(file, "clip.mp4", folder).read_bytes() == file.read_bytes()
    assert stat.S_IMODE((folder / "clip.mp4").stat().st_mode) == 0o600
