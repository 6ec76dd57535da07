"""What is kept of faces: for their owner only, gone at one word, and never back by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from understudy.errors import PrivacyError, RecordsError
from understudy.provenance.records import home as homes
from understudy.provenance.records.faces import FaceCache

PHOTO, OTHER = "a" * 64, "b" * 64
posix = pytest.mark.skipif(os.name != "posix", reason="file modes")


@pytest.fixture
def cache(own):
    return FaceCache(own)


def test_what_is_written_is_read_and_the_last_one_counts(cache):
    assert cache.read(PHOTO, "x") is None
    for data in (b"one", b"two"):
        cache.write(PHOTO, "x", data)
        assert cache.read(PHOTO, "x") == data
    assert cache.read(PHOTO, "y") is None
    assert cache.read(OTHER, "x") is None


def test_forgetting_one_photo_leaves_the_others(cache, own):
    for photo in (PHOTO, OTHER):
        cache.read(photo, "x")
        cache.write(photo, "x", b"learned")
    cache.forget(PHOTO)
    cache.forget(PHOTO)  # nothing is there any more, and that is right
    assert [path.name for path in (own.root / "cache" / "faces").iterdir()] == [OTHER]
    assert cache.read(OTHER, "x") == b"learned"


def test_what_is_learned_while_consent_is_revoked_is_not_kept(cache, own):
    assert cache.read(PHOTO, "x") is None
    cache.forget(PHOTO)
    cache.write(PHOTO, "x", b"learned too late")
    assert [path for path in (own.root / "cache").rglob("*") if path.is_file()] == []
    assert cache.read(PHOTO, "x") is None
    cache.write(PHOTO, "x", b"with a new consent")
    assert cache.read(PHOTO, "x") == b"with a new consent"


def test_what_names_no_photo_removes_nothing(cache, own):
    cache.read(PHOTO, "x")
    cache.write(PHOTO, "x", b"learned")
    for wrong in ("", "..", "../../keys", "A" * 64, PHOTO + "/.."):
        for use in (cache.forget, cache.folder):
            with pytest.raises(RecordsError, match="names no photo"):
                use(wrong)
    assert cache.read(PHOTO, "x") == b"learned"


@posix
def test_a_folder_that_others_may_enter_is_refused(cache):
    cache.folder(PHOTO).chmod(0o755)
    with pytest.raises(PrivacyError, match="others can get at"):
        cache.read(PHOTO, "x")


@posix
def test_a_full_disk_costs_the_cache_and_not_the_swap(cache, monkeypatch):
    cache.read(PHOTO, "x")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(homes.os, "fsync", full)
    cache.write(PHOTO, "x", b"learned")
    monkeypatch.undo()
    assert cache.read(PHOTO, "x") is None
    assert list(cache.folder(PHOTO).iterdir()) == []


def test_what_can_not_be_removed_is_said(cache, monkeypatch):
    cache.read(PHOTO, "x")
    cache.write(PHOTO, "x", b"learned")

    def stuck(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", stuck)
    with pytest.raises(PrivacyError, match="can't be removed") as fault:
        cache.forget(PHOTO)
    assert "by hand" in fault.value.hint
    assert cache.read(PHOTO, "x") is None


KILLED = """
import os, sys
from pathlib import Path
from understudy.provenance.records.faces import FaceCache
from understudy.provenance.records.home import Home
cache = FaceCache(Home(Path(sys.argv[1])))
cache.read(sys.argv[2], "x")
if sys.argv[3] == "writing":
    Path.replace = lambda *_: os._exit(9)
    cache.write(sys.argv[2], "x", b"learned")
cache.write(sys.argv[2], "x", b"learned")
import shutil
shutil.rmtree = lambda *_: os._exit(9)
cache.forget(sys.argv[2])
"""


@posix
@pytest.mark.parametrize("what", ["writing", "forgetting"])
@pytest.mark.parametrize("by", ["the next run", "the next word"])
def test_what_a_killed_run_leaves_goes(what, by, own):
    command = [sys.executable, "-c", KILLED, str(own.root), PHOTO, what]
    assert subprocess.run(command, check=False).returncode == 9
    left = [path for path in (own.root / "cache").rglob("*") if path.is_file()]
    assert left
    if by == "the next run":
        own.tidy()
    else:
        FaceCache(own).forget(PHOTO)
    assert [path for path in (own.root / "cache").rglob("*") if path.is_file()] == []
