"""Damage to what the private folder holds: an error of this package's, wherever it lies."""

from __future__ import annotations

import base64
import shutil
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

import understudy
from understudy import Settings
from understudy.errors import RecordsError, SigningError, UnderstudyError
from understudy.jobs.store import JobStore
from understudy.provenance import ConsentClaim, Consents, Home, Ledger, SigningOptions
from understudy.provenance.records.consent import Photo
from understudy.provenance.records.keys import open_signing_key, own_root
from understudy.server.access.tokens import Tokens


@pytest.fixture(scope="module")
def made(tmp_path_factory, hopper_path, astronaut_path):
    """A private folder that has made a picture."""
    folder = tmp_path_factory.mktemp("made")
    settings = Settings(home=folder / "home")
    understudy.swap(hopper_path, astronaut_path, folder / "out.png", consent="sample", settings=settings)
    return folder / "home"


@pytest.fixture
def used(made, tmp_path):
    """A copy of it."""
    return Home(shutil.copytree(made, tmp_path / "home"))


def damaged(data, every):
    for place in range(0, len(data), every):
        for part in (b"\xff\xff", b"\x00\x00\x00\x00", bytes([data[place] ^ 0x40])):
            yield data[:place] + part + data[place + len(part) :]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ledger.sqlite", "consents.sqlite"])
def test_a_damaged_database_is_a_records_error(used, name):
    path, errors = used.root / name, 0
    for data in [*damaged(path.read_bytes()[:4096], 131), b"", b"SQLite format 3\0", b"\0" * 4096]:
        whole = data + path.read_bytes()[4096:] if len(data) == 4096 else data
        kept = path.read_bytes()
        path.write_bytes(whole)
        try:
            list(Ledger(used).records())
            Ledger(used).verify()
            Consents(used).all()
            if damage := Consents(used).unreadable():
                raise RecordsError(damage[0].reason, "")
        except RecordsError as fault:
            errors += 1
            assert "\n" not in fault.message
        path.write_bytes(kept)
    assert errors > 5


@pytest.mark.parametrize("value", [b"\xff\xfe", 7, None, 1e300, "\x00", "[" * 100_000, '{"a":' * 50_000])
@pytest.mark.parametrize(
    ("name", "table", "column"),
    [("ledger", "records", "body"), ("ledger", "records", "hash"), ("consents",) * 2 + ("body",)],
)
def test_a_damaged_value_is_a_records_error(used, name, table, column, value):
    with closing(sqlite3.connect(used.root / f"{name}.sqlite")) as base:
        rows = base.execute(f"SELECT * FROM {table}").fetchall()
        columns = [row[1] for row in base.execute(f"PRAGMA table_info({table})")]
        base.execute(f"DROP TABLE {table}")
        base.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        for row in rows:
            changed = [value if column == known else old for known, old in zip(columns, row, strict=True)]
            base.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(changed))})", changed)
        base.commit()
    try:
        list(Ledger(used).records())
        Consents(used).all()
        intact = Ledger(used).verify().intact and not Consents(used).unreadable()
    except RecordsError as fault:
        assert len(fault.message) < 2000
    else:
        assert not intact


@pytest.mark.slow
def test_a_damaged_key_or_certificate_is_a_signing_error(used, tmp_path):
    folder = used.root / "keys"
    good = {name: (folder / name).read_bytes() for name in ("signing.key", "signing.pem")}
    errors = 0
    for name, data in good.items():
        first, _, rest = data.partition(b"-----END")
        (head, *lines), foot = first.splitlines(), b"-----END" + rest
        for changed in damaged(base64.b64decode(b"".join(lines)), 7):
            for kept, content in good.items():
                (tmp_path / kept).write_bytes(content)
                (tmp_path / kept).chmod(0o600)
            (tmp_path / name).write_bytes(head + b"\n" + base64.b64encode(changed) + b"\n" + foot)
            try:
                open_signing_key(used, SigningOptions(tmp_path / "signing.pem", tmp_path / "signing.key"))
            except SigningError as fault:
                errors += 1
                assert "\n" not in fault.message
    assert errors > 50


@pytest.mark.slow
@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", *(pytest.param(name, marks=pytest.mark.slow) for name in ("utf-16", "utf-32"))]
)
def test_a_key_that_an_editor_saved_with_a_mark_signs(used, tmp_path, astronaut_path, encoding):
    for name in ("signing.key", "signing.pem"):
        (tmp_path / name).write_bytes((used.root / "keys" / name).read_text().encode(encoding))
        (tmp_path / name).chmod(0o600)
    settings = Settings(home=used.root, signing=SigningOptions(tmp_path / "signing.pem", tmp_path / "signing.key"))
    understudy.swap(astronaut_path, astronaut_path, tmp_path / "out.png", consent="sample", settings=settings)
    assert understudy.inspect(tmp_path / "out.png", home=used.root).credentials.own


@pytest.mark.parametrize("data", [b"", b"\xff\xfe-\0", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"])
def test_no_certificate_at_all(used, data):
    (used.root / "keys" / "signing.pem").write_bytes(data)
    with pytest.raises(SigningError):
        open_signing_key(used, SigningOptions())
    with pytest.raises(UnderstudyError):
        own_root(used)
    with pytest.raises(UnderstudyError):
        understudy.inspect(used.root / "ledger.sqlite", home=used.root)


@pytest.mark.slow
def test_a_private_folder_that_is_full_is_called_so(used, tmp_path):
    """A real one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = f"-m understudy jobs list --home {disk / 'home'}"
    script = (
        f"mount -t tmpfs -o size=4m tmpfs {disk} || exit 77; mkdir -m 700 {disk / 'home'}; {sys.executable} {words}; "
        f"cat /dev/zero > {disk / 'rest'} 2> /dev/null; {sys.executable} {words}"
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file system of its own here")
    assert done.returncode == 6, done.stderr
    assert "no space left on the disk" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["consents.sqlite", "jobs/jobs.db", "server/tokens.sqlite"])
def test_a_database_that_was_emptied_is_told_and_not_taken_for_a_new_one(tmp_path, name):
    home, photo = Home(tmp_path / "home"), Photo("me.png", "0" * 64, "0" * 64)

    def look():
        if name == "consents.sqlite":
            return Consents(home).all(), Consents(home).require(photo, "image", ConsentClaim("self"))
        return JobStore(home).jobs() if name == "jobs/jobs.db" else Tokens(home).all()

    look()
    path = home.root / name
    assert path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"")
    for _ in range(2):
        with pytest.raises(RecordsError, match="was emptied") as refusal:
            look()
    assert path.name in refusal.value.hint
    path.rename(tmp_path / "aside")
    look()


def test_those_who_begin_together_have_one_database(tmp_path):
    home = Home(tmp_path / "home")
    with ThreadPoolExecutor(8) as pool:
        photos = [Photo(f"{number}.png", f"{number:064x}", f"{2**number:064x}") for number in range(0, 200, 10)]
        list(pool.map(lambda photo: Consents(home).grant(photo, ConsentClaim("self")), photos))
    assert len(Consents(home).all()) == len(photos)
    assert [path.name for path in home.root.iterdir()] == ["consents.sqlite"]
