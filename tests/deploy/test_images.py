"""The images: linted, and what a linter does not ask for. What is done inside is proven by deploy/prove.sh, in CI."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
IMAGES = sorted(DEPLOY.glob("Dockerfile*"))


def tool(name):
    """A program of the development environment, else of the path; None if there is none."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def instructions(path):
    """The instructions of a Dockerfile and what stands behind them, continued lines joined, comments left out."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


@pytest.mark.skipif(tool("hadolint") is None, reason="needs hadolint")
def test_hadolint_finds_nothing(tmp_path):
    done = subprocess.run([tool("hadolint"), *IMAGES], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM debian\nUSER root\n")
    done = subprocess.run([tool("hadolint"), bad], capture_output=True, text=True, check=False)
    assert {"DL3006", "DL3002"} <= set(re.findall(r"DL\d+", done.stdout))


def test_there_is_one_for_processors_and_one_for_gpus():
    assert [path.name for path in IMAGES] == ["Dockerfile", "Dockerfile.cuda"]
    cpu, gpu = map(instructions, IMAGES)
    differing = {line for line in cpu if line not in gpu} | {line for line in gpu if line not in cpu}
    assert {kind for kind, _ in differing} == {"RUN", "ENV"}
    assert all("onnxruntime-gpu" in words or "install.sh" in words or "NVIDIA" in words for _, words in differing)


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_an_image_is_of_a_stated_base_runs_as_nobody_and_says_whether_it_is_well(path):
    said = instructions(path)
    kinds = [kind for kind, _ in said]
    (base,) = [words for kind, words in said if kind == "FROM"]
    assert re.fullmatch(r"[a-z/.-]+:\d+\.\d+[\w.-]*|\S+@sha256:[0-9a-f]{64}", base)
    assert [words for kind, words in said if kind == "USER"] == ["10001:10001"]
    assert kinds.index("USER") > max(index for index, kind in enumerate(kinds) if kind == "RUN")
    (health,) = [words for kind, words in said if kind == "HEALTHCHECK"]
    assert json.loads(health.partition("CMD ")[2])[0] == "understudy"
    (entry,) = [words for kind, words in said if kind == "ENTRYPOINT"]
    assert json.loads(entry) == ["understudy"]


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_an_image_takes_in_nothing_but_what_the_script_installs(path):
    said = instructions(path)
    assert not {"ADD", "COPY"} & {kind for kind, _ in said}
    (run,) = [words for kind, words in said if kind == "RUN"]
    mounted = [dict(part.split("=", 1) for part in words.split(",")) for words in re.findall(r"--mount=(\S+)", run)]
    assert {(one["type"], one.get("source")) for one in mounted} == {
        ("bind", "deploy"),
        ("bind", "dist"),
        ("secret", None),
    }
    assert not [words for kind, words in said if kind in ("ENV", "ARG") and re.search(r"(?i)passw|token|secret", words)]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert [line for line in ignored if not line.startswith("#")] == ["*", "!deploy", "!dist/*.whl"]


def test_nothing_says_where_packages_come_from():
    for path in DEPLOY.iterdir():
        assert not re.search(r"(?im)index-url|^deb(-src)? |^URIs:|https?://\S*/(simple|debian)\b", path.read_text()), (
            path
        )


def test_the_script_refuses_what_it_can_not_do_before_it_changes_anything(tmp_path):
    wheel = tmp_path / "understudy-1-py3-none-any.whl"
    wheel.touch()
    for words, said in (
        ([], "no such wheel"),
        ([tmp_path / "none.whl"], "no such wheel"),
        ([wheel, wheel], "one wheel, not two"),
        ([wheel, "--fast"], "no option --fast"),
        ([wheel, "--model", "inswapper"], "--accept-licences"),
    ):
        done = subprocess.run(["sh", DEPLOY / "install.sh", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert said in done.stderr


#: Every program that the script calls by its name.
CALLED = (
    *("apt-get", "chmod", "dirname", "find", "id", "ln", "mkdir", "mktemp"),
    *("python3", "rm", "understudy", "useradd"),
)


def asked_of_the_system(folder, *words):
    """What the script asks of a system where every program only notes how it was called; its own folder is another."""
    (folder / "bin").mkdir()
    log = folder / "log"
    for path in (*(folder / "bin" / name for name in CALLED), folder / "opt" / "bin" / "python"):
        path.parent.mkdir(parents=True, exist_ok=True)
        says = {"dirname": f"echo {folder}", "id": "echo 0", "mktemp": f"echo {folder}"}.get(path.name, ":")
        path.write_text(f'#!/bin/sh\necho "${{0##*/}} $*" >> {log}\n{says}\n')
        path.chmod(0o755)
    script, wheel = folder / "install.sh", folder / "understudy-1-py3-none-any.whl"
    script.write_text((DEPLOY / "install.sh").read_text().replace("/opt/understudy", str(folder / "opt")))
    wheel.touch()
    here = {"PATH": str(folder / "bin")}
    done = subprocess.run(["/bin/sh", script, wheel, *words], capture_output=True, text=True, check=False, env=here)
    assert (done.returncode, done.stderr) == (0, "")
    return log.read_text()


def test_on_a_machine_that_is_used_for_other_things_the_script_takes_nothing_away(tmp_path):
    asked = asked_of_the_system(tmp_path)
    assert "apt-get -qq -y install" in asked
    assert not re.search(r"upgrade|purge|uninstall|autoremove|^find|^rm |^chmod|^useradd", asked, re.MULTILINE)


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.name)
def test_in_an_image_no_program_makes_anybody_root(tmp_path, path):
    (run,) = [words for kind, words in instructions(path) if kind == "RUN"]
    assert " --image " in run
    assert "find / -xdev -type f -perm /6000 -exec chmod a-s" in asked_of_the_system(tmp_path, "--image")
