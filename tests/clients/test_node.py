"""The client for Node: its own tests against a real server, its types, and what is in its package."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from filelock import FileLock

from tests.server.api.conftest import server_in
from understudy import toml
from understudy.provenance import Home
from understudy.server.access.quotas import Quotas
from understudy.server.access.tokens import SCOPES, Tokens
from understudy.testing import Puppet, portrait, portrait_path, talking
from understudy.version import __version__

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "clients" / "node"
#: The system's, or those that pip brought into this environment.
PATH = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
QUIET = {"npm_config_update_notifier": "false", "npm_config_fund": "false", "npm_config_audit": "false"}
pytestmark = [pytest.mark.slow, pytest.mark.loopback]


def run(folder, *words, **environment):
    """What a program of Node's says; it must not fail."""
    found = shutil.which(words[0], path=PATH)
    assert found is not None, words
    done = subprocess.run(
        [found, *words[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | QUIET | {"PATH": PATH} | environment,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout[-20_000:]}\n{done.stderr[-5000:]}"
    return done.stdout


def new_enough():
    """Whether the client can run with the Node that is here."""
    if not shutil.which("node", path=PATH) or not shutil.which("npm", path=PATH):
        return False
    return int(run(ROOT, "node", "--version").lstrip("v").split(".")[0]) >= 20


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The package, built in a folder of its own with what it is developed with: once for all processes of a run."""
    if not new_enough():
        pytest.skip("needs Node 20 and npm")
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder, ready = shared / "node-client", shared / "node-client-ready"
    with FileLock(shared / "node-client.lock"):
        if not ready.exists():
            shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("node_modules", "dist", "build"))
            npm = shutil.which("npm", path=PATH)
            words = [npm, "ci", "--no-audit", "--no-fund"]
            environment = os.environ | QUIET | {"PATH": PATH}
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment)
            if done.returncode and re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|E40[34]|E50\d", done.stderr):
                pytest.skip("npm's packages can't be installed")
            assert done.returncode == 0, done.stderr
            run(folder, "npm", "run", "--silent", "build")
            ready.touch()
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    # Two live sessions: one that was just ended has its place for a moment.
    with server_in(tmp_path_factory.mktemp("server"), "--live", "2") as running:
        yield running


def token(server, name, quotas=None):
    return Tokens(Home(server.home)).add(name, name, list(SCOPES), 1, quotas)[1]


def test_its_own_tests_hold_against_a_real_server(package, server, tmp_path, small_clip):
    puppet, pictures = Puppet(portrait("astronaut"), (640, 360), face_share=0.6), []
    for number in range(6):
        pictures.append(str(tmp_path / f"in-{number}.jpg"))
        assert cv2.imwrite(pictures[-1], puppet.render(talking(number / 25)).picture)
    given = {
        "address": server.address,
        "token": token(server, "rich"),
        "poor": token(server, "poor", Quotas(clips=0)),
        "photo": str(portrait_path("hopper")),
        "clip": str(small_clip),
        "pictures": pictures,
        "folder": str(tmp_path),
    }
    said = run(package, "npm", "test", UNDERSTUDY_TEST=json.dumps(given))
    counts = {name: int(count) for name, count in re.findall(r"^(?:#|ℹ) (pass|fail|skipped) (\d+)$", said, re.M)}
    assert counts["pass"] > 30, said
    assert (counts["fail"], counts["skipped"]) == (0, 0), said
    for number in range(6):
        before, after = cv2.imread(pictures[number]), cv2.imread(str(tmp_path / f"{number + 1}.jpg"))
        assert before.shape == after.shape
    assert cv2.absdiff(before, after)[-30:, :200].mean() > 1  # the label


@pytest.mark.parametrize("page", [ROOT / "docs" / "api.md", PACKAGE / "README.md"], ids=lambda page: page.name)
def test_the_shown_example_runs(package, server, tmp_path, small_clip, page):
    shown = re.search(r"```js\n(import.*?)```", page.read_text("utf-8"), re.S)[1]
    assert "http://127.0.0.1:8770" in shown
    shutil.copy(portrait_path("hopper"), tmp_path / "me.jpg")
    shutil.copy(small_clip, tmp_path / "clip.mp4")
    script = package / f"example-{page.stem}.mjs"
    script.write_text(shown.replace("http://127.0.0.1:8770", server.address), "utf-8")
    said = run(tmp_path, "node", str(script), TOKEN=token(server, f"example-{page.stem}"))
    assert "done 100%" in said
    assert (tmp_path / "swapped.mp4").stat().st_size > 1000
    if page.parent == PACKAGE:
        assert "made by this tool" in said


def test_its_types_are_those_of_the_api(package):
    words = [sys.executable, str(ROOT / "tools" / "node_types.py"), "--check", "--package", str(package)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | {"PATH": PATH})
    assert done.returncode == 0, f"python tools/node_types.py writes them anew\n{done.stderr}"


def test_what_is_packed_is_what_users_need(package):
    (packed,) = json.loads(run(package, "npm", "pack", "--dry-run", "--json", "--ignore-scripts"))
    files = {one["path"] for one in packed["files"]}
    modules = {path.stem for path in (PACKAGE / "src").glob("*.ts")}
    made = {f"dist/{name}{suffix}" for name in modules for suffix in (".js", ".d.ts")}
    assert files == made | {"package.json", "README.md", "LICENSE"}


def test_it_is_of_the_projects_version_and_licence():
    said = json.loads((PACKAGE / "package.json").read_text("utf-8"))
    project = toml.parsed((ROOT / "pyproject.toml").read_bytes())["project"]
    assert (said["version"], said["license"]) == (__version__, project["license"])
    assert (PACKAGE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert len(said["dependencies"]) <= 1


def test_its_lock_names_no_place_that_packages_come_from():
    packages = json.loads((PACKAGE / "package-lock.json").read_text("utf-8"))["packages"]
    assert len(packages) > 5
    assert all("integrity" in one for name, one in packages.items() if name)
    assert not any("resolved" in one for one in packages.values())
