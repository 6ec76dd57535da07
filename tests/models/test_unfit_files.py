"""Models, lists and notes that are no files, or endless, or unpack without end: told before anything is held."""

from __future__ import annotations

import copy
import os
import struct
import zipfile

import numpy as np
import pytest

from tests.models.shelf import GOOD, entry, graph
from tests.unfit import KINDS, put
from understudy.cli.main import main
from understudy.errors import CatalogueError, ModelFileError, UnderstudyError, UnfitFileError, UsageError
from understudy.evaluation import open_embedder
from understudy.models import pieces, transfer
from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.download import FetchOptions
from understudy.models.fetching import Fetcher
from understudy.models.graphs import check_graph
from understudy.models.store import MOST_BYTES
from understudy.models.transfer import export_models, import_models

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.skipif(os.name != "posix", reason="pipes and devices have names on Unix only"),
]


def refuse(_):
    raise AssertionError("nothing here is a model")


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("name", ["good.onnx", "good.zip", "good.onnx.part0", "anything"])
def test_what_is_no_file_is_not_taken_in(store, tmp_path, name, what):
    models = store(entry("good"))
    put(tmp_path / name, what)
    with pytest.raises(UnderstudyError, match=name) as told:
        import_models(models, tmp_path / name, refuse)
    assert told.value.exit_code in (2, 3, 5)
    assert not list(models.root.rglob("*.part"))


@pytest.mark.parametrize("what", KINDS)
def test_in_a_folder_it_is_left_alone_and_the_models_beside_it_are_taken_in(store, tmp_path, what):
    models = store(entry("good"), entry("other"))
    folder = tmp_path / "folder"
    folder.mkdir()
    put(folder / "other.onnx", what)
    (folder / "good.onnx").write_bytes(GOOD)
    assert import_models(models, folder, lambda _: None).models == ("good",)


@pytest.mark.parametrize("what", KINDS)
def test_a_stored_model_that_is_no_file_is_altered(store, tmp_path, what, capsys):
    models = store(entry("good"))
    (tmp_path / "good.onnx").write_bytes(GOOD)
    import_models(models, tmp_path / "good.onnx", lambda _: None)
    one = models.catalogue.entries["good"]
    put(models.path(one), what)
    assert models.state(one) == models.verify(one) == "altered"
    with pytest.raises(ModelFileError, match="not used"):
        models.read(one)
    assert main(["models", "verify", "good", "--home", str(tmp_path / "home")]) == 5


@pytest.mark.slow
@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("name", ["good.onnx.json", "licences.json", "partial/good.onnx.part.json"])
def test_notes_and_records_that_are_no_files_are_none(store, server, name, what):
    models = store(entry("good", {"url": server.url("/good.onnx")}))
    server.manners["/good.onnx"] = ["breaks off", ""]
    models.folder("partial")
    models.partial("good.onnx").write_bytes(GOOD[:1000])
    put(models.root / name, what)
    assert not models.accepted(models.catalogue.entries["good"])
    assert models.record(models.catalogue.entries["good"]) is None
    with Fetcher(models, FetchOptions(pause_seconds=0)) as fetcher:
        assert fetcher.fetch(models.catalogue.entries["good"])
    assert models.read(models.catalogue.entries["good"]) == GOOD


@pytest.mark.parametrize("what", KINDS)
def test_a_part_that_is_no_file_is_told(store, server, what):
    models = store(entry("good", {"url": server.url("/good.onnx")}))
    models.folder("partial")
    put(models.partial("good.onnx"), what if what != "device" else "pipe")
    with Fetcher(models, FetchOptions(pause_seconds=0)) as fetcher:
        try:
            fetcher.fetch(models.catalogue.entries["good"])
        except UnderstudyError:
            return
    assert models.read(models.catalogue.entries["good"]) == GOOD


@pytest.mark.parametrize("what", KINDS)
def test_a_list_of_own_models_that_is_no_file_is_told(tmp_path, what):
    put(tmp_path / OWN_FILE, what)
    with pytest.raises(CatalogueError, match=OWN_FILE):
        Catalogue.load(tmp_path / OWN_FILE)


BOMBS = {
    "a key of many parts": "a" + ".a" * 60_000 + " = 1",
    "a table of many parts": "[" + "a." * 60_000 + "a]",
    "a key of many parts inside": "x = {a = 1, b" + ".a" * 60_000 + " = 1}",
    "deep": "a = " + "[" * 100_000,
    "deep tables": "a = " + "{a=" * 60_000,
    "a number of many digits": "a = " + "9" * 200_000,
    "a name that is such a number": "[[model]]\nname = 0x" + "f" * 200_000,
    "long": "# " + "x" * 300_000,
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_list_that_is_made_to_be_hard_to_read_is_told(tmp_path, what):
    (tmp_path / OWN_FILE).write_text(BOMBS[what])
    with pytest.raises(CatalogueError, match=OWN_FILE):
        Catalogue.load(tmp_path / OWN_FILE)


def test_an_archive_that_unpacks_to_a_thousand_times_its_size_is_refused_before_it_is(store, tmp_path):
    models = store(entry("good"))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.onnx", bytes(30_000_000))
    with pytest.raises(UsageError, match="unpacks to 30,000,000 bytes"):
        import_models(models, tmp_path / "bomb.zip", refuse)


@pytest.mark.parametrize("size", [MOST_BYTES + 1, 3_400_000_000])
def test_a_member_that_says_it_is_longer_than_any_model_is_not_unpacked(store, tmp_path, size):
    models = store(entry("good"))
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.onnx", GOOD)
    packed = path.read_bytes()
    path.write_bytes(packed.replace(struct.pack("<II", len(GOOD), len(GOOD)), struct.pack("<II", len(GOOD), size)))
    with pytest.raises(UsageError, match="more than the"):
        import_models(models, path, refuse)


@pytest.mark.parametrize("packed", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_ways_of_packing_that_take_any_memory_are_refused(store, tmp_path, packed):
    models = store(entry("good"))
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", packed) as archive:
        archive.writestr("good.onnx", GOOD)
    with pytest.raises(UsageError, match="packed in a way"):
        import_models(models, tmp_path / "packed.zip", refuse)


def test_members_that_lie_over_each_other_are_refused(store, tmp_path):
    models = store(entry("good"))
    path = tmp_path / "quoted.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.onnx", GOOD)
        for number in range(20):
            again = copy.copy(archive.getinfo("good.onnx"))
            again.filename = f"{number}/good.onnx"
            archive.filelist.append(again)
    with pytest.raises(ModelFileError, match="over each other"):
        import_models(models, path, refuse)


def test_an_archive_whose_list_would_fill_the_memory_is_refused(store, tmp_path):
    models = store(entry("good"))
    path = tmp_path / "list.zip"
    with path.open("wb") as file:
        file.seek(3_000_000_000)
        file.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 9999, 9999, 3_000_000_000, 0, 0))
    with pytest.raises(ModelFileError, match=r"list\.zip"):
        import_models(models, path, refuse)


def test_an_archive_inside_an_archive_is_not_looked_into(store, tmp_path):
    models = store(entry("good"))
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as archive:
        archive.writestr("good.onnx", GOOD)
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(tmp_path / "inner.zip", "good.zip")
        archive.write(tmp_path / "inner.zip", "good.onnx")
    with pytest.raises(UsageError, match="archive"):
        import_models(models, tmp_path / "outer.zip", lambda _: None)


def test_a_list_in_an_archive_that_is_too_deep_is_told(store, tmp_path):
    models = store(entry("good"))
    with zipfile.ZipFile(tmp_path / "deep.zip", "w") as archive:
        archive.writestr("models.json", "[" * 500_000)
        archive.writestr("good.onnx", GOOD)
    with pytest.raises(ModelFileError, match="can't be read"):
        import_models(models, tmp_path / "deep.zip", refuse)


def test_a_folder_of_everything_is_not_looked_through(store, tmp_path, monkeypatch):
    models = store(entry("good"))
    monkeypatch.setattr(transfer, "MOST_FILES", 10)
    for number in range(11):
        (tmp_path / str(number)).touch()
    with pytest.raises(UsageError, match="too many files"):
        import_models(models, tmp_path, refuse)


def test_a_file_whose_name_and_size_no_model_has_is_not_copied(store, tmp_path, monkeypatch):
    models = store(entry("good", data=GOOD))
    with (tmp_path / "stranger.onnx").open("wb") as file:
        file.truncate(2_000_000_000)
    monkeypatch.setattr(transfer, "digest_of", refuse)
    with pytest.raises(UsageError, match="has such a file"):
        import_models(models, tmp_path / "stranger.onnx", refuse)


def test_an_export_waits_for_no_pipe_under_its_temporary_name(store, tmp_path):
    models = store(entry("good"))
    (tmp_path / "good.onnx").write_bytes(GOOD)
    import_models(models, tmp_path / "good.onnx", lambda _: None)
    os.mkfifo(tmp_path / ".out.zip.part")
    export_models(models, models.catalogue.resolved(["good"]), tmp_path / "out.zip")
    assert zipfile.is_zipfile(tmp_path / "out.zip")


@pytest.mark.parametrize("what", KINDS)
def test_an_embedder_that_is_no_file_is_told(tmp_path, what):
    put(tmp_path / "embedder.onnx", what)
    with pytest.raises(UsageError, match=r"embedder\.onnx"):
        open_embedder(str(tmp_path / "embedder.onnx"))


def test_an_embedder_with_parts_elsewhere_is_not_opened(tmp_path):
    (tmp_path / "embedder.onnx").write_bytes(graph(0, location="weights.bin", length="160000"))
    (tmp_path / "weights.bin").write_bytes(np.zeros(40_000, np.float32).tobytes())
    with pytest.raises(UsageError, match="outside of itself"):
        open_embedder(str(tmp_path / "embedder.onnx"))


def test_a_file_that_grows_while_it_is_copied_is_bounded(tmp_path):
    (tmp_path / "growing").write_bytes(bytes(3_000_000))
    with pytest.raises(UnfitFileError):
        transfer.copy_files([tmp_path / "growing", tmp_path / "growing"], tmp_path / "copy", 5_000_000)
    assert (tmp_path / "copy").stat().st_size <= 5_000_000


def piece(field, content):
    """A piece of a protocol buffer."""
    head, length = bytes([field << 3 | 2]), len(content)
    while length > 127:
        head, length = head + bytes([length & 127 | 128]), length >> 7
    return head + bytes([length]) + content


MANY_PIECES = {
    "nodes": piece(1, b"") * 400_000,
    "attributes": piece(1, piece(5, b"") * 400_000),
    "constants": piece(1, b"") + piece(5, b"") * 400_000,
    "attributes of attributes": piece(1, piece(5, piece(6, piece(1, piece(5, b"") * 400_000)))),
}


@pytest.mark.parametrize("what", MANY_PIECES)
@pytest.mark.slow
def test_a_graph_of_countless_pieces_is_refused_before_they_are_made(what, monkeypatch):
    monkeypatch.setattr("onnx.load_model_from_string", refuse)
    with pytest.raises(ModelFileError, match="too many pieces"):
        check_graph(b"\x08\x09" + piece(8, b"\x10\x11") + piece(7, MANY_PIECES[what]), "x.onnx")


def test_numbers_that_grow_when_they_are_read_are_bounded(monkeypatch):
    monkeypatch.setattr(pieces, "MOST_NUMBERS", 1000)
    rows = piece(5, piece(7, bytes(2000)))  # int64_data of a constant
    with pytest.raises(ModelFileError, match="too many pieces"):
        check_graph(b"\x08\x09" + piece(8, b"\x10\x11") + piece(7, rows + piece(1, b"")), "x.onnx")


def test_a_real_graph_has_few_pieces():
    assert not pieces.too_many_pieces(GOOD)
    assert not pieces.too_many_pieces(os.urandom(10_000))
