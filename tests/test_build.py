"""The build hook: what it takes out of pinned wheels, and what it refuses."""

import hashlib
import importlib.util
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def hook():
    pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["hatch_build"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose one pinned wheel lies in a folder."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "thing-1.0-py3-none-any.whl"
    source = b"EDGES = frozenset([(1, 2), (2, 3)])\nOTHER = 5\nEMPTY = frozenset([])\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("thing/model.bin", b"weights")
        archive.writestr("thing/edges.py", source)
    written = b'{"EDGES":[[1,2],[2,3]]}\n'
    digest = lambda data: hashlib.sha256(data).hexdigest()  # noqa: E731
    (tmp_path / "embedded.toml").write_text(
        f'[[wheel]]\nname = "thing"\nversion = "1.0"\npython = "3.12"\nplatforms = ["any"]\nlicence = "x"\n'
        f'sha256 = "{digest(wheel.read_bytes())}"\n'
        f'[[wheel.file]]\nfrom = "thing/model.bin"\nto = "models/model.bin"\nsha256 = "{digest(b"weights")}"\n'
        f'[[wheel.file]]\nfrom = "thing/edges.py"\nto = "edges.json"\nas = "connections-json"\n'
        f'written_sha256 = "{digest(written)}"\n'
        f'sha256 = "{digest(source)}"\n'
    )
    monkeypatch.setenv("UNDERSTUDY_WHEELS", str(wheels))
    return tmp_path


def test_files_are_taken_out_and_constants_parsed(hook, project):
    hook.embed(project)
    package = project / "src" / "understudy"
    assert (package / "models/model.bin").read_bytes() == b"weights"
    assert json.loads((package / "edges.json").read_text())["EDGES"] == [[1, 2], [2, 3]]


def test_a_second_build_needs_no_wheel(hook, project, monkeypatch):
    hook.embed(project)
    monkeypatch.setattr(hook, "fetch", lambda *_: pytest.fail("fetched again"))
    hook.embed(project)


def test_a_file_that_was_changed_is_taken_again(hook, project):
    hook.embed(project)
    for name in ("models/model.bin", "edges.json"):
        target = project / "src/understudy" / name
        good = target.read_bytes()
        target.write_bytes(b"tampered")
        hook.embed(project)
        assert target.read_bytes() == good


def test_another_wheel_is_refused(hook, project):
    wheel = project / "wheels/thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("thing/more.txt", "more")
    with pytest.raises(RuntimeError, match="refused"):
        hook.embed(project)
    assert not (project / "src").exists()


@pytest.mark.parametrize("converter", ["identity-onnx", "content-onnx", "face-mesh-tflite"])
def test_a_file_that_can_not_be_converted_is_told_in_one_line_and_nothing_is_written(hook, project, converter):
    table = project / "embedded.toml"
    wheel = f'to = "models/network.onnx"\nas = "{converter}"\nwritten_sha256 = "{"0" * 64}"\n'
    table.write_text(table.read_text().replace('to = "models/model.bin"\n', wheel))
    with pytest.raises(RuntimeError, match=r"thing/model\.bin can't be converted: the file is damaged") as told:
        hook.embed(project)
    assert "\n" not in str(told.value)
    assert not (project / "src").exists()


def test_a_conversion_that_gives_something_else_than_what_is_pinned_is_refused(hook, project):
    table = project / "embedded.toml"
    table.write_text(re.sub(r'written_sha256 = "\w+"', f'written_sha256 = "{"0" * 64}"', table.read_text()))
    with pytest.raises(RuntimeError, match=r"edges\.json would not be what is pinned"):
        hook.embed(project)
    assert not (project / "src/understudy/edges.json").exists()


def test_a_file_of_an_archive_in_the_wheel_is_taken_and_what_is_no_archive_is_told_in_one_line(
    hook, tmp_path, monkeypatch
):
    digest = lambda data: hashlib.sha256(data).hexdigest()  # noqa: E731
    inner = tmp_path / "inner.task"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("net.tflite", b"a network")
    wheel = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(inner, "thing/inner.task")
        archive.writestr("thing/broken.task", b"PK, but no archive")
    head = '[[wheel]]\nname = "thing"\nversion = "1.0"\npython = "3.12"\nplatforms = ["any"]\nlicence = "x"\n'
    head += f'sha256 = "{digest(wheel.read_bytes())}"\n[[wheel.file]]\n'
    taken = (
        'from = "thing/inner.task"\nto = "net.tflite"\n'
        f'sha256 = "{digest(inner.read_bytes())}"\nwritten_sha256 = "{digest(b"a network")}"\n'
    )
    monkeypatch.setenv("UNDERSTUDY_WHEELS", str(tmp_path))
    table = tmp_path / "embedded.toml"
    table.write_text(head + taken + 'member = "net.tflite"\n')
    (written,) = hook.embed(tmp_path)
    assert written.read_bytes() == b"a network"
    written.unlink()
    for wrong in (
        taken + 'member = "gone.tflite"\n',
        taken.replace("inner", "broken").replace(digest(inner.read_bytes()), digest(b"PK, but no archive"))
        + 'member = "net.tflite"\n',
    ):
        table.write_text(head + wrong)
        with pytest.raises(RuntimeError, match=r"\.task can't be converted") as told:
            hook.embed(tmp_path)
        assert "\n" not in str(told.value)
        assert not written.exists()


@pytest.mark.slow
def test_a_wheel_that_is_not_to_be_had_is_named(hook, project, monkeypatch):
    (project / "wheels/thing-1.0-py3-none-any.whl").unlink()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(RuntimeError, match=r"could not fetch thing 1\.0, which carries files") as told:
        hook.embed(project)
    assert "\n" not in str(told.value)
    assert not (project / "src").exists()


def test_the_embedded_files_are_the_pinned_ones(hook):
    if not (ROOT / "embedded.toml").exists():
        pytest.skip("not a checkout")
    for path in hook.embed(ROOT):
        assert path.is_file()


def test_embedded_files_are_not_committed():
    import shutil
    import subprocess

    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert ".tflite" not in listed
    assert ".onnx" not in listed
    assert "portraits/" not in listed.replace("portraits.py", "")
    assert "face_mesh_connections.json" not in listed
