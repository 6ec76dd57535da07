"""Every command and every line of Python that the documentation shows is run here."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import typer
from PIL import Image

from tests.models.lying import lying_server
from tests.models.shelf import stocked
from tests.twins import graphs
from understudy import Understudy, toml, write_cast
from understudy.cli.main import application, main
from understudy.testing import ClipSpec, write_clip, write_puppet_clip
from understudy.testing.situations import PEOPLE

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
#: Shown as a form to fill in, or what CI and these tests are themselves.
FORMS = {"understudy swap -s PHOTO [-s PHOTO …] -t TARGET -o OUTPUT"}
DOCTESTS = ["understudy.face", "understudy"]


def commands(kind):
    for page in PAGES:
        for block in re.findall(rf"```{kind}\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
            yield page, block


SHOWN = sorted({line for _, block in commands("console") for line in block.strip().splitlines()} - FORMS)


@pytest.fixture(scope="session")
def scene(tmp_path_factory):
    """A brief clip of two people, and a cast in which the first gets a face."""
    folder = tmp_path_factory.mktemp("scene")
    clip, cast = folder / "scene.mp4", folder / "cast.toml"
    situation = next(one for one in PEOPLE if one.name == "two who change sides with each cut")
    write_clip(clip, [situation.scene(number).draw().picture for number in range(30)], ClipSpec(rate=25))
    with Understudy() as app:
        write_cast(cast, app.people(clip).people, clip.name)
    tables = toml.parsed(cast.read_bytes())
    tables["people"][0]["put"] = ["host.jpg"]
    cast.write_text(toml.written(tables), encoding="utf-8")
    return clip, cast


@pytest.fixture
def desk(tmp_path, monkeypatch, hopper_path, astronaut_path, brief_clip, long_clip, scene):
    """A folder with the files that the documentation speaks of; the models' places are a server of our own."""
    (tmp_path / "me.jpg").write_bytes(hopper_path.read_bytes())
    (tmp_path / "me-from-the-side.jpg").write_bytes(hopper_path.read_bytes())
    Image.open(astronaut_path).convert("RGB").save(tmp_path / "group.jpg")
    (tmp_path / "clip.mp4").write_bytes(brief_clip.read_bytes())
    (tmp_path / "talk.mp4").write_bytes(long_clip.read_bytes())
    parts = (ROOT / "docs/parts.md").read_text(encoding="utf-8")
    (tmp_path / "lanes.toml").write_text(re.search(r"```toml\n(.*?)```", parts, re.S)[1], encoding="utf-8")
    (tmp_path / "scene.mp4").write_bytes(scene[0].read_bytes())
    (tmp_path / "my-cast.toml").write_bytes(scene[1].read_bytes())
    (tmp_path / "host.jpg").write_bytes(hopper_path.read_bytes())
    (tmp_path / "guest.jpg").write_bytes((tmp_path / "group.jpg").read_bytes())
    jobs = (ROOT / "docs/jobs.md").read_text(encoding="utf-8")
    (tmp_path / "jobs.csv").write_text(re.search(r"```text\n(target.*?)```", jobs, re.S)[1], encoding="utf-8")
    shorts = (ROOT / "docs/short-videos.md").read_text(encoding="utf-8")
    (tmp_path / "shorts.csv").write_text(re.search(r"```text\n(clip,.*?)```", shorts, re.S)[1], encoding="utf-8")
    for folder, name in (("sources", "me.jpg"), ("clips", "clip.mp4")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes((tmp_path / name).read_bytes())
    settings = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(re.search(r"```toml\n(.*?)```", settings, re.S)[1], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))  # jobs that others left have no files any more
    with lying_server() as server:
        models = stocked(server, tmp_path / "home", graphs())
        for entry in models.catalogue.resolved(["inswapper", "realtime", "2d106det", "xseg_1", "bisenet_resnet_34"]):
            part = models.folder("partial") / "x"
            part.write_bytes(server.files[f"/{entry.file.name}"])
            models.add(entry, part, "a test")
        with zipfile.ZipFile(tmp_path / "buffalo_l.zip", "w") as archive:
            archive.writestr("buffalo_l/genderage.onnx", server.files["/genderage.onnx"])
        yield tmp_path


@pytest.fixture(scope="session")
def live_clip(tmp_path_factory, small_puppet):
    """A longer clip: live, a busy machine leaves out frames, and of a brief one all."""
    path = tmp_path_factory.mktemp("live") / "clip.mp4"
    write_puppet_clip(path, small_puppet, 5.0, ClipSpec(rate=25))
    return path


@pytest.mark.slow
@pytest.mark.loopback
@pytest.mark.parametrize("line", [line for line in SHOWN if line.startswith("understudy")])
def test_shown_commands_run(desk, live_clip, line):
    words = shlex.split(line)[1:]
    if words[0] == "models" or {"--engine", "--mask-model"} & set(words):
        words += ["--home", str(desk / "home")]
    if words[0] == "demo":
        words = [*words[:1], "--seconds", "0.3", "-d", "demo"]
    if words[:2] in (["jobs", "list"], ["jobs", "run"]):  # of what the line above it has added
        assert main(["jobs", "add", "clips/clip.mp4", "-s", "me.jpg", "--to", "done", "--consent", "self"]) == 0
    if words[0] == "live":
        shutil.copy(live_clip, desk / "clip.mp4")
    assert main(words) == 0
    assert words != ["jobs", "run"] or (desk / "done" / "clip.mp4").is_file()


def test_every_other_command_shown_is_a_make_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    others = [line for line in SHOWN if not line.startswith("understudy")]
    assert others
    for line in others:
        program, target = line.split()
        assert program == "make"
        assert re.search(rf"^{target}:", makefile, re.M), line


@pytest.mark.slow
def test_shown_python_runs(desk, live_clip):
    blocks = [block for _, block in commands("python")]
    assert blocks
    for block in sorted(blocks, key=lambda block: "live(" in block):
        if "live(" in block:
            shutil.copy(live_clip, desk / "clip.mp4")
        exec(compile(block, "README", "exec"), {})
    assert (desk / "out.mp4").stat().st_size > 1000


@pytest.mark.slow
@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_examples_run(desk, example):
    """Each with files for the words that its first lines ask for."""
    asked = re.search(rf"^python examples/{example.name}(.*)$", example.read_text(encoding="utf-8"), re.M)[1].split()
    given = {"PHOTO": "me.jpg", "CLIP": "clip.mp4", "OUTPUT": "example.mp4", "TABLE": "shorts.csv", "FOLDER": "shorts"}
    words = [given[word] for word in asked]
    done = subprocess.run(
        [sys.executable, str(example), *words], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert not re.search("failed|left out", done.stdout)


def test_what_is_shown_is_imported_from_the_package_itself():
    shown = [block for _, block in commands("python")]
    shown += [path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")]
    found = {name for text in shown for name in re.findall(r"^(?:from|import) (understudy\S*)", text, re.MULTILINE)}
    assert found == {"understudy", "understudy.client", "understudy.testing"}


@pytest.mark.parametrize("name", DOCTESTS)
def test_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    assert result.attempted > 0


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_documented_options_exist():
    def options(command):
        yield from (name for one in command.params for name in (*one.opts, *one.secondary_opts))
        for part in getattr(command, "commands", {}).values():
            yield from options(part)

    known = set(options(typer.main.get_command(application())))
    table = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(--[a-z-]+)", table)) <= known | {"--debug"}  # which is taken off before
