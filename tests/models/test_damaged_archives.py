"""A damaged archive of models is one error of this package's, wherever the damage lies."""

from __future__ import annotations

import json
import time
import zipfile

import pytest

from tests.models.shelf import graph
from understudy.errors import UnderstudyError
from understudy.models.transfer import MANIFEST, export_models, import_models
from understudy.testing.shelf import stock


@pytest.mark.slow
@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damage_anywhere_is_one_error(tmp_path, packing):
    store = stock(tmp_path / "home", {"2d106det": graph(0, 50)})
    archive = tmp_path / "models.zip"
    with zipfile.ZipFile(archive, "w", packing) as made:
        made.writestr(MANIFEST, json.dumps({"models": [{"file": "2d106det.onnx", "sha256": None}]}))
        made.writestr("pack/2d106det.onnx", graph(0, 50))
    data, errors = archive.read_bytes(), 0
    for place in range(0, len(data), 3):
        for part in (b"\xff\xff\xff\xff", b"\0\0\0\0", bytes([data[place] ^ 1])):
            archive.write_bytes(data[:place] + part + data[place + len(part) :])
            try:
                import_models(store, archive, lambda _: None)
            except UnderstudyError as fault:
                errors += 1
                assert "\n" not in fault.message
    assert errors > 100
    assert not list((store.root / "partial").glob("import-*"))


@pytest.mark.parametrize("year", [1970, 2150, 9000])
def test_an_archive_is_exported_whatever_the_clock_shows(tmp_path, monkeypatch, year):
    store = stock(tmp_path / "home", {"2d106det": graph(0, 50)})
    monkeypatch.setattr(time, "localtime", lambda *_: time.struct_time((year, 1, 1, 0, 0, 0, 0, 1, 0)))
    target = tmp_path / "models.zip"
    export_models(store, store.catalogue.resolved(["2d106det"]), target)
    other = stock(tmp_path / "other", {"2d106det": graph(1, 50)})
    other.remove(other.catalogue.entries["2d106det"])
    assert import_models(other, target, lambda _: None).models == ("2d106det",)
