"""The cluster that is asked for: found, or said to be missing."""

from __future__ import annotations

import builtins
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import understudy
from understudy.cli.main import main
from understudy.errors import UsageError
from understudy.jobs.cluster.rays import joined


@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1:1", "no cluster of Ray runs at 127.0.0.1:1"), ("ray://x:1", "is no address"), ("x", "is no address")],
)
@pytest.mark.loopback
def test_where_no_cluster_is_that_is_said(address, said, tmp_path, capsys):
    assert main(["jobs", "run", "--cluster", address, "--home", str(tmp_path / "home")]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "hint: " in told


@pytest.mark.slow
def test_auto_finds_no_cluster_where_there_is_none(tmp_path):
    pytest.importorskip("ray")
    alone = ["unshare", "-r", "-p", "-f", "--mount-proc"]  # Ray looks at what else runs on this machine
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs a namespace of its own")
    command = [
        *alone,
        sys.executable,
        "-m",
        "understudy",
        "jobs",
        "run",
        "--cluster",
        "auto",
        "--home",
        str(tmp_path / "home"),
    ]
    environment = {
        "PATH": "/usr/bin",
        "RAY_TMPDIR": str(tmp_path),
        "PYTHONPATH": str(Path(understudy.__file__).parents[1]),
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-2:] == [
        "error: no cluster of Ray runs here",
        "hint: Start one: `ray start --head --disable-usage-stats`, and `ray start --address HOST:6379` on the others.",
    ]


def test_without_ray_it_is_said_how_to_install_it(monkeypatch):
    before = builtins.__import__

    def without(name, *values):
        if name == "ray":
            raise ImportError(name)
        return before(name, *values)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match="Ray, which is not installed") as caught, joined("auto"):
        pass
    assert "understudy[cluster]" in caught.value.hint


def test_ray_is_imported_by_the_cluster_only_and_late():
    source = Path(understudy.__file__).parent
    named = re.compile(r"^( *)(?:import|from) ray\b", re.MULTILINE)
    found = {path.relative_to(source): named.findall(path.read_text()) for path in source.rglob("*.py")}
    found = {path: indents for path, indents in found.items() if indents}
    assert {path.parent.as_posix() for path in found} == {"jobs/cluster"}
    assert all(indent for indents in found.values() for indent in indents)
