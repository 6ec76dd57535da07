"""Files that browsers hand over."""

import asyncio
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from understudy.errors import InputNotFoundError, NoSpaceError, NotMediaError
from understudy.server import receiving
from understudy.server import uploads as module
from understudy.server.receiving import TooLargeError
from understudy.server.uploads import Uploads


async def pieces(*data):
    for one in data:
        yield one


def take(uploads, name, kind="photo", *data):
    return asyncio.run(uploads.take(name, kind, pieces(*(data or (b"abc", b"def")))))


@pytest.fixture
def uploads(tmp_path):
    found = Uploads(tmp_path)
    yield found
    found.close()


def files_in(folder):
    return [path for path in folder.rglob("*.jpg") if path.is_file()]


def test_a_file_is_kept_under_a_name_that_the_server_made(uploads, tmp_path):
    upload = take(uploads, "Grandma.JPG")
    assert (upload.name, upload.path.read_bytes()) == ("Grandma.JPG", b"abcdef")
    assert "Grandma" not in str(upload.path)
    assert upload.path.is_relative_to(tmp_path)
    assert uploads[upload.id] is upload
    assert len({take(uploads, "a.jpg").id for _ in range(20)}) == 20
    if os.name == "posix":
        assert upload.path.stat().st_mode & 0o777 == 0o600
        assert upload.path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\me\\a.jpg", "a.jpg"),
        ("/abs/olute.jpg", "olute.jpg"),
        ("a\x1b[2Jb\n.jpg", "a\ufffd[2Jb\ufffd.jpg"),
        ("\u202egpj.exe.jpg", "\ufffdgpj.exe.jpg"),
        ("x" * 300 + ".jpg", "x" * 39 + "…" + "x" * 36 + ".jpg"),
        ("<img src=x onerror=alert(1)>.jpg", "<img src=x onerror=alert(1)>.jpg"),
    ],
)
def test_a_name_is_only_shown(uploads, tmp_path, name, shown):
    upload = take(uploads, name)
    assert upload.name == shown
    assert files_in(tmp_path) == [upload.path]


@pytest.mark.parametrize(
    ("name", "kind"), [("a.exe", "photo"), ("a", "photo"), (".jpg", "photo"), ("a.mp4", "photo"), ("a.m3u8", "clip")]
)
def test_other_kinds_of_files_are_refused(uploads, name, kind):
    with pytest.raises(NotMediaError):
        take(uploads, name, kind)


def test_an_empty_file_is_refused_and_not_kept(uploads, tmp_path):
    with pytest.raises(NotMediaError, match="empty"):
        take(uploads, "a.jpg", "photo", b"")
    assert files_in(tmp_path) == []


def test_a_file_that_is_too_large_is_refused_as_soon_as_that_is_seen(uploads, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", {"photo": 10})
    seen = []

    async def endless():
        while True:
            seen.append(1)
            yield b"12345678"

    with pytest.raises(TooLargeError, match=r"a\.jpg"):
        asyncio.run(uploads.take("a.jpg", "photo", endless()))
    assert len(seen) == 2
    assert files_in(tmp_path) == []


def test_a_full_disk_is_said_before_it_is_full(uploads, tmp_path, monkeypatch):
    monkeypatch.setattr(receiving.shutil, "disk_usage", lambda _: SimpleNamespace(free=500_000_003))
    with pytest.raises(NoSpaceError):
        take(uploads, "a.jpg")
    assert files_in(tmp_path) == []


def test_too_many_files_are_refused(uploads, monkeypatch):
    monkeypatch.setattr(module, "MOST_FILES", 2)
    first = take(uploads, "a.jpg")
    take(uploads, "b.jpg")
    with pytest.raises(TooLargeError):
        take(uploads, "c.jpg")
    uploads.remove(first.id)
    take(uploads, "c.jpg")


def test_what_is_removed_is_gone(uploads):
    upload = take(uploads, "a.jpg")
    uploads.remove(upload.id)
    uploads.remove(upload.id)
    assert not upload.path.exists()
    with pytest.raises(InputNotFoundError):
        uploads[upload.id]


@pytest.mark.parametrize("number", ["", "../x", "0" * 32, "\x1b"])
def test_an_id_that_the_server_did_not_make_names_nothing(uploads, number):
    with pytest.raises(InputNotFoundError):
        uploads[number]


def test_a_transfer_that_breaks_off_leaves_nothing(uploads, tmp_path):
    async def broken():
        yield b"abc"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(uploads.take("a.jpg", "photo", broken()))
    assert files_in(tmp_path) == []


def test_at_the_end_nothing_is_left(tmp_path):
    uploads = Uploads(tmp_path)
    take(uploads, "a.jpg")
    uploads.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="POSIX locks")
def test_what_a_killed_run_left_is_removed_by_the_next_and_nothing_of_one_that_lives(tmp_path):
    living = Uploads(tmp_path)
    kept = take(living, "a.jpg")
    code = (
        "import asyncio, os, sys; from pathlib import Path\n"
        "from understudy.server.uploads import Uploads\n"
        "async def pieces(): yield b'x'\n"
        "uploads = Uploads(Path(sys.argv[1]))\n"
        "asyncio.run(uploads.take('b.jpg', 'photo', pieces()))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(files_in(tmp_path)) == 2
    Uploads(tmp_path).close()
    assert files_in(tmp_path) == [kept.path]
    living.close()
