"""Keys, certificates, sidecars, fonts and databases that are no files, or endless, are told at once."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing

import pytest

from tests.unfit import KINDS, put
from understudy.errors import RecordsError, SigningError
from understudy.provenance import Consents, Home, Ledger
from understudy.provenance.credentials import read_credentials
from understudy.provenance.label import LabelOptions
from understudy.provenance.lettering import FONTS
from understudy.provenance.records.keys import SigningOptions, open_signing_key
from understudy.provenance.records.sqlite_file import database
from understudy.release import is_sidecar

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes and devices have names on Unix only")


@pytest.fixture
def private(tmp_path):
    """A private folder with a key of its own, and both databases."""
    own = Home(tmp_path / "home")
    open_signing_key(own, SigningOptions())
    for name in ("ledger", "consents"):
        with database(own.root / f"{name}.sqlite", "CREATE TABLE unused (one)"):
            pass
    return own


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("name", ["signing.key", "signing.pem"])
def test_a_key_that_is_no_file_is_told(private, name, what):
    put(private.root / "keys" / name, what)
    with pytest.raises(SigningError, match=name):
        open_signing_key(private, SigningOptions())


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("name", ["ledger.sqlite", "ledger.sqlite-journal", "ledger.sqlite-wal", "consents.sqlite"])
def test_a_database_that_is_no_file_is_told(private, name, what):
    put(private.root / name, what)
    with pytest.raises(RecordsError, match=name):
        Ledger(private).verify() if name.startswith("ledger") else Consents(private).all()


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE VIEW records AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i AS number, 'x' AS body, 'y' AS hash FROM n",
        "CREATE TABLE records (number INTEGER PRIMARY KEY, body TEXT AS (hex(zeroblob(400000000))), hash TEXT)",
        "CREATE TABLE other (one); CREATE TRIGGER again AFTER INSERT ON other BEGIN SELECT 1; END",
    ],
    ids=["a query without end", "a column that is computed", "a trigger"],
)
def test_a_database_that_computes_is_refused(private, schema):
    path = private.root / "ledger.sqlite"
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(schema)
    path.chmod(0o600)
    with pytest.raises(RecordsError, match="did not write"):
        Ledger(private).verify()


@pytest.mark.parametrize("what", KINDS)
def test_the_ledgers_own_files_that_are_no_files_are_told(private, what):
    put(private.root / "ledger.head", what)
    with pytest.raises(RecordsError, match="head"):
        Ledger(private).ensure_sound()


@pytest.mark.parametrize("what", KINDS)
def test_a_sidecar_that_is_no_file_is_told(tmp_path, hopper_path, what):
    picture = tmp_path / "picture.jpg"
    shutil.copy(hopper_path, picture)
    sidecar = tmp_path / "picture.jpg.c2pa"
    put(sidecar, what)
    assert not is_sidecar(sidecar)
    said = read_credentials(picture, None)
    assert said.state == "unreadable"
    assert "picture.jpg.c2pa" in said.problems[0]


def test_a_font_whose_letters_are_gigantic_is_refused_before_they_are_drawn(tmp_path):
    data = bytearray(FONTS[0].read_bytes())
    entry = data.index(b"head")
    offset = int.from_bytes(data[entry + 8 : entry + 12], "big")
    assert int.from_bytes(data[offset + 18 : offset + 20], "big") == 2048  # units of an em
    data[offset + 18 : offset + 20] = (16).to_bytes(2, "big")
    (tmp_path / "font.ttf").write_bytes(data)
    with pytest.raises(ValueError, match="odd size"):
        LabelOptions(font=tmp_path / "font.ttf")


@pytest.mark.parametrize("what", KINDS)
def test_a_font_that_is_no_file_is_told(tmp_path, what):
    put(tmp_path / "font.ttf", what)
    with pytest.raises(ValueError, match=r"font\.ttf"):
        LabelOptions(font=tmp_path / "font.ttf")
