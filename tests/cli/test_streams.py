"""Standard streams that are full, closed, or left by their reader: one line at most, and the code of the work."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from understudy.cli.terminal import answer_json
from understudy.testing import portrait_path

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")

#: Commands that report on stdout, and those that have nothing to report in an empty private folder and say that on
#: stderr.
REPORTS = [
    ["--help"],
    ["--version"],
    ["models", "list"],
    ["consent", "form"],
    ["faces", "photo.png"],
    ["inspect", "small.png"],
]
REMARKS = [["models", "verify"], ["consent", "list"], ["ledger", "list"], ["ledger", "verify"], ["live", "--list"]]


@pytest.fixture
def shell(tmp_path):
    """Runs ``understudy`` with these words and that redirection; gives its own code, stdout and stderr."""
    shutil.copy(portrait_path("astronaut"), tmp_path / "photo.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "small.png")

    def run(words, redirect="", **environment):
        program = " ".join([sys.executable, "-m", "understudy", *words])
        line = f"set -o pipefail; {program} {redirect}"
        done = subprocess.run(
            ["bash", "-c", line],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "UNDERSTUDY_HOME": str(tmp_path / "home"), **environment},
            timeout=120,
        )
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    run.folder = tmp_path
    return run


def is_one_error(err, *parts):
    lines = err.strip().splitlines()
    assert [line.split(":")[0] for line in lines[-2:]] == ["error", "hint"], err
    assert sum(line.startswith("error:") for line in lines) == 1, err
    for part in parts:
        assert part in lines[-2], err


def named(reports):
    return [pytest.param(words, id=" ".join(words)) for words in reports]


#: With --json all of them answer by one function: two will do, one quick and one after work.
@pytest.mark.slow
@pytest.mark.parametrize("words", named([*REPORTS, ["models", "list", "--json"], ["faces", "photo.png", "--json"]]))
def test_a_report_that_finds_no_room_on_stdout_is_a_failure_in_one_line(shell, words):
    got, _, err = shell(words, ">/dev/full")
    assert got == 6, err
    is_one_error(err, "can't write to stdout", "No space left")


#: Those who have nothing to report say so on stderr; of those who do, one of each way of printing.
@pytest.mark.slow
@pytest.mark.parametrize("words", named([*REMARKS, ["--help"], ["models", "list"], ["faces", "photo.png", "--json"]]))
def test_streams_that_nobody_reads_change_no_exit_code(shell, words):
    got, _, err = shell(words, "2>/dev/full | true")
    assert got == 0, err
    assert err == ""


@pytest.mark.parametrize("redirect", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.slow
def test_closed_streams_change_no_exit_code(shell, redirect):
    got, _, err = shell(["models", "list", "--json"], redirect)
    assert got == 0, err
    assert err == ""


@pytest.mark.slow
def test_json_that_finds_no_room_is_exit_6(shell):
    code, _, err = shell(["models", "list", "--json"], ">/dev/full")
    assert code == 6
    is_one_error(err, "can't write to stdout", "No space left")


@pytest.mark.slow
def test_a_reader_that_has_read_enough_is_no_failure(shell):
    code, out, err = shell(["models", "list"], "| head -1")
    assert (code, err) == (0, "")
    assert out == "swapper:\n"


SWAP = ["swap", "-s", "photo.png", "-t", "photo.png", "-o", "out.png", "--consent", "sample"]
LIVE = ["live", "-s", "photo.png", "--consent", "sample", "--size", "64x48", "--from", "-"]


@pytest.mark.parametrize("redirect", ["2>/dev/full <&-", "2>&- >/dev/full"])
@pytest.mark.slow
def test_an_output_that_was_written_whole_is_exit_0(shell, redirect):
    code, _, err = shell(SWAP, redirect)
    assert code == 0, err
    assert (shell.folder / "out.png").stat().st_size > 10_000


@pytest.mark.slow
def test_an_output_without_its_report_is_there_and_exit_6(shell):
    code, _, err = shell([*SWAP, "--json"], ">/dev/full")
    assert code == 6
    is_one_error(err, "can't write to stdout")
    assert (shell.folder / "out.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    "what", ["2>/dev/full", "2>&-", ">/dev/full", ">&-", "| true", "--json >/dev/full", "--json 2>/dev/full"]
)
@pytest.mark.slow
def test_an_error_keeps_its_code_whatever_becomes_of_its_words(shell, what):
    assert shell(["faces", "none.png"], what)[0] == 3


@pytest.mark.slow
def test_an_interruption_keeps_its_code_without_stderr(shell):
    # Not while it begins: a recording that ends before its first picture fails, and rightly so.
    program = f"timeout --preserve-status -s TERM 9 {sys.executable} -m understudy"
    words = [*LIVE, "--to", "out.mp4", "</dev/zero"]
    done = subprocess.run(
        ["bash", "-c", f"{program} {' '.join(words)} 2>/dev/full"],
        check=False,
        cwd=shell.folder,
        env={**os.environ, "UNDERSTUDY_HOME": str(shell.folder / "home")},
        timeout=60,
    )
    assert done.returncode in (0, 130)  # it ends as Ctrl-C ends it, or while it starts


@pytest.mark.parametrize(
    ("more", "redirect", "code", "said"),
    [
        (["--to", "out.mp4"], "<&-", 3, "stdin is closed"),
        (["--to", "-"], "</dev/zero >&-", 2, "stdout is closed"),
        (["--to", "-", "--seconds", "5"], "</dev/zero >/dev/full", 6, "can't write to stdout: No space left"),
    ],
)
@pytest.mark.slow
def test_live_says_which_of_its_pipes_can_not_be_used(shell, more, redirect, code, said):
    got, _, err = shell([*LIVE, *more], redirect)
    assert got == code, err
    is_one_error(err, said)


@pytest.mark.slow
def test_live_whose_frames_nobody_reads_any_more_ends(shell):
    code, _, err = shell([*LIVE, "--to", "-"], "</dev/zero | head -c 9216 >/dev/null")
    assert code == 0, err


def test_what_libraries_print_is_shown_on_demand_only(shell):
    code = (
        "import os, sys\n"
        "from understudy.cli import streams\n"
        "streams.settle(debug='--debug' in sys.argv)\n"
        "os.write(1, b'native'); os.write(2, b'native')\n"
        "print('ours', flush=True); print('ours', file=sys.stderr, flush=True)"
    )
    for more, said in (([], "ours\n"), (["--debug"], "nativeours\n")):
        done = subprocess.run([sys.executable, "-c", code, *more], capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == (said, said)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "utf-16"])
def test_json_stays_json_in_any_encoding(monkeypatch, encoding):
    values = {"name": "Łódź \udcff 生成 é"}
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace")
    monkeypatch.setattr(sys, "stdout", out)
    answer_json(values)
    out.flush()
    assert json.loads(out.buffer.getvalue().decode(encoding)) == values


@pytest.mark.parametrize(
    "more", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}]
)
@pytest.mark.slow
def test_names_that_are_no_text_are_told_in_any_locale(shell, more):
    name = os.fsencode(shell.folder) + b"/\xff\xe9 \xc5\x81.png"
    with open(name, "wb") as file:
        file.write(portrait_path("astronaut").read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "understudy", "faces", os.path.basename(name), "--json"],
        capture_output=True,
        check=False,
        cwd=shell.folder,
        env={**os.environ, "UNDERSTUDY_HOME": str(shell.folder / "home"), **more},
    )
    assert done.returncode == 0, done.stderr
    assert os.fsencode(json.loads(done.stdout)["path"]) == os.path.basename(name)
