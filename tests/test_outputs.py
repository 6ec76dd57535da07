"""Which files are written, and what becomes of those that were there."""

from __future__ import annotations

import os
import socket
import stat

import pytest

from understudy.errors import OutputError, OutputExistsError
from understudy.outputs import Draft, settled

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes and pipes")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@posix
@pytest.mark.parametrize("kept", [0o600, 0o640, 0o444, 0o666, 0o755])
def test_what_is_replaced_keeps_its_mode(tmp_path, kept):
    path = tmp_path / "out.json"
    path.write_text("old")
    path.chmod(kept)
    Draft(path, overwrite=True).write(b"new")
    assert path.read_bytes() == b"new"
    assert mode(path) == kept
    assert names(tmp_path) == ["out.json"]


@posix
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_mode_that_new_files_have(tmp_path, umask):
    before = os.umask(umask)
    try:
        Draft(tmp_path / "new").write(b"x")
        Draft(tmp_path / "private", private=True).write(b"x")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o666 & ~umask
    assert mode(tmp_path / "private") == 0o600


@posix
def test_what_replaces_a_private_file_is_private_while_it_grows(tmp_path):
    path = tmp_path / "out"
    path.write_text("old")
    path.chmod(0o600)
    draft = Draft(path, overwrite=True)
    assert mode(draft.path) == 0o600
    draft.discard()
    assert names(tmp_path) == ["out"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_what_is_replaced_keeps_its_owner(tmp_path):
    path = tmp_path / "out"
    path.write_text("old")
    os.chown(path, 12345, 23456)
    Draft(path, overwrite=True).write(b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


def as_it_is(path):
    """All that is known of a file but when it was read last: following a link is reading it."""
    status = path.lstat()
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@posix
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "folder"])
@pytest.mark.parametrize("link", [False, True])
def test_what_is_no_file_is_neither_written_to_nor_replaced(tmp_path, kind, link):
    path = tmp_path / "out.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.relpath(path) if len(str(path)) > 90 else str(path))
    elif kind == "folder":
        path.mkdir()
    else:
        path = tmp_path / "null"
        path.symlink_to("/dev/null")
    if link:
        (tmp_path / "link").symlink_to(path)
        path = tmp_path / "link"
    before = as_it_is(path)
    for overwrite in (False, True):
        with pytest.raises(OutputExistsError, match=kind if kind != "folder" else "a folder"):
            settled(path, overwrite=overwrite)
    draft = Draft(path, overwrite=True)  # and if it comes to be there while work is done
    with pytest.raises(OutputExistsError):
        draft.write(b"x")
    assert as_it_is(path) == before
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_links_are_followed(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("made")
    with pytest.raises(OutputExistsError):
        settled(tmp_path / "link", overwrite=False)
    Draft(tmp_path / "link", overwrite=True).write(b"new")
    Draft(settled(tmp_path / "dangling", overwrite=False)).write(b"new")
    assert (tmp_path / "real").read_bytes() == (tmp_path / "made").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "dangling").is_symlink()


def test_links_that_go_round_are_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for overwrite in (False, True):
        with pytest.raises((OutputExistsError, OutputError)):
            settled(tmp_path / "a", overwrite=overwrite)


def test_other_names_of_a_file_keep_what_it_held(tmp_path):
    (tmp_path / "one").write_text("old")
    os.link(tmp_path / "one", tmp_path / "two")
    Draft(tmp_path / "one", overwrite=True).write(b"new")
    assert (tmp_path / "two").read_text() == "old"


def test_what_appears_meanwhile_is_not_replaced(tmp_path):
    draft = Draft(tmp_path / "out")
    (tmp_path / "out").write_text("precious")
    with pytest.raises(OutputExistsError, match="meanwhile"):
        draft.write(b"new")
    assert (tmp_path / "out").read_text() == "precious"
    assert names(tmp_path) == ["out"]


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everything")
def test_what_is_write_protected_is_refused(tmp_path):
    path = tmp_path / "out"
    path.write_text("precious")
    path.chmod(0o444)
    with pytest.raises(OutputExistsError, match="write-protected"):
        settled(path, overwrite=True)
