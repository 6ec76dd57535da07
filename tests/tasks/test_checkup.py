"""What the doctor says of the private folder."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from understudy.provenance import Home
from understudy.tasks.checkup import private_folder


def test_a_private_folder_that_can_be_written_is_well_and_nothing_is_left_in_it(tmp_path):
    home = Home(tmp_path / "some" / "home")
    assert private_folder(home).state == "ok"
    assert list(tmp_path.iterdir()) == []
    home.folder()
    assert private_folder(home).state == "ok"
    assert list(home.root.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_one_that_others_may_enter_is_not_and_the_command_mends_it(tmp_path):
    home = Home(tmp_path / "o'home")
    home.folder()
    home.root.chmod(0o755)
    found = private_folder(home)
    assert (found.state, found.detail) == ("broken", f"others can get at {home.root}")
    subprocess.run(found.mend, shell=True, check=True)
    assert private_folder(home).state == "ok"


def test_nor_is_a_file_of_its_name(tmp_path):
    (tmp_path / "home").touch()
    assert private_folder(Home(tmp_path / "home")).state == "broken"
    assert private_folder(Home(tmp_path / "home" / "below")).state == "broken"


@pytest.mark.slow
def test_nor_is_one_that_can_not_be_written(tmp_path):
    """On a disk that really takes nothing."""
    Home(tmp_path / "home").folder()
    code = (
        "import sys; from pathlib import Path; from understudy.provenance import Home\n"
        "from understudy.tasks.checkup import private_folder\n"
        "for name in ('home', 'home/other'):\n"
        "    found = private_folder(Home(Path(sys.argv[1]) / name)); print(found.state, found.detail)"
    )
    script = f"mount --bind {tmp_path} {tmp_path} && mount -o remount,ro,bind {tmp_path} || exit 77; "
    words = ["unshare", "-rm", "sh", "-c", script + '"$@"', "sh", sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file system of its own here")
    first, second = done.stdout.splitlines()
    assert first.startswith("broken")
    assert "can't be written" in first
    assert second.startswith("broken")
    assert "can't be made" in second
