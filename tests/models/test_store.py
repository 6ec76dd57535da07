"""The store: fetched from servers that lie, checked before use, moved by hand, never left half done."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import stat
import subprocess
import sys
import time
import zipfile
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.models.shelf import GOOD, OTHER, entry, fetch, graph, is_clean
from understudy.cli.main import main
from understudy.errors import (
    CatalogueError,
    FetchError,
    ModelError,
    ModelFileError,
    ModelMissingError,
    NoSpaceError,
    UsageError,
)
from understudy.models.catalogue import Catalogue
from understudy.models.download import FetchOptions
from understudy.models.graphs import check_graph, emap_of
from understudy.models.store import FOLDER, Store
from understudy.models.transfer import import_models

pytestmark = pytest.mark.loopback


def test_a_model_is_fetched_once_and_its_digest_recorded(store, server):
    models = store(entry("good", {"url": server.url("/good.onnx")}))
    one = models.catalogue.entries["good"]
    assert models.state(one) == "missing"
    with pytest.raises(ModelMissingError, match="not here"):
        models.read(one)
    assert fetch(models, "good")[0] == [True]
    assert models.state(one) == models.verify(one) == "there"
    assert models.read(one) == GOOD
    record = models.record(one)
    assert (record.sha256, record.size, record.known) == (hashlib.sha256(GOOD).hexdigest(), len(GOOD), False)
    assert fetch(models, "good")[0] == [False]
    assert len(server.asked) == 1
    assert sorted(path.name for path in models.root.iterdir()) == ["good.onnx", "good.onnx.json", "partial"]


@pytest.mark.slow
@pytest.mark.parametrize("manner", ["breaks off", "stalls", "503"])
@pytest.mark.parametrize("known", [True, False])
def test_what_breaks_off_is_taken_up_where_it_did(store, server, manner, known):
    models = store(entry("good", {"url": server.url("/good.onnx")}, data=GOOD if known else None))
    server.manners["/good.onnx"] = [manner, ""]
    _, notes = fetch(models, "good")
    assert models.read(models.catalogue.entries["good"]) == GOOD
    assert notes
    assert server.sent < 1.2 * len(GOOD)


@pytest.mark.slow
def test_a_new_session_goes_on_where_the_last_one_was_killed(store, server, tmp_path):
    models = store(entry("good", {"url": server.url("/good.onnx")}, data=GOOD))
    server.manners["/good.onnx"] = ["slow", ""]
    words = ["models", "pull", "good", "--accept-licence", "--home", str(tmp_path / "home")]
    part = models.partial("good.onnx")
    with subprocess.Popen([sys.executable, "-m", "understudy", *words], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size > 20_000) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
    have = part.stat().st_size
    assert 0 < have < len(GOOD)
    assert models.state(models.catalogue.entries["good"]) == "begun"
    fetch(models, "good")
    assert server.asked[-1][1] == f"bytes={have}-"
    assert models.read(models.catalogue.entries["good"]) == GOOD


@pytest.mark.slow
@pytest.mark.parametrize("manner", ["no ranges", "no tag", "", "no length"])
def test_another_version_is_not_glued_to_the_first_half(store, server, manner):
    models = store(entry("good", {"url": server.url("/good.onnx")}))
    server.manners["/good.onnx"] = ["breaks off", "404"]
    with pytest.raises(FetchError):
        fetch(models, "good")
    server.files["/good.onnx"], server.etags["/good.onnx"] = OTHER, '"two"'
    server.manners["/good.onnx"] = [manner]
    fetch(models, "good")
    assert models.read(models.catalogue.entries["good"]) == OTHER


@pytest.mark.slow
def test_a_half_of_something_else_is_thrown_away_once_the_digest_tells(store, server):
    models = store(entry("good", {"url": server.url("/good.onnx")}, data=GOOD))
    server.files["/good.onnx"] = OTHER
    server.manners["/good.onnx"] = ["breaks off", "404"]
    with pytest.raises(FetchError):
        fetch(models, "good")
    server.files["/good.onnx"], server.manners = GOOD, {}
    fetch(models, "good")
    assert models.read(models.catalogue.entries["good"]) == GOOD


@pytest.mark.slow
@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        ("404", "answers 404"),
        ("503", "answers 503"),
        ("stalls", "silent"),
        ("drips", "too slowly"),
        ("says more", "instead of"),
        ("says less", "instead of"),
        ("for ever", "more than the"),
        ("to file:///etc/passwd", "not allowed"),
        ("to ftp://127.0.0.1/x", "another kind"),
        ("to /bad.onnx", "redirect"),
    ],
)
def test_a_bad_place_is_passed_over_for_the_next(store, server, manner, reason):
    models = store(entry("good", {"url": server.url("/bad.onnx")}, {"url": server.url("/good.onnx")}, data=GOOD))
    server.files["/bad.onnx"], server.manners["/bad.onnx"] = GOOD, [manner]
    _, notes = fetch(
        models, "good", options=FetchOptions(stall_seconds=0.4, window_seconds=0.3, tries=2, pause_seconds=0)
    )
    assert reason in " ".join(notes)
    assert models.read(models.catalogue.entries["good"]) == GOOD


def test_nobody_is_sent_on_from_where_nobody_can_listen_to_where_anybody_can():
    import urllib.request

    from understudy.models.download import Redirects

    class Answer:
        def close(self):
            pass

    request = urllib.request.Request("https://models.example/x")
    for place in ("http://models.example/x", "file:///etc/passwd"):
        with pytest.raises(FetchError, match="another kind"):
            Redirects().redirect_request(request, Answer(), 302, "Found", {}, place)
    assert Redirects().redirect_request(request, Answer(), 302, "Found", {}, "https://other.example/x") is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "where", ["http://[zz/x", "http://a..b/x", "http://" + 80 * "a" + ".example/x", "http://x:99999/"]
)
def test_an_answer_that_can_not_be_read_is_a_bad_place_too(store, server, where):
    models = store(entry("good", {"url": server.url("/bad.onnx")}, {"url": server.url("/good.onnx")}))
    server.files["/bad.onnx"], server.manners["/bad.onnx"] = GOOD, [f"to {where}"]
    fetch(models, "good")
    assert models.read(models.catalogue.entries["good"]) == GOOD


@pytest.mark.slow
def test_what_servers_say_can_not_steer_a_terminal(store, server, tmp_path, capsys):
    store(entry("good", {"url": server.url("/bad.onnx")}))
    server.files["/bad.onnx"], server.manners["/bad.onnx"] = GOOD, ["to file:///\x1b[2Jx"]
    assert main(["models", "pull", "good", "--accept-licence", "--home", str(tmp_path / "home")]) == 5
    said = capsys.readouterr().err
    assert "[2Jx' is not allowed" in said
    assert all(line.isprintable() for line in said.split("\n"))


@pytest.mark.slow
def test_a_head_that_never_ends_is_given_up(store, server):
    models = store(entry("good", {"url": server.url("/bad.onnx")}, {"url": server.url("/good.onnx")}))
    server.files["/bad.onnx"], server.manners["/bad.onnx"] = GOOD, ["dripping head"]
    hasty = FetchOptions(stall_seconds=0.3, tries=1)
    _, notes = fetch(models, "good", options=hasty)
    assert "silent" in notes[0]
    assert models.read(models.catalogue.entries["good"]) == GOOD


@pytest.mark.slow
def test_the_private_folder_that_a_pull_makes_is_private(server, tmp_path, monkeypatch, capsys):
    home = tmp_path / "not" / "yet" / "there"
    old = os.umask(0o022)
    try:
        catalogue = Catalogue.load()
        Store(home / FOLDER, catalogue).accept([catalogue.entries["2dfan4"]])
    finally:
        os.umask(old)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert main(["consent", "list", "--home", str(home)]) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["[]", "5", '"x"', '{"added": 5}', "[" * 100_000, "\x00", '{"url": 3, "mark": "a\\nb"}']
)
def test_damaged_notes_and_records_are_none(store, server, text, tmp_path):
    models = store(entry("good", {"url": server.url("/good.onnx")}))
    one = models.catalogue.entries["good"]
    models.folder("partial")
    models.partial("good.onnx").write_bytes(GOOD[:1000])
    models.partial("good.onnx").with_name("good.onnx.part.json").write_text(text)
    (models.root / "licences.json").write_text(text)
    fetch(models, "good")
    assert models.read(one) == GOOD
    (models.root / "good.onnx.json").write_text(text)
    home = ["--home", str(tmp_path / "home")]
    assert main(["models", "list", *home]) == 0
    assert main(["models", "verify", *home]) == 5
    assert main(["models", "remove", "good", *home]) == 0
    assert not models.path(one).exists()


def test_two_entries_with_one_file_are_refused(store):
    with pytest.raises(CatalogueError, match="its file"):
        store(entry("good"), entry("Good".lower() + "2").replace('name = "good2.onnx"', 'name = "GOOD.onnx"'))


def test_a_place_that_goes_on_elsewhere_is_not_believed(store, server):
    models = store(entry("good", {"url": server.url("/good.onnx")}, data=GOOD))
    server.manners["/good.onnx"] = ["breaks off", "elsewhere"]
    with pytest.raises(FetchError, match="another byte"):
        fetch(models, "good")


WRONG = {
    "another file": OTHER,
    "a web page": b"<!DOCTYPE html><html>Sign in</html>",
    "a pickle": pickle.dumps({"weights": [1, 2, 3]}),
    "a zip": b"PK\x03\x04" + bytes(100),
    "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
    "half": GOOD[: len(GOOD) // 2],
    "nothing": b"",
    "noise": os.urandom(5000),
    "outside": graph(0, location="/etc/passwd"),
    "no graph": helper.make_model(helper.make_graph([], "g", [], [])).SerializeToString(),
}


# Of a file whose digest is not known nobody could tell that it is another one.
@pytest.mark.parametrize(
    ("what", "known"), [(what, known) for known in (True, False) for what in WRONG if known or what != "another file"]
)
def test_what_is_not_the_model_never_gets_its_name(store, server, what, known):
    models = store(entry("good", {"url": server.url("/bad.onnx")}, data=GOOD if known else None))
    server.files["/bad.onnx"] = WRONG[what]
    with pytest.raises(FetchError):
        fetch(models, "good")
    assert is_clean(models)


def test_parts_outside_are_found_wherever_they_hide():
    inner = onnx.load_model_from_string(graph(0, location="../../secret"))
    then = helper.make_node("If", ["c"], ["z"], then_branch=inner.graph, else_branch=inner.graph)
    outer = onnx.load_model_from_string(GOOD)
    outer.graph.node.append(then)
    constant = onnx.load_model_from_string(GOOD)
    constant.graph.node.append(helper.make_node("Constant", [], ["k"], value=inner.graph.initializer[0]))
    for model in (outer, constant):
        with pytest.raises(ModelFileError, match="outside"):
            check_graph(model.SerializeToString(), "x.onnx")
    compiled = onnx.load_model_from_string(GOOD)
    compiled.graph.node.append(helper.make_node("EPContext", [], ["k"], ep_cache_context="../../x", embed_mode=0))
    with pytest.raises(ModelFileError, match="compiled"):
        check_graph(compiled.SerializeToString(), "x.onnx")


def test_the_projection_is_the_last_constant():
    model = onnx.load_model_from_string(GOOD)
    with pytest.raises(ModelFileError, match="no projection"):
        emap_of(model, "x")
    model.graph.initializer.append(numpy_helper.from_array(np.eye(512, dtype=np.float32), "emap"))
    assert np.array_equal(emap_of(model, "x"), np.eye(512))


@pytest.mark.slow
def test_one_archive_serves_several_models_and_is_not_kept(store, server, tmp_path):
    archive = tmp_path / "pack.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("folder/a.onnx", GOOD)
        file.writestr("folder/b.onnx", OTHER)
    server.files["/pack.zip"] = archive.read_bytes()
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    place = {"url": server.url("/pack.zip"), "sha256": digest}
    models = store(entry("a", place | {"member": "a.onnx"}), entry("b", place | {"member": "b.onnx"}, needs=["a"]))
    server.manners["/pack.zip"] = ["breaks off", ""]
    assert fetch(models, "b")[0] == [True, True]
    assert [models.read(models.catalogue.entries[name]) for name in "ab"] == [GOOD, OTHER]
    assert len(server.asked) == 2
    assert not [path for path in models.root.rglob("*.zip*") if path.suffix != ".lock"]
    server.files["/pack.zip"] = archive.read_bytes() + b"x"
    models.remove(models.catalogue.entries["a"])
    server.manners.clear()
    with pytest.raises(FetchError, match="archive is not the one"):
        fetch(models, "a")


def bad_archive(path, kind):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        if kind == "slip":
            file.writestr("../../good.onnx", GOOD)
        elif kind == "absolute":
            file.writestr("/good.onnx", GOOD)
        elif kind == "link":
            info = zipfile.ZipInfo("good.onnx")
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            file.writestr(info, "/etc/passwd")
        elif kind == "bomb":
            file.writestr("good.onnx", bytes(50_000_000))
        elif kind == "twice":
            file.writestr("a/good.onnx", GOOD)
            file.writestr("b/good.onnx", GOOD)
        elif kind == "none":
            file.writestr("readme.txt", "x")
    if kind == "half":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("good.onnx", GOOD)
        path.write_bytes(path.read_bytes()[:-4000])
    return path


@pytest.mark.parametrize("kind", ["slip", "absolute", "link", "bomb", "twice", "none", "half"])
def test_bad_archives_are_refused(store, server, tmp_path, kind):
    server.files["/bad.zip"] = bad_archive(tmp_path / "bad.zip", kind).read_bytes()
    models = store(entry("good", {"url": server.url("/bad.zip"), "member": "good.onnx"}))
    with pytest.raises(FetchError):
        fetch(models, "good")
    if kind != "twice":
        with pytest.raises((ModelFileError, UsageError)):
            import_models(models, tmp_path / "bad.zip", lambda _: None)
    assert is_clean(models)
    assert not list(tmp_path.rglob("good.onnx"))
    assert not list(models.root.rglob("good.onnx.part"))


def test_a_folder_in_a_models_place_is_left_alone(store, tmp_path, capsys):
    models = store(entry("good", data=GOOD))
    folder = models.path(models.catalogue.entries["good"])
    (folder / "mine").mkdir(parents=True)
    assert main(["models", "remove", "good", "--home", str(tmp_path / "home")]) == 5
    assert "good.onnx is a folder: it is left alone" in capsys.readouterr().err
    assert (folder / "mine").exists()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["a bit", "cut", "link", "by hand", "record"])
def test_an_altered_file_is_never_used(store, server, tmp_path, how, capsys):
    models = store(entry("good", {"url": server.url("/good.onnx")}, data=GOOD if how == "record" else None))
    fetch(models, "good")
    one = models.catalogue.entries["good"]
    path, record = models.path(one), models.root / "good.onnx.json"
    if how == "a bit":
        path.write_bytes(GOOD[:-1] + bytes([GOOD[-1] ^ 1]))
    elif how == "cut":
        path.write_bytes(GOOD[:-100])
    elif how == "link":
        path.rename(tmp_path / "elsewhere.onnx")
        path.symlink_to(tmp_path / "elsewhere.onnx")
    elif how == "by hand":
        record.unlink()
    else:  # whoever alters the file may alter what was recorded of it, too: not what the catalogue says
        path.write_bytes(OTHER)
        record.write_text(json.dumps(json.loads(record.read_text()) | {"sha256": hashlib.sha256(OTHER).hexdigest()}))
    with pytest.raises(ModelFileError, match="not used"):
        models.read(one)
    home = ["--home", str(tmp_path / "home")]
    assert main(["models", "verify", "good", *home]) == 5
    assert main(["models", "pull", "good", "--accept-licence", *home]) == 5
    assert f"models remove --home {tmp_path / 'home'} good" in capsys.readouterr().err
    assert main(["models", "remove", "good", *home]) == 0
    assert main(["models", "pull", "good", "--accept-licence", *home]) == 0
    assert models.read(one) == GOOD
    assert how != "link" or (tmp_path / "elsewhere.onnx").read_bytes() == GOOD


@pytest.mark.slow
def test_two_at_once_fetch_it_once(store, server, tmp_path):
    models = store(entry("good", {"url": server.url("/good.onnx")}))
    server.manners["/good.onnx"] = ["slow"]
    words = ["models", "pull", "good", "--accept-licence", "--home", str(tmp_path / "home")]
    both = [subprocess.Popen([sys.executable, "-m", "understudy", *words], stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=60)[1].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len(server.asked) == 1
    assert models.read(models.catalogue.entries["good"]) == GOOD


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a file system of its own")
@pytest.mark.parametrize("manner", ["", "no length"])
def test_a_full_disk_is_said_and_leaves_nothing_under_the_name(store, server, tmp_path, manner):
    store(entry("good", {"url": server.url("/good.onnx")}))
    server.manners["/good.onnx"] = [manner]
    home, folder = tmp_path / "home", tmp_path / "home" / FOLDER
    folder.mkdir()
    pull = f"{sys.executable} -m understudy models pull good --accept-licence --home {home}"
    script = f"mount -t tmpfs -o size=100k tmpfs {folder} || exit 77; {pull}; code=$?; ls {folder}; exit $code"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file system of its own here")
    assert done.returncode == 6, done.stderr
    assert "no space left" in done.stderr
    assert "good.onnx" not in done.stdout.split()


def test_a_disk_that_is_too_small_is_known_before(store, server, monkeypatch):
    models = store(entry("good", {"url": server.url("/good.onnx")}))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10, used=9, free=1))
    with pytest.raises(NoSpaceError) as fault:
        fetch(models, "good")
    assert "pull again" in fault.value.hint


@pytest.mark.slow
def test_licences_are_accepted_once_each(store, server, tmp_path, capsys):
    place = {"url": server.url("/good.onnx")}
    store(
        entry("free", place), entry("bound", place, licence="insightface"), entry("two", place, licence="insightface")
    )
    home = ["--home", str(tmp_path / "home")]
    assert main(["models", "pull", "bound", *home]) == 4
    said = capsys.readouterr().err
    assert "InsightFace" in said
    assert "commercial use: no" in said
    assert "--accept-licence" in said
    assert server.asked == []
    assert main(["models", "pull", "bound", "--accept-licence", "--json", *home]) == 0
    assert json.loads(capsys.readouterr().out)["fetched"] == ["bound"]
    assert main(["models", "pull", "two", *home]) == 0
    assert "InsightFace" not in capsys.readouterr().err
    assert main(["models", "pull", "free", *home]) == 4


@pytest.mark.slow
def test_what_is_here_is_not_missed_where_nothing_can_be_written(store, server, tmp_path, capsys):
    models = store(entry("good", {"url": server.url("/good.onnx")}))
    pull = ["models", "pull", "good", "--accept-licence", "--home", str(tmp_path / "home")]
    assert main(pull) == 0
    shutil.rmtree(models.root / "partial")
    (models.root / "partial").write_text("so that no folder can be made here")
    assert main(pull) == 0
    assert "good is here already" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("licence", ["non-commercial", "unknown"])
def test_what_one_author_asks_is_not_accepted_for_another(licence, store, server, tmp_path, capsys):
    place = {"url": server.url("/good.onnx")}
    store(*(entry(name, place, licence=licence) for name in ("one", "two", "three")))
    home = ["--home", str(tmp_path / "home")]
    assert main(["models", "pull", "one", "two", "--accept-licence", *home]) == 0
    assert f"one, two: {licence} (" in capsys.readouterr().err
    assert main(["models", "pull", "three", *home]) == 4
    assert "the licence of three has not been accepted" in capsys.readouterr().err


def test_a_model_that_is_just_being_fetched_is_not_removed_and_nor_is_an_archive_that_another_is_taken_from(
    store, server
):
    server.files["/good"] = GOOD
    zipped = {"url": server.url("/both.zip")}
    models = store(
        entry("good", {"url": server.url("/good")}, data=GOOD),
        entry("a", zipped | {"member": "a.onnx"}, data=GOOD),
        entry("b", zipped | {"member": "b.onnx"}, data=OTHER),
    )
    fetch(models, "good")
    good = models.catalogue.entries["good"]
    with models.lock(good.file.name), pytest.raises(ModelError, match="good is being fetched or written just now"):
        models.remove(good)
    assert models.verify(good) == "there"
    assert models.remove(good)
    assert not models.remove(good)
    first = models.catalogue.entries["a"]
    archive = models.archive(first.file.sources[0])
    archive.write_bytes(b"begun")
    with models.lock(archive.name):
        models.remove(first)
        assert archive.exists()
    models.remove(first)
    assert not archive.exists()
