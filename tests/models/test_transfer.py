"""Models by hand: taken in from files, folders and archives, and out as one archive."""

from __future__ import annotations

import zipfile

import pytest

from tests.models.shelf import GOOD, OTHER, entry, fetch, graph, is_clean
from understudy.cli.main import main
from understudy.errors import (
    LicenceError,
    ModelFileError,
)
from understudy.models.transfer import export_models, import_models

pytestmark = pytest.mark.loopback


def test_models_are_taken_in_by_digest_by_name_and_in_parts(store, tmp_path):
    models = store(entry("good", data=GOOD), entry("other"), entry("third"))
    folder = tmp_path / "mine"
    (folder / "deep").mkdir(parents=True)
    (folder / "some name.onnx").write_bytes(GOOD)
    (folder / "deep" / "Other.onnx").write_bytes(OTHER)
    third = graph(3)
    for number in range(3):
        (folder / f"third.onnx.part{number}").write_bytes(third[number * 60_000 : (number + 1) * 60_000])
    (folder / "stranger.onnx").write_bytes(graph(4))
    (folder / "notes.txt").write_text("x")
    done = import_models(models, folder, lambda _: None)
    assert sorted(done.models) == ["good", "other", "third"]
    assert [reason for _, reason in done.left] == ["no model of the catalogue has such a file"]
    assert models.read(models.catalogue.entries["third"]) == third
    assert import_models(models, folder, lambda _: None).there == done.models
    assert (folder / "some name.onnx").read_bytes() == GOOD
    (folder / "third.onnx.part1").unlink()
    left = dict(import_models(models, folder, lambda _: None).left)
    assert "a part of third.onnx is missing" in left[str(folder / "third.onnx")]


def test_links_within_a_folder_are_followed_and_none_out_of_it(store, tmp_path):
    """As caches of downloads have them: names that link to files which are called by their digests."""
    models, cache, outside = store(entry("good"), entry("other")), tmp_path / "cache", tmp_path / "outside.onnx"
    for folder in ("blobs", "snapshots/abc"):
        (cache / folder).mkdir(parents=True)
    (cache / "blobs" / "1234").write_bytes(GOOD)
    outside.write_bytes(OTHER)
    (cache / "snapshots" / "abc" / "good.onnx").symlink_to("../../blobs/1234")
    (cache / "snapshots" / "abc" / "other.onnx").symlink_to(outside)
    assert import_models(models, cache, lambda _: None).models == ("good",)
    assert models.state(models.catalogue.entries["other"]) == "missing"


def test_a_file_is_known_by_its_name_where_it_comes_from(store, tmp_path):
    models = store(entry("good", {"url": "https://example.org/models/Weights_2.onnx"}), entry("other"))
    (tmp_path / "weights_2.onnx").write_bytes(GOOD)
    assert import_models(models, tmp_path, lambda _: None).models == ("good",)


def test_an_archive_that_was_cut_off_is_called_so(store, tmp_path):
    models, archive = store(entry("good")), tmp_path / "models.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("good.onnx", GOOD)
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(ModelFileError, match="not a whole one"):
        import_models(models, archive, lambda _: None)


def test_a_file_that_only_bears_the_name_is_refused(store, tmp_path):
    models = store(entry("good", data=GOOD))
    (tmp_path / "good.onnx").write_bytes(OTHER)
    with pytest.raises(ModelFileError, match="SHA-256"):
        import_models(models, tmp_path / "good.onnx", lambda _: None)
    assert is_clean(models)


def test_another_file_under_the_name_of_one_that_is_here_is_told_and_changes_nothing(store, tmp_path):
    models = store(entry("good", data=GOOD), entry("other"))
    (tmp_path / "good.onnx").write_bytes(GOOD)
    (tmp_path / "other.onnx").write_bytes(OTHER)
    import_models(models, tmp_path, lambda _: None)
    for name, said in (("good", "SHA-256"), ("other", "other is here already, and is another file")):
        kept = models.read(models.catalogue.entries[name])
        (tmp_path / f"{name}.onnx").write_bytes(graph(3))
        with pytest.raises(ModelFileError, match=said):
            import_models(models, tmp_path / f"{name}.onnx", lambda _: None)
        assert models.read(models.catalogue.entries[name]) == kept


def test_a_licence_that_is_not_accepted_keeps_a_file_out(store, tmp_path):
    models = store(entry("good", data=GOOD))
    (tmp_path / "good.onnx").write_bytes(GOOD)

    def refuse(_):
        raise LicenceError("no", "")

    with pytest.raises(LicenceError):
        import_models(models, tmp_path, refuse)
    assert is_clean(models)


def test_and_no_other_file_of_the_same_folder(store, tmp_path):
    models = store(entry("good", data=GOOD), entry("other"))
    (tmp_path / "good.onnx").write_bytes(GOOD)
    (tmp_path / "other.onnx").write_bytes(OTHER)

    def refuse(one):
        if one.name == "good":
            raise LicenceError("good was not accepted", "Accept it.")

    done = import_models(models, tmp_path, refuse)
    assert (done.models, done.left) == (("other",), ((str(tmp_path / "good.onnx"), "good was not accepted"),))
    assert str(done.refused) == "good was not accepted"


@pytest.mark.slow
def test_what_is_exported_is_taken_in_elsewhere(store, server, tmp_path, capsys):
    models = store(entry("good", {"url": server.url("/good.onnx")}), entry("other", needs=["good"]))
    fetch(models, "good")
    (tmp_path / "other.onnx").write_bytes(OTHER)
    import_models(models, tmp_path / "other.onnx", lambda _: None)
    home = ["--home", str(tmp_path / "home")]
    bundle = tmp_path / "bundle.zip"
    assert main(["models", "export", "other", "-o", str(bundle), *home]) == 0
    assert main(["models", "export", "other", "-o", str(bundle), *home]) == 2
    assert main(["models", "remove", "good", "other", *home]) == 0
    assert main(["models", "where", "good", *home]) == 5
    assert main(["models", "import", str(bundle), "--accept-licence", *home]) == 0
    assert main(["models", "verify", *home]) == 0
    capsys.readouterr()
    assert main(["models", "where", "other", *home]) == 0
    assert capsys.readouterr().out.strip() == str(models.path(models.catalogue.entries["other"]))
    assert models.read(models.catalogue.entries["other"]) == OTHER
    broken = tmp_path / "broken.zip"
    models.path(models.catalogue.entries["good"]).write_bytes(OTHER)
    with pytest.raises(ModelFileError):
        export_models(models, models.catalogue.resolved(["other"]), broken)
    assert not list(tmp_path.glob(".broken*"))
    assert not broken.exists()


@pytest.mark.parametrize("spoilt", ["a file", "its list", "a list that is no list"])
def test_an_exported_archive_that_was_altered_is_told_by_its_list(spoilt, store, tmp_path):
    models = store(entry("good"), entry("other"))
    for name, data in (("good", GOOD), ("other", OTHER)):
        (tmp_path / f"{name}.onnx").write_bytes(data)
        import_models(models, tmp_path / f"{name}.onnx", lambda _: None)
    whole, altered = tmp_path / "whole.zip", tmp_path / "altered.zip"
    export_models(models, models.catalogue.resolved(["good", "other"]), whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(altered, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if spoilt == "a file" and name == "good.onnx":
                data = data[:-1] + bytes([data[-1] ^ 1])
            if spoilt != "a file" and name == "models.json":
                data = b"{" if spoilt == "its list" else b'{"models": [1]}'
            target.writestr(name, data)
    for name in ("good", "other"):
        models.remove(models.catalogue.entries[name])
    if spoilt == "a file":
        done = import_models(models, altered, lambda _: None)
        assert done.models == ("other",)
        assert "not the file that its archive lists" in done.left[0][1]
    else:
        with pytest.raises(ModelFileError, match="can't be read"):
            import_models(models, altered, lambda _: None)
    assert models.state(models.catalogue.entries["good"]) == "missing"
