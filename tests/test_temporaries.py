"""Temporary files: what killed runs left goes, and nothing else."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys

import pytest

from understudy.provenance import Home
from understudy.temporaries import FOLDER, KEPT, SIDECAR, Temporary, clean

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no locks there: nothing is removed")

#: Makes files of every kind in a folder, says so, and waits.
RUN = """
import socket, sys; from pathlib import Path
if len(sys.argv) > 2: socket.gethostname = lambda: sys.argv[2]
from understudy.temporaries import Temporary
folder = Path(sys.argv[1])
one = Temporary(folder / "out.mkv"); one.path.write_text("half")
two = Temporary(folder / "keys"); Path(f"{two.path}.d").mkdir(); Path(f"{two.path}.d/key").touch()
Path(f"{one.path}.signed.mkv").write_text("signed")
Path(f"{one.path}.c2pa").write_text("sidecar")
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def run(tmp_path):
    """Starts runs that are at work in a folder; what is alive at the end is killed."""
    begun = []

    def start(*machine):
        words = [sys.executable, "-c", RUN, str(tmp_path), *machine]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdout.readline()
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_run_left_goes_and_a_living_one_keeps_all(run, tmp_path):
    dead, alive = run(), run()
    assert len(names(tmp_path)) == 14
    dead.kill()
    dead.wait()
    assert len(clean(tmp_path)) == 7
    assert [name.count(f"-{alive.pid}-") for name in names(tmp_path)] == [1] * 7
    alive.send_signal(signal.SIGSTOP)  # it does not move, and lives
    assert clean(tmp_path) == []
    alive.kill()
    alive.wait()
    assert len(clean(tmp_path)) == 7
    assert names(tmp_path) == []


def test_files_that_look_alike_stay(run, tmp_path):
    dead = run()
    dead.kill()
    dead.wait()
    own = next(name for name in names(tmp_path) if name.endswith(".lock"))
    head, host, pid, random, check, tail = _parts(own)
    others = [
        ".out.1234-deadbeef.mkv",
        ".out.mkv",
        f"{head}.{host}-{int(pid) + 1}-{random}-{check}.{tail}",  # somebody else's number
        f"{head}.{'0' * 8}-{pid}-{random}-{check}.{tail}",
        f"{head}.{host}-{pid}-{random}.{tail}",
        f"x{own}",
    ]
    for name in others:
        (tmp_path / name).write_text("precious")
    clean(tmp_path)
    assert names(tmp_path) == sorted(others)


def _parts(name):
    stem, token, tail = name.removeprefix(".").split(".")
    return (f".{stem}", *token.split("-"), tail)


def test_files_of_another_machine_stay(run, tmp_path):
    dead = run("another-machine")
    dead.kill()
    dead.wait()
    before = names(tmp_path)
    assert len(before) == 7
    assert clean(tmp_path) == []
    assert names(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_files_of_another_user_stay(run, tmp_path):
    dead = run()
    dead.kill()
    dead.wait()
    for path in tmp_path.iterdir():
        os.chown(path, 12345, 12345)
    assert clean(tmp_path) == []


def test_links_and_pipes_in_such_a_name_stay(run, tmp_path):
    dead = run()
    dead.kill()
    dead.wait()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    for path in [path for path in tmp_path.iterdir() if path != precious]:
        if path.is_dir():
            (path / "key").unlink()
            path.rmdir()
        else:
            path.unlink()
        path.symlink_to(precious) if path.name.endswith(FOLDER) else os.mkfifo(path)
    left = names(tmp_path)
    assert clean(tmp_path) == []
    assert names(tmp_path) == left
    assert (precious / "file").exists()


@pytest.mark.slow
def test_two_that_tidy_up_and_one_that_begins_do_not_meet(tmp_path):
    code = (
        "import sys; from pathlib import Path; from understudy.temporaries import Temporary, clean\n"
        "folder = Path(sys.argv[1])\n"
        "for number in range(150):\n"
        "    mine = Temporary(folder / 'out.png'); mine.path.write_bytes(b'x' * 100)\n"
        "    clean(folder)\n"
        "    assert mine.path.read_bytes() == b'x' * 100\n"
        "    mine.path.replace(folder / f'{sys.argv[2]}-{number}.png'); mine.remove()\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(n)]) for n in range(3)]
    assert [run.wait(120) for run in runs] == [0, 0, 0]
    assert len(names(tmp_path)) == 450
    assert not [name for name in names(tmp_path) if name.startswith(".")]


@pytest.mark.slow
def test_what_is_forgotten_goes_by_itself(tmp_path):
    one = Temporary(tmp_path / "out.png")
    assert one.path.exists()
    del one
    gc.collect()
    assert names(tmp_path) == []


def test_a_copy_of_the_process_removes_nothing(tmp_path):
    one = Temporary(tmp_path / "out.png")
    copy = os.fork()
    if not copy:
        one.remove()
        os._exit(0)
    os.waitpid(copy, 0)
    assert one.path.exists()


def test_a_kill_between_naming_a_sidecar_and_its_file_is_undone(run, tmp_path):
    for named_over in (True, False):
        dead = run()
        dead.kill()
        dead.wait()
        (owner,) = (p for p in tmp_path.iterdir() if p.name.startswith(".out") and p.suffix == ".lock")
        token = owner.name.split(".")[-2]
        beside = tmp_path / "out.mkv.c2pa"
        if named_over:
            (tmp_path / f".{beside.name}.{token}{KEPT}").write_text("old")
        beside.write_text("new")
        os.link(beside, tmp_path / f".{beside.name}.{token}{SIDECAR}")
        clean(tmp_path)
        assert names(tmp_path) == (["out.mkv.c2pa"] if named_over else [])
        if named_over:
            assert beside.read_text() == "old"
            beside.unlink()


def test_once_a_file_has_its_name_its_new_sidecar_stays(run, tmp_path):
    dead = run()
    dead.kill()
    dead.wait()
    (owner,) = (p for p in tmp_path.iterdir() if p.name.startswith(".out") and p.suffix == ".lock")
    token = owner.name.split(".")[-2]
    (tmp_path / f".out.{token}.mkv").replace(tmp_path / "out.mkv")
    (tmp_path / f".out.{token}.mkv.c2pa").replace(tmp_path / "out.mkv.c2pa")
    (tmp_path / f".out.mkv.c2pa.{token}{KEPT}").write_text("old")
    clean(tmp_path)
    assert names(tmp_path) == ["out.mkv", "out.mkv.c2pa"]
    assert (tmp_path / "out.mkv.c2pa").read_text() == "sidecar"


def test_the_private_folder_says_where_a_killed_run_was_at_work(tmp_path):
    home, work = Home(tmp_path / "home"), tmp_path / "work"
    home.folder()
    work.mkdir()
    code = (
        "import sys; from pathlib import Path; from understudy.provenance import Home\n"
        "from understudy.temporaries import Temporary\n"
        "with Home(Path(sys.argv[1])).working_in(Path(sys.argv[2])):\n"
        "    one = Temporary(Path(sys.argv[2]) / 'out.png'); print(flush=True); sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", code, str(home.root), str(work)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert home.tidy() == []
        process.kill()
    assert len(home.tidy()) == 4  # the note, the file, and their locks
    assert names(work) == names(home.root / "working") == []
