"""What every output carries, whatever its format, its name, and what its target carried."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import understudy
from understudy.cli.main import main
from understudy.provenance.credentials import read_credentials
from understudy.provenance.fingerprint import SAME

posix = pytest.mark.skipif(os.name != "posix", reason="file modes")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_picture_carries_all_that_is_promised(make, own, suffix):
    output = make(f"out.{suffix}")
    found = understudy.inspect(output, home=own.root)
    assert found.verdict == "made by this tool"
    assert (found.credentials.state, found.credentials.own, found.credentials.sidecar) == ("valid", True, False)
    assert found.credentials.ingredients == ("source: source photo 1", "target: astronaut.png")
    assert found.claims.source_type == found.credentials.source_type == "compositeSynthetic"
    identifier = found.record.identifier
    assert found.claims.aigc["ProduceID"] == identifier == f"{found.credentials.identifier:012x}"
    assert found.mark is not None
    assert f"{found.mark.identifier:012x}" == identifier
    assert found.distance <= SAME


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "gif", "webp"])
@pytest.mark.slow
def test_a_clip_carries_all_that_is_promised(make, own, brief_clip, suffix):
    output = make(f"out.{suffix}", brief_clip)
    found = understudy.inspect(output, home=own.root)
    assert found.verdict == "made by this tool"
    assert found.credentials.own
    assert found.credentials.sidecar == (suffix in ("mkv", "webm")) == Path(f"{output}.c2pa").exists()
    assert found.claims.aigc["ProduceID"] == found.record.identifier
    assert found.claims.source_type == found.credentials.source_type == "compositeSynthetic"
    assert found.mark is not None
    assert f"{found.mark.identifier:012x}" == found.record.identifier


def test_the_source_face_is_not_carried_on(make, hopper_path):
    """Not as a thumbnail, and not by a name."""
    import c2pa

    with c2pa.Reader(make("out.jpg")) as reader:
        store = reader.json()
    assert "thumbnail" not in store
    assert hopper_path.name not in store


@pytest.mark.slow
def test_marks_that_were_there_stay(make, own, tmp_path):
    first = make("first.png")
    second = make("second.png", target=first)
    found = understudy.inspect(second, home=own.root)
    assert "target: first.png (with credentials of its own)" in found.credentials.ingredients
    earlier = json.loads(found.claims.aigc["ReservedCode1"])
    assert earlier["ProduceID"] == understudy.inspect(first, home=own.root).record.identifier


@pytest.mark.slow
def test_credentials_beside_the_target_are_carried_on(make, brief_clip, tmp_path):
    first = make("first.mkv", brief_clip)
    assert Path(f"{first}.c2pa").exists()
    found = read_credentials(make("second.mp4", first), None)
    assert "target: first.mkv (with credentials of its own)" in found.ingredients
    Path(f"{first}.c2pa").write_bytes(b"\0\0\0\x08jumb and nothing")
    found = read_credentials(make("third.mp4", first), None)
    assert "target: first.mkv" in found.ingredients


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="links are made by anybody: posix only")
def test_credentials_beside_what_a_link_leads_to_are_found_and_carried_on(make, own, brief_clip, tmp_path):
    first, link = make("first.mkv", brief_clip), tmp_path / "elsewhere" / "link.mkv"
    link.parent.mkdir()
    link.symlink_to(first)
    assert understudy.inspect(link, home=own.root).credentials.state == "valid"
    found = read_credentials(make("second.mp4", link), None)
    assert "target: link.mkv (with credentials of its own)" in found.ingredients


@pytest.mark.slow
def test_a_suffix_that_lies_hides_no_credentials(make, own, tmp_path):
    lying = tmp_path / "picture.jpg"
    make("first.png").rename(lying)
    assert read_credentials(lying, None).state == "valid"
    found = read_credentials(make("second.png", lying), None)
    assert "target: picture.jpg (with credentials of its own)" in found.ingredients


@pytest.mark.slow
def test_a_sidecar_is_not_left_behind_when_another_file_takes_its_place(make, brief_clip, tmp_path):
    output = make("out.mkv", brief_clip)
    beside = Path(f"{output}.c2pa")
    assert beside.exists()
    output.unlink()
    with pytest.raises(Exception, match="exists") as refusal:
        understudy.swap(output, brief_clip, output)
    assert refusal.value.exit_code in (2, 3)


@pytest.mark.slow
def test_names_steer_no_terminal(make, own, astronaut_path, tmp_path, capfd):
    target = tmp_path / "\x1b[31mred\nhidden\u202egnp.png"
    shutil.copy(astronaut_path, target)
    output = make("out.png", target)
    for words in (["inspect", str(output)], ["inspect", str(output), "--json"], ["ledger", "list"]):
        assert main([*words, "--home", str(own.root)]) == 0
    copied = tmp_path / "\x1b]0;title\x07.png"
    shutil.copy(tmp_path / "out.png", copied)
    assert (
        main(["consent", "grant", str(copied), "--ground", "fictional", "--note", "\x1b[2J", "--home", str(own.root)])
        == 0
    )
    assert main(["consent", "list", "--home", str(own.root)]) == 0
    assert main(["inspect", str(copied), "--home", str(own.root)]) == 0
    said = "".join(capfd.readouterr())
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "\u202e" not in said


@posix
@pytest.mark.parametrize("kind", ["long", "other encoding", "chinese"])
@pytest.mark.slow
def test_names_of_every_kind(own, hopper_path, brief_clip, tmp_path, kind, capfd):
    name = {"long": "x" * 248, "other encoding": os.fsdecode(b"caf\xe9"), "chinese": "换脸" * 30}[kind]
    target = tmp_path / f"{name}.mp4"
    shutil.copy(brief_clip, target)
    for suffix in ("mp4", "mkv"):
        folder = tmp_path / suffix
        folder.mkdir()
        words = ["swap", "-s", str(hopper_path), "-t", str(target), "-o", str(folder / f"{name}.{suffix}")]
        code = main([*words, "--home", str(own.root), "--consent", "sample", "--json"])
        said = capfd.readouterr()
        if kind == "long":
            assert code == 6, said.err  # no name is left for a sidecar
            assert "shorter" in said.err
            assert list(folder.iterdir()) == []
            continue
        assert code == 0, said.err
        assert json.loads(said.out)["output"] == str(folder / f"{name}.{suffix}")
        assert main(["inspect", str(folder / f"{name}.{suffix}"), "--home", str(own.root)]) == 0
        capfd.readouterr()
