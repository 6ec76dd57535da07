"""What no command works without is told at once, in one line: a working directory, a clock."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from understudy.cli.main import main

COMMANDS = [
    ["faces", "a.png"],
    ["inspect", "/bin/sh"],
    ["swap", "-s", "a.png", "-t", "b.png", "-o", "c.png"],
    ["live", "-s", "a.png", "--from", "b.mp4", "--to", "c.mp4"],
    ["consent", "list"],
    ["ledger", "verify"],
    ["models", "list"],
    ["doctor"],
    ["demo"],
]


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()


def told(capfd):
    _, err = capfd.readouterr()
    lines = err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], err
    return lines[0], lines[1]


@pytest.mark.skipif(os.name == "nt", reason="a folder that is in use can't be removed there")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_working_directory_that_is_gone_is_told(nowhere, capfd, words):
    assert main(words) == 6
    assert told(capfd) == ("error: the working directory is gone", "hint: Change to a folder that exists.")


@pytest.mark.skipif(os.name == "nt", reason="a folder that is in use can't be removed there")
@pytest.mark.parametrize("words", [["--version"], ["swap", "--help"], ["-h"]])
def test_help_needs_no_working_directory(nowhere, capfd, words):
    assert main(words) == 0


@pytest.mark.skipif(os.name == "nt", reason="a folder that is in use can't be removed there")
def test_the_program_starts_in_a_working_directory_that_is_gone(tmp_path):
    code = "import os, sys\nos.rmdir(os.getcwd())\nfrom understudy.cli.entry import run\nrun()"
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, "inspect", __file__], cwd=gone, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith("error: the working directory is gone\nhint: ")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_clock_beyond_all_counting_is_told(monkeypatch, capfd, words):
    def overflow():
        raise OverflowError("timestamp too large to convert to C _PyTime_t")

    monkeypatch.setattr(time, "time", overflow)
    code = main(words)
    monkeypatch.undo()
    assert code == 6
    assert "clock" in told(capfd)[0]


HANGS = """
import threading
from understudy.cli import main
from understudy.masking.running import Beside

def hangs():
    beside = Beside()
    beside.start(threading.Event().wait)
    beside.close()
    print("done")
    return 3

main.main = hangs
from understudy.cli.entry import run
run()
"""


@pytest.mark.slow
def test_a_thread_that_never_ends_does_not_hold_up_the_end_of_the_program():
    """As of a driver that hangs: it could only be killed."""
    process = subprocess.Popen([sys.executable, "-c", HANGS], stdout=subprocess.PIPE, text=True)
    try:
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (said, process.returncode) == ("done\n", 3)
