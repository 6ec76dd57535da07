"""What broken-off pulls and imports leave is bounded: in number, in bytes, in time."""

from __future__ import annotations

import os
import time

import pytest

from tests.models.shelf import entry, graph
from understudy.errors import FetchError
from understudy.models import leftovers
from understudy.models.download import FetchOptions
from understudy.models.fetching import Fetcher
from understudy.models.leftovers import LONGEST_KEPT, MOST_PART_BYTES, MOST_PARTS, tidy
from understudy.models.store import notes_of

pytestmark = pytest.mark.loopback

QUICK = FetchOptions(stall_seconds=1, tries=1, pause_seconds=0)


def part(folder, name, *, age=0.0, size=10):
    path = folder / f"{name}.part"
    with path.open("wb") as file:
        file.truncate(size)
    notes_of(path).write_text("{}")
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def left(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_only_the_newest_parts_are_kept(tmp_path):
    for number in range(MOST_PARTS + 3):
        part(tmp_path, f"{number:02}.onnx", age=100 - number)
    assert sorted(one.name for one in tidy(tmp_path)) == ["00.onnx.part", "01.onnx.part", "02.onnx.part"]
    assert len(left(tmp_path)) == 2 * MOST_PARTS
    assert tidy(tmp_path) == []


def test_no_more_bytes_are_kept_than_a_few_models_have(tmp_path):
    part(tmp_path, "old.onnx", age=50, size=MOST_PART_BYTES // 2 + 1)
    part(tmp_path, "new.onnx", age=10, size=MOST_PART_BYTES // 2 + 1)
    part(tmp_path, "small.onnx", age=90, size=10)
    tidy(tmp_path)
    assert [name for name in left(tmp_path) if name.endswith(".part")] == ["new.onnx.part", "small.onnx.part"]


def test_what_nobody_took_up_for_a_month_is_gone(tmp_path):
    part(tmp_path, "old.onnx", age=LONGEST_KEPT + 1)
    part(tmp_path, "archive-0123456789abcdef.zip", age=LONGEST_KEPT + 1)
    part(tmp_path, "import-12-0123abcd", age=7200)
    kept = part(tmp_path, "young.onnx", age=LONGEST_KEPT - 60)
    running = part(tmp_path, "import-13-0123abcd", age=5)
    tidy(tmp_path)
    assert left(tmp_path) == sorted(one.name for path in (kept, running) for one in (path, notes_of(path)))


def test_notes_of_nothing_are_removed(tmp_path):
    (tmp_path / "gone.onnx.part.json").write_text("{}")
    tidy(tmp_path)
    assert left(tmp_path) == []


def test_a_part_that_somebody_fetches_stays(store, monkeypatch):
    models = store(entry("good"))
    folder = models.folder("partial")
    growing = part(folder, "good.onnx", age=LONGEST_KEPT + 1)
    with models.lock("good.onnx"):
        assert tidy(folder) == []
    assert growing.exists()
    assert tidy(folder) == [growing]


@pytest.mark.slow
def test_a_pull_leaves_no_more_than_that(store, server, monkeypatch):
    monkeypatch.setattr(leftovers, "MOST_PARTS", 2)
    names = [f"m{number}" for number in range(5)]
    models = store(*(entry(name, {"url": server.url(f"/{name}.onnx")}) for name in names))
    notes = []
    for name in names:
        server.files[f"/{name}.onnx"], server.manners[f"/{name}.onnx"] = graph(0), ["breaks off", "404"]
    with Fetcher(models, QUICK, note=notes.append) as fetcher:
        for name in names:
            with pytest.raises(FetchError):
                fetcher.fetch(models.catalogue.entries[name])
    assert len(list(models.folder("partial").glob("*.part"))) == 2
    assert sum("removed what was left" in note for note in notes) == 3
