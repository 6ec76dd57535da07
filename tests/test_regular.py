"""Files beside the medium: regular ones only, none longer than it may be, and nobody waits for them."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from understudy.errors import InputError, UnfitFileError
from understudy.regular import check_kind, check_regular, open_regular, read_most, read_regular

unix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices have names on Unix only")


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_file_is_read_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 8192)
    assert read_regular(path, 2 << 20) == path.read_bytes()
    link = tmp_path / "link"
    link.symlink_to(path)
    assert read_regular(link, 2 << 20) == path.read_bytes()


def test_the_limit_is_met_and_not_passed(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert len(read_regular(path, 100)) == 100
    with pytest.raises(UnfitFileError, match="longer than the 99 bytes"):
        read_regular(path, 99)


@unix
def test_a_pipe_that_nobody_writes_to_is_told_at_once(pipe):
    with pytest.raises(UnfitFileError, match="a pipe, not a file"):
        read_regular(pipe, 100)


@unix
@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda folder: Path("/dev/zero"), "a device"),
        (lambda folder: Path("/dev/null"), "a device"),
        (lambda folder: folder, "a folder"),
    ],
)
def test_what_is_no_file_is_called_by_its_name(tmp_path, make, what):
    with pytest.raises(UnfitFileError, match=what):
        check_regular(make(tmp_path), 100)


@unix
def test_a_socket_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's name is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(UnfitFileError, match="a socket"):
            open_regular(Path("socket"), 100)


@unix
def test_standard_input_is_no_file_when_it_is_a_pipe():
    reading, writing = os.pipe()
    try:
        with pytest.raises(UnfitFileError, match="a pipe"):
            read_regular(Path(f"/dev/fd/{reading}"), 100)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_sparse_file_is_told_by_its_size(tmp_path):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(100 << 30)
    with pytest.raises(UnfitFileError, match="longer"):
        read_regular(path, 1 << 20)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's own files")
def test_a_file_that_does_not_know_its_length_is_bounded_all_the_same():
    assert Path("/proc/self/maps").stat().st_size == 0
    assert read_regular(Path("/proc/self/status"), 1 << 20)
    with pytest.raises(UnfitFileError, match="longer than the 100 bytes"):
        read_regular(Path("/proc/self/maps"), 100)


def test_a_file_that_grows_while_it_is_read_is_bounded(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    with open_regular(path, 20) as file:
        with path.open("ab") as growing:
            growing.write(b"x" * 100)
        with pytest.raises(UnfitFileError, match="longer than the 20 bytes"):
            read_most(file, path, 20)


@unix
def test_a_file_that_becomes_a_pipe_between_two_looks_is_not_waited_for(tmp_path, pipe, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    looked = path.stat()
    monkeypatch.setattr(Path, "stat", lambda *_, **__: looked)
    with pytest.raises(UnfitFileError, match="a pipe"):
        open_regular(pipe, 100)


def test_what_is_missing_is_told_as_by_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none", 100)


def test_the_error_is_one_of_ours_and_one_of_the_systems(tmp_path):
    with pytest.raises(OSError, match="can't use") as found:
        read_regular(tmp_path, 100)
    assert isinstance(found.value, InputError)
    assert found.value.strerror == "it is a folder, not a file"


def test_a_file_that_goes_while_it_is_looked_at_is_gone_and_not_forbidden(tmp_path, monkeypatch):
    path = tmp_path / "things.db-journal"
    path.write_bytes(b"")

    def access(*_):
        path.unlink()
        return False

    monkeypatch.setattr(os, "access", access)
    with pytest.raises(FileNotFoundError):
        check_kind(path, 10)
