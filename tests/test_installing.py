"""What is said to install comes to where the program is."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from types import SimpleNamespace

import pytest

from understudy import installing
from understudy.errors import UsageError
from understudy.installing import install_extra, pip
from understudy.media.live.base import LiveInfo
from understudy.media.live.virtual import VirtualCameraSink

posix = pytest.mark.skipif(os.name != "posix", reason="a posix shell")


@posix
@pytest.mark.slow
def test_the_command_works_where_a_shell_finds_no_pip_or_another_one(tmp_path):
    done = subprocess.run(
        ["/bin/sh", "-c", pip("--version")], capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    assert sys.prefix in done.stdout


@posix
def test_words_that_a_shell_would_read_otherwise_are_quoted(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/home/me/my programs/bin/python")
    assert install_extra("window") == "'/home/me/my programs/bin/python' -m pip install 'understudy[window]'"


def test_on_windows_nothing_stands_in_quotation_marks_that_cmd_does_not_know(monkeypatch):
    monkeypatch.setattr(installing, "os", SimpleNamespace(name="nt"))
    monkeypatch.setattr(sys, "executable", r"C:\me\my programs\python.exe")
    assert install_extra("window") == r'"C:\me\my programs\python.exe" -m pip install understudy[window]'


def test_an_output_that_needs_a_package_says_how_it_comes_here(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(UsageError) as caught:
        VirtualCameraSink().open(LiveInfo("clip.mp4", 320, 240, Fraction(25)))
    assert install_extra("virtualcam") in caught.value.hint
